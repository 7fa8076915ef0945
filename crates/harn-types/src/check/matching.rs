//! `match`: patterns, narrowing in arms, exhaustiveness (spec 03 sections 5, 11.3 and 11.4).

use super::env::VarKind;
use super::{Checker, Typed, flow};
use crate::codes;
use crate::types::{Kind, Ty};
use harn_syntax::ast::*;

/// What an arm stands for in the check of exhaustiveness.
enum Cover {
    /// A `_`, a name, a dict or list pattern, a call: everything.
    All,
    /// Literals (types of them; `nil`, `bool` and `float` as plain types) and variants.
    These(Vec<Item>),
}

/// The arms of a `match` as the check of exhaustiveness sees them.
struct Arms {
    covers: Vec<Cover>,
    guarded: Vec<bool>,
    /// One of them binds the fields of a variant. The definition's own check gives up on such a match: what is
    /// missing is a warning.
    taken_apart: bool,
}

#[derive(Clone, PartialEq)]
enum Item {
    Literal(Ty),
    /// A literal that covers a plain type: `1.5`, `true`, `nil`.
    Plain(Ty),
    Variant(String),
}

impl<'g> Checker<'g> {
    pub(super) fn match_value(&mut self, e: &'g Expr, value: &'g Expr, arms: &'g [MatchArm]) -> Typed {
        let matched = self.expr(value);
        let mut covers = Vec::with_capacity(arms.len());
        let mut guarded = Vec::with_capacity(arms.len());
        let all_exit = !arms.is_empty() && arms.iter().all(|a| flow::exits(&a.body));
        for arm in arms {
            let mark = self.env.mark();
            self.env.open();
            self.pattern(&arm.pattern, matched, true);
            self.narrow_arm(value, &arm.pattern);
            if let Some(guard) = &arm.guard {
                self.expr(guard);
                let facts = self.facts(guard);
                self.apply(&facts.truthy);
            }
            self.unlooked(|c| c.statements(&arm.body.stmts, Ty::FREE));
            self.env.close();
            self.env.restore(mark, flow::exits(&arm.body) && !all_exit);
            covers.push(self.cover(&arm.pattern));
            guarded.push(arm.guard.is_some());
        }
        let taken_apart = arms.iter().any(|a| takes_apart(&a.pattern));
        self.exhaustive(e, value, matched, &Arms { covers, guarded, taken_apart });
        Typed::FREE
    }

