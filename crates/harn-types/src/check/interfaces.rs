//! Impl blocks and whether a type satisfies an interface (spec 03 section 7.3).

use super::Checker;
use super::decls::{Form, Parts, Sig};
use super::generics::Bindings;
use crate::graph::ModuleIndex;
use crate::types::{DeclId, Kind, ShapeField, Ty};
use harn_syntax::ast::*;
use std::collections::HashMap;
use std::rc::Rc;

/// The methods of each type, from every impl block of the program.
#[derive(Default)]
pub(super) struct Impls<'g> {
    built: bool,
    by_type: HashMap<DeclId, Vec<(ModuleIndex, &'g FnDecl)>>,
}

impl<'g> Checker<'g> {
    fn build_impls(&mut self) {
        if std::mem::replace(&mut self.methods.built, true) {
            return;
        }
        let graph = self.graph;
        for (index, module) in graph.iter() {
            for stmt in &module.ast().items {
                if let StmtKind::Decl(decl) = &stmt.kind {
                    self.add_impl(index, decl);
                }
            }
        }
    }

    /// Adds the methods of an impl block; other declarations do nothing.
    pub(super) fn add_impl(&mut self, module: ModuleIndex, decl: &'g Decl) {
        let DeclKind::Impl { target, methods } = &decl.kind else { return };
        let Some(id) = self.find_type(module, target.name) else { return };
        let known = self.methods.by_type.entry(id).or_default();
        for method in methods {
            if !known.iter().any(|(_, f)| std::ptr::eq(*f, &method.function)) {
                known.push((module, &method.function));
            }
        }
    }

    /// The signature of a type's method.
    pub(super) fn method_sig(&mut self, id: DeclId, name: &str) -> Option<Rc<Sig>> {
        self.build_impls();
        let methods = self.methods.by_type.get(&id)?;
        let graph = self.graph;
        let text = |m: ModuleIndex, f: &FnDecl| {
            graph.module(m).map_or("", |module| module.ast().names.text(f.name.name))
        };
        let (module, function) = *methods.iter().rev().find(|(m, f)| text(*m, f) == name)?;
        Some(self.impl_sig(id, module, function))
    }

    /// Where a type's method is declared.
    pub(super) fn method_place(
        &mut self,
        id: DeclId,
        name: &str,
    ) -> Option<(ModuleIndex, harn_syntax::Span)> {
        let graph = self.graph;
        let named = |m: ModuleIndex, f: &FnDecl| {
            graph.module(m).is_some_and(|module| module.ast().names.text(f.name.name) == name)
        };
        let found = self.methods_of(id).iter().rev().find(|(m, f)| named(*m, f));
        found.map(|(module, f)| (*module, f.name.span))
    }

