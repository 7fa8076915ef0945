//! Calls (spec 03 sections 5, 6.1 and 9).

use super::decls::Sig;
use super::generics::Bindings;
use super::{Checker, Typed, builtins, env::VarKind};
use crate::codes;
use crate::graph::ItemKind;
use crate::types::{Generic, Kind, Ty};
use harn_syntax::ast::*;
use harn_syntax::{Diagnostic, Severity, Span};
use std::rc::Rc;

impl<'g> Checker<'g> {
    pub(super) fn call(&mut self, e: &'g Expr, expected: Ty) -> Typed {
        let ExprKind::Call { callee, type_args, args } = &e.kind else { return Typed::FREE };
        let ExprKind::Name(name) = &callee.kind else {
            let callee = self.expr(callee);
            let (hints, result) = self.function_parts(callee.ty);
            self.arguments(args, &hints);
            return Typed { ty: result, weak: true };
        };
        let name = *name;
        let text = self.text(name);
        if let Some(id) = self.env.find(name)
            && let Some(var) = self.env.get(id)
        {
            if let Some(sig) = var.sig.clone() {
                return self.call_sig(&sig, e, args, type_args);
            }
            if var.kind != VarKind::Function {
                self.local_reads += 1;
            }
            let (now, weak) = (var.now(), var.weak);
            let (hints, result) = self.function_parts(now);
            self.arguments(args, &hints);
            return Typed { ty: result, weak };
        }
        if let Some(item) = self.module.resolve(text) {
            match item.kind {
                ItemKind::Fn | ItemKind::Tool | ItemKind::Pipeline => {
                    if let Some(sig) = self.graph.decl(item).and_then(|d| self.decl_sig(item.module, d)) {
                        return self.call_sig(&sig, e, args, type_args);
                    }
                }
                ItemKind::Struct => return self.struct_call(item, args),
                _ => {}
            }
            if item.kind.is_value() || item.module != self.index {
                self.arguments(args, &[]);
                return Typed::FREE;
            }
        }
        match text {
            "Ok" | "Err" => return self.result_value(text, args, expected),
            _ => {}
        }
        if let Some((name, result)) = builtins::result_of(text) {
            return self.builtin_call(name, result, e, args, type_args);
        }
        self.arguments(args, &[]);
        self.call_target(name, e.span);
        Typed::FREE
    }

    /// Parameter types and result of a function type.
    fn function_parts(&mut self, ty: Ty) -> (Vec<Ty>, Ty) {
        let ty = self.expand(ty);
        match self.types.kind(ty) {
            Kind::Fn(params, result) => (params.to_vec(), self.tame(*result)),
            _ => (Vec::new(), Ty::FREE),
        }
    }

    /// Checks arguments, each guided by a parameter's type.
    pub(super) fn arguments(&mut self, args: &'g [Element], hints: &[Ty]) -> Vec<Typed> {
        args.iter()
            .enumerate()
            .map(|(i, arg)| {
                let hint = if arg.spread { Ty::FREE } else { hints.get(i).copied().unwrap_or(Ty::FREE) };
                self.expect(&arg.value, hint)
            })
            .collect()
    }

    /// `Ok(x)`, `Err(x)`.
    pub(super) fn result_value(&mut self, which: &str, args: &'g [Element], expected: Ty) -> Typed {
        let at = usize::from(which != "Ok");
        let expected = self.expand(expected);
        let hint = match self.types.kind(expected) {
            Kind::Applied(Generic::Result, args) => args.get(at).copied().unwrap_or(Ty::FREE),
            _ => Ty::FREE,
        };
        let values = self.arguments(args, &[hint]);
        let value = values.first().copied().unwrap_or(Typed::sure(Ty::NIL));
        let inner = if value.ty.is_known() { value.ty } else { Ty::WILD };
        let pair = if at == 0 { [inner, Ty::WILD] } else { [Ty::WILD, inner] };
        Typed { ty: self.types.applied(Generic::Result, &pair), weak: value.weak }
    }

    /// A name that stands where something is called; reports one that means nothing.
    pub(super) fn call_target(&mut self, name: Symbol, span: Span) {
        let text = self.text(name);
        let known = self.env.find(name).is_some()
            || self.module.resolve(text).is_some()
            || builtins::is_builtin_name(text)
            || self.names.is_declared(name)
            || self.type_params.iter().any(|p| &**p == text)
            || matches!(text, "Ok" | "Err" | "Some" | "None" | "_" | "")
            || text.starts_with("__")
            || text.starts_with("hostlib_");
        if known || !self.imports_known() {
            return;
        }
        let near = self.near_callable(text);
        let hint = near.as_ref().map_or(String::new(), |n| format!(" — did you mean `{n}`?"));
        self.error(
            codes::UNKNOWN_CALL,
            span,
            format!("call target `{text}` is not defined or imported{hint}"),
        );
        if let Some(near) = near {
            self.help(format!("did you mean `{near}`?"));
        }
    }