    /// Binds the names of a pattern and checks its literals against the matched type.
    fn pattern(&mut self, pattern: &'g Pattern, matched: Typed, top: bool) {
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Name(name) => self.bind_name(*name, VarKind::Bound, matched),
            PatternKind::Value(e) => {
                self.expr(e);
                if top {
                    self.literal_pattern(e, matched);
                }
            }
            PatternKind::Variant { enum_name, variant, args } => {
                self.variant_pattern(*enum_name, *variant, args.as_deref(), matched, pattern);
            }
            PatternKind::Dict { entries, rest } => {
                let ty = self.expand(matched.ty);
                for (key, inner) in entries {
                    let field = match self.types.kind(ty) {
                        Kind::Shape(fields) => {
                            fields.iter().find(|f| f.name == *key && !f.optional).map_or(Ty::FREE, |f| f.ty)
                        }
                        _ => Ty::FREE,
                    };
                    self.pattern(inner, Typed::weak(field), false);
                }
                rest.iter().for_each(|r| self.bind_name(*r, VarKind::Bound, Typed::sure(Ty::DICT)));
            }
            PatternKind::Struct { name, entries } => {
                let fields = match self.find_type(self.index, name.name) {
                    Some(id) => self.struct_fields(id, &[]).unwrap_or_default(),
                    None => Vec::new(),
                };
                for (key, inner) in entries {
                    let known = fields.iter().find(|f| f.name == *key && !f.optional);
                    let ty = known.map_or(Ty::FREE, |f| f.ty);
                    let ty = if matches!(self.types.kind(ty), Kind::Param(_)) { Ty::FREE } else { ty };
                    self.pattern(inner, Typed::weak(ty), false);
                }
            }
            PatternKind::List { elements, rest } => {
                for inner in elements {
                    self.pattern(inner, Typed::FREE, false);
                }
                rest.iter().for_each(|r| self.bind_name(*r, VarKind::Bound, Typed::sure(Ty::LIST)));
            }
            PatternKind::Or(alternatives) => {
                for alternative in alternatives {
                    self.alternative(alternative, matched, top);
                }
            }
        }
    }

    fn alternative(&mut self, pattern: &'g Pattern, matched: Typed, top: bool) {
        let literal = match &pattern.kind {
            PatternKind::Wildcard => true,
            PatternKind::Value(e) => is_literal(e),
            // Variants are constants as well.
            PatternKind::Variant { args, .. } => args.as_ref().is_none_or(|a| a.is_empty()),
            _ => false,
        };
        if !literal {
            let text = "Or-pattern alternatives must be literal patterns (string, int, float, bool, nil, or `_`). \
                        Identifier bindings and destructuring patterns are not allowed inside `|`.";
            self.error(codes::OR_PATTERN, pattern.span, text.to_owned());
        }
        self.pattern(pattern, matched, top);
    }

    /// `Match pattern type mismatch`.
    fn literal_pattern(&mut self, e: &Expr, matched: Typed) {
        let (word, plain) = match &e.kind {
            ExprKind::Str(_) => ("string", Ty::STRING),
            ExprKind::Int(_) => ("int", Ty::INT),
            ExprKind::Unary { op: UnaryOp::Neg, operand } => match operand.kind {
                ExprKind::Int(_) => ("int", Ty::INT),
                ExprKind::Float(_) => ("float", Ty::FLOAT),
                _ => return,
            },
            ExprKind::Float(_) => ("float", Ty::FLOAT),
            ExprKind::Bool(_) => ("bool", Ty::BOOL),
            _ => return,
        };
        let ty = self.expand(matched.ty);
        let possible = self.types.members(ty).into_iter().any(|m| match self.types.kind(m) {
            Kind::Plain(_) => {
                m == plain || (plain == Ty::INT && m == Ty::FLOAT) || (plain == Ty::FLOAT && m == Ty::INT)
            }
            Kind::Str(_) => plain == Ty::STRING,
            Kind::Int(_) => matches!(plain, Ty::INT | Ty::FLOAT),
            Kind::Shape(_) | Kind::Fn(..) | Kind::Applied(..) => false,
            // Enum values compare with their variant's name; opaque types with anything.
            _ => true,
        });
        if !possible {
            let text = format!(
                "Match pattern type mismatch: matching {} against {word} literal",
                self.show(matched.ty)
            );
            self.warn(codes::PATTERN_TYPE, e.span, text);
        }
    }

    fn variant_pattern(
        &mut self,
        enum_name: Ident,
        variant: Ident,
        args: Option<&'g [Pattern]>,
        matched: Typed,
        pattern: &'g Pattern,
    ) {
        let name = self.name(variant);
        let ty = self.expand(matched.ty);
        let mut fields: Vec<Ty> = Vec::new();
        match self.find_type(self.index, enum_name.name).filter(|id| self.is_enum(*id)) {
            Some(id) => {
                let parts = self.parts(id);
                let Some(super::decls::Parts::Enum(variants)) = parts.as_deref() else { return };
                match variants.iter().find(|(v, _)| &**v == name) {
                    Some((_, declared)) => {
                        let bindings: Vec<_> = match self.types.kind(ty) {
                            Kind::User(other, found) if *other == id => {
                                let params = self.decl(id).map(|d| d.params.clone()).unwrap_or_default();
                                params.into_iter().map(|(p, _)| p).zip(found.iter().copied()).collect()
                            }
                            _ => Vec::new(),
                        };
                        for (_, field) in declared {
                            let field = self.substitute(*field, &bindings);
                            fields.push(if matches!(self.types.kind(field), Kind::Param(_)) {
                                Ty::FREE
                            } else {
                                field
                            });
                        }
                    }
                    None => {
                        let text = format!("Unknown variant '{name}' in enum '{}'", self.decl_name(id));
                        self.warn(codes::ENUM_VALUE, pattern.span, text);
                    }
                }
            }
            None => {
                if let Kind::Applied(crate::types::Generic::Result, found) = self.types.kind(ty) {
                    let at = usize::from(name != "Ok");
                    fields.extend(found.get(at).map(|t| if *t == Ty::WILD { Ty::FREE } else { *t }));
                }
            }
        }
        for (i, inner) in args.unwrap_or_default().iter().enumerate() {
            let field = fields.get(i).copied().unwrap_or(Ty::FREE);
            self.pattern(inner, Typed::weak(field), false);
        }
    }

    /// Narrows the matched variable (or the variable whose tag is matched) in an arm.
    fn narrow_arm(&mut self, value: &'g Expr, pattern: &Pattern) {
        let mut literals = Vec::new();
        if !self.pattern_literals(pattern, &mut literals) {
            return;
        }
        match &value.kind {
            ExprKind::Paren(inner) => self.narrow_arm(inner, pattern),
            ExprKind::Property { object, name, .. } => {
                let facts = self.tag_test(object, *name, &literals);
                self.apply(&facts.truthy);
            }
            ExprKind::Name(name) => {
                let Some(var) = self.env.find(*name) else { return };
                let now = self.env.get(var).map_or(Ty::FREE, |v| v.now());
                let ty = self.expand(now);
                let members = match self.types.kind(ty) {
                    Kind::Union(members) => members.to_vec(),
                    _ => return,
                };
                let mut kept = Vec::new();
                for literal in literals {
                    let base = match self.types.kind(literal) {
                        Kind::Str(_) => Ty::STRING,
                        Kind::Int(_) => Ty::INT,
                        _ => literal,
                    };
                    if members.contains(&literal) {
                        kept.push(literal);
                    } else if members.contains(&base) {
                        kept.push(base);
                    } else {
                        return;
                    }
                }
                let ty = self.types.union(&kept);
                let facts = self.known(var, ty);
                self.apply(&facts);
            }
            _ => {}
        }
    }

    /// Collects the literal types of a pattern made of literals alone.
    fn pattern_literals(&mut self, pattern: &Pattern, out: &mut Vec<Ty>) -> bool {
        match &pattern.kind {
            PatternKind::Value(e) => match (self.literal_type(e), &e.kind) {
                (Some(literal), _) => {
                    out.push(literal);
                    true
                }
                (None, ExprKind::Nil) => {
                    out.push(Ty::NIL);
                    true
                }
                (None, ExprKind::Bool(_)) => {
                    out.push(Ty::BOOL);
                    true
                }
                (None, ExprKind::Float(_)) => {
                    out.push(Ty::FLOAT);
                    true
                }
                _ => false,
            },
            PatternKind::Or(alternatives) => alternatives.iter().all(|p| self.pattern_literals(p, out)),
            _ => false,
        }
    }

    fn cover(&mut self, pattern: &Pattern) -> Cover {
        match &pattern.kind {
            PatternKind::Value(e) => match self.cover_literal(e) {
                Some(item) => Cover::These(vec![item]),
                None => Cover::All,
            },
            PatternKind::Variant { variant, args, .. } => {
                let plain = |p: &Pattern| matches!(p.kind, PatternKind::Name(_) | PatternKind::Wildcard);
                match args {
                    // With tests inside, the definition gives up on the whole match.
                    Some(args) if !args.iter().all(plain) => Cover::All,
                    _ => Cover::These(vec![Item::Variant(self.name(*variant).to_owned())]),
                }
            }
            PatternKind::Or(alternatives) => {
                let mut items = Vec::new();
                for alternative in alternatives {
                    match self.cover(alternative) {
                        Cover::All => return Cover::All,
                        Cover::These(more) => items.extend(more),
                    }
                }
                Cover::These(items)
            }
            _ => Cover::All,
        }
    }

    fn cover_literal(&mut self, e: &Expr) -> Option<Item> {
        if let Some(literal) = self.literal_type(e) {
            return Some(Item::Literal(literal));
        }
        match &e.kind {
            ExprKind::Nil => Some(Item::Plain(Ty::NIL)),
            ExprKind::Bool(_) => Some(Item::Plain(Ty::BOOL)),
            ExprKind::Float(_) => Some(Item::Plain(Ty::FLOAT)),
            ExprKind::Property { object, name, .. } if self.enum_name(object).is_some() => {
                Some(Item::Variant(self.name(*name).to_owned()))
            }
            _ => None,
        }
    }

    fn exhaustive(&mut self, e: &Expr, value: &'g Expr, matched: Typed, arms: &Arms) {
        let mut covered: Vec<Item> = Vec::new();
        let mut unguarded: Vec<Item> = Vec::new();
        for (cover, guarded) in arms.covers.iter().zip(&arms.guarded) {
            match cover {
                Cover::All => return,
                Cover::These(items) => {
                    covered.extend(items.iter().cloned());
                    if !guarded {
                        unguarded.extend(items.iter().cloned());
                    }
                }
            }
        }
        let Some(wanted) = self.wanted(value, matched) else { return };
        let missing = self.missing(&wanted, &covered);
        if !missing.is_empty() {
            let weak = matched.weak || wanted.improved || arms.taken_apart;
            let text = self.missing_text(&wanted, &missing);
            self.finding(weak, codes::NOT_EXHAUSTIVE, e.span, text);
            return self.help(missing_arm(&wanted, &missing));
        }
        // An arm with a guard covers nothing for sure.
        let missing = self.missing(&wanted, &unguarded);
        if !missing.is_empty() {
            let text = self.missing_text(&wanted, &missing);
            self.warn(codes::NOT_EXHAUSTIVE, e.span, text);
            return self.help("an arm with a guard covers nothing for sure: add one without".to_owned());
        }
        // Nor does one literal cover all strings or ints.
        if let What::Names(_) = wanted.what {
            covered.retain(|item| !matches!(item, Item::Literal(_)));
            let missing = self.missing(&wanted, &covered);
            if !missing.is_empty() {
                let text = self.missing_text(&wanted, &missing);
                self.warn(codes::NOT_EXHAUSTIVE, e.span, text);
                self.help("one literal does not cover the whole type: add `_ -> { ... }`".to_owned());
            }
        }
    }

    fn missing(&mut self, wanted: &Wanted, covered: &[Item]) -> Vec<String> {
        let has = |item: &Item| covered.contains(item);
        match &wanted.what {
            What::Enum(_, variants) => {
                let named = |v: &String, checker: &Self| {
                    covered.iter().any(|c| match c {
                        Item::Literal(ty) => {
                            matches!(checker.types.kind(*ty), Kind::Str(text) if **text == **v)
                        }
                        _ => false,
                    })
                };
                variants
                    .iter()
                    .filter(|v| !has(&Item::Variant((*v).clone())) && !named(v, self))
                    .map(|v| format!("\"{v}\""))
                    .collect()
            }
            What::Tags(literals) | What::Literals(literals) => {
                literals.iter().filter(|l| !has(&Item::Literal(**l))).map(|l| self.show(*l)).collect()
            }
            What::Names(names) => names
                .iter()
                .filter(|name| {
                    !covered.iter().any(|c| match c {
                        Item::Plain(ty) => ty == *name,
                        Item::Literal(ty) => match self.types.kind(*ty) {
                            Kind::Str(_) => **name == Ty::STRING,
                            Kind::Int(_) => **name == Ty::INT,
                            _ => false,
                        },
                        Item::Variant(_) => false,
                    })
                })
                .map(|name| self.show(*name))
                .collect(),
        }
    }

    fn missing_text(&self, wanted: &Wanted, missing: &[String]) -> String {
        let list = missing.join(", ");
        match &wanted.what {
            What::Enum(name, _) => format!("Non-exhaustive match on enum {name}: missing variants {list}"),
            What::Tags(_) => format!("Non-exhaustive match on tagged shape union: missing variants {list}"),
            What::Literals(_) => format!("Non-exhaustive match on literal union: missing {list}"),
            What::Names(_) => format!("Non-exhaustive match on union type: missing {list}"),
        }
    }

    /// What a match on `value` must cover; nothing when it may be anything.
    fn wanted(&mut self, value: &'g Expr, matched: Typed) -> Option<Wanted> {
        if let ExprKind::Property { object, name, .. } = &value.kind {
            let object_type = self.quiet_type(object);
            if self.name(*name) == "variant"
                && let Some(wanted) = self.wanted_enum(object_type)
            {
                return Some(wanted);
            }
            if let Some((tag, variants)) = self.tagged(object_type)
                && *tag == *self.name(*name)
            {
                let literals = variants.into_iter().map(|(_, l)| l).collect();
                return Some(Wanted { what: What::Tags(literals), improved: false });
            }
        }
        if let Some(wanted) = self.wanted_enum(matched.ty) {
            return Some(wanted);
        }
        let ty = self.expand(matched.ty);
        let members = match self.types.kind(ty) {
            Kind::Union(members) => members.to_vec(),
            _ => return None,
        };
        let literal = |m: &Ty| matches!(self.types.kind(*m), Kind::Str(_) | Kind::Int(_));
        let plain = |m: &Ty| matches!(self.types.kind(*m), Kind::Plain(_));
        if members.iter().all(literal) {
            return Some(Wanted { what: What::Literals(members), improved: false });
        }
        members.iter().all(plain).then_some(Wanted { what: What::Names(members), improved: false })
    }

    fn wanted_enum(&mut self, ty: Ty) -> Option<Wanted> {
        let ty = self.expand(ty);
        if self.is_result(ty) {
            let variants = vec!["Ok".to_owned(), "Err".to_owned()];
            return Some(Wanted { what: What::Enum("Result".to_owned(), variants), improved: true });
        }
        let (id, generic) = match self.types.kind(ty) {
            Kind::User(id, args) => (*id, !args.is_empty()),
            _ => return None,
        };
        let parts = self.parts(id)?;
        let super::decls::Parts::Enum(variants) = &*parts else { return None };
        let variants = variants.iter().map(|(v, _)| v.to_string()).collect();
        Some(Wanted { what: What::Enum(self.decl_name(id), variants), improved: generic })
    }

    /// The type of a plain variable or field path, without reporting anything.
    fn quiet_type(&mut self, e: &Expr) -> Ty {
        match &e.kind {
            ExprKind::Name(name) => {
                self.env.find(*name).and_then(|id| self.env.get(id)).map_or(Ty::FREE, |v| v.now())
            }
            ExprKind::Paren(inner) => self.quiet_type(inner),
            ExprKind::Property { object, name, optional: false } => {
                let ty = self.quiet_type(object);
                let ty = self.expand(ty);
                match self.types.kind(ty) {
                    Kind::Shape(fields) => {
                        let name = self.name(*name);
                        fields.iter().find(|f| &*f.name == name).map_or(Ty::FREE, |f| f.ty)
                    }
                    _ => Ty::FREE,
                }
            }
            _ => Ty::FREE,
        }
    }
}

