#!/usr/bin/env python3
"""Count the instructions of each benchmark program, and compare with what is recorded.

    bench/counts.py [--harn BIN] [--only NAME,...]            print the counts beside the recorded ones
    bench/counts.py --check [--limit PERCENT]                 exit 1 when one costs more than 3 % more
    bench/counts.py --record                                  write bench/counts.json

What is compared is what the interpreter executes itself: the instructions inside the binary, by callgrind, without those
of the C library and the loader, which choose other ways on other processors and change with their versions (`all` has
them too, for the reader). Such a count is exact to the fourth digit whatever else the machine does, so a small change
for the worse is seen. What starting costs (an empty program) is counted on its own, under `start`, and taken off the
others; it may grow by 10 %, for every builtin adds to it. Only a release binary counts, and only one of the compiler that
the record names: another one makes other code. Counts miss caches and stalls:
bench/run.py measures time. A count that fell is no failure: record it, so that it is held. Takes 40 s on two cores.
"""
import argparse, json, os, pathlib, platform, re, shutil, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent
RECORD = HERE / "counts.json"
START = "start"
START_LIMIT = 10.0
# Longest that one program may take, in seconds: the slowest takes a tenth of it.
PATIENCE = 120


def inside(profile, binary):
    """Instructions executed in the binary itself, and all, of a callgrind profile."""
    names, here, own, every, skip = {}, None, 0, 0, False
    for line in profile.open(errors="replace"):
        found = re.match(r"ob=\((\d+)\)(?: (.*))?", line)
        if found:
            names.setdefault(found[1], found[2])
            here = names[found[1]]
        elif found := re.match(r"cob=\((\d+)\) (.*)", line):
            names.setdefault(found[1], found[2])
        elif line.startswith("calls="):
            # The next line is what the callee costs, which its own lines say too.
            skip = True
        elif found := re.match(r"[+*-]?\d* (\d+)$", line):
            if not skip:
                every += int(found[1])
                own += int(found[1]) if here == binary else 0
            skip = False
    return own, every


def count(harn, program, cwd):
    """Instructions of one run: in the binary, and all."""
    profile = pathlib.Path(cwd) / f"{program.stem}.callgrind"
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", harn, "run", str(program)]
    # A cache that is found warm or cold would change the count, as would threads.
    env = {**os.environ, "HARN_CACHE": "off", "HARN_THREADS": "1"}
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=env,
                              timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        sys.exit(f"{program.name}: not done within {PATIENCE} s")
    if done.returncode != 0 or not profile.exists():
        sys.exit(f"{program.name}: exit {done.returncode}\n{done.stderr[-2000:]}")
    own, every = inside(profile, os.path.realpath(harn))
    if own == 0:
        sys.exit(f"{program.name}: nothing counted in {harn}")
    return own, every


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harn", default=str(HERE.parent / "target/release/harn"))
    ap.add_argument("--only", default="")
    ap.add_argument("--check", action="store_true")
    ap.add_argument("--limit", type=float, default=3.0)
    ap.add_argument("--record", action="store_true")
    a = ap.parse_args()
    if platform.machine() != "x86_64":
        print(f"the recorded counts are of x86-64, this is {platform.machine()}: not compared")
        return
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is missing: scripts/counts installs it")
    harn = shutil.which(a.harn)
    if harn is None:
        sys.exit(f"no harn binary at {a.harn}: cargo build --release")
    # The programs run in a folder of their own, where a relative path means nothing.
    harn = os.path.abspath(harn)
    known = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    recorded_with = known.pop("compiler", compiler)
    if a.check and recorded_with != compiler:
        print(f"recorded with {recorded_with}, and this is {compiler}, which makes other code: shown, not compared")
        a.check = False
    wanted = [w for w in a.only.split(",") if w]
    programs = [p for p in sorted((HERE / "programs").glob("*.harn")) if not wanted or p.stem in wanted]
    with tempfile.TemporaryDirectory(prefix="harn-counts-") as tmp, ThreadPoolExecutor(os.cpu_count()) as pool:
        empty = pathlib.Path(tmp) / "empty.harn"
        empty.write_text("")
        start, *totals = pool.map(lambda p: count(harn, p, tmp), [empty, *programs])
    def less(total):
        return [part - begun for part, begun in zip(total, start)]

    counts = {name: dict(zip(("own", "all"), total)) for name, total in
              [(START, start), *((p.stem, less(total)) for p, total in zip(programs, totals))]}
    costly = []
    print(f"{'program':<16} {'million':>10} {'recorded':>10} {'change':>8} {'with libraries':>15}")
    for name, instructions in counts.items():
        own, before = instructions["own"], known.get(name, {}).get("own")
        change = (own / before - 1) * 100 if before else None
        shown = f"{before / 1e6:10.1f} {change:+7.1f}%" if before else f"{'-':>10} {'-':>8}"
        print(f"{name:<16} {own / 1e6:10.1f} {shown} {instructions['all'] / 1e6:15.1f}")
        if change is None or change > (START_LIMIT if name == START else a.limit):
            costly.append(name)
    if a.record:
        rows = sorted({**known, **counts}.items())
        rows.insert(0, ("compiler", compiler))
        RECORD.write_text("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in rows) + "\n}\n")
    elif a.check and costly:
        sys.exit(f"more than {a.limit:g} % (start: {START_LIMIT:g} %) above bench/counts.json, or not recorded: {', '.join(costly)}")


if __name__ == "__main__":
    main()
