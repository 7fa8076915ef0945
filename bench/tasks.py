#!/usr/bin/env python3
"""Measures tasks: many that sleep, spawn and await, cancelling many, work on all cores. Prints each beside its limit.

Usage: bench/tasks.py HARN [--scale N]   (N divides the counts, for a quick look)

Times are taken inside the program on its monotonic clock, so start-up does not count; memory is the peak resident set of
the process. The gain of two cores is measured in turns: one program with HARN_THREADS=1, the same with HARN_THREADS=2, and,
as what the machine itself has to give in that moment, two processes of half the work each beside one after the other.
Virtual cores that share a core, and other programs, take from both alike.
"""

import os
import statistics
import subprocess
import sys
import tempfile

SLEEPING = """
let n = {n}
let begun = monotonic_ms()
let ts = (1 to n).map({{ _i -> spawn {{ sleep(1ms) }} }}).to_list()
var left = 0
for t in ts {{ if await(t) == nil {{ left = left + 1 }} }}
println(monotonic_ms() - begun)
"""

SPAWN = """
let n = {n}
let begun = monotonic_ms()
var sum = 0
for i in 1 to n {{ sum = sum + await(spawn {{ i }}) }}
println(monotonic_ms() - begun)
"""

CANCEL = """
let n = {n}
let owner = spawn {{
  let ts = (1 to n).map({{ _i -> spawn {{ sleep(100s) }} }}).to_list()
  sleep(100s)
  len(ts)
}}
sleep(1ms)
let begun = monotonic_ms()
cancel(owner)
println(monotonic_ms() - begun)
"""

CORES = """
fn fib(n) {{
  if n < 2 {{ return n }}
  return fib(n - 1) + fib(n - 2)
}}
let begun = monotonic_ms()
let rs = parallel {bodies} {{ _i -> fib({n}) }}
println(monotonic_ms() - begun)
"""

# How often the gain of two cores is measured.
TURNS = 9


def run(harn, text, threads):
    """What a run prints, a number, and its peak memory in MB."""
    with tempfile.NamedTemporaryFile("w", suffix=".harn", delete=False) as file:
        file.write(text)
    try:
        process = subprocess.Popen(
            [harn, "run", file.name], stdout=subprocess.PIPE, env={**os.environ, "HARN_THREADS": str(threads)}
        )
        out = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{file.name} failed")
        return int(out.split()[-1]), usage.ru_maxrss / 1024
    finally:
        os.unlink(file.name)


def main():
    args = sys.argv[1:]
    scale = int(args[args.index("--scale") + 1]) if "--scale" in args else 1
    harn = os.path.abspath(args[0])
    print(f"{'what':44} {'measured':>16}   limit")
    n = 1_000_000 // scale
    ms, memory = run(harn, SLEEPING.format(n=n), 1)
    print(f"{f'{n:,} sleeping tasks, time':44} {ms / 1000:14.2f} s   5 s for 1,000,000")
    print(f"{f'{n:,} sleeping tasks, memory':44} {memory:13.0f} MB   1500 MB for 1,000,000")
    n = 500_000 // scale
    ms, _ = run(harn, SPAWN.format(n=n), 1)
    print(f"{'spawn + await, each':44} {ms * 1000 / n:13.2f} us   2 us")
    n = 100_000 // scale
    ms, _ = run(harn, CANCEL.format(n=n), 1)
    print(f"{f'{n:,} children cancelled':44} {ms:13} ms   200 ms for 100,000")
    depth = 31 if scale == 1 else 27
    gains, offered = [], []
    for _ in range(TURNS):
        one = run(harn, CORES.format(n=depth, bodies=8), 1)[0]
        two = run(harn, CORES.format(n=depth, bodies=8), 2)[0]
        gains.append(one / max(two, 1))
        offered.append(apart(harn, CORES.format(n=depth, bodies=4)))
    median = statistics.median(gains)
    print(f"{'parallel over 8 bodies, 2 threads':44} {median:13.2f} x   1.8 x on 2 free cores")
    print(f"  {TURNS} turns: {' '.join(f'{gain:.2f}' for gain in sorted(gains))}")
    print(f"  two processes of 4 bodies each:  {' '.join(f'{gain:.2f}' for gain in sorted(offered))}")


def apart(harn, text):
    """How much faster two processes are together than one after the other, on one thread each; by their own clocks."""
    with tempfile.NamedTemporaryFile("w", suffix=".harn") as file:
        file.write(text)
        file.flush()

        def started():
            env = {**os.environ, "HARN_THREADS": "1"}
            return subprocess.Popen([harn, "run", file.name], stdout=subprocess.PIPE, text=True, env=env)

        def took(process):
            return int(process.communicate()[0])

        alone = took(started()) + took(started())
        together = [started(), started()]
        return alone / max(*map(took, together), 1)


if __name__ == "__main__":
    main()
