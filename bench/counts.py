#!/usr/bin/env python3
"""Count the instructions of each benchmark program, and compare with what is recorded.

    bench/counts.py [--harn BIN] [--only NAME,...]            print the counts beside the recorded ones
    bench/counts.py --check [--limit PERCENT]                 exit 1 when one costs more than 3 % more
    bench/counts.py --record                                  write bench/counts.json

What starting costs (an empty program) is counted on its own, under `start`, and taken off the others; it may grow by
10 %, for every builtin adds to it. Counts are callgrind's ("Collected"): exact to the fourth digit whatever else the machine does, so a small change for
the worse is seen. Only a release binary counts. They miss caches and stalls: bench/run.py measures time. Where
valgrind is missing, --check says so and passes. A count that fell is no failure: record it, so that it is held.
"""
import argparse, json, os, pathlib, re, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "counts.json"
START = "start"
START_LIMIT = 10.0


def count(harn, program, cwd):
    """Instructions of one run."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", harn, "run", str(program)]
    # A cache that is found warm or cold would change the count.
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "HARN_CACHE": "off"})
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or found is None:
        sys.exit(f"{program.name}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return int(found.group(1))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harn", default=str(HERE.parent / "target/release/harn"))
    ap.add_argument("--only", default="")
    ap.add_argument("--check", action="store_true")
    ap.add_argument("--limit", type=float, default=3.0)
    ap.add_argument("--record", action="store_true")
    a = ap.parse_args()
    if shutil.which("valgrind") is None:
        if a.check:
            print("valgrind is missing: instruction counts not checked (apt-get install valgrind)")
            return
        sys.exit("valgrind is missing: apt-get install valgrind")
    harn = shutil.which(a.harn)
    if harn is None:
        sys.exit(f"no harn binary at {a.harn}: cargo build --release")
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    wanted = [w for w in a.only.split(",") if w]
    programs = [p for p in sorted((HERE / "programs").glob("*.harn")) if not wanted or p.stem in wanted]
    with tempfile.TemporaryDirectory(prefix="harn-counts-") as tmp, ThreadPoolExecutor(os.cpu_count()) as pool:
        empty = pathlib.Path(tmp) / "empty.harn"
        empty.write_text("")
        start, *totals = pool.map(lambda p: count(harn, p, tmp), [empty, *programs])
    counts = {START: start, **{p.stem: total - start for p, total in zip(programs, totals)}}
    costly = []
    print(f"{'program':<16} {'million':>10} {'recorded':>10} {'change':>8}")
    for name, instructions in counts.items():
        before = known.get(name)
        change = (instructions / before - 1) * 100 if before else None
        shown = f"{before / 1e6:10.1f} {change:+7.1f}%" if before else f"{'-':>10} {'-':>8}"
        print(f"{name:<16} {instructions / 1e6:10.1f} {shown}")
        if change is None or change > (START_LIMIT if name == START else a.limit):
            costly.append(name)
    if a.record:
        RECORD.write_text(json.dumps({**known, **counts}, indent=2, sort_keys=True) + "\n")
    elif a.check and costly:
        sys.exit(f"more than {a.limit:g} % (start: {START_LIMIT:g} %) above bench/counts.json, or not recorded: {', '.join(costly)}")


if __name__ == "__main__":
    main()
