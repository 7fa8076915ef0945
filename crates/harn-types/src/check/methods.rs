//! What methods give (spec 03 section 3).

use super::{Checker, Typed, builtins};
use crate::codes;
use crate::types::{Generic, Kind, Ty};
use harn_syntax::ast::*;

impl<'g> Checker<'g> {
    pub(super) fn method_call(
        &mut self,
        e: &'g Expr,
        object: &'g Expr,
        name: Ident,
        optional: bool,
        args: &'g [Element],
    ) -> Typed {
        self.record_static(object, name);
        if let Some(value) = self.enum_call(e, object, name, args) {
            return value;
        }
        let text = self.name(name);
        if self.is_namespace(object)
            && let ExprKind::Name(space) = &object.kind
        {
            let full = format!("{}.{text}", self.text(*space));
            self.arguments(args, &[]);
            return match builtins::result_of(&full) {
                Some((_, result)) => Typed::sure(self.read_result(result)),
                None => Typed::FREE,
            };
        }
        let receiver = self.receiver(object);
        self.record_member(receiver.ty, name);
        let ty = self.expand(receiver.ty);
        let hints = self.method_hints(ty, text);
        self.arguments(args, &hints);
        self.check_method(ty, name);
        let result = self.method_result(ty, name, receiver.weak);
        if optional { result.or_weak(true) } else { result }
    }

    /// A method that a list or text does not have, when its name is nearly that of one.
    fn check_method(&mut self, ty: Ty, name: Ident) {
        let on = match self.types.kind(ty) {
            Kind::Applied(Generic::List, _) => "list",
            _ if ty == Ty::LIST => "list",
            _ if ty == Ty::STRING => "string",
            _ => return,
        };
        let text = self.name(name);
        if harn_builtins::method(on, text).is_some() {
            return;
        }
        let known = harn_builtins::methods().iter().filter(|m| m.on == on).map(|m| m.name);
        if let Some(near) = crate::spelling::nearest(text, known, 2) {
            let message = format!("{on} has no method `{text}`: the call gives nil");
            self.warn(codes::UNKNOWN_METHOD, name.span, message);
            self.help(format!("did you mean `{near}`?"));
        }
    }

    /// The receiver of a method; a struct's name may stand there (`P.f(...)`).
    fn receiver(&mut self, object: &'g Expr) -> Typed {
        if let ExprKind::Name(name) = &object.kind
            && self.env.find(*name).is_none()
            && self.find_type(self.index, *name).is_some()
        {
            return Typed::FREE;
        }
        self.expr(object)
    }

    /// What the arguments of a method should be: closures over elements get their parameter types.
    fn method_hints(&mut self, ty: Ty, method: &str) -> Vec<Ty> {
        let element = match self.types.kind(ty) {
            Kind::Applied(Generic::List | Generic::Iter, args) => args.first().copied().unwrap_or(Ty::FREE),
            _ => return Vec::new(),
        };
        match method {
            "map" | "filter" | "flat_map" | "each" | "for_each" | "any" | "all" | "find" | "find_index"
            | "sort_by" | "group_by" | "partition" | "count" | "take_while" | "skip_while" | "min_by"
            | "max_by" | "dedup_by" => {
                vec![self.types.intern(Kind::Fn([element].into(), Ty::FREE))]
            }
            _ => Vec::new(),
        }
    }

    fn method_result(&mut self, ty: Ty, name: Ident, weak: bool) -> Typed {
        let text = self.name(name);
        match &*self.types.shared(ty) {
            Kind::Param(param) => self.bounded_method(param, name),
            Kind::User(id, args) => {
                if let Some(sig) = self.method_sig(*id, text) {
                    let params: Vec<_> = self
                        .decl(*id)
                        .map(|d| d.params.iter().map(|(p, _)| p.clone()).collect())
                        .unwrap_or_default();
                    let bindings: Vec<_> = params.into_iter().zip(args.iter().copied()).collect();
                    let result = self.substitute(sig.result, &bindings);
                    let result =
                        if matches!(self.types.kind(result), Kind::Param(_)) { Ty::FREE } else { result };
                    return Typed::weak(self.tame(result));
                }
                match self.interface_method(*id, text) {
                    Some((home, method)) => match &method.result {
                        Some(result) if args.is_empty() => {
                            let ty = self.lower_in(home, result);
                            let known = !matches!(self.types.kind(ty), Kind::Opaque(..));
                            Typed::weak(if known { ty } else { Ty::FREE })
                        }
                        _ => Typed::FREE,
                    },
                    None => Typed::FREE,
                }
            }
            Kind::Free | Kind::Wild | Kind::Any | Kind::Unknown | Kind::Never | Kind::Union(_) => Typed::FREE,
            Kind::Opaque(..) => Typed::FREE,
            kind => Typed { ty: self.builtin_method(ty, kind, text), weak },
        }
    }

