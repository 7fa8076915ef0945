//! What a checker's run writes down for editors: the type of each expression and variable, and what each member
//! name means. The checker infers as always; it only remembers.

use super::decls::Form;
use super::{Checker, Options};
use crate::graph::{ModuleGraph, ModuleIndex};
use crate::index::{Member, MemberKind, MemberTarget, Place};
use crate::types::{DeclId, Generic, Kind, Plain, Ty};
use harn_syntax::ast::*;
use harn_syntax::{Diagnostic, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// Aliases of aliases are followed so far.
const MAX_ALIASES: u32 = 16;

/// The notes of a run.
#[derive(Default)]
pub(crate) struct Record {
    /// By expression; `·` where nothing was inferred.
    exprs: Vec<Ty>,
    /// By the place of the name.
    bindings: Vec<(Span, Ty)>,
    members: Vec<(Span, MemberTarget)>,
    keys: Vec<(Span, Ty)>,
    /// Only declarations that touch this span are looked into.
    focus: Option<Span>,
    /// The start of the member name whose receiver is wanted.
    wanted: Option<u32>,
    found: Option<Receiver>,
}

/// What stands before the dot of a wanted member.
enum Receiver {
    Value(Ty),
    Enum(DeclId),
    Namespace(String),
}

impl Record {
    pub(super) fn expr(&mut self, id: ExprId, ty: Ty) {
        if let Some(slot) = self.exprs.get_mut(id.0 as usize) {
            *slot = ty;
        }
    }

    pub(super) fn binding(&mut self, name: Span, ty: Ty) {
        self.bindings.push((name, ty));
    }

    /// Whether a declaration is none of the run's business.
    pub(super) fn passes_over(&self, span: Span) -> bool {
        self.focus.is_some_and(|f| f.start > span.end || f.end < span.start)
    }
}

/// The types of a file as texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// By expression: one more than a position in `texts`, 0 where nothing is known.
    pub(crate) exprs: Vec<u32>,
    pub(crate) texts: Vec<Arc<str>>,
    /// By the start of the variable's name.
    pub(crate) bindings: HashMap<u32, u32>,
    pub(crate) members: Vec<(Span, MemberTarget)>,
}

/// Checks a file and keeps what was found out about it.
pub(crate) fn check_recorded(
    graph: &ModuleGraph,
    index: ModuleIndex,
    options: Options,
) -> (Vec<Diagnostic>, Notes) {
    let Some(module) = graph.module(index) else { return (Vec::new(), Notes::default()) };
    let mut checker = Checker::new(graph, index, module, options);
    let exprs = vec![Ty::FREE; module.ast().expr_count as usize];
    checker.record = Some(Box::new(Record { exprs, ..Record::default() }));
    checker.file();
    let record = checker.record.take().unwrap_or_default();
    let mut notes = Notes { members: record.members, ..Notes::default() };
    let mut numbers: HashMap<Ty, u32> = HashMap::new();
    let mut number = |ty: Ty, texts: &mut Vec<Arc<str>>| {
        if matches!(ty, Ty::FREE | Ty::WILD) {
            return 0;
        }
        *numbers.entry(ty).or_insert_with(|| {
            texts.push(checker.show(ty).into());
            texts.len() as u32
        })
    };
    notes.exprs = record.exprs.iter().map(|ty| number(*ty, &mut notes.texts)).collect();
    for (span, ty) in record.bindings {
        let number = number(ty, &mut notes.texts);
        notes.bindings.insert(span.start, number);
    }
    for (span, ty) in record.keys {
        let number = number(ty, &mut notes.texts);
        notes.members.push((span, MemberTarget::Key(number)));
    }
    let mut diagnostics = checker.deprecations;
    diagnostics.append(&mut checker.diagnostics);
    (diagnostics, notes)
}

/// The members that may stand where the name at `name` stands, looking only into the declaration around it. Nothing
/// when no member name stands there, an empty list when nothing is known of the receiver.
pub(crate) fn members_at(graph: &ModuleGraph, index: ModuleIndex, name: Span) -> Option<Vec<Member>> {
    let module = graph.module(index)?;
    let mut checker = Checker::new(graph, index, module, Options::default());
    let record = Record { focus: Some(name), wanted: Some(name.start), ..Record::default() };
    checker.record = Some(Box::new(record));
    checker.file();
    let found = checker.record.take()?.found?;
    let mut members = Vec::new();
    match found {
        Receiver::Value(ty) => checker.members(ty, &mut members, 0),
        Receiver::Enum(id) => checker.variant_members(id, &mut members),
        Receiver::Namespace(space) => namespace_members(&space, &mut members),
    }
    Some(members)
}

