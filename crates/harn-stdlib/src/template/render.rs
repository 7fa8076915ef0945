//! Templates with bindings to text.

use harn_vm::{Value, View, compare, display, equals};

use super::syntax::{Comparison, Expr, Failure, For, Node, Place, Step};
use super::{filters, parse};
use crate::arguments::{count, entry};
use crate::text::chars;

/// A template and the path of its file; no path for a text.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The template.
    pub text: &'a str,
    /// Its file.
    pub path: &'a str,
}

/// Which part of the output comes from where.
pub struct Span {
    /// `text`, `expr`, `legacy_bare`, `if`, `for_iteration` or `include`.
    pub kind: &'static str,
    /// Line of the directive; 0 for text.
    pub line: usize,
    /// Column of the directive; 0 for text.
    pub column: usize,
    /// First byte of the output.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The value that an expression showed, cut short.
    pub bound_value: Option<String>,
}

/// Why rendering stopped.
#[derive(Debug)]
pub enum Stop {
    /// An error in a template.
    Failed {
        /// The file of the template; empty for a text.
        path: String,
        /// What is wrong.
        failure: Failure,
    },
    /// An included file is needed.
    Missing {
        /// The file that includes it.
        from: String,
        /// The path as written.
        path: String,
    },
}

/// The name of an included file among the sources: who includes it, and the path as written.
pub fn source_key(from: &str, path: &str) -> String {
    format!("{from}\n{path}")
}

/// Includes nest no deeper.
const MAX_INCLUDES: usize = 32;

/// The text of a template with the bindings of a dict, and where its parts come from. `sources` has the included
/// files by [`source_key`]: `{path, text}` or `{failure}`.
pub fn render(source: Source<'_>, bindings: &Value, sources: &Value) -> Result<(String, Vec<Span>), Stop> {
    let mut renderer = Renderer {
        bindings,
        sources,
        locals: Vec::new(),
        files: vec![source.path.to_owned()],
        out: String::new(),
        spans: Vec::new(),
    };
    renderer.template(source.text)?;
    Ok((renderer.out, renderer.spans))
}

struct Renderer<'a> {
    bindings: &'a Value,
    sources: &'a Value,
    /// Variables of loops and of `with`, over the bindings.
    locals: Vec<(String, Value)>,
    /// The files being rendered, outermost first.
    files: Vec<String>,
    out: String,
    spans: Vec<Span>,
}

