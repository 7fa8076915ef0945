//! Templates with bindings to text.

use harn_vm::{Value, View, compare, display, equals};

use super::syntax::{Comparison, Expr, Failure, For, Node, Place, Step};
use super::{filters, parse};
use crate::arguments::{count, entry};
use crate::text::chars;

/// The text of a template with the bindings of a dict.
pub fn render(template: &str, bindings: &Value) -> Result<String, Failure> {
    let nodes = parse::parse(template)?;
    let mut scope = Scope { bindings, locals: Vec::new() };
    let mut out = String::new();
    block(&nodes, &mut scope, &mut out)?;
    Ok(out)
}

/// What names mean: the variables of loops over the given bindings.
struct Scope<'a> {
    bindings: &'a Value,
    locals: Vec<(String, Value)>,
}

impl Scope<'_> {
    fn lookup(&self, name: &str) -> Option<Value> {
        let local = self.locals.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone());
        local.or_else(|| entry(self.bindings, name))
    }
}

fn block(nodes: &[Node], scope: &mut Scope<'_>, out: &mut String) -> Result<(), Failure> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Expr(place, expr) => show(&evaluate(expr, scope, *place)?, out),
            Node::Bare(_, name) => match scope.lookup(name) {
                Some(value) => show(&value, out),
                None => out.push_str(&format!("{{{{{name}}}}}")),
            },
            Node::If(place, branches, otherwise) => {
                let mut chosen = otherwise;
                for (condition, body) in branches {
                    if truthy(&evaluate(condition, scope, *place)?) {
                        chosen = body;
                        break;
                    }
                }
                block(chosen, scope, out)?;
            }
            Node::For(repetition) => repeat(repetition, scope, out)?,
            Node::Include(place, ..) => {
                return Err(Failure::new(*place, "include needs a template file"));
            }
        }
    }
    Ok(())
}

fn show(value: &Value, out: &mut String) {
    if !value.is_nil() {
        out.push_str(&display(value));
    }
}

fn repeat(repetition: &For, scope: &mut Scope<'_>, out: &mut String) -> Result<(), Failure> {
    let source = evaluate(&repetition.source, scope, repetition.place)?;
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
            return Err(Failure::new(repetition.place, message));
        }
    };
    if items.is_empty() {
        return block(&repetition.otherwise, scope, out);
    }
    let is_dict = source.is_dict();
    let outer = scope.locals.len();
    let length = items.len();
    for (i, (key, item)) in items.into_iter().enumerate() {
        scope.locals.truncate(outer);
        match &repetition.names {
            (first, Some(second)) => {
                scope.locals.push((first.clone(), key));
                scope.locals.push((second.clone(), item));
            }
            (name, None) if is_dict => {
                let pair = Value::dict([("key", key), ("value", item)]);
                scope.locals.push((name.clone(), pair));
            }
            (name, None) => scope.locals.push((name.clone(), item)),
        }
        let state = [
            ("index", count(i + 1)),
            ("index0", count(i)),
            ("first", Value::bool(i == 0)),
            ("last", Value::bool(i + 1 == length)),
            ("length", count(length)),
        ];
        scope.locals.push(("loop".to_owned(), Value::dict(state)));
        block(&repetition.body, scope, out)?;
    }
    scope.locals.truncate(outer);
    Ok(())
}

fn numbered(items: impl Iterator<Item = Value>) -> Vec<(Value, Value)> {
    items.enumerate().map(|(i, item)| (count(i), item)).collect()
}

fn evaluate(expr: &Expr, scope: &Scope<'_>, place: Place) -> Result<Value, Failure> {
    Ok(match expr {
        Expr::Nil => Value::NIL,
        Expr::Bool(b) => Value::bool(*b),
        Expr::Int(n) => Value::int(*n),
        Expr::Float(x) => Value::float(*x),
        Expr::Text(text) => Value::str(text),
        Expr::Path(name, steps) => {
            steps.iter().fold(scope.lookup(name).unwrap_or_default(), |value, step| member(&value, step))
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
        render(template, &bindings).unwrap_or_else(|f| format!("error: {}", f.message))
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
    fn only_like_values_are_ordered() {
        assert_eq!(rendered("{{ if 1 < 2.5 }}y{{ end }}{{ if \"a\" < 1 }}n{{ end }}"), "y");
    }
}
