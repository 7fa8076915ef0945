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

const LIB: &str = "/w/lib.harn";
const BOTH: [&str; 2] = [PATH, LIB];
const MAIN_TEXT: &str = "import { side } from \"lib\"\nlet s = side(2)\nlet t = [s]\nprintln(t, s)\n";
const LIB_TEXT: &str = "pub fn side(n: int) -> int {\n  return n + 1\n}\npub let spare = 1\n";

/// What the editor of two files that belong together may send.
#[derive(Clone, Debug)]
enum Step {
    Open(usize),
    Close(usize),
    Save(usize),
    Change(usize, Vec<Change>),
    /// A question whose answer nobody waits for, and perhaps its cancellation.
    Ask(usize, &'static str, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let texts = prop_oneof![
        Just("pub fn side(n: int) -> string {\n  return \"a\"\n}\n".to_owned()),
        Just("pub fn other() { }\n".to_owned()),
        Just(LIB_TEXT.to_owned()),
        Just(MAIN_TEXT.to_owned()),
        Just("let s = 1.5\nlet t = s\nprintln(t)\n".to_owned()),
    ];
    let changes = prop::collection::vec(prop_oneof![2 => change(), 1 => texts.prop_map(Change::Whole)], 1..3);
    let asked = prop::sample::select(vec![
        "textDocument/completion",
        "textDocument/hover",
        "textDocument/semanticTokens/full",
        "textDocument/references",
    ]);
    prop_oneof![
        3 => (0usize..2).prop_map(Step::Open),
        1 => (0usize..2).prop_map(Step::Close),
        1 => (0usize..2).prop_map(Step::Save),
        6 => (0usize..2, changes).prop_map(|(which, changes)| Step::Change(which, changes)),
        4 => (0usize..2, asked, any::<bool>()).prop_map(|(which, what, cancel)| Step::Ask(which, what, cancel)),
    ]
}

/// What a server says of the open files: what depends on the other file first, from what it knows at this moment.
fn known(editor: &mut Editor, open: &[Option<String>; 2]) -> Vec<Json> {
    let mut all = Vec::new();
    for (path, text) in BOTH.iter().zip(open) {
        let Some(text) = text else { continue };
        let document = json!({"uri": format!("file://{path}")});
        let end = json!({"line": text.lines().count() + 1, "character": 0});
        let range = json!({"start": {"line": 0, "character": 0}, "end": end});
        all.push(
            editor.ask("textDocument/inlayHint", json!({"textDocument": document, "range": range})).unwrap(),
        );
        all.push(editor.ask("textDocument/semanticTokens/full", json!({"textDocument": document})).unwrap());
        // The same text once more asks for diagnostics of this version.
        editor.change(path, 9000, json!([{"text": text}]));
        all.push(editor.diagnostics(path, 9000));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_messages_loses_an_edit(script in prop::collection::vec(step(), 1..24)) {
        let disk = [(PATH, MAIN_TEXT), (LIB, LIB_TEXT)];
        let mut editor = Editor::start(&disk);
        let mut open: [Option<String>; 2] = [None, None];
        for (version, step) in (2..).zip(&script) {
            match step {
                Step::Open(which) if open[*which].is_none() => {
                    editor.open(BOTH[*which], disk[*which].1);
                    open[*which] = Some(disk[*which].1.to_owned());
                }
                Step::Close(which) if open[*which].take().is_some() => {
                    let document = json!({"uri": format!("file://{}", BOTH[*which])});
                    editor.tell("textDocument/didClose", json!({"textDocument": document}));
                }
                Step::Change(which, changes) => {
                    // A change of a file that is not open is told and forgotten.
                    editor.change(BOTH[*which], version, changes.iter().map(as_json).collect());
                    if let Some(text) = &mut open[*which] {
                        *text = changes.iter().fold(text.clone(), |t, c| apply(&t, c));
                    }
                }
                Step::Save(which) => {
                    let document = json!({"uri": format!("file://{}", BOTH[*which])});
                    editor.tell("textDocument/didSave", json!({"textDocument": document}));
                }
                Step::Ask(which, what, cancel) => {
                    let document = json!({"uri": format!("file://{}", BOTH[*which])});
                    let at = json!({"line": 1, "character": 9});
                    let context = json!({"includeDeclaration": true});
                    let params = json!({"textDocument": document, "position": at, "context": context});
                    let id = editor.request(what, params);
                    if *cancel {
                        editor.tell("$/cancelRequest", json!({"id": id}));
                    }
                }
                Step::Open(_) | Step::Close(_) => {}
            }
        }
        let mut fresh = Editor::start(&disk);
        for (path, text) in BOTH.iter().zip(&open) {
            if let Some(text) = text {
                fresh.open(path, text);
            }
        }
        prop_assert_eq!(known(&mut editor, &open), known(&mut fresh, &open), "{:?}", open);
        prop_assert_eq!((editor.stop(), fresh.stop()), (0, 0));
    }
}
