//! Calls of builtins: known names, results, and what their rows say about arguments (spec 03 sections 6.4 and 8).

use super::builtin_results::results;
use super::{Checker, Typed, text_type};
use crate::codes;
use crate::types::{Generic, Kind, ShapeField, Ty};
use harn_syntax::ast::*;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Result texts by name.
static BY_NAME: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let mut map: HashMap<&str, &str> = HashMap::new();
    for row in harn_builtins::builtins() {
        // A row that the language's list lacks is this build's own: its result is what it declares.
        map.insert(row.name, row.parsed().result);
    }
    for (result, names) in results() {
        map.extend(names.iter().map(|n| (*n, *result)));
    }
    map
});

/// Whether programs may name a builtin so, whether or not this build has its body.
pub fn is_builtin_name(name: &str) -> bool {
    BY_NAME.contains_key(name)
}

/// Whether a name is a value that every program has without declaring it: builtins, namespaces, registries.
pub fn is_global_name(name: &str) -> bool {
    is_builtin_name(name)
        || is_namespace(name)
        || matches!(
            name,
            "argv"
                | "skills"
                | "mcp"
                | "prompt"
                | "context"
                | "task"
                | "project"
                | "Result"
                | "Some"
                | "None"
                | "_"
        )
}

/// Every builtin name, unordered.
pub(super) fn all_names<'a>() -> impl Iterator<Item = &'a str> {
    BY_NAME.keys().copied()
}

/// The name as the tables have it, and its result's text.
pub(super) fn result_of(name: &str) -> Option<(&'static str, &'static str)> {
    BY_NAME.get_key_value(name).map(|(k, v)| (*k, *v))
}

/// First segments of dotted names.
static NAMESPACES: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| BY_NAME.keys().filter_map(|n| n.split_once('.')).map(|(space, _)| space).collect());

/// Whether `name.x` are builtins.
pub(crate) fn is_namespace(name: &str) -> bool {
    NAMESPACES.contains(name)
}

/// The builtins whose result depends on a schema or a type argument, with the number of their type parameters.
fn type_parameters(name: &str) -> usize {
    match name {
        "schema_parse"
        | "schema_check"
        | "schema_expect"
        | "schema_of"
        | "llm_call"
        | "llm_completion"
        | "llm_call_structured"
        | "llm_call_structured_result"
        | "ask_user"
        | "dual_control" => 1,
        _ => 0,
    }
}

impl<'g> Checker<'g> {
    /// The type of a result text, read once.
    pub(super) fn read_result(&mut self, text: &'static str) -> Ty {
        if let Some(known) = self.builtin_types.get(text) {
            return *known;
        }
        let ty = text_type::read(&mut self.types, text);
        // A type parameter of a row says nothing about a call.
        let ty = if matches!(self.types.kind(ty), Kind::Param(_)) { Ty::FREE } else { ty };
        self.builtin_types.insert(text, ty);
        ty
    }

    pub(super) fn builtin_call(
        &mut self,
        name: &'static str,
        result: &'static str,
        e: &'g Expr,
        args: &'g [Element],
        type_args: &'g [TypeExpr],
    ) -> Typed {
        let arity = type_parameters(name);
        let mut explicit = Ty::FREE;
        match type_args {
            [] => {}
            _ if arity == 0 => {
                let text = format!("Builtin function '{name}' does not declare type parameters");
                self.error(codes::TYPE_ARGUMENTS, e.span, text);
            }
            [one] => explicit = self.lower(one),
            _ => {
                let text = format!(
                    "Builtin function '{name}' expects {arity} type arguments, got {}",
                    type_args.len()
                );
                self.error(codes::TYPE_ARGUMENTS, e.span, text);
            }
        }
        let values = self.arguments(args, &[]);
        self.check_row(name, args, &values, e);
        if name == "unreachable" {
            self.unreachable_call(args, &values, e);
            return Typed::sure(Ty::NEVER);
        }
        if name == "schema_expect"
            && let Some(arg) = args.first()
        {
            self.validated(&arg.value);
        }
        if arity == 1
            && let Some(ty) = self.schema_result(name, args, &values, explicit)
        {
            return Typed::sure(ty);
        }
        Typed::sure(self.read_result(result))
    }

    /// `unreachable(x)`: `x` must have no type left.
    fn unreachable_call(&mut self, args: &'g [Element], values: &[Typed], e: &'g Expr) {
        if let ([arg], [value]) = (args, values)
            && matches!(arg.value.kind, ExprKind::Name(_))
        {
            let vague = matches!(
                self.types.kind(value.ty),
                Kind::Free | Kind::Wild | Kind::Any | Kind::Unknown | Kind::Never | Kind::Param(_)
            );
            if !vague {
                let text = format!(
                    "unreachable() argument has type `{}` — not all cases are handled",
                    self.show(value.ty)
                );
                self.finding(value.weak, codes::NOT_UNREACHABLE, e.span, text);
            }
        }
        self.half_narrowed("unreachable()", e.span);
    }

    /// Keys of an option dict that are nearly those that the builtin knows.
    fn check_options(&mut self, name: &str, args: &'g [Element]) {
        let Some((at, known)) = harn_builtins::option_keys(name) else { return };
        let Some(ExprKind::Dict(entries)) = args.get(at).map(|a| &a.value.kind) else { return };
        for entry in entries {
            let DictEntry::Named { key, key_span, .. } = entry else { continue };
            if key.chars().count() < 5 || known.contains(&&**key) {
                continue;
            }
            if let Some(near) = crate::spelling::nearest(key, known.iter().copied(), 2) {
                let text = format!("option `{key}` of `{name}` is not known and has no effect");
                self.warn(codes::UNKNOWN_OPTION, *key_span, text);
                self.help(format!("did you mean `{near}`?"));
            }
        }
    }

