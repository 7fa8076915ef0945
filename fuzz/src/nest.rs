//! Depth: constructs inside themselves, thousands of times.

use crate::random::Random;

/// Constructs that hold one of their own kind: what opens, what stands innermost, what closes.
pub const NESTS: &[(&str, &str, &str)] = &[
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("{a: ", "1", "}"),
    ("f(", "1", ")"),
    ("x.f(", "1", ")"),
    ("-", "1", ""),
    ("!", "1", ""),
    ("\"${", "1", "}\""),
    ("{ x -> ", "1", " }"),
    ("fn() { ", "1", " }"),
    ("if a { ", "1", " }"),
    ("if a { 1 } else ", "{ 2 }", ""),
    ("while a { ", "1", " }"),
    ("for x in y { ", "1", " }"),
    ("match a { _ -> { ", "1", " } }"),
    ("try { ", "1", " } catch { 1 }"),
    ("try { 1 } catch { ", "1", " }"),
    ("spawn { ", "1", " }"),
    ("fn f() { ", "1", " }"),
    ("1 + ", "1", ""),
    ("1 ** ", "1", ""),
    ("a ? 1 : ", "1", ""),
    ("a ? ", "1", " : 2"),
    ("x |> ", "f", ""),
    ("a ?? ", "1", ""),
    ("a.", "b", ""),
    ("a[", "1", "]"),
    ("", "a", "[0]"),
    ("", "a", ".b()"),
    ("", "a", "?.b"),
    ("", "f", "()"),
    ("", "a", "?"),
    ("let x: list<", "int", "> = 1"),
    ("let x: {a: ", "int", "} = 1"),
    ("let x: fn(", "int", ") -> int = 1"),
    ("try* ", "1", ""),
    ("retry 1 { ", "1", " }"),
    ("parallel 1 { ", "1", " }"),
    ("P { a: ", "1", " }"),
    ("/* ", "", " */"),
    ("defer { ", "1", " }"),
    ("impl A { fn f() { ", "1", " } }"),
    ("@a([", "1", "])\nfn f() {}"),
    ("match a { [", "b", "] -> { 1 } }"),
];

/// One construct of the table inside itself, `depth` times.
pub fn nested(of: (&str, &str, &str), depth: usize) -> String {
    let (open, inner, close) = of;
    let mut text = String::from("let a = 1\nlet y = ");
    // Types, attributes and statements do not stand behind `=`.
    if open.starts_with("let")
        || open.starts_with('@')
        || open.starts_with("while")
        || open.starts_with("for")
    {
        text = String::from("let a = 1\n");
        let (head, tail) = match open.rsplit_once([' ', '(']) {
            Some((head, _)) if open.starts_with('@') => (head, ""),
            _ => ("", ""),
        };
        text.push_str(head);
        text.push_str(tail);
    }
    text.push_str(&open.repeat(depth));
    text.push_str(inner);
    text.push_str(&close.repeat(depth));
    text
}

/// A random construct in itself or a mixture, 1 to 20,000 deep, sometimes not closed.
pub fn program(random: &mut Random) -> String {
    let deepest = random.pick(&[40, 300, 3_000, 20_000]).copied().unwrap_or(40);
    let depth = 1 + random.below(deepest);
    let one = |random: &mut Random| random.pick(NESTS).copied().unwrap_or(("(", "1", ")"));
    if random.below(100) < 50 {
        let text = nested(one(random), depth);
        return if random.below(100) < 30 {
            let end = text.len() - random.below(text.len().min(depth));
            text.get(..end).unwrap_or(&text).to_owned()
        } else {
            text
        };
    }
    let (mut open, mut close) = (String::from("let a = 1\nlet y = "), Vec::new());
    let kinds: Vec<_> = (0..1 + random.below(4)).map(|_| one(random)).collect();
    for _ in 0..depth.min(5_000) {
        let (before, _, after) = random.pick(&kinds).copied().unwrap_or(("(", "", ")"));
        open.push_str(before);
        close.push(after);
    }
    open.push('1');
    open.extend(close.into_iter().rev());
    open
}
