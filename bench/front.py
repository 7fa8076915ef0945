#!/usr/bin/env python3
"""Measures the front end and starting: prints each beside its limit.

    bench/front.py [--harn BIN] [--lines N] [--turns N] [--check]      --check: exit 1 when a limit is missed

The program is made here: functions, closures, structs, enums, matches, dicts, loops and interpolated text in the
proportions of an ordinary file, every function under names of its own. Stages come from `harn dev speed` (the shortest of
the turns, one core). Starting is the shortest processor time (user + system) of whole processes: an empty `hello`, and a
program of 5,000 lines whose code is in the cache. Shortest times bear a machine that does other things; still, a miss on
a busy one is no verdict.
"""
import argparse, math, os, pathlib, re, resource, shutil, subprocess, sys, tempfile

HERE = pathlib.Path(__file__).resolve().parent

BLOCK = '''
struct Item{n} {{ id: int, name: string, price: float, tags: list }}

enum State{n} {{ Open, Closed(reason: string), Moved(place: int, at: int) }}

/// What an order comes to, with its discount.
fn total{n}(items: list, discount: float) -> float {{
  var sum = 0.0
  for item in items {{
    if item.price > 100.0 && item.tags.contains("sale") {{
      sum += item.price * (1.0 - discount)
    }} else {{
      sum += item.price
    }}
  }}
  return sum
}}

fn describe{n}(state) -> string {{
  return match state {{
    State{n}.Open -> {{ "open" }}
    State{n}.Closed(reason) -> {{ "closed: ${{reason}}" }}
    State{n}.Moved(place, at) -> {{ "moved to ${{place}} at ${{at}}" }}
    _ -> {{ "unknown" }}
  }}
}}

impl Item{n} {{
  fn label(self) -> string {{ return "${{self.name}} (${{self.id}})" }}
  fn is_cheap(self) -> bool {{ return self.price < 10.0 }}
}}

// Groups words by their first letter.
fn group{n}(text: string) -> dict {{
  var groups = {{}}
  for word in split(text, " ") {{
    let key = word.substring(0, 1)
    groups[key] = (groups[key] ?? []).push(word)
  }}
  return groups
}}

fn retry{n}(count: int, work) {{
  var attempt = 0
  while attempt < count {{
    attempt = attempt + 1
    try {{
      return work(attempt)
    }} catch (e) {{
      if attempt == count {{ throw e }}
    }}
  }}
  return nil
}}

fn report{n}(rows: list) -> list {{
  let names = rows.filter({{ row -> row.active }}).map({{ row -> row.name }})
  let longest = names.reduce(0, {{ best, name -> if len(name) > best {{ len(name) }} else {{ best }} }})
  let config = {{width: longest, title: "Report {n}", limits: {{low: {n}, high: {n} * 2}}, flags: [true, false, nil]}}
  return [config.title, config.limits.high, names, config?.missing ?? "none"]
}}
'''


def program(lines):
    """A program of about so many lines, which does next to nothing when it runs."""
    text, n = [], 0
    each = BLOCK.count("\n")
    while n * each < lines:
        text.append(BLOCK.format(n=n))
        n += 1
    return "".join(text) + '\nprintln(describe0(State0.Moved(1, 2)))\n'


def least_cpu(command, cwd, env, turns):
    """The shortest processor time of a process, in ms."""
    best = math.inf
    for _ in range(turns):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[:2000]}")
        best = min(best, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return best * 1e3


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harn", default=str(HERE.parent / "target/release/harn"))
    ap.add_argument("--lines", type=int, default=50_000)
    ap.add_argument("--turns", type=int, default=9)
    ap.add_argument("--check", action="store_true")
    a = ap.parse_args()
    harn = shutil.which(a.harn)
    if harn is None:
        sys.exit(f"no harn binary at {a.harn}: cargo build --release")
    missed = []

    def row(what, value, unit, limit, fine):
        print(f"{what:<46} {value:>12,.1f} {unit:<8} limit {limit}", flush=True)
        if not fine:
            missed.append(what)

    with tempfile.TemporaryDirectory(prefix="harn-front-") as tmp:
        folder = pathlib.Path(tmp)
        big = folder / "big.harn"
        big.write_text(program(a.lines))
        done = subprocess.run([harn, "dev", "speed", "--turns", str(a.turns), str(big)], capture_output=True, text=True)
        found = {m[1].strip(): float(m[2]) for m in re.finditer(r"^(.+?) +[\d.]+ ms +(\d+) lines/s$", done.stdout, re.M)}
        if "read + compile" not in found:
            sys.exit(done.stdout + done.stderr)
        compiled, checked = found["read + compile"], found["check"]
        row("parse + compile", compiled, "lines/s", "500,000", compiled >= 500_000)
        row("check", checked, "lines/s", "300,000", checked >= 300_000)
        env = {**os.environ, "HARN_CACHE": str(folder / "cache")}
        hello = folder / "hello.harn"
        hello.write_text('println("hello")\n')
        ms = least_cpu([harn, "run", str(hello)], tmp, env, 3 * a.turns)
        row("hello", ms, "ms", "5 ms", ms <= 5)
        large = folder / "large.harn"
        large.write_text(program(5_000))
        least_cpu([harn, "run", str(large)], tmp, env, 1)
        ms = least_cpu([harn, "run", str(large)], tmp, env, 2 * a.turns)
        row("5,000 lines from the cache", ms, "ms", "20 ms", ms <= 20)
    if a.check and missed:
        sys.exit("missed: " + ", ".join(missed))


if __name__ == "__main__":
    main()
