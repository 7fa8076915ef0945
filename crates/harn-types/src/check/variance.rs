//! Variance of type parameters (spec 03 section 6.3).

use super::Checker;
use crate::codes;
use crate::types::Generic;
use harn_syntax::Span;
use harn_syntax::ast::*;

/// Where a type stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Covariant,
    Contravariant,
    Invariant,
}

impl Position {
    fn flip(self) -> Position {
        match self {
            Position::Covariant => Position::Contravariant,
            Position::Contravariant => Position::Covariant,
            Position::Invariant => Position::Invariant,
        }
    }

    fn through(self, variance: Variance) -> Position {
        match variance {
            Variance::Out => self,
            Variance::In => self.flip(),
            Variance::Invariant => Position::Invariant,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Position::Covariant => "covariant",
            Position::Contravariant => "contravariant",
            Position::Invariant => "invariant",
        }
    }
}

impl<'g> Checker<'g> {
    /// Checks the positions of annotated type parameters of a declaration.
    pub(super) fn check_variance(&mut self, decl: &'g Decl) {
        let (params, owner): (&[TypeParam], String) = match &decl.kind {
            DeclKind::Fn(f) => (&f.type_params, format!("function '{}'", self.name(f.name))),
            DeclKind::TypeAlias { name, type_params, .. } => {
                (type_params, format!("type alias '{}'", self.name(*name)))
            }
            DeclKind::Enum { name, type_params, .. } => (type_params, format!("enum '{}'", self.name(*name))),
            DeclKind::Struct { name, type_params, .. } => {
                (type_params, format!("struct '{}'", self.name(*name)))
            }
            DeclKind::Interface(i) => (&i.type_params, format!("interface '{}'", self.name(i.name))),
            _ => return,
        };
        if params.iter().all(|p| p.variance == Variance::Invariant) {
            return;
        }
        let uses = match &decl.kind {
            DeclKind::Fn(f) => f
                .params
                .iter()
                .flat_map(|p| &p.ty)
                .map(|t| (t, Position::Contravariant))
                .chain(f.result.iter().map(|t| (t, Position::Covariant)))
                .collect(),
            DeclKind::TypeAlias { ty, .. } => vec![(ty, Position::Covariant)],
            DeclKind::Enum { variants, .. } => variants
                .iter()
                .flat_map(|v| &v.fields)
                .flat_map(|f| &f.ty)
                .map(|t| (t, Position::Covariant))
                .collect(),
            DeclKind::Struct { fields, .. } => {
                fields.iter().flat_map(|f| &f.ty).map(|t| (t, Position::Invariant)).collect()
            }
            DeclKind::Interface(i) => i
                .methods
                .iter()
                .flat_map(|m| {
                    let params = m.params.iter().flat_map(|p| &p.ty).map(|t| (t, Position::Contravariant));
                    params.chain(m.result.iter().map(|t| (t, Position::Covariant)))
                })
                .collect(),
            _ => Vec::new(),
        };
        for (ty, position) in uses {
            self.positions(ty, position, params, &owner, ty.span);
        }
    }

    fn positions(&mut self, ty: &TypeExpr, at: Position, params: &[TypeParam], owner: &str, span: Span) {
        match &ty.kind {
            TypeKind::Named { name, args } => {
                if let Some(param) = params.iter().find(|p| p.name.name == *name) {
                    return self.position(param, at, owner, span);
                }
                let variances = self.argument_variances(*name);
                for (i, arg) in args.iter().enumerate() {
                    let variance = variances.get(i).copied().unwrap_or(Variance::Invariant);
                    self.positions(arg, at.through(variance), params, owner, span);
                }
            }
            TypeKind::Union(members) => {
                members.iter().for_each(|m| self.positions(m, at, params, owner, span));
            }
            TypeKind::Shape(fields) => {
                fields.iter().for_each(|f| self.positions(&f.ty, at, params, owner, span));
            }
            TypeKind::Function { params: inner, result } => {
                inner.iter().for_each(|p| self.positions(p, at.flip(), params, owner, span));
                self.positions(result, at, params, owner, span);
            }
            TypeKind::Str(_) | TypeKind::Int(_) | TypeKind::Error => {}
        }
    }

    fn argument_variances(&mut self, name: Symbol) -> Vec<Variance> {
        if let Some(id) = self.find_type(self.index, name) {
            return self.decl(id).map(|d| d.params.iter().map(|(_, v)| *v).collect()).unwrap_or_default();
        }
        match Generic::of_name(self.text(name)) {
            Some(Generic::Iter | Generic::Generator | Generic::Stream) => vec![Variance::Out],
            Some(Generic::Result | Generic::Pair) => vec![Variance::Out, Variance::Out],
            _ => Vec::new(),
        }
    }

    fn position(&mut self, param: &TypeParam, at: Position, owner: &str, span: Span) {
        let (word, fine) = match param.variance {
            Variance::Invariant => return,
            Variance::Out => ("'out' (covariant)", Position::Covariant),
            Variance::In => ("'in' (contravariant)", Position::Contravariant),
        };
        if at != fine {
            let text = format!(
                "type parameter '{}' is declared {word} but appears in a {} position in {owner}",
                self.name(param.name),
                at.word()
            );
            self.error(codes::VARIANCE, span, text);
        }
    }
}
