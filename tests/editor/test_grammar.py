"""The tree-sitter grammar: its corpus, and every program at hand."""

import ctypes
import pathlib
import re
import subprocess

import pytest
import tree_sitter

ROOT = pathlib.Path(__file__).resolve().parents[2]
GRAMMAR = ROOT / "editors/tree-sitter-harn"


@pytest.fixture(scope="module")
def language(tmp_path_factory):
    library = tmp_path_factory.mktemp("grammar") / "harn.so"
    sources = [GRAMMAR / "src/parser.c", GRAMMAR / "src/scanner.c"]
    subprocess.run(["cc", "-shared", "-fPIC", "-I", GRAMMAR / "src", *sources, "-o", library], check=True)
    function = ctypes.CDLL(str(library)).tree_sitter_harn
    function.restype = ctypes.c_void_p
    capsule = ctypes.pythonapi.PyCapsule_New
    capsule.restype = ctypes.py_object
    capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return tree_sitter.Language(capsule(function(), b"tree_sitter.Language", None))


def corpus():
    for path in sorted((GRAMMAR / "test/corpus").glob("*.txt")):
        pieces = re.split(r"^=+\n(.*)\n=+\n", path.read_text(), flags=re.M)[1:]
        for title, body in zip(pieces[::2], pieces[1::2]):
            source, expected = body.split("\n---\n", 1)
            yield pytest.param(source + "\n", expected, id=title)


@pytest.mark.parametrize("source, expected", list(corpus()))
def test_corpus(language, source, expected):
    tree = tree_sitter.Parser(language).parse(source.encode())
    assert str(tree.root_node) == re.sub(r"\s+", " ", expected.strip()).replace("( ", "(").replace(" )", ")")


def test_queries_fit_the_grammar(language):
    for path in (GRAMMAR / "queries").glob("*.scm"):
        tree_sitter.Query(language, path.read_text())


# Golden programs that are meant not to parse.
BROKEN = """assign_to_call attribute_on_statement bad_character block_is_not_statement broken eof_in_block eof_label
heredoc_rejected import_path_literal keyword_as_name match_arm_needs_block missing_paren missing_separator number_bad_hex
pub_needs_decl reserved_error_multi string_unterminated""".split()


def test_every_program_parses(language):
    parser = tree_sitter.Parser(language)
    ours = [ROOT / name for name in ("examples", "crates", "bench", "tests", "fuzz")]
    folders = [*ours, ROOT / "../shared/examples", ROOT / "../../shared/examples"]
    failed = []
    for folder in folders:
        for path in sorted(folder.glob("**/*.harn")):
            # The programs of `tests/mistakes` have errors on purpose.
            meant = path.stem in BROKEN or path.parent.name == "mistakes"
            if not meant and parser.parse(path.read_bytes()).root_node.has_error:
                failed.append(str(path))
    assert failed == []
