//! Parameter annotations as run-time checks.
//!
//! Source: spec 02 section 8.6.

use crate::Compiler;
use harn_bytecode::{Const, Op, ParamCheck, ShapeField, TypeCheck};
use harn_syntax::ast::{Ast, DeclKind, Ident, Symbol, TypeExpr, TypeKind};
use harn_types::graph::{ItemKind, Module};

/// Aliases are followed this deep; a deeper (or circular) one checks nothing.
const ALIAS_DEPTH: u32 = 32;

/// A check worked out of a type of some module.
struct Checker<'g> {
    graph: &'g harn_types::graph::ModuleGraph,
}

impl<'a> Compiler<'a> {
    /// Emits the check of a parameter, if its annotation asks for one.
    pub(crate) fn check_parameter(&mut self, name: Ident, ty: &'a TypeExpr, register: u8) {
        let check = Checker { graph: self.graph }.check(self.module, ty, ALIAS_DEPTH);
        if check == TypeCheck::Any {
            return;
        }
        let param = self.text(name.name).to_owned();
        let index = self.constant(Const::Type(ParamCheck { param, check }));
        self.at(name.span);
        self.emit(Op::CheckParam, register, 0, 0, index);
    }
}

impl<'g> Checker<'g> {
    fn check(&self, module: &'g Module, ty: &TypeExpr, depth: u32) -> TypeCheck {
        if depth == 0 {
            return TypeCheck::Any;
        }
        match &ty.kind {
            TypeKind::Named { name, args } => self.named(module, *name, args, depth),
            TypeKind::Union(members) => self.union(module, members, depth),
            TypeKind::Shape(fields) => TypeCheck::Shape(
                fields
                    .iter()
                    .map(|field| ShapeField {
                        name: module.ast().names.text(field.name.name).to_owned(),
                        optional: field.optional,
                        check: self.check(module, &field.ty, depth - 1),
                        label: type_text(module.ast(), &field.ty),
                    })
                    .collect(),
            ),
            TypeKind::Function { .. } => TypeCheck::Closure,
            TypeKind::Str(text) => TypeCheck::Literals(vec![Const::Str(text.to_string())]),
            TypeKind::Int(value) => TypeCheck::Literals(vec![Const::Int(*value)]),
            TypeKind::Error => TypeCheck::Any,
        }
    }

    fn named(&self, module: &'g Module, name: Symbol, args: &[TypeExpr], depth: u32) -> TypeCheck {
        let text = module.ast().names.text(name);
        match (text, args) {
            ("int" | "float", []) => TypeCheck::Number { label: text.to_owned() },
            ("list", [item]) => match self.check(module, item, depth - 1) {
                TypeCheck::Any => TypeCheck::Named("list".to_owned()),
                check => TypeCheck::List(Box::new(check)),
            },
            ("dict", [_, value]) => match self.check(module, value, depth - 1) {
                TypeCheck::Any => TypeCheck::Named("dict".to_owned()),
                check => TypeCheck::Dict(Box::new(check)),
            },
            ("string" | "bool" | "list" | "dict" | "set" | "nil" | "closure" | "bytes", []) => {
                TypeCheck::Named(text.to_owned())
            }
            ("set", [_]) => TypeCheck::Named(text.to_owned()),
            _ => self.declared(module, text, depth),
        }
    }

    fn declared(&self, module: &'g Module, text: &str, depth: u32) -> TypeCheck {
        let Some(item) = module.resolve(text) else { return TypeCheck::Any };
        match item.kind {
            ItemKind::Interface => TypeCheck::Interface(text.to_owned()),
            ItemKind::TypeAlias => match (self.graph.module(item.module), self.graph.decl(item)) {
                (Some(home), Some(decl)) => match &decl.kind {
                    DeclKind::TypeAlias { ty, .. } => self.check(home, ty, depth - 1),
                    _ => TypeCheck::Any,
                },
                _ => TypeCheck::Any,
            },
            _ => TypeCheck::Any,
        }
    }

    fn union(&self, module: &'g Module, members: &[TypeExpr], depth: u32) -> TypeCheck {
        let mut checks = Vec::new();
        let mut literals = Vec::new();
        for member in members {
            match self.check(module, member, depth - 1) {
                TypeCheck::Any => return TypeCheck::Any,
                TypeCheck::Literals(values) => literals.extend(values),
                TypeCheck::Union(nested) => checks.extend(nested),
                check => checks.push(check),
            }
        }
        if checks.is_empty() {
            return TypeCheck::Literals(literals);
        }
        if !literals.is_empty() {
            checks.insert(0, TypeCheck::Literals(literals));
        }
        match checks.as_slice() {
            [single] => single.clone(),
            _ => TypeCheck::Union(checks),
        }
    }
}

/// A type as its author wrote it.
pub(crate) fn type_text(ast: &Ast, ty: &TypeExpr) -> String {
    let list = |types: &[TypeExpr], separator: &str| {
        types.iter().map(|ty| type_text(ast, ty)).collect::<Vec<_>>().join(separator)
    };
    match &ty.kind {
        TypeKind::Named { name, args } if args.is_empty() => ast.names.text(*name).to_owned(),
        TypeKind::Named { name, args } => format!("{}<{}>", ast.names.text(*name), list(args, ", ")),
        TypeKind::Union(members) => list(members, " | "),
        TypeKind::Shape(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| {
                    let mark = if field.optional { "?" } else { "" };
                    format!("{}{mark}: {}", ast.names.text(field.name.name), type_text(ast, &field.ty))
                })
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        TypeKind::Function { params, result } => {
            format!("fn({}) -> {}", list(params, ", "), type_text(ast, result))
        }
        TypeKind::Str(text) => format!("{text:?}"),
        TypeKind::Int(value) => value.to_string(),
        TypeKind::Error => "any".to_owned(),
    }
}