    /// Whether every import resolved, so that an unknown name is certainly unknown.
    pub(super) fn imports_known(&self) -> bool {
        self.module.imports_resolve() && !self.graph.start_errors.iter().any(|e| e.module == self.index)
    }

    fn deprecated(&mut self, sig: &Sig, span: Span) {
        let Some((since, instead)) = &sig.deprecated else { return };
        let since = since.as_ref().map_or(String::new(), |v| format!(" (since {v})"));
        self.deprecations.push(Diagnostic {
            severity: Severity::Warning,
            code: codes::DEPRECATED,
            message: format!("`{}` is deprecated{since}", sig.name),
            span,
            label: Some(String::new()),
            help: instead.as_ref().map(|g| format!("use `{g}` instead")),
        });
    }

    fn call_sig(
        &mut self,
        sig: &Rc<Sig>,
        e: &'g Expr,
        args: &'g [Element],
        type_args: &'g [TypeExpr],
    ) -> Typed {
        self.deprecated(sig, e.span);
        let mut bindings: Bindings = Vec::new();
        if !type_args.is_empty() {
            if sig.type_params.is_empty() {
                let text = format!("Function '{}' does not declare type parameters", sig.name);
                self.error(codes::TYPE_ARGUMENTS, e.span, text);
            } else if sig.type_params.len() != type_args.len() {
                let text = format!(
                    "Function '{}' expects {} type arguments, got {}",
                    sig.name,
                    sig.type_params.len(),
                    type_args.len()
                );
                self.error(codes::TYPE_ARGUMENTS, e.span, text);
            } else {
                for (param, written) in sig.type_params.iter().zip(type_args) {
                    let ty = self.lower(written);
                    bindings.push((param.clone(), ty));
                }
            }
        }
        self.count(sig, args, e.span);
        let explicit = !bindings.is_empty();
        let mut given: Vec<(usize, Ty, Typed, bool)> = Vec::with_capacity(args.len());
        let mut weak = false;
        for (i, arg) in args.iter().enumerate() {
            if arg.spread {
                self.expr(&arg.value);
                args.iter().skip(i + 1).for_each(|a| {
                    self.expr(&a.value);
                });
                break;
            }
            let param = sig.params.get(i).or_else(|| sig.params.last().filter(|p| p.rest));
            let Some(param) = param else {
                self.expr(&arg.value);
                continue;
            };
            let hint = self.substitute(param.ty, &bindings);
            let typed = self.expect(&arg.value, hint);
            weak |= typed.weak;
            let mut checked = true;
            if !sig.type_params.is_empty() {
                let conflict = match self.schema_argument(param.ty, &arg.value) {
                    Some((pattern, ty)) => self.bind(pattern, ty, &sig.type_params, &mut bindings, 0),
                    None if explicit => None,
                    None => self.bind(param.ty, typed.ty, &sig.type_params, &mut bindings, 0),
                };
                if let Some((name, a, b)) = conflict {
                    let text = format!(
                        "type parameter '{name}' was inferred as both {} and {}",
                        self.show(a),
                        self.show(b)
                    );
                    self.finding(typed.weak, codes::BOTH, e.span, text);
                    checked = false;
                }
            }
            given.push((i, param.ty, typed, checked));
        }
        for (i, ty, typed, checked) in given {
            let ty = self.substitute(ty, &bindings);
            let Some(arg) = args.get(i).filter(|_| checked) else { continue };
            let name = sig.params.get(i).or(sig.params.last()).map_or("", |p| &p.name);
            self.argument(i, name, ty, typed, &arg.value, false);
        }
        self.bounds(sig, &bindings, e.span);
        let unbound: Bindings = sig
            .type_params
            .iter()
            .filter(|p| !bindings.iter().any(|(n, _)| n == *p))
            .map(|p| (p.clone(), Ty::WILD))
            .collect();
        bindings.extend(unbound);
        let result = self.substitute(sig.result, &bindings);
        if sig.result == Ty::NEVER {
            self.half_narrowed(&format!("{}()", sig.name), e.span);
        }
        Typed { ty: self.tame(result), weak: weak && !sig.type_params.is_empty() }
    }

