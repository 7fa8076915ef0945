//! Rules about comments, blank lines, commas and the order of imports: they read tokens.

use super::*;
use harn_syntax::Token;
use harn_syntax::ast::*;

pub(super) fn run(pass: &mut Pass<'_>) {
    header(pass);
    items(pass);
    imports(pass);
    commas(pass);
}

fn header(pass: &mut Pass<'_>) {
    if !pass.options.require_file_header {
        return;
    }
    let blank = |k: TokenKind| {
        matches!(k, TokenKind::Whitespace | TokenKind::Newline | TokenKind::Bom | TokenKind::Shebang)
    };
    let first = pass.module.parsed.tokens.iter().find(|t| !blank(t.kind));
    if first.is_none_or(|t| t.kind == TokenKind::DocBlock) {
        return;
    }
    let path = pass.module.source.path();
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".harn");
    let mut title: String = stem.replace(['_', '-'], " ");
    if let Some(first) = title.get(..1) {
        title = first.to_uppercase() + title.get(1..).unwrap_or("");
    }
    let at = first.map_or(0, |t| t.span.start);
    pass.add(
        FILE_HEADER,
        Span::new(at, at),
        "file is missing a `/** */` header doc block".to_owned(),
        &format!("add a `/** <title> */` block at the top of the file (e.g. `{title}.`)"),
        replace(Span::new(at, at), format!("/** {title}. */\n\n")),
    );
}

/// Comments and blank lines between top-level items.
fn items(pass: &mut Pass<'_>) {
    let module = pass.module;
    let stmts = &module.ast().items;
    let mut previous: Option<&Stmt> = None;
    for stmt in stmts {
        let comments = comments_above(module, stmt.span.start);
        if let StmtKind::Decl(decl) = &stmt.kind {
            documentation(pass, decl, &comments);
        }
        if let Some(before) = previous {
            let top = comments.first().map_or(stmt.span.start, |t| t.span.start);
            blank_line(pass, before, stmt, top);
        }
        previous = Some(stmt);
    }
}

/// The comments on the lines directly above a place, topmost first.
fn comments_above(module: &Module, start: u32) -> Vec<Token> {
    let tokens = &module.parsed.tokens;
    let end = tokens.partition_point(|t| t.span.start < start);
    let mut found = Vec::new();
    let mut newlines = 0;
    for token in tokens.get(..end).unwrap_or_default().iter().rev() {
        match token.kind {
            TokenKind::Newline => {
                newlines += 1;
                if newlines > 1 {
                    break;
                }
            }
            TokenKind::Whitespace => {}
            TokenKind::LineComment | TokenKind::DocLine | TokenKind::DocBlock | TokenKind::BlockComment => {
                // A comment behind code belongs to that code.
                let line = module.source.position(token.span.start).line;
                let alone = module.source.line(line).is_some_and(|l| l.trim_start().starts_with('/'));
                if !alone || newlines == 0 {
                    break;
                }
                newlines = 0;
                found.push(*token);
            }
            _ => break,
        }
    }
    found.reverse();
    found
}

fn documentation(pass: &mut Pass<'_>, decl: &Decl, comments: &[Token]) {
    if let DeclKind::Fn(f) = &decl.kind
        && decl.public
        && decl.doc.is_none()
        && comments.last().is_none_or(|c| c.kind != TokenKind::DocBlock)
    {
        let name = pass.name(f.name);
        pass.add(
            MISSING_DOC,
            f.name.span,
            format!("public function `{name}` is missing a `/** */` doc comment"),
            &format!("add a `/** ... */` HarnDoc block directly above `pub fn {name}`"),
            Vec::new(),
        );
    }
    let legacy: Vec<Token> = comments
        .iter()
        .rev()
        .take_while(|c| matches!(c.kind, TokenKind::LineComment | TokenKind::DocLine))
        .copied()
        .collect();
    let (Some(last), Some(first)) = (legacy.first(), legacy.last()) else { return };
    if legacy.iter().any(|c| pass.slice(c.span).contains("harn-lint:")) {
        return;
    }
    let doc = legacy.iter().any(|c| c.kind == TokenKind::DocLine);
    let plain = legacy.iter().any(|c| c.kind == TokenKind::LineComment);
    let (what, form) = match (doc, plain) {
        (true, true) => ("adjacent `//` / `///`", "//, ///"),
        (true, false) => ("`///`", "///"),
        _ => ("plain `//`", "//"),
    };
    let lines: Vec<&str> =
        legacy.iter().rev().map(|c| pass.slice(c.span).trim_start_matches('/').trim()).collect();
    let block = match lines.as_slice() {
        [one] => format!("/** {one} */"),
        lines => {
            let body: Vec<String> = lines.iter().map(|l| format!(" * {l}").trim_end().to_owned()).collect();
            format!("/**\n{}\n */", body.join("\n"))
        }
    };
    let span = Span::new(first.span.start, last.span.end);
    let safe = !block.trim_start_matches("/**").trim_end_matches("*/").contains("*/");
    pass.add(
        LEGACY_DOC,
        span,
        format!("{what} doc comment(s) above this item should use `/** */` form"),
        &format!("rewrite the {form} lines as a canonical `/** ... */` block"),
        if safe { replace(span, block) } else { Vec::new() },
    );
}