    /// A method of a value whose type parameter has a bound.
    fn bounded_method(&mut self, param: &str, name: Ident) -> Typed {
        let bound =
            self.frames.iter().rev().flat_map(|f| &f.bounds).find(|(p, _)| &**p == param).map(|(_, b)| *b);
        let Some(bound) = bound else { return Typed::FREE };
        let Kind::User(id, _) = self.types.kind(bound) else { return Typed::FREE };
        let id = *id;
        if !self.is_interface(id) {
            return Typed::FREE;
        }
        let text = self.name(name);
        match self.interface_method(id, text) {
            Some((home, method)) => match &method.result {
                Some(result) => {
                    let ty = self.lower_in(home, result);
                    let known = !matches!(self.types.kind(ty), Kind::Opaque(..));
                    Typed::weak(if known { ty } else { Ty::FREE })
                }
                None => Typed::FREE,
            },
            None => {
                let text = format!(
                    "Method '{text}' not found in interface '{}' (constraint on '{param}')",
                    self.decl_name(id)
                );
                self.warn(codes::BOUND_METHOD, name.span, text);
                Typed::FREE
            }
        }
    }

    fn builtin_method(&mut self, ty: Ty, kind: &Kind, name: &str) -> Ty {
        let first = |args: &[Ty]| args.first().copied().unwrap_or(Ty::FREE);
        if let Kind::Applied(Generic::Iter, args) = kind {
            return self.iter_method(ty, first(args), name);
        }
        match name {
            "contains" | "starts_with" | "ends_with" | "empty" | "has" | "any" | "all" => Ty::BOOL,
            "count" | "index_of" | "to_int" => Ty::INT,
            "reverse" => match kind {
                Kind::Applied(Generic::List, _) => ty,
                _ if ty == Ty::STRING || ty == Ty::LIST => ty,
                _ => Ty::FREE,
            },
            "trim" | "lowercase" | "uppercase" | "replace" | "substring" | "pad_left" | "pad_right"
            | "repeat" | "join" | "to_string" => Ty::STRING,
            "split" | "chars" | "map" | "flat_map" | "sort" | "keys" | "values" | "entries" => Ty::LIST,
            "filter" => match kind {
                Kind::Applied(Generic::Dict, _) | Kind::Shape(_) => Ty::DICT,
                _ if ty == Ty::DICT => Ty::DICT,
                Kind::Applied(Generic::List, _) => Ty::LIST,
                _ if ty == Ty::LIST => Ty::LIST,
                _ => Ty::FREE,
            },
            "to_float" => Ty::FLOAT,
            "window" | "each_cons" | "sliding_window" => match kind {
                Kind::Applied(Generic::List, args) => {
                    let inner = self.types.list_of(first(args));
                    self.types.list_of(inner)
                }
                _ => Ty::FREE,
            },
            "merge" | "map_values" | "rekey" | "map_keys" => match kind {
                Kind::Applied(Generic::Dict, args) if name != "map_values" && name != "merge" => {
                    let value = args.get(1).copied().unwrap_or(Ty::FREE);
                    if value.is_known() {
                        self.types.applied(Generic::Dict, &[Ty::STRING, value])
                    } else {
                        Ty::DICT
                    }
                }
                _ => Ty::DICT,
            },
            "iter" => match kind {
                Kind::Applied(Generic::List | Generic::Generator | Generic::Stream, args) => {
                    let element = first(args);
                    self.types.applied(Generic::Iter, &[element])
                }
                Kind::Applied(Generic::Dict, args) if args.len() == 2 => {
                    let pair = self.types.applied(Generic::Pair, args);
                    self.types.applied(Generic::Iter, &[pair])
                }
                _ => Ty::FREE,
            },
            _ => Ty::FREE,
        }
    }

    fn iter_method(&mut self, ty: Ty, element: Ty, name: &str) -> Ty {
        match name {
            "filter" | "take" | "skip" | "take_while" | "skip_while" | "chain" | "iter" => ty,
            "map" | "flat_map" => Ty::ITER,
            "zip" => {
                let pair = self.types.applied(Generic::Pair, &[element, Ty::ANY]);
                self.types.applied(Generic::Iter, &[pair])
            }
            "enumerate" => {
                let pair = self.types.applied(Generic::Pair, &[Ty::INT, element]);
                self.types.applied(Generic::Iter, &[pair])
            }
            "chunks" | "windows" => {
                let list = self.types.list_of(element);
                self.types.applied(Generic::Iter, &[list])
            }
            "to_list" => self.types.list_of(element),
            "to_set" => self.types.applied(Generic::Set, &[element]),
            "to_dict" => Ty::DICT,
            "count" => Ty::INT,
            "sum" => self.types.union(&[Ty::INT, Ty::FLOAT]),
            "min" | "max" | "first" | "last" | "find" => self.types.union(&[element, Ty::NIL]),
            "any" | "all" => Ty::BOOL,
            "for_each" => Ty::NIL,
            _ => Ty::FREE,
        }
    }
}
