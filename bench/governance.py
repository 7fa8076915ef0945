#!/usr/bin/env python3
"""How fast governance is: each figure beside its limit, both measured in this run.

    bench/governance.py HARN SPEED [DIRECTORY] [--records 1000000] [--strict]

HARN is a release build, SPEED the example `governance_speed` of the same build (cargo build --release -p harn --bin harn
--example governance_speed). DIRECTORY is on the disk to be measured; the chain to verify is made there once (1.3 GB for a
million records). With --strict the exit code is 1 when a limit is not kept.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time

WAITS = """
pipeline main(task) {
  let r = request_approval("go on")
  println(r.approved)
}
"""
PLAIN = """
pipeline main(task) {
  println(true)
}
"""


def timed(command, cwd, env, code):
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    took = time.perf_counter() - begun
    if done.returncode != code:
        sys.exit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return took, done


def suspend_and_resume(harn, rounds=30):
    """Milliseconds of suspending and resuming a small run beyond two plain runs. The log is in memory-backed storage, so the
    write itself takes nothing."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as directory:
        for name, text in (("waits.harn", WAITS), ("plain.harn", PLAIN)):
            with open(os.path.join(directory, name), "w") as file:
                file.write(text)
        env = {name: value for name, value in os.environ.items() if not name.startswith("HARN_")}
        env["HARN_CONFIG_DIR"] = os.path.join(directory, "config")
        plain, suspended, resumed = [], [], []
        for _ in range(rounds):
            plain.append(timed([harn, "run", "plain.harn"], directory, env, 0)[0])
            took, done = timed([harn, "run", "--suspend", "waits.harn"], directory, env, 75)
            suspended.append(took)
            words = done.stderr.split()
            run, request = words[words.index("suspended") + 1], words[-1]
            timed([harn, "hitl", "approve", request, "--reviewer", "operator"], directory, env, 0)
            resumed.append(timed([harn, "resume", run], directory, env, 0)[0])
    return 1000 * (statistics.median(suspended) + statistics.median(resumed) - 2 * statistics.median(plain))


def main():
    args = [arg for arg in sys.argv[1:] if not arg.startswith("--")]
    records = sys.argv[sys.argv.index("--records") + 1] if "--records" in sys.argv else "1000000"
    args = [arg for arg in args if arg != records]
    harn, speed = (os.path.abspath(arg) for arg in args[:2])
    directory = args[2] if len(args) > 2 else tempfile.gettempdir()
    rows = []
    figure = suspend_and_resume(harn)
    rows.append(("suspend and resume of a small run, without the write / 10 ms", figure, 10.0, "ms", figure / 10, 1.0, "max"))
    out = subprocess.run([speed, directory, records], capture_output=True, text=True, check=True).stdout
    limits = {"lone durable": 1.3, "decisions a second": 0.7}
    for line in out.splitlines():
        if line.startswith("#"):
            continue
        name, figure, limit, unit, ratio, kind = line.split("\t")
        wanted = next((bound for start, bound in limits.items() if name.startswith(start)), 1.0)
        rows.append((name, float(figure), float(limit), unit, float(ratio), wanted, kind))
    missed = 0
    print(f"{'figure / limit':<66} {'figure':>12} {'limit':>12} {'':4} {'ratio':>7}  wanted")
    for name, figure, limit, unit, ratio, wanted, kind in rows:
        holds = ratio <= wanted if kind == "max" else ratio >= wanted
        missed += not holds
        sign = "<=" if kind == "max" else ">="
        print(f"{name:<66} {figure:>12.3f} {limit:>12.3f} {unit:<4} {ratio:>7.2f}  {sign} {wanted}{'' if holds else '  MISSED'}")
    sys.exit(1 if missed and "--strict" in sys.argv else 0)


main()
