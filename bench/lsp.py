#!/usr/bin/env python3
"""How quick the language server is on 10,000 lines: bench/lsp.py HARN [--one-file].

Without the flag they are a project of 20 files, with it one file.

Prints the time from opening a file to its first diagnostics, the 95th percentile of completion while somebody types,
and the peak memory of the server. The targets (release build): 300 ms, 30 ms, 200 MB. Exit 1 when one is missed.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

ONE_FILE = "--one-file" in sys.argv
FILES, FUNCTIONS = (1, 1000) if ONE_FILE else (20, 50)


def module(number: int) -> str:
    parts = [] if number == 0 else [f'import {{ Record_{number - 1}, step_{number - 1}_0 }} from "part_{number - 1}"\n']
    parts.append(f"pub struct Record_{number} {{\n  id: int\n  name: string\n}}\n")
    for i in range(FUNCTIONS):
        parts.append(
            f"pub fn step_{number}_{i}(record: Record_{number}, weight: int = {i}) -> int {{\n"
            "  let words = split(record.name, \" \")\n"
            "  var total = record.id\n"
            "  for word in words {\n"
            "    if len(word) > weight {\n"
            "      total = total + len(word)\n"
            "    }\n"
            "  }\n"
            "  return total\n}\n"
        )
    return "\n".join(parts)


class Server:
    def __init__(self, harn: str, root: pathlib.Path):
        self.process = subprocess.Popen([harn, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.next = 0
        folders = [{"uri": root.as_uri(), "name": "bench"}]
        self.ask("initialize", {"capabilities": {}, "workspaceFolders": folders})
        self.tell("initialized", {})

    def send(self, message: dict):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self) -> dict:
        length = 0
        while (line := self.process.stdout.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.process.stdout.read(length))

    def tell(self, method: str, params):
        self.send({"method": method, "params": params})

    def ask(self, method: str, params):
        self.next += 1
        self.send({"id": self.next, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.next:
            pass
        return message["result"]

    def diagnostics(self, version: int) -> list:
        while True:
            message = self.receive()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["version"] == version:
                return message["params"]["diagnostics"]

    def peak_megabytes(self) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for number in range(FILES):
            (root / f"part_{number}.harn").write_text(module(number))
        lines = sum(len((root / f"part_{n}.harn").read_text().splitlines()) for n in range(FILES))
        server = Server(sys.argv[1], root)
        last = root / f"part_{FILES - 1}.harn"
        text, uri = last.read_text(), last.as_uri()
        start = time.perf_counter()
        document = {"uri": uri, "languageId": "harn", "version": 1, "text": text}
        server.tell("textDocument/didOpen", {"textDocument": document})
        server.diagnostics(1)
        first = (time.perf_counter() - start) * 1000
        # Somebody types `record.` and a name in the last function, asking after each character.
        line = len(text[: text.rindex("  return total")].splitlines())
        times = []
        version = 1
        for turn in range(40):
            character = 2
            for c in "record.name " if turn % 2 else "total_words ":
                version += 1
                at = {"line": line, "character": character}
                change = {"range": {"start": at, "end": at}, "text": c}
                server.tell(
                    "textDocument/didChange",
                    {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]},
                )
                character += 1
                start = time.perf_counter()
                at = {"line": line, "character": character}
                server.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": at})
                times.append((time.perf_counter() - start) * 1000)
        times.sort()
        p95 = times[len(times) * 95 // 100]
        peak = server.peak_megabytes()
        server.ask("shutdown", None)
        server.tell("exit", None)
        server.process.wait(10)
    print(f"{lines} lines in {FILES} files")
    print(f"first diagnostics {first:.0f} ms, completion p95 {p95:.1f} ms (median {times[len(times) // 2]:.1f}), peak {peak:.0f} MB")
    return 0 if first < 300 and p95 < 30 and peak < 200 else 1


sys.exit(main())
