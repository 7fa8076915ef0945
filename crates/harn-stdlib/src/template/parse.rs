//! Templates from text: directives are cut out with white-space control, then nested.

use super::expression;
use super::syntax::{Expr, Failure, For, Node, Place};

/// Parses a template.
pub fn parse(text: &str) -> Result<Vec<Node>, Failure> {
    let pieces = scan(text)?;
    let mut nester = Nester { pieces: pieces.into_iter(), depth: 0 };
    match nester.block()? {
        (nodes, None) => Ok(nodes),
        (_, Some((place, end))) => Err(Failure::new(place, format!("unexpected `{{{{ {} }}}}`", end.word()))),
    }
}

/// What the scanner cuts a template into.
enum Piece {
    Text(String),
    Directive(Place, String),
}

fn scan(text: &str) -> Result<Vec<Piece>, Failure> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut pending = String::new();
    while let Some(open) = rest.find("{{") {
        pending.push_str(rest.get(..open).unwrap_or(""));
        let directive = rest.get(open..).unwrap_or("");
        let place = place_of(text, text.len() - directive.len());
        let inner = directive.get(2..).unwrap_or("");
        let (trim_before, inner) = inner.strip_prefix('-').map_or((false, inner), |i| (true, i));
        if trim_before {
            trim_end(&mut pending);
        }
        let (body, trim_after, after) = if let Some(comment) = inner.strip_prefix('#') {
            let missing = || Failure::new(place, "unterminated comment");
            let end =
                comment.find("#}}").into_iter().chain(comment.find("#-}}")).min().ok_or_else(missing)?;
            let tail = comment.get(end + 1..).unwrap_or("");
            let trim = tail.starts_with('-');
            (None, trim, tail.get(if trim { 3 } else { 2 }..).unwrap_or(""))
        } else {
            let end = directive_end(inner).ok_or_else(|| Failure::new(place, "unterminated directive"))?;
            let body = inner.get(..end).unwrap_or("");
            let (body, trim) = body.strip_suffix('-').map_or((body, false), |b| (b, true));
            (Some(body.trim()), trim, inner.get(end + 2..).unwrap_or(""))
        };
        rest = if trim_after { trim_start(after) } else { after };
        match body {
            None => {}
            Some("raw") => {
                let (raw, tail) =
                    raw_block(rest).ok_or_else(|| Failure::new(place, "unterminated `{{ raw }}` block"))?;
                pending.push_str(raw);
                rest = tail;
            }
            Some(body) => {
                if !pending.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut pending)));
                }
                pieces.push(Piece::Directive(place, body.to_owned()));
            }
        }
    }
    pending.push_str(rest);
    if !pending.is_empty() {
        pieces.push(Piece::Text(pending));
    }
    Ok(pieces)
}

/// The offset of the `}}` that ends a directive: outside quotes and outside the braces of a `with`.
fn directive_end(inner: &str) -> Option<usize> {
    let (mut quote, mut escaped, mut braces) = (None, false, 0usize);
    for (i, c) in inner.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None => match c {
                '"' | '\'' => quote = Some(c),
                '{' => braces += 1,
                '}' if braces > 0 => braces -= 1,
                '}' if inner.get(i..).is_some_and(|r| r.starts_with("}}")) => return Some(i),
                _ => {}
            },
        }
    }
    // An unclosed quote or brace: the first `}}` ends the directive, and its expression will be refused.
    inner.find("}}")
}

fn raw_block(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    while let Some(open) = text.get(from..)?.find("{{").map(|i| i + from) {
        let inner = text.get(open + 2..)?;
        let close = inner.find("}}")?;
        let body = inner.get(..close)?;
        let (trim_before, body) = body.strip_prefix('-').map_or((false, body), |b| (true, b));
        let (body, trim_after) = body.strip_suffix('-').map_or((body, false), |b| (b, true));
        if body.trim() == "endraw" {
            let raw = text.get(..open)?;
            let mut end = raw.len();
            if trim_before {
                let mut owned = raw.to_owned();
                trim_end(&mut owned);
                end = owned.len();
            }
            let tail = inner.get(close + 2..)?;
            return Some((raw.get(..end)?, if trim_after { trim_start(tail) } else { tail }));
        }
        from = open + 2;
    }
    None
}