    /// The pattern and the type that a schema argument binds, for a parameter `Schema<T>` or options with such a field.
    fn schema_argument(&mut self, param: Ty, arg: &'g Expr) -> Option<(Ty, Ty)> {
        let expanded = self.expand(param);
        match &*self.types.shared(expanded) {
            Kind::Applied(Generic::Schema, args) => Some((*args.first()?, self.schema_type(arg))),
            Kind::Shape(fields) => {
                let ExprKind::Dict(entries) = &arg.kind else { return None };
                fields.iter().find_map(|field| {
                    let pattern = match self.types.kind(field.ty) {
                        Kind::Applied(Generic::Schema, args) => *args.first()?,
                        _ => return None,
                    };
                    let value = entries.iter().find_map(|e| match e {
                        DictEntry::Named { key, value, .. } if *key == field.name => Some(value),
                        _ => None,
                    })?;
                    Some((pattern, self.schema_type(value)))
                })
            }
            _ => None,
        }
    }

    fn count(&mut self, sig: &Sig, args: &[Element], span: Span) {
        if !sig.strict || args.iter().any(|a| a.spread) || sig.params.iter().any(|p| p.rest) {
            return;
        }
        let most = sig.params.len();
        let least = sig.params.iter().filter(|p| !p.default).count();
        if (least..=most).contains(&args.len()) {
            return;
        }
        let wanted = if least == most { most.to_string() } else { format!("{least}-{most}") };
        let text = format!("Function '{}' expects {wanted} arguments, got {}", sig.name, args.len());
        self.warn(codes::ARGUMENT_COUNT, span, text);
        let names: Vec<&str> = sig.params.iter().map(|p| &*p.name).collect();
        self.help(format!("it is declared as `{}({})`", sig.name, names.join(", ")));
    }

    /// Checks one argument; `soft` problems are warnings.
    pub(super) fn argument(&mut self, i: usize, name: &str, ty: Ty, typed: Typed, arg: &Expr, soft: bool) {
        if !self.accepts(ty, typed.ty) {
            let reason = self.interface_reason(ty, typed.ty);
            let text = format!(
                "Argument {} ('{name}'): expected {}, got {}{reason}",
                i + 1,
                self.show(ty),
                self.show(typed.ty)
            );
            self.finding(soft || typed.weak, codes::ARGUMENT_TYPE, arg.span, text);
            if reason.is_empty() {
                let convert = match ty {
                    Ty::STRING => Some("to_string"),
                    Ty::INT => Some("to_int"),
                    Ty::FLOAT => Some("to_float"),
                    _ => None,
                };
                if let Some(convert) = convert.filter(|_| typed.ty != Ty::NIL) {
                    self.help(format!("pass {} here, or convert: `{convert}(...)`", self.show(ty)));
                }
            }
        } else if let Some(literal) = self.excluded_literal(ty, arg) {
            let text = format!("Argument {} ('{name}'): expected {}, got {literal}", i + 1, self.show(ty));
            self.warn(codes::ARGUMENT_TYPE, arg.span, text);
        }
    }

    fn interface_reason(&mut self, expected: Ty, actual: Ty) -> String {
        let (expected, actual) = (self.expand(expected), self.expand(actual));
        match &*self.types.shared(expected) {
            Kind::User(id, args) if self.is_interface(*id) => match self.satisfies(*id, args, actual) {
                Err(reason) => format!(" ({reason})"),
                Ok(()) => String::new(),
            },
            _ => String::new(),
        }
    }

    /// `where T: I`.
    fn bounds(&mut self, sig: &Sig, bindings: &Bindings, span: Span) {
        for (param, bound) in &sig.bounds {
            let Some((_, ty)) = bindings.iter().find(|(n, _)| n == param) else { continue };
            let ty = self.expand(*ty);
            if matches!(
                self.types.kind(ty),
                Kind::Free | Kind::Wild | Kind::Any | Kind::Never | Kind::Param(_)
            ) {
                continue;
            }
            let outcome = match &*self.types.shared(*bound) {
                Kind::User(id, args) if self.is_interface(*id) => self.satisfies(*id, args, ty),
                _ => Err(format!("interface '{}' not found", self.show(*bound))),
            };
            if let Err(reason) = outcome {
                let text = format!(
                    "Type '{}' does not satisfy interface '{}': {reason} (required by constraint `where {param}: {}`)",
                    self.show(ty),
                    self.show(*bound),
                    self.show(*bound)
                );
                self.error(codes::UNSATISFIED, span, text);
            }
        }
    }

    /// Whether a called name is a function declared `-> never`.
    pub(super) fn declared_never(&mut self, name: Symbol) -> bool {
        if let Some(var) = self.env.find(name).and_then(|id| self.env.get(id)) {
            return var.sig.as_ref().is_some_and(|s| s.result == Ty::NEVER);
        }
        let Some(item) = self.module.resolve(self.text(name)) else { return false };
        let sig = self.graph.decl(item).and_then(|d| self.decl_sig(item.module, d));
        sig.is_some_and(|s| s.result == Ty::NEVER)
    }
}
