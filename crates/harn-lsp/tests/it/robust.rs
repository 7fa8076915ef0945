//! Whatever arrives, in whatever order, the server answers and lives.

use crate::editor::Editor;
use serde_json::{Value as Json, json};

const REQUESTS: &[&str] = &[
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/signatureHelp",
    "textDocument/definition",
    "textDocument/references",
    "textDocument/documentHighlight",
    "textDocument/documentLink",
    "textDocument/prepareRename",
    "textDocument/rename",
    "textDocument/documentSymbol",
    "textDocument/codeAction",
    "textDocument/formatting",
    "textDocument/foldingRange",
    "textDocument/inlayHint",
    "textDocument/semanticTokens/full",
];

fn params(line: u32, character: u32) -> Json {
    let position = json!({"line": line, "character": character});
    json!({
        "textDocument": {"uri": "file:///w/main.harn"},
        "position": position,
        "range": {"start": position, "end": position},
        "context": {"includeDeclaration": true, "diagnostics": [], "triggerKind": 1, "isRetrigger": false},
        "newName": "fresh_name",
        "options": {"tabSize": 2, "insertSpaces": true},
    })
}

#[test]
fn every_request_is_answered_at_every_place_of_a_broken_file() {
    let text =
        "import { a } from \"nowhere\"\nstruct P { x: int\nfn f(p: P {\n  p.\n  let s = \"${p.x\n  g(p, \n";
    let mut editor = Editor::start(&[]);
    editor.open("/w/main.harn", text);
    for line in 0..7 {
        for character in [0, 1, 3, 8, 13, 99] {
            for method in REQUESTS {
                // A refusal is an answer as well; a panic would be an internal error.
                if let Err(message) = editor.ask(method, params(line, character)) {
                    assert!(!message.contains("see the server's log"), "{method} at {line}:{character}");
                }
            }
        }
    }
    assert_eq!(editor.stop(), 0);
}

#[test]
fn every_prefix_of_a_program_can_be_asked_about() {
    let text = "enum E { A, B(n: int) }\nfn f(e: E) -> int {\n  let d = {k: 1}\n  match e {\n    E.A -> { return d.k }\n    E.B(n) -> { return n }\n  }\n}\nprintln(f(E.B(2)))\n";
    let mut editor = Editor::start(&[]);
    editor.open("/w/main.harn", "");
    for (version, end) in (2..).zip(0..=text.len()) {
        let prefix = &text[..end];
        editor.change("/w/main.harn", version, json!([{"text": prefix}]));
        let line = prefix.matches('\n').count() as u32;
        let character = prefix.rsplit('\n').next().unwrap_or("").len() as u32;
        for method in ["textDocument/completion", "textDocument/signatureHelp", "textDocument/hover"] {
            assert!(editor.ask(method, params(line, character)).is_ok(), "{method} after {prefix:?}");
        }
    }
    assert_eq!(editor.stop(), 0);
}

#[test]
fn requests_about_unknown_documents_have_empty_answers() {
    let mut editor = Editor::start(&[]);
    for method in REQUESTS {
        assert_eq!(editor.ask(method, params(0, 0)), Ok(Json::Null), "{method}");
    }
    editor.change("/w/main.harn", 3, json!([{"text": "let x = 1\n"}]));
    assert!(editor.ask("textDocument/hover", json!({"nonsense": true})).is_err());
    assert!(editor.ask("textDocument/unheardOf", json!({})).unwrap_err().contains("Method not found"));
    assert_eq!(editor.stop(), 0);
}

#[test]
fn a_cancelled_request_is_answered_as_cancelled() {
    let mut editor = Editor::start(&[]);
    let text = "fn f(a) { return a + 1 }\n".repeat(2000);
    editor.open("/w/main.harn", &text);
    // Busy with the first, the server finds the cancellation before it comes to the last.
    let ids: Vec<_> =
        (0..40).map(|_| editor.request("textDocument/semanticTokens/full", params(0, 0))).collect();
    let last = ids.last().unwrap();
    editor.tell("$/cancelRequest", json!({"id": 41}));
    let answer = editor.answer(last);
    assert_eq!(answer.response_result.unwrap_err().code, -32800);
    assert_eq!(editor.stop(), 0);
}

#[test]
fn requests_before_and_after_the_session_are_refused() {
    let mut editor = Editor::silent(&[]);
    assert!(editor.ask("textDocument/hover", params(0, 0)).is_err());
    editor.ask("initialize", json!({"capabilities": {}})).unwrap();
    editor.tell("initialized", json!({}));
    editor.ask("shutdown", Json::Null).unwrap();
    assert!(editor.ask("textDocument/hover", params(0, 0)).is_err());
    assert_eq!(editor.stop(), 0);
}

#[test]
fn a_buffer_stands_before_the_file_that_another_imports() {
    let files = [("/w/lib.harn", "pub fn one() { return 1 }\n"), ("/w/main.harn", "")];
    let editor = Editor::start(&files);
    let main = "import { two } from \"lib\"\n\nprintln(two())\n";
    editor.open("/w/main.harn", main);
    assert!(editor.diagnostics("/w/main.harn", 1).to_string().contains("'two' is not defined"));
    editor.open("/w/lib.harn", "pub fn two() { return 2 }\n");
    assert_eq!(editor.diagnostics("/w/main.harn", 1), json!([]));
    // Closed without saving, the file on disk counts again.
    editor.tell("textDocument/didClose", json!({"textDocument": {"uri": "file:///w/lib.harn"}}));
    assert!(editor.diagnostics("/w/main.harn", 1).to_string().contains("'two' is not defined"));
    assert_eq!(editor.stop(), 0);
}
