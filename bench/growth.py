#!/usr/bin/env python3
"""Measures how the time of what grows by one at a time depends on the size: prints milliseconds and the exponent.

    bench/growth.py [--harn BIN] [--turns N] [--check]        --check: exit 1 when an exponent is above 1.3

Each program does n steps, n from 10^3 to 10^6. The time is the shortest processor time (user + system) of whole
processes, less that of an empty program. The exponent is that of time = c * n^e between 10^5 and 10^6, where starting no
longer counts: 1 is linear, 2 quadratic. Caches that no longer hold the values move it by a few hundredths.
`cargo test -p harn-runtime --test it growth` holds more forms of the same at smaller sizes.
"""
import argparse, math, os, pathlib, resource, shutil, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent
SIZES = [1_000, 10_000, 100_000, 1_000_000]
LIMIT = 1.3
PROGRAMS = {
    "list push": "fn f() { var xs = []\nfor i in 1 to N { xs = xs.push(i) }\nreturn len(xs) }",
    "dict insert": 'fn f() { var d = {}\nfor i in 1 to N { d["k${i}"] = i }\nreturn len(d) }',
    "string append": 'fn f() { var s = ""\nfor i in 1 to N { s = s + "x" }\nreturn len(s) }',
    "set lookup": "fn f() { var s = set()\nfor i in 1 to N { s = s.add(i) }\nvar n = 0\n"
                  "for i in 1 to N { if s.contains(i) { n += 1 } }\nreturn n }",
    "channel send": "fn f() { let c = channel(16)\nlet t = spawn { for i in 1 to N { send(c, i) }\nclose_channel(c) }\n"
                    "var n = 0\nfor x in c { n += 1 }\nreturn n }",
}


def seconds(harn, text, expected, cwd, turns):
    """The shortest processor time of a program."""
    file = pathlib.Path(cwd) / "program.harn"
    file.write_text(text)
    best = math.inf
    for _ in range(turns):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([harn, "run", str(file)], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env={**os.environ, "HARN_THREADS": "1"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0 or done.stdout.strip() != expected:
            sys.exit(f"{text}\nexit {done.returncode}, {done.stdout!r} instead of {expected}\n{done.stderr[:2000]}")
        best = min(best, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return best


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harn", default=str(HERE.parent / "target/release/harn"))
    ap.add_argument("--turns", type=int, default=5)
    ap.add_argument("--check", action="store_true")
    a = ap.parse_args()
    harn = shutil.which(a.harn)
    if harn is None:
        sys.exit(f"no harn binary at {a.harn}: cargo build --release")
    above = []
    with tempfile.TemporaryDirectory(prefix="harn-growth-") as tmp:
        start = seconds(harn, "", "", tmp, 4 * a.turns)
        print(f"{'ms':<16}" + "".join(f"{n:>12,}" for n in SIZES) + f"{'exponent':>12}")
        for name, text in PROGRAMS.items():
            times = [max(seconds(harn, f"{text}\nprintln(f())".replace("N", str(n)), str(n), tmp, a.turns) - start, 1e-4)
                     for n in SIZES]
            exponent = math.log10(times[-1] / times[-2])
            print(f"{name:<16}" + "".join(f"{t * 1e3:12.1f}" for t in times) + f"{exponent:12.2f}", flush=True)
            if exponent > LIMIT:
                above.append(name)
    if a.check and above:
        sys.exit(f"above {LIMIT}: " + ", ".join(above))


if __name__ == "__main__":
    main()
