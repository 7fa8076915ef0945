//! Whether a formatted text is still the same program with the same comments.

use crate::toplevel::leading_imports;
use harn_syntax::ast::{Ast, Stmt, StmtKind};
use harn_syntax::{Parsed, Source, TokenKind, dump_ast, parse};

/// Reads `text` back and compares.
pub fn is_faithful(source: &Source, parsed: &Parsed, text: &str) -> bool {
    let again = Source::new(source.path(), text);
    let reread = parse(&again);
    !reread.has_errors()
        && program(&parsed.ast) == program(&reread.ast)
        && comment_words(source, parsed) == comment_words(&again, &reread)
}

/// The tree as text, without what formatting may change.
fn program(ast: &Ast) -> String {
    let mut ast = ast.clone();
    for item in &mut ast.items {
        if let StmtKind::Import(import) = &mut item.kind
            && let Some(names) = &mut import.names
        {
            names.sort_by(|a, b| ast.names.text(a.name).cmp(ast.names.text(b.name)));
        }
    }
    let imports = leading_imports(&ast.items).len();
    let names = ast.names.clone();
    let alone =
        |stmt: &Stmt| dump_ast(&Ast { items: vec![stmt.clone()], names: names.clone(), expr_count: 0 });
    if let Some(leading) = ast.items.get_mut(..imports) {
        leading.sort_by_cached_key(alone);
    }
    without_parens(&dump_ast(&ast))
}

/// A dumped tree without its layout, parentheses and documentation.
fn without_parens(dump: &str) -> String {
    #[derive(PartialEq)]
    enum Open {
        Kept,
        Paren,
        Doc,
    }
    let mut out = String::with_capacity(dump.len());
    let mut open = Vec::new();
    // How many of `open` are documentation.
    let mut docs = 0;
    let mut rest = dump;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '"' => quoted_length(rest),
            '(' | ')' => 1,
            // A deep tree is mostly indentation.
            c if c.is_whitespace() => rest.len() - rest.trim_start().len(),
            _ => rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"')).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        rest = after;
        let hidden = docs > 0;
        match c {
            '(' if rest.starts_with("paren ") || rest.starts_with("paren\n") => {
                rest = rest.get("paren".len()..).unwrap_or("");
                open.push(Open::Paren);
            }
            '(' if rest.starts_with("doc \"") => {
                open.push(Open::Doc);
                docs += 1;
            }
            '(' => {
                if !hidden {
                    out.push('(');
                }
                open.push(Open::Kept);
            }
            ')' => match open.pop() {
                Some(Open::Kept) if !hidden => out.push(')'),
                Some(Open::Doc) => docs -= 1,
                _ => {}
            },
            c if c.is_whitespace() => {}
            _ if hidden => {}
            _ => {
                out.push_str(word);
                out.push(' ');
            }
        }
    }
    out
}

/// The length of the quoted text at the start.
fn quoted_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The words of all comments in alphabetical order, without the signs that frame them.
fn comment_words(source: &Source, parsed: &Parsed) -> Vec<String> {
    let comments = parsed.tokens.iter().filter(|token| {
        matches!(
            token.kind,
            TokenKind::LineComment | TokenKind::DocLine | TokenKind::BlockComment | TokenKind::DocBlock
        )
    });
    let mut words: Vec<String> = comments
        .flat_map(|token| {
            source
                .slice(token.span)
                .split(|c: char| c.is_whitespace() || matches!(c, '/' | '*' | '-'))
                .map(str::to_string)
        })
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words
}