impl Renderer<'_> {
    fn lookup(&self, name: &str) -> Option<Value> {
        let local = self.locals.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        local.or_else(|| entry(self.bindings, name))
    }

    fn failed(&self, failure: Failure) -> Stop {
        Stop::Failed { path: self.files.last().cloned().unwrap_or_default(), failure }
    }

    fn evaluate(&self, expr: &Expr, place: Place) -> Result<Value, Stop> {
        evaluate(expr, &|name| self.lookup(name), place).map_err(|failure| self.failed(failure))
    }

    fn template(&mut self, text: &str) -> Result<(), Stop> {
        let nodes = parse::parse(text).map_err(|failure| self.failed(failure))?;
        self.block(&nodes)
    }

    /// Renders a part and notes the span of what it wrote.
    fn spanned(
        &mut self,
        kind: &'static str,
        place: Option<Place>,
        render: impl FnOnce(&mut Self) -> Result<Option<String>, Stop>,
    ) -> Result<(), Stop> {
        let (start, index) = (self.out.len(), self.spans.len());
        let (line, column) = place.map_or((0, 0), |p| (p.line, p.column));
        self.spans.push(Span { kind, line, column, start, end: start, bound_value: None });
        let bound_value = render(self)?;
        let end = self.out.len();
        if let Some(span) = self.spans.get_mut(index) {
            span.end = end;
            span.bound_value = bound_value;
        }
        Ok(())
    }

    fn block(&mut self, nodes: &[Node]) -> Result<(), Stop> {
        for node in nodes {
            match node {
                Node::Text(text) => self.spanned("text", None, |r| {
                    r.out.push_str(text);
                    Ok(None)
                })?,
                Node::Expr(place, expr) => {
                    let value = self.evaluate(expr, *place)?;
                    self.spanned("expr", Some(*place), |r| Ok(Some(r.show(&value))))?;
                }
                Node::Bare(place, name) => match self.lookup(name) {
                    Some(value) => self.spanned("expr", Some(*place), |r| Ok(Some(r.show(&value))))?,
                    None => self.spanned("legacy_bare", Some(*place), |r| {
                        r.out.push_str(&format!("{{{{{name}}}}}"));
                        Ok(None)
                    })?,
                },
                Node::If(place, branches, otherwise) => {
                    let mut chosen = otherwise;
                    for (condition, body) in branches {
                        if truthy(&self.evaluate(condition, *place)?) {
                            chosen = body;
                            break;
                        }
                    }
                    self.spanned("if", Some(*place), |r| r.block(chosen).map(|()| None))?;
                }
                Node::For(repetition) => self.repeat(repetition)?,
                Node::Include(place, path, with) => self.include(*place, path, with)?,
            }
        }
        Ok(())
    }

    /// Writes a value; nil shows as nothing. The text, cut short.
    fn show(&mut self, value: &Value) -> String {
        let text = if value.is_nil() { String::new() } else { display(value) };
        self.out.push_str(&text);
        match text.char_indices().nth(80) {
            Some((at, _)) => format!("{}…", text.get(..at).unwrap_or("")),
            None => text,
        }
    }

    fn include(&mut self, place: Place, path: &Expr, with: &[(String, Expr)]) -> Result<(), Stop> {
        let written = self.evaluate(path, place)?;
        let fail = |r: &Self, message: String| Err(r.failed(Failure::new(place, message)));
        let Some(written) = written.as_str() else {
            let kind = written.type_name();
            return fail(self, format!("include path must be a string (got {kind})"));
        };
        if self.files.len() > MAX_INCLUDES {
            return fail(self, format!("include depth exceeded ({MAX_INCLUDES} levels)"));
        }
        let from = self.files.last().cloned().unwrap_or_default();
        let Some(source) = entry(self.sources, &source_key(&from, written)) else {
            return Err(Stop::Missing { from, path: written.to_owned() });
        };
        if let Some(message) = entry(&source, "failure") {
            return fail(self, display(&message));
        }
        let part = |key: &str| entry(&source, key).map(|v| display(&v)).unwrap_or_default();
        let (path, text) = (part("path"), part("text"));
        if let Some(first) = self.files.iter().position(|file| *file == path) {
            let cycle = self.files.get(first..).unwrap_or(&[]).join(" → ");
            return fail(self, format!("circular include detected: {cycle} → {path}"));
        }
        let outer = self.locals.len();
        for (name, value) in with {
            let value = self.evaluate(value, place)?;
            self.locals.push((name.clone(), value));
        }
        self.files.push(path);
        self.spanned("include", Some(place), |r| r.template(&text).map(|()| None))?;
        self.files.pop();
        self.locals.truncate(outer);
        Ok(())
    }

    fn repeat(&mut self, repetition: &For) -> Result<(), Stop> {
        let source = self.evaluate(&repetition.source, repetition.place)?;
        let items: Vec<(Value, Value)> = match source.view() {
            View::Nil => Vec::new(),
            View::Dict(dict) => dict.iter().map(|(k, v)| (Value::str(k), v.clone())).collect(),
            View::List(list) => numbered(list.iter()),
            View::Set(set) => numbered(set.iter().cloned()),
            View::Range { start, end, exclusive } => {
                let len = crate::ranges::length(start, end, exclusive).min(1 << 24);
                numbered((0..len).map(|i| Value::int(start.wrapping_add(i))))
            }
            _ => {
                let kind = source.type_name();
                let message = format!("cannot iterate over {kind} — expected list, dict, set, or range");
                return Err(self.failed(Failure::new(repetition.place, message)));
            }
        };
        if items.is_empty() {
            return self.block(&repetition.otherwise);
        }
        let (outer, length) = (self.locals.len(), items.len());
        for (i, (key, item)) in items.into_iter().enumerate() {
            self.locals.truncate(outer);
            match &repetition.names {
                (first, Some(second)) => {
                    self.locals.push((first.clone(), key));
                    self.locals.push((second.clone(), item));
                }
                (name, None) if source.is_dict() => {
                    let pair = Value::dict([("key", key), ("value", item)]);
                    self.locals.push((name.clone(), pair));
                }
                (name, None) => self.locals.push((name.clone(), item)),
            }
            let state = [
                ("index", count(i + 1)),
                ("index0", count(i)),
                ("first", Value::bool(i == 0)),
                ("last", Value::bool(i + 1 == length)),
                ("length", count(length)),
            ];
            self.locals.push(("loop".to_owned(), Value::dict(state)));
            let body = &repetition.body;
            self.spanned("for_iteration", Some(repetition.place), |r| r.block(body).map(|()| None))?;
        }
        self.locals.truncate(outer);
        Ok(())
    }
}

fn numbered(items: impl Iterator<Item = Value>) -> Vec<(Value, Value)> {
    items.enumerate().map(|(i, item)| (count(i), item)).collect()
}

/// What names are bound to.
type Lookup<'a> = dyn Fn(&str) -> Option<Value> + 'a;

