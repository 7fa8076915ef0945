//! Run-time parameter checks (spec 02 section 8.6).

use harn_bytecode::{Const, ParamCheck, ShapeField, TypeCheck};

use super::suggest;
use crate::error::VmError;
use crate::value::{Value, View, display, equals};

type Result<T> = std::result::Result<T, Box<VmError>>;

/// Checks an argument; the error has the exact message of the spec.
pub(crate) fn check_param(value: &Value, check: &ParamCheck) -> Result<()> {
    let p = &check.param;
    match &check.check {
        TypeCheck::Any => Ok(()),
        TypeCheck::List(item) => match value.view() {
            View::List(list) => {
                for (i, element) in list.iter().enumerate() {
                    if !passes(&element, item) {
                        return Err(VmError::runtime(format!(
                            "TypeError: parameter '{p}': at root[{i}]: expected type '{}', got '{}'",
                            label(item),
                            element.type_name()
                        )));
                    }
                }
                Ok(())
            }
            _ => Err(expected(p, "list", value)),
        },
        TypeCheck::Dict(item) => {
            if !value.is_dict() && !value.is_struct() {
                return Err(expected(p, "dict", value));
            }
            let mut position = 0;
            while let Some((key, element)) = value.entry_at(position) {
                if !passes(element, item) {
                    return Err(VmError::ty(format!(
                        "parameter '{p}': field '{key}' expected {}, got {}",
                        label(item),
                        element.type_name()
                    )));
                }
                position += 1;
            }
            Ok(())
        }
        TypeCheck::Shape(fields) => check_shape(value, fields, p, None),
        TypeCheck::Interface(name) => {
            if value.is_struct() {
                return Ok(());
            }
            Err(VmError::ty(format!(
                "parameter '{p}': expected value satisfying interface '{name}', got {}",
                value.type_name()
            )))
        }
        TypeCheck::Literals(values) => {
            if passes(value, &check.check) {
                return Ok(());
            }
            let listed: Vec<String> = values.iter().map(show_literal).collect();
            Err(VmError::runtime(format!(
                "TypeError: parameter '{p}': value must be one of [{}]",
                listed.join(", ")
            )))
        }
        other => {
            if passes(value, other) {
                return Ok(());
            }
            Err(expected(p, &label(other), value))
        }
    }
}

fn expected(param: &str, what: &str, value: &Value) -> Box<VmError> {
    VmError::runtime(format!(
        "TypeError: parameter '{param}' expected {what}, got {} ({})",
        value.type_name(),
        display(value)
    ))
}

fn check_shape(value: &Value, fields: &[ShapeField], path: &str, inner: Option<&str>) -> Result<()> {
    if !value.is_dict() && !value.is_struct() {
        let at = inner.map_or(String::new(), |field| format!("field '{field}' "));
        return Err(VmError::ty(format!(
            "parameter '{path}': {at}expected dict or struct, got {}",
            value.type_name()
        )));
    }
    for field in fields {
        let Some(found) = value.entry(&field.name) else {
            if field.optional {
                continue;
            }
            let keys: Vec<&str> = (0..).map_while(|i| value.entry_at(i).map(|(key, _)| key)).collect();
            let near = suggest::nearest(&field.name, keys.iter().copied())
                .filter(|near| near.chars().next() == field.name.chars().next())
                .map_or(String::new(), |near| format!(", did you mean '{near}'?"));
            return Err(VmError::ty(format!(
                "parameter '{path}': missing field '{}' ({}){near}",
                field.name, field.label
            )));
        };
        if field.optional && found.is_nil() {
            continue;
        }
        if let TypeCheck::Shape(nested) = &field.check {
            if !found.is_dict() && !found.is_struct() {
                check_shape(found, nested, path, Some(&field.name))?;
            }
            check_shape(found, nested, &format!("{path}.{}", field.name), None)?;
        } else if !passes(found, &field.check) {
            return Err(VmError::ty(format!(
                "parameter '{path}': field '{}' expected {}, got {}",
                field.name,
                field.label,
                found.type_name()
            )));
        }
    }
    Ok(())
}

/// Whether a value passes a check.
pub fn passes(value: &Value, check: &TypeCheck) -> bool {
    match check {
        TypeCheck::Any => true,
        TypeCheck::Number { .. } => value.as_number().is_some(),
        TypeCheck::Named(name) => {
            let found = value.type_name();
            found == name || (name == "dict" && found == "struct")
        }
        TypeCheck::Closure => value.is_callable(),
        TypeCheck::Union(members) => members.iter().any(|member| passes(value, member)),
        TypeCheck::Literals(values) => values.iter().any(|literal| equals(value, &literal_value(literal))),
        TypeCheck::List(item) => match value.view() {
            View::List(list) => list.iter().all(|element| passes(&element, item)),
            _ => false,
        },
        TypeCheck::Dict(item) => {
            (value.is_dict() || value.is_struct())
                && (0..).map_while(|i| value.entry_at(i)).all(|(_, element)| passes(element, item))
        }
        TypeCheck::Shape(fields) => check_shape(value, fields, "", None).is_ok(),
        TypeCheck::Interface(_) => value.is_struct(),
    }
}

/// The value of a literal in a check.
pub(crate) fn literal_value(literal: &Const) -> Value {
    match literal {
        Const::Bool(b) => Value::bool(*b),
        Const::Int(n) => Value::int(*n),
        Const::Float(x) => Value::float(*x),
        Const::Duration(ms) => Value::duration(*ms),
        Const::Str(text) => Value::str(text),
        _ => Value::NIL,
    }
}

fn show_literal(literal: &Const) -> String {
    display(&literal_value(literal))
}

/// The type as a message names it.
fn label(check: &TypeCheck) -> String {
    match check {
        TypeCheck::Any => "any".to_owned(),
        TypeCheck::Number { label } | TypeCheck::Named(label) => label.clone(),
        TypeCheck::Closure => "closure".to_owned(),
        TypeCheck::Union(members) => members.iter().map(label).collect::<Vec<_>>().join("|"),
        TypeCheck::Literals(values) => values.iter().map(show_literal).collect::<Vec<_>>().join("|"),
        TypeCheck::List(_) => "list".to_owned(),
        TypeCheck::Dict(_) | TypeCheck::Shape(_) => "dict".to_owned(),
        TypeCheck::Interface(name) => name.clone(),
    }
}
