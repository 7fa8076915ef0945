//! Struct literals and enum values (spec 03 sections 5, 7.1 and 7.2).

use super::decls::{Parts, VariantParts};
use super::generics::Bindings;
use super::{Checker, Typed};
use crate::codes;
use crate::graph::{ItemKind, ItemRef};
use crate::types::{DeclId, Generic, Kind, ShapeField, Ty};
use harn_syntax::ast::*;
use std::rc::Rc;

impl<'g> Checker<'g> {
    pub(super) fn is_enum(&mut self, id: DeclId) -> bool {
        self.parts(id).is_some_and(|p| matches!(&*p, Parts::Enum(_)))
    }

    fn struct_parts(&mut self, id: DeclId) -> Option<Rc<Parts>> {
        self.parts(id).filter(|p| matches!(&**p, Parts::Struct(_)))
    }

    /// `Name { field: value }`.
    pub(super) fn struct_literal(&mut self, e: &'g Expr, name: Ident, fields: &'g [DictEntry]) -> Typed {
        let text = self.name(name);
        let id = self.find_type(self.index, name.name);
        let parts = id.and_then(|id| self.struct_parts(id));
        let (Some(id), Some(parts)) = (id, parts) else {
            self.unknown_struct(text, e);
            fields.iter().for_each(|f| self.entry(f));
            return Typed::FREE;
        };
        let Parts::Struct(declared) = &*parts else { return Typed::FREE };
        self.construct(id, text, declared, fields, e)
    }

    fn entry(&mut self, entry: &'g DictEntry) {
        match entry {
            DictEntry::Named { value, .. } | DictEntry::Spread(value) => {
                self.expr(value);
            }
            DictEntry::Computed { key, value } => {
                self.expr(key);
                self.expr(value);
            }
        }
    }

    fn construct(
        &mut self,
        id: DeclId,
        name: &str,
        declared: &[ShapeField],
        fields: &'g [DictEntry],
        e: &'g Expr,
    ) -> Typed {
        let params: Vec<Rc<str>> =
            self.decl(id).map(|d| d.params.iter().map(|(p, _)| p.clone()).collect()).unwrap_or_default();
        let mut bindings: Bindings = Vec::new();
        let (mut given, mut open, mut weak) = (Vec::new(), false, false);
        for entry in fields {
            let DictEntry::Named { key, key_span, value } = entry else {
                open = true;
                self.entry(entry);
                continue;
            };
            let Some(field) = declared.iter().find(|f| f.name == *key) else {
                self.expr(value);
                let text = format!("Unknown field '{key}' in struct '{name}'");
                self.warn(codes::STRUCT_FIELDS, *key_span, text);
                let help = field_help(key, declared);
                self.help(help);
                continue;
            };
            given.push(key.clone());
            let hint = self.substitute(field.ty, &bindings);
            let typed = self.expect(value, hint);
            weak |= typed.weak;
            let _ = self.bind(field.ty, typed.ty, &params, &mut bindings, 0);
            let want = self.substitute(field.ty, &bindings);
            let fits = self.accepts(want, typed.ty) || (field.optional && typed.ty == Ty::NIL);
            if !fits {
                let text = format!(
                    "Field '{key}' in struct '{name}' expects {}, got {}",
                    self.show(want),
                    self.show(typed.ty)
                );
                self.finding(typed.weak, codes::STRUCT_FIELD_TYPE, value.span, text);
            }
        }
        if !open {
            for field in declared.iter().filter(|f| !f.optional && !given.contains(&f.name)) {
                let text = format!("Missing field '{}' in struct '{name}' construction", field.name);
                self.warn(codes::STRUCT_FIELDS, e.span, text);
            }
        }
        Typed { ty: self.applied_user(id, &params, &bindings), weak }
    }

