"""A language client that drives the real binary (HARN_BIN) on a small project."""

import asyncio
import os
import pathlib

import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

HARN = os.environ["HARN_BIN"]

FILES = {
    "shapes.harn": """\
/** A place on the plane. */
pub struct Point {
  x: int
  y: int
}

/** How far a point is from the origin, squared. */
pub fn norm(p: Point, scale: int = 1) -> int {
  return (p.x * p.x + p.y * p.y) * scale
}

pub enum Colour {
  Red
  Mixed(r: int, g: int)
}
""",
    "main.harn": """\
import { Point, norm, Colour } from "shapes"

fn total(points: list<Point>) -> int {
  var sum = 0
  for point in points {
    sum = sum + norm(point)
  }
  return sum
}

let origin = Point { x: 0, y: 0 }
let info = { name: "origin", weight: 3 }
let words = split("a b c", " ")
println("${total([origin])} ${words}")
println(info.name)
println(Colour.Red)
""",
    "other.harn": """\
import { norm, Point } from "shapes"

fn norm_of_norm(p: Point) -> int {
  let n = norm(p)
  return n
}
println(norm_of_norm(Point { x: 1, y: 2 }))
""",
}


class Project:
    """The project on disk and the client's view of it."""

    def __init__(self, client: LanguageClient, root: pathlib.Path):
        self.client = client
        self.root = root
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(uri=self.uri(name))

    async def open(self, name: str, text: str | None = None) -> list[types.Diagnostic]:
        """Opens a file and waits for its diagnostics."""
        self.texts[name] = FILES[name] if text is None else text
        self.versions[name] = 1
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                text_document=types.TextDocumentItem(
                    uri=self.uri(name), language_id="harn", version=1, text=self.texts[name]
                )
            )
        )
        return await self.diagnostics(name)

    async def edit(self, name: str, old: str, new: str) -> list[types.Diagnostic]:
        """Replaces the first `old` by an incremental change and waits for the diagnostics of that version."""
        text = self.texts[name]
        at = text.index(old)
        self.texts[name] = text[:at] + new + text[at + len(old) :]
        self.versions[name] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(
                    uri=self.uri(name), version=self.versions[name]
                ),
                content_changes=[
                    types.TextDocumentContentChangePartial(
                        range=types.Range(start=position(text, at), end=position(text, at + len(old))), text=new
                    )
                ],
            )
        )
        return await self.diagnostics(name)

    async def diagnostics(self, name: str) -> list[types.Diagnostic]:
        """Waits until the diagnostics of the current version have come."""
        known = self.client.published.setdefault(self.uri(name), {})
        while self.versions[name] not in known:
            await asyncio.wait_for(self.client.more.wait(), timeout=20)
            self.client.more.clear()
        return list(known[self.versions[name]])

    def at(self, name: str, needle: str, nth: int = 0, into: int = 0) -> types.Position:
        """The position of the nth `needle`, `into` characters further on."""
        offset = -1
        for _ in range(nth + 1):
            offset = self.texts[name].index(needle, offset + 1)
        return position(self.texts[name], offset + into)

    def place(self, name: str, needle: str, nth: int = 0, into: int = 0) -> dict:
        return {"text_document": self.document(name), "position": self.at(name, needle, nth, into)}

    def name(self, uri: str) -> str:
        return uri.rsplit("/", 1)[1]


def position(text: str, offset: int) -> types.Position:
    before = text[:offset]
    line = before.rsplit("\n", 1)[-1]
    return types.Position(line=before.count("\n"), character=len(line.encode("utf-16-le")) // 2)


def applied(text: str, edits: list[types.TextEdit]) -> str:
    """The text after edits that do not overlap (ASCII only)."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    spans = [
        (starts[e.range.start.line] + e.range.start.character, starts[e.range.end.line] + e.range.end.character, e.new_text)
        for e in edits
    ]
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


@pytest_lsp.fixture(config=ClientServerConfig(server_command=[HARN, "lsp"]))
async def project(lsp_client: LanguageClient, tmp_path: pathlib.Path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    lsp_client.published = {}
    lsp_client.more = asyncio.Event()
    keep = lsp_client.diagnostics

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def registered(params: types.RegistrationParams):
        return None

    # In the place of the handler that keeps no versions.
    lsp_client.protocol.fm.features.pop(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)

    @lsp_client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params: types.PublishDiagnosticsParams):
        keep[params.uri] = params.diagnostics
        lsp_client.published.setdefault(params.uri, {})[params.version] = params.diagnostics
        lsp_client.more.set()

    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities("visual-studio-code"),
            workspace_folders=[types.WorkspaceFolder(uri=tmp_path.as_uri(), name="demo")],
        )
    )
    lsp_client.project = Project(lsp_client, tmp_path)
    yield
    await lsp_client.shutdown_session()
