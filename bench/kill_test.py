#!/usr/bin/env python3
"""Kills a run of budgeted agent calls at random points and checks after each restart what the log says.

    bench/kill_test.py HARN [COUNT]

After each of COUNT (200) kills: no hour has more admitted decisions than allowed, every start that the program reported
has its decision on the log, the mirrors of the trust chain have equal length, the chain verifies, and the database is
sound. Prints one line of figures; exits with 1 at the first violation.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

CAP = 60
PROGRAM = """
pipeline main(task) {
  for i in range(1000) {
    llm_mock({text: "<done>##DONE##</done>"})
    let r = agent_loop("t", nil, {provider: "mock", autonomy_budget: {per_hour: %d, key: "killed"}})
    trust_record("killed", "step", nil, "success", "act_auto")
    eprintln(r.status)
  }
}
""" % CAP


def fail(text):
    print(f"FAILED: {text}")
    sys.exit(1)


def check(harn, directory, started):
    path = os.path.join(directory, ".harn", "events.sqlite")
    if not os.path.exists(path):
        return 0, 0
    db = sqlite3.connect(path)
    if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        fail("the database is damaged")
    # Killed between making the file and making its tables: an empty log.
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
        return 0, 0
    count = lambda topic: db.execute("SELECT count(*) FROM events WHERE topic = ?", (topic,)).fetchone()[0]
    hours = db.execute(
        "SELECT json_extract(payload, '$.hour_index'), count(*) FROM events WHERE topic = 'autonomy.decisions'"
        " AND kind = 'autonomy.decision_reserved' GROUP BY 1"
    ).fetchall()
    for hour, admitted in hours:
        if admitted > CAP:
            fail(f"hour {hour}: {admitted} admitted of {CAP} allowed")
    admitted = sum(n for _, n in hours)
    if started > admitted:
        fail(f"{started} loops ran but {admitted} were reserved")
    mirrors = [count(t) for t in ("trust_graph", "trust.graph", "trust_graph.killed", "trust_graph.records")]
    if len(set(mirrors)) != 1:
        fail(f"mirrors of the chain differ: {mirrors}")
    if count("hitl.approvals") != db.execute(
        "SELECT count(*) FROM events WHERE topic LIKE 'waitpoint.state.hitl_approval_%'"
    ).fetchone()[0]:
        fail("a request without its waitpoint")
    wrong = db.execute(
        "SELECT h.topic FROM topic_heads h JOIN (SELECT topic, max(event_id) m FROM events GROUP BY 1) e USING (topic)"
        " WHERE h.last_id <> e.m"
    ).fetchall()
    if wrong:
        fail(f"heads differ from events: {wrong}")
    db.close()
    proof = subprocess.run([harn, "trust", "verify-chain"], cwd=directory, capture_output=True, text=True)
    if proof.returncode != 0:
        fail(f"the chain does not verify: {proof.stdout}{proof.stderr}")
    return admitted, mirrors[0]


def main():
    harn = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    random.seed(7)
    began = time.time()
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "loop.harn"), "w") as program:
            program.write(PROGRAM)
        started = admitted = records = 0
        for _ in range(kills):
            run = subprocess.Popen(
                [harn, "run", "--quiet", "loop.harn"], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            time.sleep(random.uniform(0.005, 0.12))
            run.send_signal(signal.SIGKILL)
            started += run.communicate()[1].splitlines().count("done")
            admitted, records = check(harn, directory, started)
        print(
            f"{kills} kills in {time.time() - began:.0f} s: {admitted} admitted (at most {CAP} an hour), {started} loops"
            f" reported, {records} trust records verified"
        )


main()
