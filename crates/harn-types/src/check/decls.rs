//! Declarations: written types become types, and functions become signatures, each when first asked for.

use super::Checker;
use crate::graph::{ItemKind, ItemRef, ModuleIndex};
use crate::types::{DeclId, Generic, Kind, ShapeField, Ty, builtin_name};
use harn_syntax::ast::*;
use std::rc::Rc;
use std::sync::Arc;

/// A type declaration.
pub(super) struct TypeDecl<'g> {
    pub(super) name: Arc<str>,
    pub(super) module: ModuleIndex,
    pub(super) params: Vec<(Rc<str>, Variance)>,
    pub(super) form: Form<'g>,
    /// The lowered parts, once asked for.
    pub(super) parts: Option<Rc<Parts>>,
}

/// What kind of type is declared.
#[derive(Clone, Copy)]
pub(super) enum Form<'g> {
    Alias(&'g TypeExpr),
    Struct(&'g [Field]),
    Enum(&'g [Variant]),
    Interface(&'g Interface),
}

/// A variant of an enum: its name, its fields with their types.
pub(super) type VariantParts = (Arc<str>, Vec<(Arc<str>, Ty)>);

/// What `@deprecated(since:, use:)` says.
pub(super) type Deprecation = (Option<Arc<str>>, Option<Arc<str>>);

/// The lowered parts of a declaration.
pub(super) enum Parts {
    Alias(Ty),
    /// Fields: name, type, optional.
    Struct(Vec<ShapeField>),
    /// Variants with their fields.
    Enum(Vec<VariantParts>),
    Interface,
}

/// A parameter of a signature.
pub(super) struct SigParam {
    pub(super) name: Arc<str>,
    pub(super) ty: Ty,
    pub(super) default: bool,
    pub(super) rest: bool,
}

/// A function as its callers see it.
pub(super) struct Sig {
    pub(super) name: Arc<str>,
    pub(super) type_params: Vec<Rc<str>>,
    pub(super) params: Vec<SigParam>,
    /// Declared result, or the type its `yield`s and `emit`s imply; `·` when nothing is known.
    pub(super) result: Ty,
    pub(super) bounds: Vec<(Rc<str>, Ty)>,
    /// `@deprecated(since:, use:)`.
    pub(super) deprecated: Option<Deprecation>,
    /// Argument counts and types are checked.
    pub(super) strict: bool,
}

impl<'g> Checker<'g> {
    fn module_names(&self, module: ModuleIndex) -> &'g Names {
        self.graph.module(module).map_or(&self.module.ast().names, |m| &m.ast().names)
    }

    /// Registers a type declaration; nothing for other declarations.
    pub(super) fn type_decl(&mut self, module: ModuleIndex, decl: &'g Decl) -> Option<DeclId> {
        let key = std::ptr::from_ref(decl) as usize;
        if let Some(known) = self.decl_ids.get(&key) {
            return Some(*known);
        }
        let (name, params, form) = match &decl.kind {
            DeclKind::TypeAlias { name, type_params, ty } => (name, type_params, Form::Alias(ty)),
            DeclKind::Struct { name, type_params, fields } => (name, type_params, Form::Struct(fields)),
            DeclKind::Enum { name, type_params, variants } => (name, type_params, Form::Enum(variants)),
            DeclKind::Interface(i) => (&i.name, &i.type_params, Form::Interface(i)),
            _ => return None,
        };
        let names = self.module_names(module);
        let params = params.iter().map(|p| (Rc::from(names.text(p.name.name)), p.variance)).collect();
        let id = DeclId(self.decls.len() as u32);
        let name = names.text(name.name).into();
        self.decls.push(TypeDecl { name, module, params, form, parts: None });
        self.decl_ids.insert(key, id);
        Some(id)
    }

    pub(super) fn decl(&self, id: DeclId) -> Option<&TypeDecl<'g>> {
        self.decls.get(id.0 as usize)
    }

    /// The type declaration that `name` means in `module`.
    pub(super) fn find_type(&mut self, module: ModuleIndex, name: Symbol) -> Option<DeclId> {
        if module == self.index
            && let Some(id) = self.local_types.get(&name)
        {
            return Some(*id);
        }
        let text = self.module_names(module).text(name);
        let item = self.graph.module(module)?.resolve(text)?;
        self.item_type(item)
    }

    /// The type that an item declares.
    pub(super) fn item_type(&mut self, item: ItemRef) -> Option<DeclId> {
        match item.kind {
            ItemKind::Struct | ItemKind::Enum | ItemKind::TypeAlias | ItemKind::Interface => {
                let decl = self.graph.decl(item)?;
                self.type_decl(item.module, decl)
            }
            _ => None,
        }
    }

    /// A written type of this file.
    pub(super) fn lower(&mut self, ty: &TypeExpr) -> Ty {
        self.lower_in(self.index, ty)
    }

    /// An optional annotation of this file; `·` when absent.
    pub(super) fn lower_option(&mut self, ty: Option<&TypeExpr>) -> Ty {
        ty.map_or(Ty::FREE, |t| self.lower(t))
    }

    pub(super) fn lower_in(&mut self, module: ModuleIndex, ty: &TypeExpr) -> Ty {
        match &ty.kind {
            TypeKind::Named { name, args } => self.lower_named(module, *name, args),
            TypeKind::Union(members) => {
                let members: Vec<Ty> = members.iter().map(|m| self.lower_in(module, m)).collect();
                self.types.union(&members)
            }
            TypeKind::Shape(fields) => {
                let names = self.module_names(module);
                let fields = fields
                    .iter()
                    .map(|f| ShapeField {
                        name: names.text(f.name.name).into(),
                        ty: self.lower_in(module, &f.ty),
                        optional: f.optional,
                    })
                    .collect();
                self.types.intern(Kind::Shape(fields))
            }
            TypeKind::Function { params, result } => {
                let params = params.iter().map(|p| self.lower_in(module, p)).collect();
                let result = self.lower_in(module, result);
                self.types.intern(Kind::Fn(params, result))
            }
            TypeKind::Str(text) => self.types.intern(Kind::Str(text.clone())),
            TypeKind::Int(n) => self.types.intern(Kind::Int(*n)),
            TypeKind::Error => Ty::FREE,
        }
    }

    fn lower_named(&mut self, module: ModuleIndex, name: Symbol, args: &[TypeExpr]) -> Ty {
        let text = self.module_names(module).text(name);
        if self.type_params.iter().any(|p| &**p == text) {
            return self.types.intern(Kind::Param(text.into()));
        }
        let lower_case = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        if lower_case
            && args.is_empty()
            && let Some(ty) = builtin_name(text)
        {
            return ty;
        }
        let args: Vec<Ty> = args.iter().map(|a| self.lower_in(module, a)).collect();
        if !lower_case && let Some(id) = self.find_type(module, name) {
            return self.types.intern(Kind::User(id, args.into()));
        }
        if let Some(generic) = Generic::of_name(text) {
            if args.len() == generic.arity() {
                return self.types.applied(generic, &args);
            }
            if args.is_empty() || !lower_case {
                return generic.bare();
            }
        }
        if args.is_empty()
            && let Some(ty) = builtin_name(text)
        {
            return ty;
        }
        match self.find_type(module, name) {
            Some(id) => self.types.intern(Kind::User(id, args.into())),
            None => self.types.intern(Kind::Opaque(text.into(), args.into())),
        }
    }

    /// The parts of a declaration; its type parameters are [`Kind::Param`]s.
    pub(super) fn parts(&mut self, id: DeclId) -> Option<Rc<Parts>> {
        let decl = self.decl(id)?;
        if let Some(parts) = &decl.parts {
            return Some(parts.clone());
        }
        let (form, module) = (decl.form, decl.module);
        let params: Vec<Rc<str>> = decl.params.iter().map(|(p, _)| p.clone()).collect();
        let outer = std::mem::replace(&mut self.type_params, params);
        let names = self.module_names(module);
        let parts = match form {
            Form::Alias(ty) => Parts::Alias(self.lower_in(module, ty)),
            Form::Struct(fields) => Parts::Struct(
                fields
                    .iter()
                    .map(|f| ShapeField {
                        name: names.text(f.name.name).into(),
                        ty: f.ty.as_ref().map_or(Ty::FREE, |t| self.lower_in(module, t)),
                        optional: f.optional,
                    })
                    .collect(),
            ),
            Form::Enum(variants) => Parts::Enum(
                variants
                    .iter()
                    .map(|v| {
                        let fields = v.fields.iter().map(|f| {
                            let ty = f.ty.as_ref().map_or(Ty::FREE, |t| self.lower_in(module, t));
                            (names.text(f.name.name).into(), ty)
                        });
                        (names.text(v.name.name).into(), fields.collect())
                    })
                    .collect(),
            ),
            Form::Interface(_) => Parts::Interface,
        };
        self.type_params = outer;
        let parts = Rc::new(parts);
        if let Some(decl) = self.decls.get_mut(id.0 as usize) {
            decl.parts = Some(parts.clone());
        }
        Some(parts)
    }

    /// The signature of a function-like declaration.
    pub(super) fn decl_sig(&mut self, module: ModuleIndex, decl: &'g Decl) -> Option<Rc<Sig>> {
        let deprecated = deprecation(self.module_names(module), &decl.attributes);
        match &decl.kind {
            DeclKind::Fn(f) => Some(self.fn_sig(module, f, deprecated)),
            DeclKind::Tool(t) => {
                let key = std::ptr::from_ref(t) as usize;
                if let Some(known) = self.sig_ids.get(&key).and_then(|i| self.sigs.get(*i)) {
                    return Some(known.clone());
                }
                let outer = std::mem::take(&mut self.type_params);
                let params = self.sig_params(module, &t.params);
                let result = t.result.as_ref().map_or(Ty::FREE, |r| self.lower_in(module, r));
                self.type_params = outer;
                let sig = Sig {
                    name: self.module_names(module).text(t.name.name).into(),
                    type_params: Vec::new(),
                    params,
                    result,
                    bounds: Vec::new(),
                    deprecated,
                    strict: true,
                };
                Some(self.keep_sig(key, sig))
            }
            DeclKind::Pipeline(p) => {
                let key = std::ptr::from_ref(p) as usize;
                if let Some(known) = self.sig_ids.get(&key).and_then(|i| self.sigs.get(*i)) {
                    return Some(known.clone());
                }
                let result = p.result.as_ref().map_or(Ty::FREE, |r| self.lower_in(module, r));
                let sig = Sig {
                    name: self.module_names(module).text(p.name.name).into(),
                    type_params: Vec::new(),
                    params: Vec::new(),
                    result,
                    bounds: Vec::new(),
                    deprecated: None,
                    strict: false,
                };
                Some(self.keep_sig(key, sig))
            }
            _ => None,
        }
    }

    fn keep_sig(&mut self, key: usize, sig: Sig) -> Rc<Sig> {
        let sig = Rc::new(sig);
        self.sig_ids.insert(key, self.sigs.len());
        self.sigs.push(sig.clone());
        sig
    }

    /// The signature of a function or method.
    pub(super) fn fn_sig(
        &mut self,
        module: ModuleIndex,
        f: &'g FnDecl,
        deprecated: Option<Deprecation>,
    ) -> Rc<Sig> {
        let key = std::ptr::from_ref(f) as usize;
        if let Some(known) = self.sig_ids.get(&key).and_then(|i| self.sigs.get(*i)) {
            return known.clone();
        }
        let names = self.module_names(module);
        let type_params: Vec<Rc<str>> =
            f.type_params.iter().map(|p| Rc::from(names.text(p.name.name))).collect();
        let visible = self.impl_params.iter().chain(&type_params).cloned().collect();
        let outer = std::mem::replace(&mut self.type_params, visible);
        let params = self.sig_params(module, &f.params);
        let result = match &f.result {
            Some(result) => self.lower_in(module, result),
            None if f.is_gen => self.types.applied(Generic::Stream, &[Ty::ANY]),
            None if super::flow::yields(&f.body) => self.types.applied(Generic::Generator, &[Ty::ANY]),
            None => Ty::FREE,
        };
        let bounds = f
            .bounds
            .iter()
            .map(|(param, bound)| {
                let ty = match self.find_type(module, bound.name) {
                    Some(id) => Kind::User(id, Box::default()),
                    None => Kind::Opaque(names.text(bound.name).into(), Box::default()),
                };
                (Rc::from(names.text(param.name)), self.types.intern(ty))
            })
            .collect();
        self.type_params = outer;
        let name = names.text(f.name.name).into();
        self.keep_sig(key, Sig { name, type_params, params, result, bounds, deprecated, strict: true })
    }

    fn sig_params(&mut self, module: ModuleIndex, params: &'g [Param]) -> Vec<SigParam> {
        let names = self.module_names(module);
        params
            .iter()
            .map(|p| SigParam {
                name: names.text(p.name.name).into(),
                ty: p.ty.as_ref().map_or(Ty::FREE, |t| self.lower_in(module, t)),
                default: p.default.is_some(),
                rest: p.rest,
            })
            .collect()
    }
}

/// `@deprecated(since: "v", use: "g")`.
fn deprecation(names: &Names, attributes: &[Attribute]) -> Option<Deprecation> {
    let attribute = attributes.iter().find(|a| names.text(a.name.name) == "deprecated")?;
    let argument = |wanted: &str| {
        attribute.args.iter().find_map(|(name, value)| match (name, value) {
            (Some(name), AttrValue::Str(text)) if names.text(name.name) == wanted => Some(text.clone()),
            (Some(name), AttrValue::Name(text)) if names.text(name.name) == wanted => {
                Some(Arc::from(names.text(*text)))
            }
            _ => None,
        })
    };
    Some((argument("since"), argument("use")))
}
