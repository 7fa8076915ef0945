"""One test for each feature, as an editor uses it."""

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

from conftest import FILES, applied


def lines(locations, project):
    return sorted((project.name(l.uri), l.range.start.line + 1) for l in locations)


async def test_diagnostics_as_you_type(project: LanguageClient):
    p = project.project
    assert await p.open("main.harn") == []
    found = await p.edit("main.harn", "norm(point)", "norm(pint)")
    assert [d.message.split("\n")[0] for d in found if d.severity == types.DiagnosticSeverity.Warning][0] == "Undefined variable: pint"
    assert await p.edit("main.harn", "norm(pint)", "norm(point)") == []
    broken = await p.edit("main.harn", "var sum = 0", "var sum = ")
    assert broken and broken[0].severity == types.DiagnosticSeverity.Error


async def test_type_errors_have_code_and_range(project: LanguageClient):
    p = project.project
    [found] = [d for d in await p.open("other.harn", 'import { norm } from "shapes"\nfn f() -> int { return "a" }\nprintln("${f()} ${norm}")\n') if d.severity == 1]
    assert "return type doesn't match: expected int, got string" in found.message
    assert found.range.start.line == 1 and found.code


async def test_unsaved_buffers_are_what_others_import(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    await p.open("shapes.harn")
    p.client.published[p.uri("main.harn")].clear()
    await p.edit("shapes.harn", "pub fn norm(", "pub fn length(")
    found = await p.diagnostics("main.harn")
    assert any("'norm' is not defined" in d.message for d in found)


async def test_diagnostics_are_cleared_on_close(project: LanguageClient):
    p = project.project
    assert await p.open("main.harn", "let x = \n") != []
    p.client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=p.document("main.harn")))
    p.versions["main.harn"] = None
    assert await p.diagnostics("main.harn") == []


