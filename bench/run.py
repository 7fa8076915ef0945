#!/usr/bin/env python3
"""Compare harn with Lua 5.4 and CPython on the same programs, in one run.

    bench/run.py [--harn BIN] [--turns N] [--only NAME,...] [--json FILE] [--no-python] [--limit RATIO]

Each program of bench/programs exists three times and prints the same text; outputs that differ end the run with an
error. The programs are taken in turn (harn, lua, python, harn, ...), so that a slow spell of the machine hits all of
them; the figure of each is the minimum of user + system time of the whole process, start-up included. `ratio` is
harn / Lua: below 1 is faster than Lua. Ends with the geometric mean; with --limit, a program above it makes exit 1.
"""
import argparse, json, math, os, pathlib, resource, shutil, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent


def once(command, cwd):
    """CPU seconds and standard output of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stderr[:2000]}")
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime), done.stdout


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harn", default=str(HERE.parent / "target/release/harn"))
    ap.add_argument("--turns", type=int, default=7)
    ap.add_argument("--only", default="")
    ap.add_argument("--json")
    ap.add_argument("--no-python", action="store_true")
    ap.add_argument("--limit", type=float)
    a = ap.parse_args()
    harn = shutil.which(a.harn)
    lua = shutil.which("lua5.4")
    if harn is None:
        sys.exit(f"no harn binary at {a.harn}: cargo build --release")
    if lua is None:
        sys.exit("lua5.4 is missing: apt-get install lua5.4")
    wanted = [w for w in a.only.split(",") if w]
    programs = [p for p in sorted((HERE / "programs").glob("*.harn")) if not wanted or p.stem in wanted]
    rows = []
    with tempfile.TemporaryDirectory(prefix="harn-bench-") as tmp:
        print(f"{'program':<14} {'harn ms':>9} {'lua ms':>9} {'python ms':>10} {'ratio':>7} {'vs python':>10}")
        for program in programs:
            commands = {"harn": [harn, "run", str(program)], "lua": [lua, str(program.with_suffix(".lua"))]}
            if not a.no_python:
                commands["python"] = [sys.executable, str(program.with_suffix(".py"))]
            best, outputs = {}, {}
            for turn in range(a.turns):
                for name, command in commands.items():
                    if name == "python" and turn >= 3:
                        continue
                    seconds, out = once(command, tmp)
                    best[name] = min(best.get(name, math.inf), seconds)
                    outputs[name] = out.split()
            if len({tuple(o) for o in outputs.values()}) != 1:
                sys.exit(f"{program.stem}: outputs differ: {outputs}")
            ratio = best["harn"] / best["lua"]
            py = best.get("python")
            rows.append({"program": program.stem, "harn_ms": best["harn"] * 1e3, "lua_ms": best["lua"] * 1e3,
                         "python_ms": py and py * 1e3, "ratio": ratio})
            print(f"{program.stem:<14} {best['harn'] * 1e3:9.0f} {best['lua'] * 1e3:9.0f} "
                  f"{(py or math.nan) * 1e3:10.0f} {ratio:7.2f} {best['harn'] / (py or math.nan):10.2f}", flush=True)
    mean = math.exp(sum(math.log(r["ratio"]) for r in rows) / len(rows))
    print(f"geometric mean of harn / Lua 5.4: {mean:.2f}")
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps({"geometric_mean": mean, "programs": rows}, indent=2) + "\n")
    if a.limit and any(r["ratio"] > a.limit for r in rows):
        sys.exit(f"above the limit of {a.limit}: " + ", ".join(r["program"] for r in rows if r["ratio"] > a.limit))


if __name__ == "__main__":
    main()