    /// A field of a struct's value that the struct does not declare.
    pub(super) fn unknown_field(&mut self, id: DeclId, declared: &[ShapeField], name: Ident) {
        let text = self.name(name);
        if self.method_sig(id, text).is_some() {
            return;
        }
        let message = format!("Unknown field '{text}' in struct '{}'", self.decl_name(id));
        self.warn(codes::UNKNOWN_FIELD, name.span, message);
        self.help(field_help(text, declared));
    }

    /// The named type with its arguments as far as they were found.
    fn applied_user(&mut self, id: DeclId, params: &[Rc<str>], bindings: &Bindings) -> Ty {
        let args: Vec<Ty> = params
            .iter()
            .map(|p| bindings.iter().find(|(n, _)| n == p).map_or(Ty::WILD, |(_, t)| *t))
            .collect();
        self.types.intern(Kind::User(id, args.into()))
    }

    fn unknown_struct(&mut self, name: &str, e: &Expr) {
        if !self.imports_known() {
            return;
        }
        let near = self.near_struct(name);
        let (hint, help) = match &near {
            Some(near) => (
                format!(" — did you mean `{near}`?"),
                format!("declare `struct {near} {{ ... }}` or fix the type name"),
            ),
            None => (String::new(), format!("declare `struct {name} {{ ... }}` before constructing it")),
        };
        self.error(codes::UNKNOWN_STRUCT, e.span, format!("unknown struct type `{name}`{hint}"));
        self.help(help);
    }

    fn near_struct(&mut self, name: &str) -> Option<String> {
        let decls = self.decls.iter().filter(|d| matches!(d.form, super::decls::Form::Struct(_)));
        crate::spelling::nearest(name, decls.map(|d| &*d.name), 2).map(str::to_owned)
    }

    /// `Struct({ ... })`.
    pub(super) fn struct_call(&mut self, item: ItemRef, args: &'g [Element]) -> Typed {
        self.arguments(args, &[]);
        match self.item_type(item) {
            Some(id) => {
                let params: Vec<Rc<str>> = self
                    .decl(id)
                    .map(|d| d.params.iter().map(|(p, _)| p.clone()).collect())
                    .unwrap_or_default();
                Typed::sure(self.applied_user(id, &params, &Vec::new()))
            }
            None => Typed::FREE,
        }
    }

    /// The enum that an expression names.
    pub(super) fn enum_name(&mut self, object: &Expr) -> Option<EnumName> {
        let ExprKind::Name(name) = &object.kind else { return None };
        if self.env.find(*name).is_some() {
            return None;
        }
        if let Some(id) = self.find_type(self.index, *name) {
            return self.is_enum(id).then_some(EnumName::Declared(id));
        }
        (self.text(*name) == "Result").then_some(EnumName::Result)
    }

    /// The enum of this program that a bare name means.
    pub(super) fn declared_enum(&mut self, object: &Expr) -> Option<DeclId> {
        match self.enum_name(object)? {
            EnumName::Declared(id) => Some(id),
            EnumName::Result => None,
        }
    }

    fn variants(&mut self, id: DeclId) -> Vec<VariantParts> {
        match self.parts(id).as_deref() {
            Some(Parts::Enum(variants)) => variants.clone(),
            _ => Vec::new(),
        }
    }

    /// `Enum.Variant` without arguments.
    pub(super) fn enum_constant(&mut self, e: &Expr, object: &Expr, name: Ident) -> Option<Typed> {
        let id = match self.enum_name(object)? {
            EnumName::Declared(id) => id,
            EnumName::Result => return Some(Typed::FREE),
        };
        let variant = self.name(name);
        let variants = self.variants(id);
        if !variants.iter().any(|(v, _)| &**v == variant) {
            let text = format!("Unknown variant '{variant}' in enum '{}'", self.decl_name(id));
            self.warn(codes::ENUM_VALUE, e.span, text);
        }
        Some(Typed::sure(self.bare_user(id)))
    }

    fn bare_user(&mut self, id: DeclId) -> Ty {
        let params: Vec<Rc<str>> =
            self.decl(id).map(|d| d.params.iter().map(|(p, _)| p.clone()).collect()).unwrap_or_default();
        self.applied_user(id, &params, &Vec::new())
    }

