#!/usr/bin/env python3
"""Measures how the time of what grows by one at a time depends on the size: prints milliseconds and the exponent.

    bench/growth.py [--harn BIN] [--turns N] [--instructions] [--check]        --check: exit 1 when an exponent is above 1.3

Each program does n steps, n from 10^3 to 10^6. The time is the shortest processor time (user + system) of whole
processes, less that of an empty program. The exponent is that of time = c * n^e between 10^5 and 10^6, where starting no
longer counts: 1 is linear, 2 quadratic. Caches that no longer hold the values move it by some tenths, in any language:
where Lua 5.4 is installed, its exponent for the same is beside it. --instructions counts what is executed instead
(callgrind, two minutes), where neither caches nor other programs on the machine have a say.
`cargo test -p harn-runtime --test it growth` holds more forms of the same at smaller sizes.
"""
import argparse, math, os, pathlib, re, resource, shutil, subprocess, sys, tempfile

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

# The same in Lua 5.4, whose table is both; sets hold keys that a table cannot keep in its array.
LUA = {
    "dict insert": 'local d = {} for i = 1, N do d["k" .. i] = i end local n = 0 for _ in pairs(d) do n = n + 1 end',
    "set lookup": "local d = {} for i = 1, N do d[i + 0.5] = true end local n = 0 "
                  "for i = 1, N do if d[i + 0.5] then n = n + 1 end end",
}


def instructions(harn, text, expected, cwd):
    """Instructions of one run, in millions."""
    file, profile = pathlib.Path(cwd) / "program.harn", pathlib.Path(cwd) / "profile"
    file.write_text(text)
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", harn, "run", str(file)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "HARN_THREADS": "1", "HARN_CACHE": "off"})
    if done.returncode != 0 or done.stdout.strip() != expected:
        sys.exit(f"{text}\nexit {done.returncode}, {done.stdout!r} instead of {expected}\n{done.stderr[:2000]}")
    return int(re.search(r"^(?:totals|summary): (\d+)", profile.read_text(), re.M)[1]) / 1e6


def seconds(command, text, expected, cwd, turns):
    """The shortest processor time of a program."""
    file = pathlib.Path(cwd) / "program.harn"
    file.write_text(text)
    best = math.inf
    for _ in range(turns):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([*command, str(file)], cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
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
    ap.add_argument("--instructions", action="store_true")
    ap.add_argument("--check", action="store_true")
    a = ap.parse_args()
    harn = shutil.which(a.harn)
    if harn is None:
        sys.exit(f"no harn binary at {a.harn}: cargo build --release")
    run, lua = [os.path.abspath(harn), "run"], shutil.which("lua5.4")
    if a.instructions and shutil.which("valgrind") is None:
        sys.exit("valgrind is missing: scripts/counts installs it")
    above = []
    with tempfile.TemporaryDirectory(prefix="harn-growth-") as tmp:
        def costs(text, expected, command, sizes=SIZES):
            """What a program costs at each size, beyond starting: milliseconds, or millions of instructions."""
            if a.instructions:
                return [instructions(run[0], text.replace("N", str(n)), expected(n), tmp) - start for n in sizes]
            return [max(1e3 * seconds(command, text.replace("N", str(n)), expected(n), tmp, a.turns) - start, 0.1) for n in sizes]

        start = 0.0
        start = costs("", lambda n: "", run, [0])[0]
        unit = "million" if a.instructions else "ms"
        print(f"{unit:<16}" + "".join(f"{n:>12,}" for n in SIZES) + f"{'exponent':>12}{'Lua':>8}")
        for name, text in PROGRAMS.items():
            found = costs(f"{text}\nprintln(f())", str, run)
            exponent = math.log10(found[-1] / found[-2])
            beside = ""
            if lua and name in LUA and not a.instructions:
                control = costs(f"{LUA[name]} print(n)", str, [lua], SIZES[-2:])
                beside = f"{math.log10(control[1] / control[0]):8.2f}"
            print(f"{name:<16}" + "".join(f"{cost:12.1f}" for cost in found) + f"{exponent:12.2f}{beside}", flush=True)
            if exponent > LIMIT:
                above.append(name)
    if a.check and above:
        sys.exit(f"above {LIMIT}: " + ", ".join(above))


if __name__ == "__main__":
    main()
