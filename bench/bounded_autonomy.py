#!/usr/bin/env python3
"""Bounded autonomy under fire: many processes with many tasks on one key, killed at random, with clocks that jump.

    bench/bounded_autonomy.py HARN [--seconds 60] [--processes 8] [--tasks 8] [--rounds 1] [--seed 1]
                              [--store URL] [--backend sqlite|file]

Each process runs agents under one key: `--decisions` (30) an hour and `--tokens` (1500) an hour. Processes are killed with
SIGKILL after a random time and started again. Every process reads its clock through an offset (HARN_CLOCK_OFFSET_MS) that
this script changes while it runs: hours pass every few seconds, and single clocks step back and forth by an hour or a day.

Afterwards the log is read through `harn` itself and counted by hand: in no UTC hour more decisions admitted than allowed, in
none more tokens set aside or spent than allowed, every loop that a process reported has its decision on the log, ids without
gaps, and the trust chain verifies. Prints one line of figures a round; exits with 1 at the first violation.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

HOUR = 3_600_000
BUSY = "the event log is locked by another process"

PROGRAM = """
fn work(who, n) {{
  let usage = {{model: "gpt-4o-mini", input_tokens: 40, output_tokens: 20}}
  llm_mock(usage.merge({{text: "<done>##DONE##</done>"}}))
  let r = agent_loop("t", nil, {{
    provider: "mock", model: "gpt-4o-mini", max_tokens: 60, persistent: true,
    autonomy_budget: {{per_hour: {decisions}, tokens: {{per_hour: {tokens}}}, key: "fire"}},
  }})
  if r.status == "approval_required" {{ sleep(40ms) }} else {{ eprintln(r.status) }}
}}