    pub(super) fn decl_name(&self, id: DeclId) -> String {
        self.decl(id).map_or_else(String::new, |d| d.name.to_string())
    }

    /// `Enum.Variant(args)`.
    pub(super) fn enum_call(
        &mut self,
        e: &'g Expr,
        object: &'g Expr,
        name: Ident,
        args: &'g [Element],
    ) -> Option<Typed> {
        let id = match self.enum_name(object)? {
            EnumName::Declared(id) => id,
            EnumName::Result => {
                let which = self.name(name);
                if !matches!(which, "Ok" | "Err") {
                    let text = format!("Unknown variant '{which}' in enum 'Result'");
                    self.warn(codes::ENUM_VALUE, e.span, text);
                }
                return Some(self.result_value(which, args, Ty::FREE));
            }
        };
        let variant = self.name(name);
        let owner = self.decl_name(id);
        let variants = self.variants(id);
        let Some((_, fields)) = variants.iter().find(|(v, _)| &**v == variant) else {
            self.arguments(args, &[]);
            if self.method_sig(id, variant).is_none() {
                let text = format!("Unknown variant '{variant}' in enum '{owner}'");
                self.warn(codes::ENUM_VALUE, e.span, text);
            }
            return Some(Typed::sure(self.bare_user(id)));
        };
        let params: Vec<Rc<str>> =
            self.decl(id).map(|d| d.params.iter().map(|(p, _)| p.clone()).collect()).unwrap_or_default();
        let mut bindings: Bindings = Vec::new();
        let hints: Vec<Ty> = fields.iter().map(|(_, t)| *t).collect();
        let values = self.arguments(args, &hints);
        let spread = args.iter().any(|a| a.spread);
        if !spread && args.len() != fields.len() {
            let text = format!("{owner}.{variant} expects {} argument(s), got {}", fields.len(), args.len());
            self.warn(codes::ENUM_VALUE, e.span, text);
        }
        let mut weak = false;
        for ((value, (field, ty)), arg) in values.iter().zip(fields).zip(args) {
            if spread {
                break;
            }
            weak |= value.weak;
            let _ = self.bind(*ty, value.ty, &params, &mut bindings, 0);
            let want = self.substitute(*ty, &bindings);
            if !self.accepts(want, value.ty) {
                let text = format!(
                    "{owner}.{variant} expects {field}: {}, got {}",
                    self.show(want),
                    self.show(value.ty)
                );
                // The definition's own checker never gets here, so the program may have been running.
                self.warn(codes::ENUM_VALUE, arg.value.span, text);
            }
        }
        Some(Typed { ty: self.applied_user(id, &params, &bindings), weak })
    }
}

/// What an enum's name stands for.
pub(super) enum EnumName {
    Declared(DeclId),
    /// The predeclared `Result<T, E>`.
    Result,
}

impl Checker<'_> {
    /// Whether a name is a namespace of builtins (`stream`, `event_log`, ...) here.
    pub(super) fn is_namespace(&self, object: &Expr) -> bool {
        let ExprKind::Name(name) = &object.kind else { return false };
        let text = self.text(*name);
        super::builtins::is_namespace(text)
            && self.env.find(*name).is_none()
            && self.module.resolve(text).is_none_or(|i| i.kind != ItemKind::Enum)
    }

    /// The bare `Result` enum's type for a matched value.
    pub(super) fn is_result(&self, ty: Ty) -> bool {
        ty == Ty::RESULT || matches!(self.types.kind(ty), Kind::Applied(Generic::Result, _))
    }
}

/// What a misspelt field may have meant, else what there is.
fn field_help(name: &str, declared: &[ShapeField]) -> String {
    let names = || declared.iter().map(|f| &*f.name);
    match crate::spelling::nearest(name, names(), 2) {
        Some(near) => format!("did you mean `{near}`?"),
        None if declared.is_empty() => "it has no fields".to_owned(),
        None => format!("it has {}", names().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")),
    }
}
