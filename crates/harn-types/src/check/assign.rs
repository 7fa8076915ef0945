//! Aliases and assignability (spec 03 sections 2.1 and 4).

use super::Checker;
use super::decls::Parts;
use crate::types::{DeclId, Generic, Kind, Ty};
use harn_syntax::ast::Variance;

/// How many steps one comparison may take; past it the answer is yes. Only types that grow without end get there.
const BUDGET: u32 = 20_000;
/// How many instances a distributed alias may have.
const MAX_INSTANCES: usize = 256;
/// How deep comparisons and expansions may nest; deeper ones only happen with types that grow without end.
const MAX_DEPTH: u32 = 64;

impl Checker<'_> {
    /// The type behind aliases; the members of the result may be aliases themselves.
    pub(super) fn expand(&mut self, ty: Ty) -> Ty {
        if !matches!(self.types.kind(ty), Kind::User(..) | Kind::Union(_)) {
            return ty;
        }
        if let Some(known) = self.expanded.get(&ty) {
            return *known;
        }
        if self.expanding >= MAX_DEPTH {
            return ty;
        }
        self.expanding += 1;
        // A type that expands to itself stays as it is.
        self.expanded.insert(ty, ty);
        let result = match &*self.types.shared(ty) {
            Kind::User(id, args) => match self.alias_body(*id, args) {
                Some(body) => self.expand(body),
                None => ty,
            },
            Kind::Union(members) => {
                let members: Vec<Ty> = members.iter().map(|m| self.expand(*m)).collect();
                self.types.union(&members)
            }
            _ => ty,
        };
        self.expanding -= 1;
        self.expanded.insert(ty, result);
        result
    }

    /// One step of expansion: the body of an alias with its arguments, distributed over unions.
    pub(super) fn alias_body(&mut self, id: DeclId, args: &[Ty]) -> Option<Ty> {
        let decl = self.decl(id)?;
        if !matches!(decl.form, super::decls::Form::Alias(_)) || decl.params.len() != args.len() {
            return None;
        }
        let params: Vec<_> = decl.params.iter().map(|(p, _)| p.clone()).collect();
        let parts = self.parts(id)?;
        let Parts::Alias(body) = &*parts else { return None };
        if args.is_empty() {
            return Some(*body);
        }
        let mut instances: Vec<Vec<Ty>> = vec![Vec::new()];
        for arg in args {
            let arg = self.expand(*arg);
            let members = self.types.members(arg);
            if instances.len() * members.len() > MAX_INSTANCES {
                instances.iter_mut().for_each(|i| i.push(arg));
                continue;
            }
            instances = instances
                .into_iter()
                .flat_map(|i| members.iter().map(move |m| [i.as_slice(), &[*m]].concat()))
                .collect();
        }
        let mut bodies = Vec::with_capacity(instances.len());
        for instance in instances {
            let bindings: Vec<_> = params.iter().cloned().zip(instance).collect();
            bodies.push(self.substitute(*body, &bindings));
        }
        Some(self.types.union(&bodies))
    }

    /// Whether a value of type `actual` may be used where `expected` is.
    pub(super) fn accepts(&mut self, expected: Ty, actual: Ty) -> bool {
        if expected == actual || !expected.is_known() || !actual.is_known() {
            return true;
        }
        let mut budget = BUDGET;
        self.ask(expected, actual, &mut budget)
    }

    fn ask(&mut self, expected: Ty, actual: Ty, budget: &mut u32) -> bool {
        if expected == actual {
            return true;
        }
        if let Some(known) = self.assignable.get(&(expected, actual)) {
            return *known;
        }
        if *budget == 0 || self.comparing >= MAX_DEPTH {
            return true;
        }
        *budget -= 1;
        self.comparing += 1;
        // Recursive types: a question met again on the way is answered by the rest of the way.
        self.assignable.insert((expected, actual), true);
        let answer = self.decide(expected, actual, budget);
        self.comparing -= 1;
        self.assignable.insert((expected, actual), answer);
        answer
    }

    fn decide(&mut self, expected: Ty, actual: Ty, budget: &mut u32) -> bool {
        let free = |k: &Kind| matches!(k, Kind::Free | Kind::Wild | Kind::Param(_));
        if free(self.types.kind(expected)) || free(self.types.kind(actual)) {
            return true;
        }
        let (e, a) = (self.expand(expected), self.expand(actual));
        if e == a {
            return true;
        }
        let (ek, ak) = (self.types.shared(e), self.types.shared(a));
        if free(&ek) || free(&ak) {
            return true;
        }
        match (&*ek, &*ak) {
            (_, Kind::Never | Kind::Any) | (Kind::Any | Kind::Unknown, _) => return true,
            (Kind::Never, _) | (_, Kind::Unknown) => return false,
            _ => {}
        }
        // Unions go first on both sides; an interface in a union is a member like any other.
        if let Kind::Union(members) = &*ak {
            return members.iter().all(|m| self.ask(e, *m, budget));
        }
        if let Kind::Union(members) = &*ek {
            return members.iter().any(|m| self.ask(*m, a, budget));
        }
        if let Kind::User(id, args) = &*ek
            && self.is_interface(*id)
        {
            return self.satisfies(*id, args, a).is_ok();
        }
        match (&*ek, &*ak) {
            (Kind::Plain(_), Kind::Plain(_)) => e == Ty::FLOAT && a == Ty::INT,
            (Kind::Plain(_), Kind::Str(_)) => e == Ty::STRING,
            (Kind::Plain(_), Kind::Int(_)) => e == Ty::INT || e == Ty::FLOAT,
            (Kind::Str(_), Kind::Plain(_)) => a == Ty::STRING,
            (Kind::Int(_), Kind::Plain(_)) => a == Ty::INT,
            // A schema is a dict at run time, and an alias names one.
            (Kind::Applied(Generic::Schema, _), Kind::Shape(_) | Kind::Applied(Generic::Dict, _)) => true,
            (Kind::Applied(Generic::Schema, _), Kind::Plain(_)) => matches!(a, Ty::DICT | Ty::SCHEMA),
            (Kind::Plain(_) | Kind::Shape(_), Kind::Applied(Generic::Schema, _)) if e != Ty::SCHEMA => {
                e == Ty::DICT || matches!(&*ek, Kind::Shape(_))
            }
            (Kind::Plain(_), Kind::Applied(generic, _)) => generic.bare() == e,
            (Kind::Applied(generic, _), Kind::Plain(_)) => generic.bare() == a,
            (Kind::Applied(g, xs), Kind::Applied(h, ys)) => g == h && self.args_accept(*g, xs, ys, budget),
            (Kind::User(i, xs), Kind::User(j, ys)) => {
                i == j && (xs.is_empty() || ys.is_empty() || self.user_args_accept(*i, xs, ys, budget))
            }
            (Kind::Opaque(m, xs), Kind::Opaque(n, ys)) => {
                m == n && (xs.is_empty() || ys.is_empty() || self.invariant(xs, ys, budget))
            }
            (Kind::Shape(_), _) if a == Ty::DICT => true,
            (Kind::Shape(_), Kind::Applied(Generic::Dict, _)) => true,
            (_, Kind::Shape(_)) if e == Ty::DICT => true,
            (Kind::Shape(want), Kind::Shape(have)) => {
                want.iter().all(|field| match have.iter().find(|f| f.name == field.name) {
                    Some(found) => field.optional || self.ask(field.ty, found.ty, budget),
                    None => field.optional,
                })
            }
            (Kind::Shape(want), Kind::User(id, args)) => {
                // A struct stands in for a shape, as it does when the program runs.
                let Some(have) = self.struct_fields(*id, args) else { return false };
                want.iter().all(|field| match have.iter().find(|f| f.name == field.name) {
                    Some(found) => field.optional || self.ask(field.ty, found.ty, budget),
                    None => field.optional,
                })
            }
            (Kind::Applied(Generic::Dict, args), Kind::Shape(fields)) => {
                let key = args.first().copied().unwrap_or(Ty::FREE);
                let value = args.get(1).copied().unwrap_or(Ty::FREE);
                (key == Ty::STRING || !key.is_known() || self.ask(key, Ty::STRING, budget))
                    && fields.iter().all(|f| self.ask(value, f.ty, budget))
            }
            (Kind::Fn(ps, r), Kind::Fn(qs, s)) => {
                ps.len() == qs.len()
                    && ps.iter().zip(qs.iter()).all(|(p, q)| self.ask(*q, *p, budget))
                    && self.ask(*r, *s, budget)
            }
            (Kind::Fn(..), Kind::Plain(_)) => a == Ty::CLOSURE,
            (Kind::Plain(_), Kind::Fn(..)) => e == Ty::CLOSURE,
            _ => false,
        }
    }

    fn invariant(&mut self, xs: &[Ty], ys: &[Ty], budget: &mut u32) -> bool {
        xs.len() == ys.len()
            && xs.iter().zip(ys).all(|(x, y)| self.ask(*x, *y, budget) && self.ask(*y, *x, budget))
    }

    fn args_accept(&mut self, generic: Generic, xs: &[Ty], ys: &[Ty], budget: &mut u32) -> bool {
        match generic {
            Generic::List | Generic::Dict | Generic::Set | Generic::Schema => self.invariant(xs, ys, budget),
            _ => xs.len() == ys.len() && xs.iter().zip(ys).all(|(x, y)| self.ask(*x, *y, budget)),
        }
    }

    fn user_args_accept(&mut self, id: DeclId, xs: &[Ty], ys: &[Ty], budget: &mut u32) -> bool {
        if xs.len() != ys.len() {
            return false;
        }
        let variances: Vec<Variance> =
            self.decl(id).map(|d| d.params.iter().map(|(_, v)| *v).collect()).unwrap_or_default();
        xs.iter().zip(ys).enumerate().all(|(i, (x, y))| match variances.get(i) {
            Some(Variance::Out) => self.ask(*x, *y, budget),
            Some(Variance::In) => self.ask(*y, *x, budget),
            _ => self.ask(*x, *y, budget) && self.ask(*y, *x, budget),
        })
    }

    /// What is wrong with a shape given for a shape: ` (missing field 'f' (T); field 'g' has type U, expected V)`, or
    /// nothing when either is no shape.
    pub(super) fn shape_difference(&mut self, expected: Ty, actual: Ty) -> String {
        let (e, a) = (self.expand(expected), self.expand(actual));
        let (e, a) = (self.types.shared(e), self.types.shared(a));
        let (Kind::Shape(want), Kind::Shape(have)) = (&*e, &*a) else { return String::new() };
        let mut parts = Vec::new();
        for field in want.iter().filter(|f| !f.optional) {
            match have.iter().find(|f| f.name == field.name) {
                None => parts.push(format!("missing field '{}' ({})", field.name, self.show(field.ty))),
                Some(found) if !self.accepts(field.ty, found.ty) => parts.push(format!(
                    "field '{}' has type {}, expected {}",
                    field.name,
                    self.show(found.ty),
                    self.show(field.ty)
                )),
                Some(_) => {}
            }
        }
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
    }
}