async def test_hover_shows_signature_and_documentation(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    hover = await p.client.text_document_hover_async(types.HoverParams(**p.place("main.harn", "norm(point)")))
    assert "pub fn norm(p: Point, scale: int = 1) -> int" in hover.contents.value
    assert "How far a point is from the origin" in hover.contents.value
    hover = await p.client.text_document_hover_async(types.HoverParams(**p.place("main.harn", "sum + norm")))
    assert "var sum: int" in hover.contents.value
    hover = await p.client.text_document_hover_async(types.HoverParams(**p.place("main.harn", "split(")))
    assert "fn split(" in hover.contents.value and "separator" in hover.contents.value


async def completion(p, name, needle, into):
    result = await p.client.text_document_completion_async(types.CompletionParams(**p.place(name, needle, 0, into)))
    return [item.label for item in result.items]


async def test_completion_of_shape_fields_and_methods(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    await p.edit("main.harn", "info.name)", "info.)")
    labels = await completion(p, "main.harn", "info.)", 5)
    assert labels[:2] == ["name", "weight"] and "keys" in labels


async def test_completion_of_struct_fields_variants_and_strings(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    await p.edit("main.harn", "norm(point)", "point.")
    assert await completion(p, "main.harn", "sum + point.", 12) == ["x", "y"]
    await p.edit("main.harn", "Colour.Red", "Colour.")
    assert await completion(p, "main.harn", "Colour.)", 7) == ["Red", "Mixed"]
    await p.edit("main.harn", 'let words = split("a b c", " ")', 'let words = "a b c".')
    assert "trim" in await completion(p, "main.harn", '"a b c".', 8)


async def test_completion_of_names_builtins_and_keywords(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    await p.edit("main.harn", "return sum", "re")
    labels = await completion(p, "main.harn", "  re\n", 4)
    assert "return" in labels and "replace" in labels and "require" in labels
    await p.edit("main.harn", "  re\n", "  poi\n")
    assert "points" in await completion(p, "main.harn", "  poi\n", 5)
    await p.edit("main.harn", "  poi\n", "  tot\n")
    assert "total" in await completion(p, "main.harn", "  tot\n", 5)


async def test_completion_in_imports_and_struct_literals(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    await p.edit("main.harn", "{ Point, norm, Colour }", "{ Point, norm, Colour, }")
    labels = await completion(p, "main.harn", "Colour, }", 8)
    assert set(labels) == {"Point", "norm", "Colour"}
    await p.edit("main.harn", '"shapes"', '"sh"')
    assert "shapes" in await completion(p, "main.harn", '"sh"', 3)
    await p.edit("main.harn", '"sh"', '"shapes"')
    await p.edit("main.harn", "Point { x: 0, y: 0 }", "Point { x: 0,  }")
    assert (await completion(p, "main.harn", "x: 0,  }", 6))[0] == "y"


async def test_signature_help_follows_the_arguments(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    await p.edit("main.harn", "norm(point)", "norm(point, ")
    help = await p.client.text_document_signature_help_async(types.SignatureHelpParams(**p.place("main.harn", "norm(point, ", 0, 12)))
    [signature] = help.signatures
    assert signature.label == "norm(p: Point, scale: int = 1) -> int"
    assert help.active_parameter == 1 and signature.parameters[1].label == "scale: int = 1"
    help = await p.client.text_document_signature_help_async(types.SignatureHelpParams(**p.place("main.harn", "split(", 0, 6)))
    assert help.signatures[0].label.startswith("split(s: any")


async def test_definition_across_files(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    found = await p.client.text_document_definition_async(types.DefinitionParams(**p.place("main.harn", "norm(point)")))
    assert (p.name(found.uri), found.range.start.line + 1) == ("shapes.harn", 8)
    found = await p.client.text_document_definition_async(types.DefinitionParams(**p.place("main.harn", '"shapes"', 0, 2)))
    assert p.name(found.uri) == "shapes.harn"
    found = await p.client.text_document_definition_async(types.DefinitionParams(**p.place("main.harn", "point)")))
    assert found.range.start.line + 1 == 5


async def test_references_across_files(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    context = types.ReferenceContext(include_declaration=True)
    found = await p.client.text_document_references_async(types.ReferenceParams(context=context, **p.place("main.harn", "norm(point)")))
    assert lines(found, p) == [("main.harn", 1), ("main.harn", 6), ("other.harn", 1), ("other.harn", 4), ("shapes.harn", 8)]
    found = await p.client.text_document_references_async(types.ReferenceParams(context=context, **p.place("main.harn", "x: 0")))
    assert ("shapes.harn", 9) in lines(found, p) and ("other.harn", 7) in lines(found, p)


async def test_highlights_know_writes(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    found = await p.client.text_document_document_highlight_async(types.DocumentHighlightParams(**p.place("main.harn", "sum")))
    kinds = [(h.range.start.line + 1, h.kind) for h in found]
    write, read = types.DocumentHighlightKind.Write, types.DocumentHighlightKind.Read
    assert kinds == [(4, write), (6, write), (6, read), (8, read)]


async def renamed(p, name, needle, new):
    edit = await p.client.text_document_rename_async(types.RenameParams(new_name=new, **p.place(name, needle)))
    return {p.name(uri): applied((p.root / p.name(uri)).read_text(), edits) for uri, edits in edit.changes.items()}


async def test_rename_reaches_every_importing_file(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    texts = await renamed(p, "main.harn", "norm(point)", "length")
    assert set(texts) == {"main.harn", "other.harn", "shapes.harn"}
    assert texts["other.harn"] == FILES["other.harn"].replace("norm,", "length,").replace("norm(p)\n", "length(p)\n")
    assert "norm_of_norm" in texts["other.harn"]


async def test_rename_is_by_binding_and_keeps_keys(project: LanguageClient):
    p = project.project
    text = "fn f(d) {\n  let { a } = d\n  let g = { a -> a + 1 }\n  return g(a)\n}\nprintln(f({ a: 1 }))\n"
    (p.root / "main.harn").write_text(text)
    await p.open("main.harn", text)
    texts = await renamed(p, "main.harn", "a }", "first")
    assert texts["main.harn"] == text.replace("let { a }", "let { a: first }").replace("g(a)", "g(first)")


async def test_rename_refuses_builtins_bad_names_and_clashes(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    for needle, new, reason in [
        ("println", "say", "built in"),
        ("norm(point)", "for", "not a name"),
        ("norm(point)", "split", "builtin"),
        ("norm(point)", "total", "already means"),
        ("x: 0", "horizontal", "member"),
    ]:
        with pytest.raises(Exception, match=reason):
            await p.client.text_document_rename_async(types.RenameParams(new_name=new, **p.place("main.harn", needle)))
    prepared = await p.client.text_document_prepare_rename_async(types.PrepareRenameParams(**p.place("main.harn", "norm(point)")))
    assert prepared.placeholder == "norm"


async def test_document_symbols_are_a_tree(project: LanguageClient):
    p = project.project
    await p.open("shapes.harn")
    found = await p.client.text_document_document_symbol_async(types.DocumentSymbolParams(text_document=p.document("shapes.harn")))
    tree = {s.name: [c.name for c in s.children or []] for s in found}
    assert tree == {"Point": ["x", "y"], "norm": [], "Colour": ["Red", "Mixed"]}


async def test_workspace_symbols_come_from_every_file(project: LanguageClient):
    p = project.project
    found = await p.client.workspace_symbol_async(types.WorkspaceSymbolParams(query="nrm"))
    assert [(s.name, p.name(s.location.uri)) for s in found] == [("norm_of_norm", "other.harn"), ("norm", "shapes.harn")]


async def test_formatting(project: LanguageClient):
    p = project.project
    await p.open("main.harn", "let   x=1\nprintln( x )\n")
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    edits = await p.client.text_document_formatting_async(types.DocumentFormattingParams(text_document=p.document("main.harn"), options=options))
    assert applied(p.texts["main.harn"], edits) == "let x = 1\n\nprintln(x)\n"


async def actions(p, name, needle, only=None):
    at = p.at(name, needle)
    params = types.CodeActionParams(
        text_document=p.document(name),
        range=types.Range(start=at, end=at),
        context=types.CodeActionContext(diagnostics=[], only=only),
    )
    found = await p.client.text_document_code_action_async(params)
    return {a.title: applied(p.texts[name], a.edit.changes[p.uri(name)]) for a in found}


async def test_code_actions_mend_lints_and_misspelt_names(project: LanguageClient):
    p = project.project
    await p.open("main.harn", "fn f(count) {\n  let unused = 1\n  return cuont\n}\nprintln(f(2))\n")
    found = await actions(p, "main.harn", "unused")
    assert "let _unused = 1" in found["Prefix unused `unused` with `_`"]
    found = await actions(p, "main.harn", "cuont")
    assert "return count\n" in found["Change `cuont` to `count`"]
    found = await actions(p, "main.harn", "println", only=["source.fixAll"])
    assert "let _unused = 1" in found["Apply all Harn autofixes"]


async def test_semantic_tokens_tell_functions_from_variables(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    result = await p.client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(text_document=p.document("main.harn")))
    names = ["keyword", "function", "parameter", "variable", "string", "number", "operator", "comment", "type", "enumMember", "namespace", "property", "method", "typeParameter"]
    line = character = 0
    seen = {}
    source = p.texts["main.harn"].split("\n")
    for i in range(0, len(result.data), 5):
        down, on, length, kind, _ = result.data[i : i + 5]
        line, character = line + down, (character if down == 0 else 0) + on
        seen.setdefault(source[line][character : character + length], names[kind])
    assert seen["import"] == "keyword" and seen["total"] == "function" and seen["points"] == "parameter"
    assert seen["sum"] == "variable" and seen["Point"] == "type" and seen["Red"] == "enumMember"
    assert seen["name"] == "property" and seen["0"] == "number" and seen['"origin"'] == "string"


async def test_inlay_hints_show_inferred_types(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    everything = types.Range(start=types.Position(0, 0), end=types.Position(99, 0))
    found = await p.client.text_document_inlay_hint_async(types.InlayHintParams(text_document=p.document("main.harn"), range=everything))
    hints = {h.position.line + 1: h.label for h in found}
    assert hints[4] == ": int" and hints[11] == ": Point" and hints[12] == ": {name: string, weight: int}"


async def test_folding(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    found = await p.client.text_document_folding_range_async(types.FoldingRangeParams(text_document=p.document("main.harn")))
    assert [(r.start_line + 1, r.end_line + 1) for r in found] == [(3, 8), (5, 6)]


async def test_links_on_imports(project: LanguageClient):
    p = project.project
    await p.open("main.harn")
    [link] = await p.client.text_document_document_link_async(types.DocumentLinkParams(text_document=p.document("main.harn")))
    assert p.name(link.target) == "shapes.harn"
