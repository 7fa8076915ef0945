#!/usr/bin/env python3
"""Budgeted agents on a PostgreSQL server of their own while processes are killed, connections cut, and the server crashes.

    bench/kill_shared.py HARN [SECONDS] [SEED]

Eight processes spend the same budgets for SECONDS (60). Afterwards: no key has more admitted decisions than its cap, every
start that a program reported has its decision on the log, no event is there twice, topics have no gaps, the mirrors of the
trust chain have equal length, and the chain verifies. Prints one line of figures; exits with 1 at the first violation.
"""

import glob
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

CAP = 7
PROCESSES = 8
# Every two seconds another key, so that there is always a budget to fight for.
PROGRAM = """
pipeline main(task) {
  for i in range(100000) {
    llm_mock({text: "<done>##DONE##</done>"})
    let key = "k" + to_string(now_ms() / 2000)
    let r = agent_loop("t", nil, {provider: "mock", autonomy_budget: {per_day: %d, key: key}})
    trust_record("killed", "step", nil, "success", "act_auto")
    eprintln(r.status)
  }
}
""" % CAP
NOBODY = 65534


def fail(text):
    print(f"FAILED: {text}")
    sys.exit(1)


def program(name):
    """Debian keeps the programs of PostgreSQL by version, out of the path."""
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else shutil.which(name) or fail(f"{name} is missing: run scripts/test-setup")


class Server:
    """A server in a directory, on a socket there, not run as root."""

    def __init__(self, directory):
        self.directory = directory
        self.as_user = ["env"]
        if os.getuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
            self.as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        initdb = [program("initdb"), "--no-sync", "--auth=trust", "--username=harn", "--encoding=UTF8", "-D", "data"]
        subprocess.run(self.as_user + initdb, cwd=directory, check=True, capture_output=True)
        self.up()

    def up(self):
        command = [program("postgres"), "-D", "data", "-c", "listen_addresses=", "-k", self.directory]
        log = open(os.path.join(self.directory, "log"), "ab")
        self.process = subprocess.Popen(self.as_user + command, cwd=self.directory, stderr=log, stdout=log)
        while subprocess.run([program("pg_isready"), "-q", "-h", self.directory]).returncode != 0:
            if self.process.poll() is not None:
                fail("the server does not start")
            time.sleep(0.05)

    def crash(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def rows(self, sql):
        command = [program("psql"), "-qAt", "-F", "|", "-U", "harn", "-d", "postgres", "-h", self.directory, "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True)
        return [line.split("|") for line in done.stdout.splitlines()]


def check(server, started):
    decided = server.rows(
        "SELECT (payload::jsonb)->>'key', count(*), count(DISTINCT (payload::jsonb)->>'decision_id') FROM harn_events"
        " WHERE topic = 'autonomy.decisions' AND kind = 'autonomy.decision_reserved' GROUP BY 1"
    )
    for key, admitted, ids in decided:
        if int(admitted) > CAP:
            fail(f"{key}: {admitted} admitted of {CAP} allowed")
        if admitted != ids:
            fail(f"{key}: a decision is there twice")
    admitted = sum(int(row[1]) for row in decided)
    if started > admitted:
        fail(f"{started} loops ran but {admitted} were reserved")
    gaps = server.rows(
        "SELECT topic FROM harn_topic_heads JOIN (SELECT topic, max(event_id) m, count(*) n FROM harn_events GROUP BY 1) e"
        " USING (topic) WHERE last_id <> m OR m <> n"
    )
    if gaps:
        fail(f"topics with gaps: {gaps}")
    twice = server.rows(
        "SELECT count(*) - count(DISTINCT (payload::jsonb)->>'record_id') FROM harn_events WHERE topic = 'trust_graph'"
    )
    if twice != [["0"]]:
        fail(f"trust records that are there twice: {twice}")
    mirrors = server.rows(
        "SELECT count(*) FROM harn_events WHERE topic IN ('trust_graph', 'trust.graph', 'trust_graph.records')"
        " GROUP BY topic"
    )
    if len({row[0] for row in mirrors}) != 1:
        fail(f"mirrors of the chain differ: {mirrors}")
    return len(decided), admitted, int(mirrors[0][0])


def main():
    harn = os.path.abspath(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 7)
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as data:
        pathlib.Path(directory, "loop.harn").write_text(PROGRAM)
        server = Server(data)
        env = dict(os.environ, HARN_STORE=f"postgres://harn@{data.replace('/', '%2F')}/postgres")
        reports = []

        def start():
            report = tempfile.TemporaryFile(mode="w+")
            command = [harn, "run", "--quiet", "loop.harn"]
            reports.append(report)
            return subprocess.Popen(command, cwd=directory, env=env, stdout=subprocess.DEVNULL, stderr=report)

        runs = [start() for _ in range(PROCESSES)]
        kills = cuts = crashes = 0
        end = time.time() + seconds
        while time.time() < end:
            time.sleep(random.uniform(0.05, 0.6))
            what = random.random()
            if what < 0.6:
                n = random.randrange(PROCESSES)
                runs[n].kill()
                runs[n].wait()
                runs[n] = start()
                kills += 1
            elif what < 0.9:
                server.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'harn'")
                cuts += 1
            else:
                server.crash()
                server.up()
                crashes += 1
        for run in runs:
            if run.poll() is not None:
                fail(f"a run ended by itself with {run.returncode}")
            run.kill()
            run.wait()
        lines = []
        for report in reports:
            report.seek(0)
            lines += report.read().splitlines()
        odd = [line for line in lines if line not in ("done", "approval_required")]
        if odd:
            fail(f"a program was told of trouble: {odd[:5]}")
        keys, admitted, records = check(server, lines.count("done"))
        proof = subprocess.run([harn, "trust", "verify-chain"], cwd=directory, env=env, capture_output=True, text=True)
        if proof.returncode != 0:
            fail(f"the chain does not verify: {proof.stdout}{proof.stderr}")
        server.crash()
        print(
            f"{seconds:.0f} s, {kills} kills, {cuts} times all connections cut, {crashes} crashes of the server:"
            f" {admitted} admitted under {keys} keys (at most {CAP} each), {lines.count('done')} starts reported,"
            f" {records} trust records verified"
        )


main()