/// Removes spaces and tabs at the end, and one line break before them.
fn trim_end(text: &mut String) {
    let kept = text.trim_end_matches([' ', '\t']);
    let kept = kept.strip_suffix('\n').map_or(kept, |t| t.strip_suffix('\r').unwrap_or(t));
    text.truncate(kept.len());
}

/// Removes spaces and tabs at the start, and one line break after them.
fn trim_start(text: &str) -> &str {
    let kept = text.trim_start_matches([' ', '\t']);
    kept.strip_prefix("\r\n").or_else(|| kept.strip_prefix('\n')).unwrap_or(kept)
}

fn place_of(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before.get(start..).unwrap_or("").chars().count() + 1,
    }
}

/// A directive that ends a block.
enum End {
    Block,
    Else,
    Elif(String),
}

impl End {
    fn word(&self) -> &'static str {
        match self {
            End::Block => "end",
            End::Else => "else",
            End::Elif(_) => "elif",
        }
    }
}

/// How deeply blocks may nest.
const MAX_DEPTH: usize = 128;

struct Nester {
    pieces: std::vec::IntoIter<Piece>,
    depth: usize,
}

impl Nester {
    /// The nodes up to a directive that ends a block, and that directive.
    fn block(&mut self) -> Result<(Vec<Node>, Option<(Place, End)>), Failure> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let (place, body) = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Directive(place, body) => (place, body),
            };
            let (word, tail) = first_word(&body);
            match word {
                "end" if tail.is_empty() => return Ok((nodes, Some((place, End::Block)))),
                "else" if tail.is_empty() => return Ok((nodes, Some((place, End::Else)))),
                "elif" => return Ok((nodes, Some((place, End::Elif(tail.to_owned()))))),
                "if" if !tail.is_empty() => nodes.push(self.nested(place, |n| n.conditional(place, tail))?),
                "for" if !tail.is_empty() => nodes.push(self.nested(place, |n| n.repetition(place, tail))?),
                "include" if !tail.is_empty() => nodes.push(include(place, tail)?),
                _ => nodes.push(interpolation(place, &body)?),
            }
        }
        Ok((nodes, None))
    }

    fn nested(
        &mut self,
        place: Place,
        parse: impl FnOnce(&mut Self) -> Result<Node, Failure>,
    ) -> Result<Node, Failure> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Failure::new(place, "blocks nest too deeply"));
        }
        let node = parse(self)?;
        self.depth -= 1;
        Ok(node)
    }

    fn conditional(&mut self, place: Place, condition: &str) -> Result<Node, Failure> {
        let mut branches = Vec::new();
        let mut condition = expression::parse(condition, place)?;
        loop {
            let (nodes, end) = self.block()?;
            branches.push((condition, nodes));
            match end {
                None => return Err(missing_end(place, "if")),
                Some((_, End::Block)) => return Ok(Node::If(place, branches, Vec::new())),
                Some((at, End::Elif(next))) => condition = expression::parse(&next, at)?,
                Some((at, End::Else)) => {
                    let otherwise = self.otherwise(at)?;
                    return Ok(Node::If(place, branches, otherwise));
                }
            }
        }
    }

    fn otherwise(&mut self, place: Place) -> Result<Vec<Node>, Failure> {
        match self.block()? {
            (nodes, Some((_, End::Block))) => Ok(nodes),
            (_, Some((at, end))) => Err(Failure::new(at, format!("unexpected `{{{{ {} }}}}`", end.word()))),
            (_, None) => Err(missing_end(place, "else")),
        }
    }

    fn repetition(&mut self, place: Place, head: &str) -> Result<Node, Failure> {
        let (names, source) =
            head.split_once(" in ").ok_or_else(|| Failure::new(place, "expected `in` in for-loop"))?;
        let mut names = names.split(',').map(str::trim);
        let mut name = || names.next().map(str::to_owned);
        let names = (name().unwrap_or_default(), name());
        let extra = name().is_some();
        let valid = is_name(&names.0) && names.1.as_deref().is_none_or(is_name) && !extra;
        if !valid {
            return Err(Failure::new(place, "invalid for-loop variable"));
        }
        let source = expression::parse(source, place)?;
        let (body, end) = self.block()?;
        let otherwise = match end {
            None => return Err(missing_end(place, "for")),
            Some((_, End::Block)) => Vec::new(),
            Some((at, End::Else)) => self.otherwise(at)?,
            Some((at, end @ End::Elif(_))) => {
                return Err(Failure::new(at, format!("unexpected `{{{{ {} }}}}`", end.word())));
            }
        };
        Ok(Node::For(Box::new(For { place, names, source, body, otherwise })))
    }
}