fn blank_line(pass: &mut Pass<'_>, before: &Stmt, stmt: &Stmt, top: u32) {
    let import = |s: &Stmt| matches!(s.kind, StmtKind::Import(_));
    let decl = |s: &Stmt| matches!(s.kind, StmtKind::Decl(_));
    if (import(before) && import(stmt)) || !(decl(before) || decl(stmt) || import(before) != import(stmt)) {
        return;
    }
    let between = pass.slice(Span::new(before.span.end, top));
    let blank = between.lines().skip(1).any(|l| l.trim().is_empty()) && between.matches('\n').count() > 1;
    let Some(line_end) = between.find('\n') else { return };
    if !blank {
        let at = before.span.end + line_end as u32 + 1;
        pass.add(
            BLANK_LINE,
            stmt.span,
            "top-level items should be separated by a blank line".to_owned(),
            "insert a blank line above the next item (doc comments stay glued to the item they describe)",
            replace(Span::new(at, at), "\n"),
        );
    }
}

fn imports(pass: &mut Pass<'_>) {
    let module = pass.module;
    let leading: Vec<(&Stmt, &Import)> = module
        .ast()
        .items
        .iter()
        .map_while(|s| match &s.kind {
            StmtKind::Import(import) => Some((s, import)),
            _ => None,
        })
        .collect();
    let key = |import: &Import| {
        let mut names: Vec<String> =
            import.names.iter().flatten().map(|n| module.ast().names.text(n.name).to_owned()).collect();
        names.sort();
        (!import.path.starts_with("std/"), import.path.to_string(), import.names.is_some(), names)
    };
    let mut sorted = leading.clone();
    sorted.sort_by_key(|(_, import)| key(import));
    let ordered = leading.iter().zip(&sorted).all(|(a, b)| std::ptr::eq(a.0, b.0));
    let (Some((first, _)), Some((last, _))) = (leading.first(), leading.last()) else { return };
    if ordered {
        return;
    }
    let whole = Span::new(first.span.start, last.span.end);
    let comments = module.parsed.tokens.iter().any(|t| {
        t.span.start >= whole.start
            && t.span.end <= whole.end
            && matches!(
                t.kind,
                TokenKind::LineComment | TokenKind::DocLine | TokenKind::DocBlock | TokenKind::BlockComment
            )
    });
    let lines: Vec<&str> = sorted.iter().map(|(s, _)| module.source.slice(s.span)).collect();
    pass.add(
        IMPORT_ORDER,
        first.span,
        "imports are not in canonical order (stdlib first, then alphabetical by path)".to_owned(),
        "reorder imports: std/ first, then third-party and local paths alphabetically",
        // Comments belong to a place that moving imports would lose.
        if comments { Vec::new() } else { replace(whole, lines.join("\n")) },
    );
}

/// Brackets over several lines whose pieces are separated by commas.
fn commas(pass: &mut Pass<'_>) {
    struct Open {
        kind: TokenKind,
        commas: usize,
        separators: usize,
        start_line: u32,
    }
    let module = pass.module;
    let ends = dict_ends(module);
    let mut stack: Vec<Open> = Vec::new();
    let mut previous: Option<Token> = None;
    let mut found = Vec::new();
    for token in module.parsed.tokens.iter().filter(|t| !t.kind.is_trivia()) {
        match token.kind {
            TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => stack.push(Open {
                kind: token.kind,
                commas: 0,
                separators: 0,
                start_line: module.source.position(token.span.start).line,
            }),
            TokenKind::Comma => {
                if let Some(open) = stack.last_mut() {
                    open.commas += 1;
                }
            }
            // A closure, a body, or statements: no list.
            TokenKind::Arrow
            | TokenKind::Semicolon
            | TokenKind::Let
            | TokenKind::Var
            | TokenKind::Return
            | TokenKind::Fn
            | TokenKind::For
            | TokenKind::Eq => {
                if let Some(open) = stack.last_mut().filter(|o| o.kind == TokenKind::LBrace) {
                    open.separators += 1;
                }
            }
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => {
                let (Some(open), Some(last)) = (stack.pop(), previous) else { continue };
                let line = module.source.position(token.span.start).line;
                let last_line = module.source.position(last.span.end).line;
                let rest = last.kind == TokenKind::Comma;
                if open.commas > 0
                    && open.separators == 0
                    && !rest
                    && line > open.start_line
                    && line > last_line
                    && (open.kind != TokenKind::LBrace || ends.contains(&token.span.end))
                {
                    found.push(last.span);
                }
            }
            _ => {}
        }
        previous = Some(*token);
    }
    for span in found {
        let at = Span::new(span.end, span.end);
        pass.add(
            TRAILING_COMMA,
            span,
            "multiline comma-separated list is missing a trailing comma".to_owned(),
            "add a trailing comma after the last item",
            replace(at, ","),
        );
    }
}

/// Where dict and struct literals end.
fn dict_ends(module: &Module) -> HashSet<u32> {
    use crate::walk::{Visitor, walk_expr};
    struct Ends(HashSet<u32>);
    impl<'a> Visitor<'a> for Ends {
        fn expr(&mut self, e: &'a Expr) {
            if matches!(e.kind, ExprKind::Dict(_) | ExprKind::StructLit { .. }) {
                self.0.insert(e.span.end);
            }
            walk_expr(self, e);
        }
    }
    let mut ends = Ends(HashSet::new());
    for stmt in &module.ast().items {
        ends.stmt(stmt);
    }
    ends.0
}
