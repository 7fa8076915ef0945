#!/usr/bin/env python3
"""Measures tasks: many that sleep, spawn and await, cancelling many, work on all cores. Prints each beside its limit.

Usage: bench/tasks.py HARN [--scale N]   (N divides the counts, for a quick look)

Times are taken inside the program on its monotonic clock, so start-up does not count; memory is the peak resident set of
the process. "cores" compares the same program with HARN_THREADS=1 and HARN_THREADS=2: processor time of a run does not
grow, so the ratio of wall times is the gain. On a machine that others use it says little.
"""

import os
import subprocess
import sys
import tempfile
import time

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
let rs = parallel 8 {{ _i -> fib({n}) }}
println(monotonic_ms() - begun)
"""


def run(harn, text, threads):
    """Output, wall seconds and peak memory in MB of one run."""
    with tempfile.NamedTemporaryFile("w", suffix=".harn", delete=False) as file:
        file.write(text)
    try:
        begun = time.monotonic()
        process = subprocess.Popen(
            [harn, "run", file.name], stdout=subprocess.PIPE, env={**os.environ, "HARN_THREADS": str(threads)}
        )
        out = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{file.name} failed")
        return int(out.split()[-1]), time.monotonic() - begun, usage.ru_maxrss / 1024, usage.ru_utime
    finally:
        os.unlink(file.name)


def main():
    args = sys.argv[1:]
    scale = int(args[args.index("--scale") + 1]) if "--scale" in args else 1
    harn = os.path.abspath(args[0])
    print(f"{'what':44} {'measured':>16}   limit")
    n = 1_000_000 // scale
    ms, _, memory, _ = run(harn, SLEEPING.format(n=n), 1)
    print(f"{f'{n:,} sleeping tasks, time':44} {ms / 1000:14.2f} s   5 s for 1,000,000")
    print(f"{f'{n:,} sleeping tasks, memory':44} {memory:13.0f} MB   1500 MB for 1,000,000")
    n = 500_000 // scale
    ms, _, _, _ = run(harn, SPAWN.format(n=n), 1)
    print(f"{'spawn + await, each':44} {ms * 1000 / n:13.2f} us   2 us")
    n = 100_000 // scale
    ms, _, _, _ = run(harn, CANCEL.format(n=n), 1)
    print(f"{f'{n:,} children cancelled':44} {ms:13} ms   200 ms for 100,000")
    depth = 31 if scale == 1 else 27
    one, _, _, user_one = run(harn, CORES.format(n=depth), 1)
    two, _, _, user_two = run(harn, CORES.format(n=depth), 2)
    print(f"{'parallel over 8 bodies, 2 threads':44} {one / max(two, 1):13.2f} x   1.8 x on 2 free cores")
    print(f"{'  processor time, 1 and 2 threads':44} {user_one:6.2f} {user_two:6.2f} s")


if __name__ == "__main__":
    main()
