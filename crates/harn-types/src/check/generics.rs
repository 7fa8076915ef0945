//! Type parameters: finding them from arguments, and putting them in (spec 03 section 6.1).

use super::Checker;
use crate::types::{Generic, Kind, ShapeField, Ty};
use std::rc::Rc;

/// What a type parameter stands for.
pub(super) type Bindings = Vec<(Rc<str>, Ty)>;

impl Checker<'_> {
    /// `ty` with type parameters replaced.
    pub(super) fn substitute(&mut self, ty: Ty, bindings: &[(Rc<str>, Ty)]) -> Ty {
        if bindings.is_empty() {
            return ty;
        }
        let all = |checker: &mut Self, types: &[Ty]| -> Vec<Ty> {
            types.iter().map(|t| checker.substitute(*t, bindings)).collect()
        };
        match &*self.types.shared(ty) {
            Kind::Param(name) => bindings.iter().find(|(n, _)| **n == **name).map_or(ty, |(_, bound)| *bound),
            Kind::Applied(generic, args) => {
                let args = all(self, args);
                if args.iter().any(|a| !a.is_known()) {
                    return generic.bare();
                }
                self.types.applied(*generic, &args)
            }
            Kind::User(id, args) if !args.is_empty() => {
                let args = all(self, args).into();
                self.types.intern(Kind::User(*id, args))
            }
            Kind::Opaque(name, args) if !args.is_empty() => {
                let args = all(self, args).into();
                self.types.intern(Kind::Opaque(name.clone(), args))
            }
            Kind::Shape(fields) => {
                let fields = fields
                    .iter()
                    .map(|f| ShapeField {
                        name: f.name.clone(),
                        ty: self.substitute(f.ty, bindings),
                        optional: f.optional,
                    })
                    .collect();
                self.types.intern(Kind::Shape(fields))
            }
            Kind::Fn(params, result) => {
                let params = all(self, params).into();
                let result = self.substitute(*result, bindings);
                self.types.intern(Kind::Fn(params, result))
            }
            Kind::Union(members) => {
                let members = all(self, members);
                self.types.union(&members)
            }
            _ => ty,
        }
    }

    /// Binds the parameters in `params` that occur in `pattern` by matching it against `actual`. A second, different
    /// binding is given back: the parameter and both types.
    pub(super) fn bind(
        &mut self,
        pattern: Ty,
        actual: Ty,
        params: &[Rc<str>],
        bindings: &mut Bindings,
        depth: u32,
    ) -> Option<(Rc<str>, Ty, Ty)> {
        if depth > 32 || !actual.is_known() {
            return None;
        }
        let pattern_kind = self.types.shared(pattern);
        if let Kind::Param(name) = &*pattern_kind {
            let param = params.iter().find(|p| ***p == **name)?.clone();
            return self.bind_param(param, actual, bindings);
        }
        let actual_kind = match &*self.types.shared(actual) {
            Kind::User(..) if !matches!(&*pattern_kind, Kind::User(..)) => {
                let expanded = self.expand(actual);
                self.types.shared(expanded)
            }
            _ => self.types.shared(actual),
        };
        let lists: (&[Ty], &[Ty]) = match (&*pattern_kind, &*actual_kind) {
            (Kind::Applied(g, xs), Kind::Applied(h, ys)) if g == h => (xs, ys),
            (Kind::User(i, xs), Kind::User(j, ys)) if i == j => (xs, ys),
            (Kind::Opaque(i, xs), Kind::Opaque(j, ys)) if i == j => (xs, ys),
            (Kind::Fn(xs, r), Kind::Fn(ys, s)) if xs.len() == ys.len() => {
                for (x, y) in xs.iter().zip(ys.iter()) {
                    let conflict = self.bind(*x, *y, params, bindings, depth + 1);
                    if conflict.is_some() {
                        return conflict;
                    }
                }
                return self.bind(*r, *s, params, bindings, depth + 1);
            }
            (Kind::Shape(want), Kind::Shape(have)) => {
                for field in want.iter() {
                    if let Some(found) = have.iter().find(|f| f.name == field.name) {
                        let conflict = self.bind(field.ty, found.ty, params, bindings, depth + 1);
                        if conflict.is_some() {
                            return conflict;
                        }
                    }
                }
                return None;
            }
            (Kind::Applied(Generic::Dict, xs), Kind::Shape(fields)) => {
                let types: Vec<Ty> = fields.iter().map(|f| f.ty).collect();
                let value = self.types.union(&types);
                let pattern = xs.get(1).copied().unwrap_or(Ty::FREE);
                return self.bind(pattern, value, params, bindings, depth + 1);
            }
            // A user alias as pattern: look behind it.
            (Kind::User(..), _) => {
                let behind = self.expand(pattern);
                if behind == pattern {
                    return None;
                }
                return self.bind(behind, actual, params, bindings, depth + 1);
            }
            _ => return None,
        };
        for (x, y) in lists.0.iter().zip(lists.1) {
            let conflict = self.bind(*x, *y, params, bindings, depth + 1);
            if conflict.is_some() {
                return conflict;
            }
        }
        None
    }

    fn bind_param(
        &mut self,
        param: Rc<str>,
        actual: Ty,
        bindings: &mut Bindings,
    ) -> Option<(Rc<str>, Ty, Ty)> {
        let Some(slot) = bindings.iter().position(|(n, _)| *n == param) else {
            bindings.push((param, actual));
            return None;
        };
        let known = bindings.get(slot).map_or(Ty::FREE, |(_, t)| *t);
        let joined = self.join(known, actual);
        match joined {
            Some(ty) => {
                if let Some(entry) = bindings.get_mut(slot) {
                    entry.1 = ty;
                }
                None
            }
            None => Some((param, known, actual)),
        }
    }

    /// One type for two bindings of a parameter, when one of them admits the other.
    fn join(&mut self, known: Ty, actual: Ty) -> Option<Ty> {
        if known == actual {
            return Some(known);
        }
        match (self.types.kind(known), self.types.kind(actual)) {
            (Kind::Wild | Kind::Free, _) => return Some(actual),
            (_, Kind::Wild | Kind::Free | Kind::Never) => return Some(known),
            (Kind::Never, _) => return Some(actual),
            _ => {}
        }
        if self.accepts(known, actual) {
            Some(known)
        } else if self.accepts(actual, known) {
            Some(actual)
        } else {
            None
        }
    }
}
