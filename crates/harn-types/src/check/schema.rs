//! The type that a schema expression describes (spec 03 section 6.4).

use super::Checker;
use crate::types::{Generic, Kind, ShapeField, Ty, builtin_name};
use harn_syntax::ast::*;

impl Checker<'_> {
    /// The type that the expression describes as a schema; `·` when it is not known.
    pub(super) fn schema_type(&mut self, e: &Expr) -> Ty {
        match &e.kind {
            ExprKind::Paren(inner) => self.schema_type(inner),
            ExprKind::Name(name) => self.named_schema(*name),
            ExprKind::Call { callee, args, .. } => match (&callee.kind, args.as_slice()) {
                (ExprKind::Name(f), [arg]) if self.text(*f) == "schema_of" => self.schema_type(&arg.value),
                _ => Ty::FREE,
            },
            ExprKind::Dict(entries) => self.schema_literal(entries, 0),
            _ => Ty::FREE,
        }
    }

    fn named_schema(&mut self, name: Symbol) -> Ty {
        if let Some(var) = self.env.find(name).and_then(|id| self.env.get(id)) {
            let (schema, declared) = (var.schema, var.declared);
            return match self.types.kind(declared) {
                _ if schema.is_known() => schema,
                Kind::Applied(Generic::Schema, args) => args.first().copied().unwrap_or(Ty::FREE),
                _ => Ty::FREE,
            };
        }
        match self.find_type(self.index, name) {
            Some(id) => self.alias_body(id, &[]).unwrap_or(Ty::FREE),
            None => Ty::FREE,
        }
    }

    fn schema_literal(&mut self, entries: &[DictEntry], depth: u32) -> Ty {
        if depth > 32 {
            return Ty::FREE;
        }
        let get = |wanted: &str| {
            entries.iter().rev().find_map(|e| match e {
                DictEntry::Named { key, value, .. } if &**key == wanted => Some(value),
                _ => None,
            })
        };
        let mut ty = Ty::FREE;
        for union in ["union", "oneOf", "anyOf"] {
            if let Some(ExprKind::List(items)) = get(union).map(|v| &v.kind) {
                let members: Vec<Ty> = items.iter().map(|i| self.schema_value(&i.value, depth)).collect();
                ty = self.types.union(&members);
            }
        }
        match get("type").map(|v| &v.kind) {
            Some(ExprKind::Str(name)) => ty = self.schema_name(name, &get, depth),
            Some(ExprKind::List(items)) => {
                let mut members = Vec::new();
                for item in items {
                    match &item.value.kind {
                        ExprKind::Str(name) => members.push(self.schema_name(name, &get, depth)),
                        _ => return Ty::FREE,
                    }
                }
                ty = self.types.union(&members);
            }
            Some(_) => return Ty::FREE,
            None if get("properties").is_some() => ty = self.schema_name("object", &get, depth),
            None => {}
        }
        if ty.is_known() && matches!(get("nullable").map(|v| &v.kind), Some(ExprKind::Bool(true))) {
            ty = self.types.union(&[ty, Ty::NIL]);
        }
        ty
    }

    fn schema_value(&mut self, e: &Expr, depth: u32) -> Ty {
        match &e.kind {
            ExprKind::Dict(entries) => self.schema_literal(entries, depth + 1),
            _ => self.schema_type(e),
        }
    }

    fn schema_name<'e>(&mut self, name: &str, get: &dyn Fn(&str) -> Option<&'e Expr>, depth: u32) -> Ty {
        match name {
            "object" | "dict" => {
                if let Some(ExprKind::Dict(fields)) = get("properties").map(|v| &v.kind) {
                    return self.schema_shape(fields, get("required"), depth);
                }
                let extra = get("additional_properties").or_else(|| get("additionalProperties"));
                if let Some(ExprKind::Dict(_)) = extra.map(|v| &v.kind)
                    && let Some(extra) = extra
                {
                    let value = self.schema_value(extra, depth);
                    if value.is_known() {
                        return self.types.applied(Generic::Dict, &[Ty::STRING, value]);
                    }
                }
                Ty::DICT
            }
            "array" | "list" => match get("items") {
                Some(items) => {
                    let element = self.schema_value(items, depth);
                    self.types.list_of(element)
                }
                None => Ty::LIST,
            },
            "integer" => Ty::INT,
            "number" => Ty::FLOAT,
            "boolean" => Ty::BOOL,
            "null" => Ty::NIL,
            other => builtin_name(other).unwrap_or(Ty::FREE),
        }
    }

    fn schema_shape(&mut self, fields: &[DictEntry], required: Option<&Expr>, depth: u32) -> Ty {
        let mut wanted = Vec::new();
        if let Some(ExprKind::List(items)) = required.map(|r| &r.kind) {
            for item in items {
                if let ExprKind::Str(name) = &item.value.kind {
                    wanted.push(name.clone());
                }
            }
        }
        let mut shape = Vec::with_capacity(fields.len());
        for field in fields {
            let DictEntry::Named { key, value, .. } = field else { return Ty::DICT };
            let ty = self.schema_value(value, depth);
            shape.push(ShapeField { name: key.clone(), ty, optional: !wanted.contains(key) });
        }
        self.types.intern(Kind::Shape(shape.into()))
    }
}