struct Wanted {
    what: What,
    /// The definition's own check does not look here: what is missing is a warning.
    improved: bool,
}

enum What {
    Enum(String, Vec<String>),
    Tags(Vec<Ty>),
    Literals(Vec<Ty>),
    Names(Vec<Ty>),
}

fn takes_apart(pattern: &Pattern) -> bool {
    match &pattern.kind {
        PatternKind::Variant { args, .. } => args.is_some(),
        PatternKind::Or(alternatives) => alternatives.iter().any(takes_apart),
        _ => false,
    }
}

fn is_literal(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Str(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Nil => true,
        ExprKind::Unary { op: UnaryOp::Neg, operand } => {
            matches!(operand.kind, ExprKind::Int(_) | ExprKind::Float(_))
        }
        ExprKind::Paren(inner) => is_literal(inner),
        _ => false,
    }
}

/// An arm that is missing, as one writes it.
fn missing_arm(wanted: &Wanted, missing: &[String]) -> String {
    let first = missing.first().map(String::as_str).unwrap_or_default();
    match &wanted.what {
        What::Enum(name, _) => {
            format!(
                "add `{name}.{} -> {{ ... }}`, or `_ -> {{ ... }}` for all others",
                first.trim_matches('"')
            )
        }
        What::Literals(_) => format!("add `{first} -> {{ ... }}`, or `_ -> {{ ... }}` for all others"),
        What::Tags(_) | What::Names(_) => "add an arm for it, or `_ -> { ... }` for all others".to_owned(),
    }
}