fn namespace_members(space: &str, out: &mut Vec<Member>) {
    for row in harn_builtins::builtins() {
        let Some(name) = row.name.strip_prefix(space).and_then(|n| n.strip_prefix('.')) else { continue };
        out.push(Member {
            name: name.into(),
            kind: MemberKind::Method,
            detail: row.signature.to_owned(),
            doc: row.doc,
            optional: false,
        });
    }
}

impl<'g> Checker<'g> {
    fn wants(&self, name: Ident) -> bool {
        self.record.as_ref().is_some_and(|r| r.wanted == Some(name.span.start))
    }

    /// Notes an enum or a namespace before the dot of the wanted member.
    pub(super) fn record_static(&mut self, object: &Expr, name: Ident) {
        if !self.wants(name) {
            return;
        }
        let found = if self.is_namespace(object) {
            match &object.kind {
                ExprKind::Name(space) => Some(Receiver::Namespace(self.text(*space).to_owned())),
                _ => None,
            }
        } else {
            self.declared_enum(object).map(Receiver::Enum)
        };
        if let (Some(record), Some(found)) = (&mut self.record, found) {
            record.found = Some(found);
        }
    }

    /// Notes what a member name means on a value of type `ty`.
    pub(super) fn record_member(&mut self, ty: Ty, name: Ident) {
        if self.record.is_none() {
            return;
        }
        if self.wants(name)
            && let Some(record) = &mut self.record
        {
            record.found = Some(Receiver::Value(ty));
        }
        let text = self.name(name);
        let target = self.member_target(ty, text, 0);
        let key = match (&target, self.types.kind(ty)) {
            (None, Kind::Shape(fields)) => fields.iter().find(|f| &*f.name == text).map(|f| f.ty),
            _ => None,
        };
        let Some(record) = &mut self.record else { return };
        record.members.extend(target.map(|t| (name.span, t)));
        record.keys.extend(key.map(|ty| (name.span, ty)));
    }

    fn member_target(&mut self, ty: Ty, name: &str, depth: u32) -> Option<MemberTarget> {
        if depth > MAX_ALIASES {
            return None;
        }
        match &*self.types.shared(ty) {
            Kind::User(id, args) => self.declared_member(*id, args, name, depth),
            Kind::Union(members) => {
                let mut known = members.iter().filter(|m| **m != Ty::NIL);
                match (known.next(), known.next()) {
                    (Some(only), None) => self.member_target(*only, name, depth + 1),
                    _ => None,
                }
            }
            kind => {
                let on = receiver_name(kind)?;
                let method = harn_builtins::method(on, name)?;
                Some(MemberTarget::Builtin { on: method.on, name: method.name })
            }
        }
    }

    fn declared_member(&mut self, id: DeclId, args: &[Ty], name: &str, depth: u32) -> Option<MemberTarget> {
        if let Some((module, span)) = self.method_place(id, name) {
            return Some(MemberTarget::Place(Place { module, name: span }));
        }
        let decl = self.decl(id)?;
        let (form, module) = (decl.form, decl.module);
        let names = &self.graph.module(module)?.ast().names;
        let found = match form {
            Form::Struct(fields) => {
                fields.iter().find(|f| names.text(f.name.name) == name).map(|f| f.name.span)
            }
            Form::Interface(interface) => {
                interface.methods.iter().find(|m| names.text(m.name.name) == name).map(|m| m.name.span)
            }
            Form::Enum(_) => None,
            Form::Alias(TypeExpr { kind: TypeKind::Shape(fields), .. }) => {
                fields.iter().find(|f| names.text(f.name.name) == name).map(|f| f.name.span)
            }
            Form::Alias(_) => {
                let body = self.alias_body(id, args)?;
                return self.member_target(body, name, depth + 1);
            }
        };
        match found {
            Some(name) => Some(MemberTarget::Place(Place { module, name })),
            None if matches!(form, Form::Alias(_)) => {
                let method = harn_builtins::method("dict", name)?;
                Some(MemberTarget::Builtin { on: method.on, name: method.name })
            }
            None => None,
        }
    }

