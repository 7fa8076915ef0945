//! Checks of annotated parameters (spec 02 section 8.6).

use std::sync::Arc;

use harn_syntax::ast::{TypeExpr, TypeKind};

use super::value::Value;
use super::{Flow, Oracle, runtime_error, type_error};

impl Oracle {
    pub(super) fn check_param(
        self: &Arc<Self>,
        param: &str,
        ty: &TypeExpr,
        value: &Value,
    ) -> Result<(), Flow> {
        let ty = self.expanded(ty);
        let got = value.type_of();
        let failed = |expected: &str| {
            Err(runtime_error(format!(
                "TypeError: parameter '{param}' expected {expected}, got {got} ({})",
                value.display()
            )))
        };
        match &ty.kind {
            TypeKind::Named { name, args } => match (self.names.text(*name), args.as_slice()) {
                ("list", [item]) => {
                    let Value::List(items) = value else { return failed("list") };
                    for (at, x) in items.iter().enumerate() {
                        if !self.accepts(item, x)? {
                            return Err(runtime_error(format!(
                                "TypeError: parameter '{param}': at root[{at}]: expected type '{}', got '{}'",
                                self.label(item)?,
                                x.type_of()
                            )));
                        }
                    }
                    Ok(())
                }
                ("dict", [_, item]) => {
                    let (Value::Dict(entries) | Value::Struct { fields: entries, .. }) = value else {
                        return failed("dict");
                    };
                    for (key, x) in entries.iter() {
                        if !self.accepts(item, x)? {
                            return Err(type_error(format!(
                                "parameter '{param}': field '{key}' expected {}, got {}",
                                self.label(item)?,
                                x.type_of()
                            )));
                        }
                    }
                    Ok(())
                }
                (text, []) if self.interfaces.iter().any(|i| i == text) => match value {
                    Value::Struct { .. } => Ok(()),
                    _ => Err(type_error(format!(
                        "parameter '{param}': expected value satisfying interface '{text}', got {got}"
                    ))),
                },
                (text, []) if BASIC.contains(&text) => {
                    if basic(text, value) {
                        Ok(())
                    } else {
                        failed(text)
                    }
                }
                _ => Ok(()),
            },
            TypeKind::Function { .. } => {
                if value.callable() {
                    Ok(())
                } else {
                    failed("closure")
                }
            }
            TypeKind::Union(members) => {
                if members.iter().all(|m| matches!(m.kind, TypeKind::Str(_) | TypeKind::Int(_))) {
                    return self.one_of(param, members, value);
                }
                for member in members {
                    if self.accepts(member, value)? {
                        return Ok(());
                    }
                }
                let labels = members.iter().map(|m| self.label(m)).collect::<Result<Vec<_>, Flow>>()?;
                failed(&labels.join("|"))
            }
            TypeKind::Str(_) | TypeKind::Int(_) => self.one_of(param, std::slice::from_ref(ty), value),
            // Shapes: the wording has many cases that programs are not made to meet.
            TypeKind::Shape(_) | TypeKind::Error => Err(Flow::Unsure),
        }
    }

    fn one_of(&self, param: &str, members: &[TypeExpr], value: &Value) -> Result<(), Flow> {
        let listed = members.iter().map(|m| match &m.kind {
            TypeKind::Str(text) => (matches!(value, Value::Str(s) if s == text), text.to_string()),
            TypeKind::Int(i) => (matches!(value, Value::Int(v) if v == i), i.to_string()),
            _ => (false, String::new()),
        });
        let listed: Vec<_> = listed.collect();
        if listed.iter().any(|(same, _)| *same) {
            return Ok(());
        }
        let texts: Vec<_> = listed.into_iter().map(|(_, text)| text).collect();
        Err(runtime_error(format!(
            "TypeError: parameter '{param}': value must be one of [{}]",
            texts.join(", ")
        )))
    }

    fn expanded<'t>(&'t self, ty: &'t TypeExpr) -> &'t TypeExpr {
        match &ty.kind {
            TypeKind::Named { name, args } if args.is_empty() => {
                self.aliases.get(self.names.text(*name)).unwrap_or(ty)
            }
            _ => ty,
        }
    }

    /// Membership of simple types; what is not simple is not told.
    fn accepts(&self, ty: &TypeExpr, value: &Value) -> Result<bool, Flow> {
        match &self.expanded(ty).kind {
            TypeKind::Named { name, args } if args.is_empty() => match self.names.text(*name) {
                text if BASIC.contains(&text) => Ok(basic(text, value)),
                "any" => Ok(true),
                _ => Err(Flow::Unsure),
            },
            _ => Err(Flow::Unsure),
        }
    }

    fn label(&self, ty: &TypeExpr) -> Result<&str, Flow> {
        match &ty.kind {
            TypeKind::Named { name, args } if args.is_empty() => Ok(self.names.text(*name)),
            _ => Err(Flow::Unsure),
        }
    }
}

/// Annotations that are a matter of `type_of`.
const BASIC: &[&str] = &["int", "float", "string", "bool", "list", "dict", "set", "nil", "closure", "bytes"];

fn basic(text: &str, value: &Value) -> bool {
    match (text, value) {
        ("int" | "float", Value::Int(_) | Value::Float(_)) => true,
        ("dict", Value::Struct { .. }) => true,
        _ => value.type_of() == text,
    }
}
