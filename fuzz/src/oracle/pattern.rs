//! Destructuring and match patterns (spec 02 sections 7.5 and 9.4).

use harn_syntax::ast::{Binding, Pattern, PatternKind};

use super::access::property;
use super::compare::equal;
use super::scope::Scope;
use super::value::Value;
use super::{Activation, Flow, type_error};

impl Activation {
    /// Binds what stands left of `=` or `in`.
    pub(super) fn bind(
        &self,
        binding: &Binding,
        value: Value,
        mutable: bool,
        scope: &Scope,
    ) -> Result<(), Flow> {
        let refused = |shape: &str, wanted: &str| {
            type_error(format!(
                "cannot destructure {} with {shape} pattern \u{2014} expected {wanted}",
                value.type_of()
            ))
        };
        match binding {
            Binding::Name(name) => self.name(name.name, value, mutable, scope)?,
            Binding::Dict { entries, rest, .. } => {
                let Value::Dict(dict) = &value else { return Err(refused("{...}", "dict")) };
                let mut left = (**dict).clone();
                for entry in entries {
                    let key = self.oracle.names.text(entry.key.name);
                    left.remove(key);
                    let mut part = dict.get(key).cloned().unwrap_or(Value::Nil);
                    if let (Value::Nil, Some(default)) = (&part, &entry.default) {
                        part = self.evaluate(default, scope)?;
                    }
                    self.name(entry.name.name, part, mutable, scope)?;
                }
                if let Some(rest) = rest {
                    self.name(rest.name, Value::dict(left), mutable, scope)?;
                }
            }
            Binding::List { elements, rest, .. } => {
                let Value::List(items) = &value else { return Err(refused("[...]", "list")) };
                for (at, element) in elements.iter().enumerate() {
                    let mut part = items.get(at).cloned().unwrap_or(Value::Nil);
                    if let (Value::Nil, Some(default)) = (&part, &element.default) {
                        part = self.evaluate(default, scope)?;
                    }
                    self.name(element.name.name, part, mutable, scope)?;
                }
                if let Some(rest) = rest {
                    let others = items.iter().skip(elements.len()).cloned().collect();
                    self.name(rest.name, Value::list(others), mutable, scope)?;
                }
            }
            Binding::Pair { first, second, .. } => {
                let (a, b) = match &value {
                    Value::Pair(pair) => (pair.0.clone(), pair.1.clone()),
                    // An entry of a dict, a list of two.
                    Value::Dict(entry) if entry.len() == 2 && entry.contains_key("key") => {
                        (property(&value, "key")?, property(&value, "value")?)
                    }
                    Value::List(items) if items.len() == 2 => (items[0].clone(), items[1].clone()),
                    _ => (property(&value, "first")?, property(&value, "second")?),
                };
                self.name(first.name, a, mutable, scope)?;
                self.name(second.name, b, mutable, scope)?;
            }
        }
        Ok(())
    }

    /// Whether a pattern matches; what it binds goes into `scope`.
    pub(super) fn matches(&self, pattern: &Pattern, value: &Value, scope: &Scope) -> Result<bool, Flow> {
        let names = &self.oracle.names;
        match &pattern.kind {
            PatternKind::Wildcard => Ok(true),
            PatternKind::Name(name) => {
                self.name(name.name, value.clone(), false, scope)?;
                Ok(true)
            }
            PatternKind::Value(expr) => Ok(equal(value, &self.evaluate(expr, scope)?)),
            PatternKind::Variant { enum_name, variant, args } => {
                let Value::Enum { name, variant: of, fields } = value else { return Ok(false) };
                if names.text(enum_name.name) != &**name || names.text(variant.name) != &**of {
                    return Ok(false);
                }
                let parts = args.iter().flatten().enumerate();
                self.all_match(parts.map(|(at, p)| (p, fields.get(at).cloned())), scope)
            }
            PatternKind::Dict { entries, rest } => {
                let Value::Dict(dict) = value else { return Ok(false) };
                let parts = entries.iter().map(|(key, p)| (p, dict.get(&**key).cloned()));
                if !self.all_match(parts, scope)? {
                    return Ok(false);
                }
                if let Some(rest) = rest {
                    let mut left = (**dict).clone();
                    left.retain(|key, _| !entries.iter().any(|(k, _)| &**k == key));
                    self.name(rest.name, Value::dict(left), false, scope)?;
                }
                Ok(true)
            }
            PatternKind::Struct { name, entries } => match value {
                Value::Struct { name: of, fields } if names.text(name.name) == &**of => {
                    let parts = entries.iter().map(|(key, p)| (p, fields.get(&**key).cloned()));
                    self.all_match(parts, scope)
                }
                _ => Ok(false),
            },
            PatternKind::List { elements, rest } => {
                let Value::List(items) = value else { return Ok(false) };
                if items.len() < elements.len() {
                    return Ok(false);
                }
                let parts = elements.iter().zip(items.iter()).map(|(p, item)| (p, Some(item.clone())));
                if !self.all_match(parts, scope)? {
                    return Ok(false);
                }
                if let Some(rest) = rest {
                    let others = items.iter().skip(elements.len()).cloned().collect();
                    self.name(rest.name, Value::list(others), false, scope)?;
                }
                Ok(true)
            }
            PatternKind::Or(alternatives) => {
                for alternative in alternatives {
                    if self.matches(alternative, value, scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    fn all_match<'p>(
        &self,
        parts: impl Iterator<Item = (&'p Pattern, Option<Value>)>,
        scope: &Scope,
    ) -> Result<bool, Flow> {
        for (pattern, part) in parts {
            if !self.matches(pattern, &part.unwrap_or(Value::Nil), scope)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
