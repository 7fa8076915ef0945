//! No edit is lost: after any script of edits the server knows what a server knows that opens the final text.

use crate::editor::Editor;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const PATH: &str = "/w/main.harn";

const START: &str =
    "fn area(r: float) -> float {\n  return r * r\n}\n\nlet s = \"ä😀\"\r\nprintln(area(2.0), s)\n";

/// Pieces that make and break programs.
const PIECES: &[&str] = &[
    "",
    "x",
    " ",
    "\n",
    "\r\n",
    "😀",
    "é",
    "(",
    ")",
    "{",
    "}",
    "\"",
    "${",
    "let y = 1\n",
    "fn g() { return 1 }\n",
    "// note\n",
    "area(",
    "/*",
    "*/",
    ".",
    "nil",
];

#[derive(Clone, Debug)]
enum Change {
    Whole(String),
    Part { from: (usize, usize), to: (usize, usize), text: &'static str },
}

/// Lines as UTF-16 units: the slow and plain model of a document.
fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// The unit of a position by the words of the protocol.
fn place(text: &[u16], (line, character): (usize, usize)) -> usize {
    let (mut start, mut lines) = (0, 0);
    while lines < line {
        let end =
            (start..text.len()).find(|i| text[*i] == 10 || (text[*i] == 13 && text.get(i + 1) != Some(&10)));
        match end {
            Some(end) => start = end + 1,
            None => return text.len(),
        }
        lines += 1;
    }
    let end = (start..text.len()).find(|i| text[*i] == 10 || text[*i] == 13).unwrap_or(text.len());
    let at = (start + character).min(end);
    // Half a pair is no place.
    if at > start && at < text.len() && (0xDC00..0xE000).contains(&text[at]) { at - 1 } else { at }
}

fn apply(text: &str, change: &Change) -> String {
    match change {
        Change::Whole(text) => text.clone(),
        Change::Part { from, to, text: new } => {
            let old = units(text);
            let start = place(&old, *from);
            let end = place(&old, *to).max(start);
            let mut whole = old[..start].to_vec();
            whole.extend(new.encode_utf16());
            whole.extend(&old[end..]);
            String::from_utf16(&whole).unwrap()
        }
    }
}

fn as_json(change: &Change) -> Json {
    match change {
        Change::Whole(text) => json!({"text": text}),
        Change::Part { from, to, text } => json!({
            "range": {"start": {"line": from.0, "character": from.1}, "end": {"line": to.0, "character": to.1}},
            "text": text,
        }),
    }
}

fn change() -> impl Strategy<Value = Change> {
    let part = (0usize..8, 0usize..30, 0usize..2, 0usize..12, 0..PIECES.len()).prop_map(
        |(line, at, down, on, piece)| {
            let to = if down == 0 { (line, at + on) } else { (line + down, on) };
            Change::Part { from: (line, at), to, text: PIECES[piece] }
        },
    );
    let whole = (0..PIECES.len()).prop_map(|piece| Change::Whole(format!("{START}{}", PIECES[piece])));
    prop_oneof![12 => part, 1 => whole]
}

/// What a server says of a text: diagnostics and colours.
fn said(editor: &mut Editor, version: i32) -> (Json, Json) {
    let diagnostics = editor.diagnostics(PATH, version);
    let document = json!({"textDocument": {"uri": format!("file://{PATH}")}});
    (diagnostics, editor.ask("textDocument/semanticTokens/full", document).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn edits_give_what_opening_the_result_gives(script in prop::collection::vec(prop::collection::vec(change(), 1..4), 1..8)) {
        let mut edited = Editor::start(&[]);
        edited.open(PATH, START);
        let mut text = START.to_owned();
        let mut version = 1;
        for changes in &script {
            version += 1;
            text = changes.iter().fold(text, |t, c| apply(&t, c));
            edited.change(PATH, version, changes.iter().map(as_json).collect());
        }
        let mut fresh = Editor::start(&[]);
        fresh.open(PATH, &text);
        prop_assert_eq!(said(&mut edited, version), said(&mut fresh, 1), "{:?}", text);
        prop_assert_eq!((edited.stop(), fresh.stop()), (0, 0));
    }
}