pipeline main(task) {{
  parallel {tasks} {{ who -> for n in range(100000) {{ work(who, n) }} }}
}}
"""

READER = """
pipeline main(task) {
  for topic in ["autonomy.decisions", "autonomy.spending"] {
    let last = event_log.latest(topic)
    if last != nil {
      for e in event_log.subscribe(topic) {
        println(json_stringify({topic: topic, id: e.id, kind: e.kind, payload: e.payload}))
        if e.id >= last { break }
      }
    }
  }
}
"""


class Violation(Exception):
    pass


def read_log(harn, directory, env):
    path = os.path.join(directory, "read.harn")
    with open(path, "w") as file:
        file.write(READER)
    done = subprocess.run([harn, "run", "--quiet", path], cwd=directory, env=env, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise Violation(f"the log cannot be read: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(harn, directory, env, options, reported):
    events = read_log(harn, directory, env)
    hours, admitted, released, spends, settled = {}, {}, set(), {}, {}
    ids = {}
    for event in events:
        topic, payload = event["topic"], event["payload"]
        if event["id"] != ids.get(topic, 0) + 1:
            raise Violation(f"{topic}: event {event['id']} follows {ids.get(topic, 0)}")
        ids[topic] = event["id"]
        kind = event["kind"]
        if kind == "autonomy.decision_reserved" and payload["approval_id"] is None:
            admitted[payload["decision_id"]] = payload["hour_index"]
        elif kind == "autonomy.decision_released":
            released.add(payload["decision_id"])
        elif kind == "autonomy.spend_reserved":
            spends[payload["spend_id"]] = (payload["hour_index"], payload["tokens"])
        elif kind == "autonomy.spend_settled":
            settled[payload["spend_id"]] = payload["tokens"]
    for decision, hour in admitted.items():
        if decision not in released:
            hours[hour] = hours.get(hour, 0) + 1
    tokens = {}
    for spend, (hour, worst) in spends.items():
        tokens[hour] = tokens.get(hour, 0) + settled.get(spend, worst)
    for hour, count in hours.items():
        if count > options.decisions:
            raise Violation(f"hour {hour}: {count} admitted of {options.decisions} allowed")
    for hour, count in tokens.items():
        if count > options.tokens:
            raise Violation(f"hour {hour}: {count} tokens of {options.tokens} allowed")
    if reported > len(admitted):
        raise Violation(f"{reported} loops ran but {len(admitted)} were reserved")
    proof = subprocess.run([harn, "trust", "verify-chain"], cwd=directory, env=env, capture_output=True, text=True, timeout=300)
    if proof.returncode != 0:
        raise Violation(f"the chain does not verify: {proof.stdout}{proof.stderr}")
    full = sum(1 for count in hours.values() if count == options.decisions)
    return len(admitted), len(hours), full, len(spends) - len(settled), proof.stdout.splitlines()[0]


class Process:
    def __init__(self, harn, directory, env, number):
        self.number, self.harn, self.directory = number, harn, directory
        self.clock = os.path.join(directory, f"clock{number}")
        self.errors = os.path.join(directory, f"err{number}")
        self.env = dict(env, HARN_CLOCK_OFFSET_MS="@" + self.clock)
        self.reported, self.busy, self.child = 0, 0, None

    def set_clock(self, offset):
        with open(self.clock + ".new", "w") as file:
            file.write(str(offset))
        os.replace(self.clock + ".new", self.clock)

    def start(self, lives):
        self.output = open(self.errors, "w")
        self.child = subprocess.Popen([self.harn, "run", "--quiet", "fire.harn"], cwd=self.directory, env=self.env,
                                      stdout=subprocess.DEVNULL, stderr=self.output)
        self.until = time.monotonic() + lives

    def stop(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.output.close()
        with open(self.errors) as file:
            text = file.read().splitlines()
        for line in text:
            if line in ("done", "budget_exhausted"):
                self.reported += 1
            elif "event_log: " in line and BUSY not in line:
                raise Violation(f"a process failed: {line}")
            elif BUSY in line:
                self.busy += 1


def one_round(harn, options, seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        with open(os.path.join(directory, "fire.harn"), "w") as file:
            file.write(PROGRAM.format(decisions=options.decisions, tokens=options.tokens, tasks=options.tasks))
        env = {name: value for name, value in os.environ.items() if not name.startswith("HARN_")}
        env["HARN_CONFIG_DIR"] = os.path.join(directory, "config")
        subprocess.run([harn, "identity", "new", "fire"], env=env, cwd=directory, check=True, stdout=subprocess.DEVNULL)
        if options.store:
            env["HARN_STORE"] = options.store
        elif options.backend == "file":
            env["HARN_EVENT_LOG_BACKEND"] = "file"
        processes = [Process(harn, directory, env, n) for n in range(options.processes)]
        began, kills, steps, hour = time.monotonic(), 0, 0, 0
        for process in processes:
            process.set_clock(0)
            process.start(rng.uniform(0.3, 6))
        while time.monotonic() - began < options.seconds:
            time.sleep(0.05)
            now = int((time.monotonic() - began) / 4)
            if now > hour:
                hour = now
                for process in processes:
                    process.set_clock(hour * HOUR)
            if rng.random() < 0.15:
                steps += 1
                rng.choice(processes).set_clock(hour * HOUR + rng.choice([-1, 1, -24, -2]) * HOUR + rng.randrange(-60_000, 60_000))
            for process in processes:
                if process.child.poll() is not None:
                    busy = process.busy
                    process.stop()
                    # A log that others hold for too long refuses: nothing is admitted, and the run may be started again.
                    if process.busy == busy:
                        with open(process.errors) as file:
                            raise Violation("a process ended by itself: " + file.read()[-400:])
                    process.start(rng.uniform(0.3, 6))
                elif time.monotonic() > process.until:
                    process.stop()
                    kills += 1
                    process.start(rng.uniform(0.3, 6))
        for process in processes:
            process.stop()
        reported = sum(process.reported for process in processes)
        busy = sum(process.busy for process in processes)
        admitted, hours, full, open_spends, chain = check(harn, directory, env, options, reported)
        print(f"seed {seed}: {options.seconds} s, {options.processes}x{options.tasks}, {kills} kills, {steps} clock steps: {admitted}"
              f" admitted in {hours} hours ({full} full, none over {options.decisions}), {reported} reported, {open_spends}"
              f" calls left at their worst case, {busy} refused by a busy log; {chain}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("harn")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--decisions", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=1500)
    parser.add_argument("--store")
    parser.add_argument("--backend", default="sqlite", choices=["sqlite", "file"])
    parser.add_argument("--directory", help="where the logs are made")
    options = parser.parse_args()
    for round_ in range(options.rounds):
        try:
            one_round(os.path.abspath(options.harn), options, options.seed + round_)
        except Violation as violation:
            print(f"FAILED: seed {options.seed + round_}: {violation}")
            sys.exit(1)


main()