    /// The methods of a type's impl blocks.
    pub(super) fn methods_of(&mut self, id: DeclId) -> &[(ModuleIndex, &'g FnDecl)] {
        self.build_impls();
        self.methods.by_type.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The signature of an impl's function, with the type parameters of its struct in scope.
    pub(super) fn impl_sig(&mut self, id: DeclId, module: ModuleIndex, function: &'g FnDecl) -> Rc<Sig> {
        let params = self.decl(id).map(|d| d.params.iter().map(|(p, _)| p.clone()).collect());
        let outer = std::mem::replace(&mut self.impl_params, params.unwrap_or_default());
        let sig = self.fn_sig(module, function, None);
        self.impl_params = outer;
        sig
    }

    pub(super) fn is_interface(&self, id: DeclId) -> bool {
        self.decl(id).is_some_and(|d| matches!(d.form, Form::Interface(_)))
    }

    /// The declared method of an interface.
    pub(super) fn interface_method(&self, id: DeclId, name: &str) -> Option<(ModuleIndex, &'g MethodSig)> {
        let decl = self.decl(id)?;
        let Form::Interface(interface) = decl.form else { return None };
        let names = &self.graph.module(decl.module)?.ast().names;
        let method = interface.methods.iter().find(|m| names.text(m.name.name) == name)?;
        Some((decl.module, method))
    }

    /// The fields of a struct with its arguments put in; nothing when `id` is no struct.
    pub(super) fn struct_fields(&mut self, id: DeclId, args: &[Ty]) -> Option<Vec<ShapeField>> {
        let parts = self.parts(id)?;
        let Parts::Struct(fields) = &*parts else { return None };
        let bindings: Bindings =
            self.decl(id)?.params.iter().map(|(p, _)| p.clone()).zip(args.iter().copied()).collect();
        let put_in = |f: &ShapeField, checker: &mut Self| ShapeField {
            name: f.name.clone(),
            ty: checker.substitute(f.ty, &bindings),
            optional: f.optional,
        };
        Some(fields.iter().map(|f| put_in(f, self)).collect())
    }

    /// Whether `ty` has the methods of interface `id`; the reason why not.
    pub(super) fn satisfies(&mut self, id: DeclId, args: &[Ty], ty: Ty) -> Result<(), String> {
        let target = match self.types.kind(ty) {
            Kind::User(target, _) if *target == id => return Ok(()),
            Kind::User(target, _) => Some(*target),
            Kind::Plain(_) | Kind::Opaque(..) | Kind::Applied(..) => None,
            _ => return Err("only named types can satisfy interfaces".to_owned()),
        };
        let Some(decl) = self.decl(id) else { return Ok(()) };
        let (Form::Interface(interface), home) = (decl.form, decl.module) else { return Ok(()) };
        let names = self.graph.module(home).map_or(&self.module.ast().names, |m| &m.ast().names);
        let mut params: Vec<Rc<str>> = decl.params.iter().map(|(p, _)| p.clone()).collect();
        let mut bindings: Bindings = params.iter().cloned().zip(args.iter().copied()).collect();
        params.extend(interface.assoc_types.iter().map(|(n, _)| Rc::from(names.text(n.name))));
        if interface.methods.is_empty() {
            return Ok(());
        }
        self.build_impls();
        let through_interface = target.is_some_and(|t| self.is_interface(t));
        if !target.is_some_and(|t| self.methods.by_type.contains_key(&t)) && !through_interface {
            let missing: Vec<&str> = interface.methods.iter().map(|m| names.text(m.name.name)).collect();
            return Err(format!("missing method(s): {}", missing.join(", ")));
        }
        let Some(target) = target else { return Ok(()) };
        for method in &interface.methods {
            let name = names.text(method.name.name);
            if through_interface {
                if self.interface_method(target, name).is_none() {
                    return Err(format!("missing method '{name}'"));
                }
                continue;
            }
            let Some(sig) = self.method_sig(target, name) else {
                return Err(format!("missing method '{name}'"));
            };
            self.method_matches(home, names, method, &sig, &params, &mut bindings)?;
        }
        for (assoc, default) in &interface.assoc_types {
            let name = names.text(assoc.name);
            let Some(default) = default else { continue };
            let want = self.lower_in(home, default);
            let found = bindings.iter().find(|(n, _)| &**n == name).map(|(_, t)| *t);
            if let Some(found) = found
                && !self.accepts(want, found)
            {
                let (found, want) = (self.show(found), self.show(want));
                return Err(format!("associated type '{name}' resolves to '{found}', expected '{want}'"));
            }
        }
        Ok(())
    }

    fn method_matches(
        &mut self,
        home: ModuleIndex,
        names: &Names,
        method: &MethodSig,
        sig: &Sig,
        params: &[Rc<str>],
        bindings: &mut Bindings,
    ) -> Result<(), String> {
        let name = names.text(method.name.name);
        let wanted: Vec<&Param> =
            method.params.iter().filter(|p| names.text(p.name.name) != "self").collect();
        let given: Vec<Ty> = sig.params.iter().filter(|p| &*p.name != "self").map(|p| p.ty).collect();
        if wanted.len() != given.len() {
            return Err(format!(
                "method '{name}' has {} parameter(s), expected {}",
                given.len(),
                wanted.len()
            ));
        }
        let own = method.type_params.iter().map(|p| Rc::from(names.text(p.name.name)));
        let visible: Vec<Rc<str>> = params.iter().cloned().chain(own).collect();
        let outer = std::mem::replace(&mut self.type_params, visible);
        let lowered: Vec<Ty> =
            wanted.iter().map(|p| p.ty.as_ref().map_or(Ty::FREE, |t| self.lower_in(home, t))).collect();
        let result = method.result.as_ref().map_or(Ty::FREE, |t| self.lower_in(home, t));
        self.type_params = outer;
        for (i, (want, have)) in lowered.into_iter().zip(given).enumerate() {
            self.bind(want, have, params, bindings, 0);
            let want = self.substitute(want, bindings);
            if !self.accepts(want, have) {
                let (have, want) = (self.show(have), self.show(want));
                return Err(format!(
                    "method '{name}' parameter {} has type '{have}', expected '{want}'",
                    i + 1
                ));
            }
        }
        self.bind(result, sig.result, params, bindings, 0);
        let want = self.substitute(result, bindings);
        if !self.accepts(want, sig.result) {
            let (have, want) = (self.show(sig.result), self.show(want));
            return Err(format!("method '{name}' returns '{have}', expected '{want}'"));
        }
        Ok(())
    }
}