fn missing_end(place: Place, word: &str) -> Failure {
    Failure::new(place, format!("`{{{{ {word} }}}}` missing matching `{{{{ end }}}}`"))
}

fn first_word(body: &str) -> (&str, &str) {
    let end = body.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(body.len());
    let (word, tail) = body.split_at(end);
    (word, tail.trim())
}

/// Whether the text is one identifier.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn interpolation(place: Place, body: &str) -> Result<Node, Failure> {
    if is_name(body) && !matches!(body, "true" | "false" | "nil") {
        return Ok(Node::Bare(place, body.to_owned()));
    }
    Ok(Node::Expr(place, expression::parse(body, place)?))
}

fn include(place: Place, tail: &str) -> Result<Node, Failure> {
    let (path, with) = match expression::find_word(tail, "with") {
        Some(at) => (tail.get(..at).unwrap_or(""), tail.get(at + 4..)),
        None => (tail, None),
    };
    let path = expression::parse(path, place)?;
    let bindings = with.map_or_else(|| Ok(Vec::new()), |text| include_bindings(place, text.trim()))?;
    Ok(Node::Include(place, path, bindings))
}

fn include_bindings(place: Place, text: &str) -> Result<Vec<(String, Expr)>, Failure> {
    let inner = text
        .strip_prefix('{')
        .and_then(|t| t.strip_suffix('}'))
        .ok_or_else(|| Failure::new(place, "expected `{ ... }` after `with`"))?;
    let mut out = Vec::new();
    for entry in expression::split_commas(inner) {
        let entry = entry.trim();
        if entry.is_empty() {
            continue;
        }
        let (key, value) = entry
            .split_once(':')
            .ok_or_else(|| Failure::new(place, "expected `key: value` in include bindings"))?;
        let key = key.trim();
        if !is_name(key) {
            return Err(Failure::new(place, "invalid include binding key"));
        }
        out.push((key.to_owned(), expression::parse(value, place)?));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text).unwrap_err().message
    }

    #[test]
    fn dashes_take_one_line_break() {
        let nodes = parse("a\n\n  {{- x -}}  \n\nb").unwrap();
        let texts: Vec<&Node> = nodes.iter().filter(|n| matches!(n, Node::Text(_))).collect();
        assert_eq!(texts, [&Node::Text("a\n".into()), &Node::Text("\nb".into())]);
    }

    #[test]
    fn raw_blocks_are_text() {
        assert_eq!(parse("{{ raw }}{{ x }}{{ endraw }}").unwrap(), [Node::Text("{{ x }}".into())]);
    }

    #[test]
    fn broken_blocks_are_named() {
        assert_eq!(message("{{ if x }}"), "`{{ if }}` missing matching `{{ end }}`");
        assert_eq!(message("{{ end }}"), "unexpected `{{ end }}`");
        assert_eq!(message("{{ x"), "unterminated directive");
        assert_eq!(message("{{# x"), "unterminated comment");
        assert_eq!(message("{{ raw }} x"), "unterminated `{{ raw }}` block");
        assert_eq!(message("{{ for a b }}{{ end }}"), "expected `in` in for-loop");
    }

    #[test]
    fn failures_have_the_place_of_the_directive() {
        assert_eq!(parse("ab\nc {{ end }}").unwrap_err().place, Place { line: 2, column: 3 });
    }

    #[test]
    fn quotes_hide_the_end_of_a_directive() {
        assert_eq!(parse("{{ \"}}\" }}").unwrap().len(), 1);
    }

    #[test]
    fn a_with_may_close_right_before_the_directive() {
        assert!(
            matches!(&parse("{{ include \"a\" with { b: 1 }}}").unwrap()[..], [Node::Include(_, _, b)] if b.len() == 1)
        );
    }
}
