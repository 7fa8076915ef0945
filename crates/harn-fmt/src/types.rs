//! Written types, type parameters, parameters (spec 01 section 9.3). Types never wrap.

use crate::layout::Layout;
use crate::sequences::Item;
use crate::{Formatter, literals};
use harn_syntax::ast::{Ident, Param, TypeExpr, TypeKind, TypeParam, Variance};

impl Formatter<'_> {
    /// A type.
    pub fn ty(&self, ty: &TypeExpr) -> String {
        match &ty.kind {
            TypeKind::Named { name, args } => {
                let name = self.parsed.ast.names.text(*name);
                let args: Vec<String> = args.iter().map(|arg| self.ty(arg)).collect();
                if args.is_empty() { name.to_string() } else { format!("{name}<{}>", args.join(", ")) }
            }
            TypeKind::Union(members) => {
                members.iter().map(|member| self.ty(member)).collect::<Vec<_>>().join(" | ")
            }
            TypeKind::Shape(fields) => {
                let fields = fields.iter().map(|field| {
                    let mark = if field.optional { "?" } else { "" };
                    format!("{}{mark}: {}", self.name(&field.name), self.ty(&field.ty))
                });
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
            TypeKind::Function { params, result } => {
                let params: Vec<String> = params.iter().map(|param| self.ty(param)).collect();
                format!("fn({}) -> {}", params.join(", "), self.ty(result))
            }
            TypeKind::Str(_) => literals::string(self.source.slice(ty.span)),
            TypeKind::Int(value) => value.to_string(),
            TypeKind::Error => self.source.slice(ty.span).to_string(),
        }
    }

    /// `<T, out U>`, or nothing.
    pub fn type_params(&self, params: &[TypeParam]) -> String {
        let params = params.iter().map(|param| {
            let variance = match param.variance {
                Variance::Invariant => "",
                Variance::In => "in ",
                Variance::Out => "out ",
            };
            format!("{variance}{}", self.name(&param.name))
        });
        let params: Vec<String> = params.collect();
        if params.is_empty() { String::new() } else { format!("<{}>", params.join(", ")) }
    }

    /// ` -> type`, or nothing.
    pub fn result(&self, result: Option<&TypeExpr>) -> String {
        result.map_or(String::new(), |ty| format!(" -> {}", self.ty(ty)))
    }

    /// One parameter.
    pub fn param(&self, param: &Param) -> Layout {
        let dots = if param.rest { "..." } else { "" };
        let ty = param.ty.as_ref().map_or(String::new(), |ty| format!(": {}", self.ty(ty)));
        let head = Layout::text(format!("{dots}{}{ty}", self.name(&param.name)));
        match &param.default {
            Some(default) => Layout::concat([head, Layout::text(" = "), self.expr(default)]),
            None => head,
        }
    }

    /// `(a: int, b = 1)`; they lie in `start..end`.
    pub fn params(&self, params: &[Param], start: u32, end: u32) -> Layout {
        let items = params.iter().map(|param| {
            let ty_end = param.ty.as_ref().map(|ty| ty.span.end);
            let default_end = param.default.as_ref().map(|default| default.span.end);
            Item {
                start: param.name.span.start,
                end: default_end.or(ty_end).unwrap_or(param.name.span.end),
                layout: self.param(param),
                hugs: false,
            }
        });
        self.sequence("(", ")", start, end, items.collect())
    }

    /// `(a, b)`; they lie in `start..end`.
    pub fn bare_params(&self, params: &[Ident], start: u32, end: u32) -> Layout {
        let items = params.iter().map(|param| Item {
            start: param.span.start,
            end: param.span.end,
            layout: Layout::text(self.name(param)),
            hugs: false,
        });
        self.sequence("(", ")", start, end, items.collect())
    }
}