    fn members(&mut self, ty: Ty, out: &mut Vec<Member>, depth: u32) {
        if depth > MAX_ALIASES {
            return;
        }
        match &*self.types.shared(ty) {
            Kind::User(id, args) => {
                if let Some(body) = self.alias_body(*id, args) {
                    return self.members(body, out, depth + 1);
                }
                if let Some(fields) = self.struct_fields(*id, args) {
                    self.field_members(&fields, out);
                }
                self.method_members(*id, out);
            }
            Kind::Union(members) => {
                for member in members.iter().filter(|m| **m != Ty::NIL) {
                    self.members(*member, out, depth + 1);
                }
                let mut seen = std::collections::HashSet::new();
                out.retain(|m| seen.insert(m.name.clone()));
            }
            Kind::Shape(fields) => {
                self.field_members(fields, out);
                builtin_members("dict", out);
            }
            Kind::Applied(Generic::Pair, args) => {
                for (name, ty) in ["first", "second"].iter().zip(args.iter()) {
                    out.push(Member::field(name, self.show(*ty), false));
                }
            }
            kind => {
                if let Some(on) = receiver_name(kind) {
                    builtin_members(on, out);
                }
            }
        }
    }

    fn field_members(&mut self, fields: &[crate::types::ShapeField], out: &mut Vec<Member>) {
        for field in fields {
            out.push(Member::field(&field.name, self.show(field.ty), field.optional));
        }
    }

    fn variant_members(&mut self, id: DeclId, out: &mut Vec<Member>) {
        let Some(decl) = self.decl(id) else { return };
        let (Form::Enum(variants), module) = (decl.form, decl.module) else { return };
        let Some(home) = self.graph.module(module) else { return };
        for variant in variants {
            let fields: Vec<&str> =
                variant.fields.iter().map(|f| home.ast().names.text(f.name.name)).collect();
            let detail = if fields.is_empty() { String::new() } else { format!("({})", fields.join(", ")) };
            out.push(Member {
                name: home.ast().names.text(variant.name.name).into(),
                kind: MemberKind::Variant,
                detail,
                doc: "",
                optional: false,
            });
        }
    }

    /// The methods of a type's impl blocks or of an interface.
    fn method_members(&mut self, id: DeclId, out: &mut Vec<Member>) {
        let graph = self.graph;
        let mut found: Vec<(ModuleIndex, Span, Ident)> = self
            .methods_of(id)
            .iter()
            .map(|(m, f)| {
                (
                    *m,
                    Span::new(f.name.span.end, f.result.as_ref().map_or(f.body.span.start, |r| r.span.end)),
                    f.name,
                )
            })
            .collect();
        if let Some(decl) = self.decl(id)
            && let Form::Interface(interface) = decl.form
        {
            let module = decl.module;
            let end =
                |m: &MethodSig| m.result.as_ref().map(|r| r.span.end).unwrap_or_else(|| m.name.span.end);
            found.extend(
                interface.methods.iter().map(|m| (module, Span::new(m.name.span.end, end(m)), m.name)),
            );
        }
        for (module, signature, name) in found {
            let Some(home) = graph.module(module) else { continue };
            let name: Arc<str> = home.ast().names.text(name.name).into();
            if out.iter().any(|m| m.name == name) {
                continue;
            }
            let words: Vec<&str> = home.source.slice(signature).split_whitespace().collect();
            let detail = format!("fn{}", words.join(" "));
            out.push(Member { name, kind: MemberKind::Method, detail, doc: "", optional: false });
        }
    }
}

fn builtin_members(on: &str, out: &mut Vec<Member>) {
    for row in harn_builtins::methods().iter().filter(|m| m.on == on) {
        out.push(Member {
            name: row.name.into(),
            kind: MemberKind::Method,
            detail: row.signature.to_owned(),
            doc: row.doc,
            optional: false,
        });
    }
}

/// The `type_of` name under which the methods of a built-in type are listed.
fn receiver_name(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Plain(Plain::String) | Kind::Str(_) => "string",
        Kind::Plain(Plain::List) | Kind::Applied(Generic::List, _) => "list",
        Kind::Plain(Plain::Dict) | Kind::Applied(Generic::Dict, _) | Kind::Shape(_) => "dict",
        Kind::Plain(Plain::Set) | Kind::Applied(Generic::Set, _) => "set",
        Kind::Plain(Plain::Range) => "range",
        Kind::Plain(Plain::Iter) | Kind::Applied(Generic::Iter, _) => "iter",
        Kind::Plain(Plain::Generator) | Kind::Applied(Generic::Generator, _) => "generator",
        Kind::Plain(Plain::Stream) | Kind::Applied(Generic::Stream, _) => "stream",
        _ => return None,
    })
}