    /// Counts and obvious types of arguments, against the builtin's row; warnings.
    fn check_row(&mut self, name: &str, args: &'g [Element], values: &[Typed], e: &Expr) {
        let Some(row) = harn_builtins::lookup(name).and_then(harn_builtins::row) else { return };
        if args.iter().any(|a| a.spread) {
            return;
        }
        self.check_options(name, args);
        let signature = self.row_signature(row);
        let least = signature.required();
        let fits = args.len() >= least && signature.most().is_none_or(|most| args.len() <= most);
        if !fits {
            let wanted = match signature.most() {
                Some(most) if most == least => most.to_string(),
                Some(most) => format!("{least}-{most}"),
                None => format!("at least {least}"),
            };
            let text = format!("Function '{name}' expects {wanted} arguments, got {}", args.len());
            self.warn(codes::ARGUMENT_COUNT, e.span, text);
            let shown = row.signature.strip_prefix("fn").unwrap_or_default();
            self.help(format!("it is declared as `{name}{shown}`"));
        }
        for (i, (arg, value)) in args.iter().zip(values).enumerate() {
            let param = signature.params.get(i).or_else(|| signature.params.last().filter(|p| p.rest));
            let Some(param) = param else { break };
            if param.ty == "any" {
                continue;
            }
            let ty = self.read_result(param.ty);
            let absent = param.optional && value.ty == Ty::NIL;
            if !absent {
                self.argument(i, param.name, ty, *value, &arg.value, true);
            }
        }
    }

    fn row_signature(
        &mut self,
        row: &'static harn_builtins::Builtin,
    ) -> std::rc::Rc<harn_builtins::Signature> {
        self.row_signatures.entry(row.name).or_insert_with(|| std::rc::Rc::new(row.parsed())).clone()
    }

    /// The result of a builtin that a schema makes precise (spec 03 section 6.4).
    fn schema_result(
        &mut self,
        name: &str,
        args: &'g [Element],
        values: &[Typed],
        explicit: Ty,
    ) -> Option<Ty> {
        let at = match name {
            "schema_of" => 0,
            "llm_call" | "llm_completion" => 2,
            _ => 1,
        };
        let arg = args.get(at).map(|a| &a.value);
        let described = match (name, arg) {
            _ if explicit.is_known() => explicit,
            ("dual_control", _) => {
                let closure = values.get(2).map_or(Ty::FREE, |v| v.ty);
                match self.types.kind(closure) {
                    Kind::Fn(_, result) => *result,
                    _ => Ty::FREE,
                }
            }
            ("llm_call" | "llm_completion", Some(options)) => self.option_schema(options, "output_schema"),
            ("ask_user", Some(options)) => self.option_schema(options, "schema"),
            (_, Some(schema)) => self.schema_type(schema),
            _ => Ty::FREE,
        };
        if !described.is_known() || described == Ty::WILD {
            return None;
        }
        Some(match name {
            "schema_parse" | "schema_check" => {
                let error = text_type::read(&mut self.types, "{message: string, errors: list<string>, value: any}");
                self.types.applied(Generic::Result, &[described, error])
            }
            "schema_of" => self.types.applied(Generic::Schema, &[described]),
            "llm_call" | "llm_completion" => self.with_data(
                "{text: string, model: string, provider: string, input_tokens: int, output_tokens: int, \
                 data: any, visible_text?: string, tool_calls?: list, thinking?: string, stop_reason?: string}",
                described,
            ),
            "llm_call_structured_result" => {
                let data = self.types.union(&[described, Ty::NIL]);
                self.with_data(
                    "{ok: bool, data: any, raw_text: string, error: string, error_category: string | nil, \
                     attempts: int, repaired: bool, extracted_json: bool, usage: dict, model: string, \
                     provider: string}",
                    data,
                )
            }
            _ => described,
        })
    }

    /// The shape with its field `data` replaced.
    fn with_data(&mut self, shape: &str, data: Ty) -> Ty {
        let shape = text_type::read(&mut self.types, shape);
        let fields = match self.types.kind(shape) {
            Kind::Shape(fields) => fields
                .iter()
                .map(|f| ShapeField { ty: if &*f.name == "data" { data } else { f.ty }, ..f.clone() })
                .collect(),
            _ => return Ty::DICT,
        };
        self.types.intern(Kind::Shape(fields))
    }

    /// The type that an option of a dict literal describes.
    fn option_schema(&mut self, options: &Expr, key: &str) -> Ty {
        let ExprKind::Dict(entries) = &options.kind else { return Ty::FREE };
        let value = entries.iter().find_map(|e| match e {
            DictEntry::Named { key: k, value, .. } if &**k == key => Some(value),
            _ => None,
        });
        value.map_or(Ty::FREE, |v| self.schema_type(v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_of_the_language_is_known() {
        for name in ["abs", "llm_call", "trust.query", "schema_recover", "event_log.latest", "Ok"] {
            assert!(is_builtin_name(name), "{name}");
        }
        assert!(!is_builtin_name("frobnicate"));
    }

    #[test]
    fn results_are_types() {
        let mut types = crate::types::Types::default();
        for (text, _) in results() {
            assert!(*text == "·" || text_type::read(&mut types, text).is_known(), "{text}");
        }
    }
}