fn evaluate(expr: &Expr, scope: &Lookup<'_>, place: Place) -> Result<Value, Failure> {
    Ok(match expr {
        Expr::Nil => Value::NIL,
        Expr::Bool(b) => Value::bool(*b),
        Expr::Int(n) => Value::int(*n),
        Expr::Float(x) => Value::float(*x),
        Expr::Text(text) => Value::str(text),
        Expr::Path(name, steps) => {
            steps.iter().fold(scope(name).unwrap_or_default(), |value, step| member(&value, step))
        }
        Expr::Not(inner) => Value::bool(!truthy(&evaluate(inner, scope, place)?)),
        Expr::And(a, b) => {
            let left = evaluate(a, scope, place)?;
            if truthy(&left) { evaluate(b, scope, place)? } else { left }
        }
        Expr::Or(a, b) => {
            let left = evaluate(a, scope, place)?;
            if truthy(&left) { left } else { evaluate(b, scope, place)? }
        }
        Expr::Compare(op, a, b) => {
            let (left, right) = (evaluate(a, scope, place)?, evaluate(b, scope, place)?);
            Value::bool(holds(*op, &left, &right))
        }
        Expr::Filter(inner, name, args) => {
            let input = evaluate(inner, scope, place)?;
            let args: Result<Vec<Value>, Failure> =
                args.iter().map(|arg| evaluate(arg, scope, place)).collect();
            filters::apply(name, input, &args?).map_err(|message| Failure::new(place, message))?
        }
    })
}

fn member(value: &Value, step: &Step) -> Value {
    match (step, value.view()) {
        (Step::Member(name), View::Dict(dict)) => dict.get(name).unwrap_or_default(),
        (Step::Member(name), View::Struct(fields)) => fields.get(name).unwrap_or_default(),
        (Step::Index(at), View::List(list)) => {
            from_end(*at, list.len()).and_then(|i| list.get(i)).unwrap_or_default()
        }
        (Step::Index(at), View::Str(text)) => match from_end(*at, chars::count(text)) {
            Some(i) => match chars::slice(text, i, i + 1) {
                "" => Value::NIL,
                one => Value::str(one),
            },
            None => Value::NIL,
        },
        (Step::Index(at), View::Dict(dict)) => dict.get(&at.to_string()).unwrap_or_default(),
        _ => Value::NIL,
    }
}

fn from_end(at: i64, len: usize) -> Option<usize> {
    let len = i64::try_from(len).ok()?;
    usize::try_from(if at < 0 { len.checked_add(at)? } else { at }).ok()
}

/// Truthiness in templates: as in the language, but white space, empty sets and ranges are false too.
pub fn truthy(value: &Value) -> bool {
    match value.view() {
        View::Str(text) => !text.trim().is_empty(),
        View::Set(set) => !set.is_empty(),
        View::Range { start, end, exclusive } => crate::ranges::length(start, end, exclusive) > 0,
        _ => value.truthy(),
    }
}

fn holds(op: Comparison, a: &Value, b: &Value) -> bool {
    let numbers = a.as_number().is_some() && b.as_number().is_some();
    let comparable = numbers || (a.as_str().is_some() && b.as_str().is_some());
    let order = if comparable { compare(a, b) } else { None };
    match op {
        Comparison::Equal => equals(a, b),
        Comparison::Unequal => !equals(a, b),
        Comparison::Less => order.is_some_and(|o| o.is_lt()),
        Comparison::AtMost => order.is_some_and(|o| o.is_le()),
        Comparison::Greater => order.is_some_and(|o| o.is_gt()),
        Comparison::AtLeast => order.is_some_and(|o| o.is_ge()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> String {
        let items = Value::list(vec![Value::int(1), Value::int(2)]);
        let bindings = Value::dict([("name", Value::str("Ada")), ("items", items), ("none", Value::NIL)]);
        match render(Source { text: template, path: "" }, &bindings, &Value::NIL) {
            Ok((text, _)) => text,
            Err(Stop::Failed { failure, .. }) => format!("error: {}", failure.message),
            Err(Stop::Missing { path, .. }) => format!("missing: {path}"),
        }
    }

    #[test]
    fn bare_names_without_binding_stay() {
        assert_eq!(rendered("{{ name }} {{  missing }} [{{ none }}]"), "Ada {{missing}} []");
    }

    #[test]
    fn loops_know_where_they_are() {
        let template =
            "{{ for i, x in items }}{{ i }}={{ x }}{{ if loop.last }}.{{ else }}, {{ end }}{{ end }}";
        assert_eq!(rendered(template), "0=1, 1=2.");
        assert_eq!(rendered("{{ for x in none }}a{{ else }}empty{{ end }}"), "empty");
    }

    #[test]
    fn filters_chain() {
        assert_eq!(rendered("{{ items | join: \"-\" | upper }}"), "1-2");
        assert_eq!(rendered("{{ x.y | default: \"d\" }}"), "d");
        assert_eq!(rendered("{{ name | nope }}"), "error: unknown filter `nope`");
    }

    #[test]
    fn an_unknown_include_is_asked_for() {
        assert_eq!(rendered("a {{ include \"b.prompt\" }}"), "missing: b.prompt");
    }

    #[test]
    fn only_like_values_are_ordered() {
        assert_eq!(rendered("{{ if 1 < 2.5 }}y{{ end }}{{ if \"a\" < 1 }}n{{ end }}"), "y");
    }
}
