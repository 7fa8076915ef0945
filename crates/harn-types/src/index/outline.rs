//! The declarations of a file as a tree, and how each reads in one line.

use harn_syntax::ast::*;
use harn_syntax::{Source, Span};
use std::sync::Arc;

/// What is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named after the keywords")]
pub enum OutlineKind {
    Pipeline,
    Function,
    Tool,
    Skill,
    EvalPack,
    TypeAlias,
    Enum,
    Variant,
    Struct,
    Field,
    Interface,
    Impl,
    Method,
    Variable,
}

/// A declaration and what is declared inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: OutlineKind,
    /// The name where it is declared.
    pub name_span: Span,
    /// The whole declaration.
    pub span: Span,
    /// The declaration without its body, in one line.
    pub signature: String,
    /// The documentation above it.
    pub doc: Option<Arc<str>>,
    /// Variants, fields, methods.
    pub children: Vec<Outline>,
}

/// The declarations of a file, in source order; nested functions are children of those around them.
pub fn outline(source: &Source, ast: &Ast) -> Vec<Outline> {
    let maker = Maker { source, names: &ast.names };
    let mut out = Vec::new();
    maker.stmts(&ast.items, true, &mut out);
    out
}

/// The text before a body, on one line.
pub fn signature(source: &Source, span: Span) -> String {
    let text = source.slice(span);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Maker<'a> {
    source: &'a Source,
    names: &'a Names,
}

impl Maker<'_> {
    fn one(&self, kind: OutlineKind, name: Ident, span: Span, head: Span) -> Outline {
        Outline {
            name: self.names.text(name.name).into(),
            kind,
            name_span: name.span,
            span,
            signature: signature(self.source, head),
            doc: None,
            children: Vec::new(),
        }
    }

    fn stmts(&self, stmts: &[Stmt], top: bool, out: &mut Vec<Outline>) {
        for stmt in stmts {
            match &stmt.kind {
                StmtKind::Decl(decl) => out.extend(self.decl(decl, stmt.span)),
                StmtKind::Let(item) if top => {
                    if let Binding::Name(name) = &item.binding {
                        let head = Span::new(stmt.span.start, item.value.span.start);
                        let mut one = self.one(OutlineKind::Variable, *name, stmt.span, head);
                        one.signature = one.signature.trim_end_matches('=').trim_end().to_owned();
                        out.push(one);
                    }
                }
                _ => {}
            }
        }
    }

    fn decl(&self, decl: &Decl, span: Span) -> Option<Outline> {
        // Attributes are no part of how a declaration reads.
        let start = decl.attributes.last().map_or(span.start, |a| a.span.end);
        let head = |end: u32| Span::new(start, end);
        let mut one = match &decl.kind {
            DeclKind::Pipeline(p) => {
                let mut one = self.one(OutlineKind::Pipeline, p.name, span, head(p.body.span.start));
                self.stmts(&p.body.stmts, false, &mut one.children);
                one
            }
            DeclKind::Override { name, body, .. } => {
                self.one(OutlineKind::Pipeline, *name, span, head(body.span.start))
            }
            DeclKind::Fn(f) => {
                let mut one = self.one(OutlineKind::Function, f.name, span, head(f.body.span.start));
                self.stmts(&f.body.stmts, false, &mut one.children);
                one
            }
            DeclKind::Tool(t) => {
                let end = t
                    .result
                    .as_ref()
                    .map(|r| r.span.end)
                    .unwrap_or_else(|| self.before_brace(Span::new(t.name.span.end, span.end)));
                self.one(OutlineKind::Tool, t.name, span, head(end))
            }
            DeclKind::Skill { name, .. } => self.one(OutlineKind::Skill, *name, span, head(name.span.end)),
            DeclKind::EvalPack(e) => {
                self.one(OutlineKind::EvalPack, e.binding, span, head(e.binding.span.end))
            }
            DeclKind::TypeAlias { name, ty, .. } => {
                let mut one = self.one(OutlineKind::TypeAlias, *name, span, head(span.end));
                if let TypeKind::Shape(fields) = &ty.kind {
                    for field in fields {
                        let whole = field.name.span.to(field.ty.span);
                        one.children.push(self.one(OutlineKind::Field, field.name, whole, whole));
                    }
                }
                one
            }
            DeclKind::Enum { name, variants, .. } => {
                let mut one = self.one(OutlineKind::Enum, *name, span, head(span.end));
                for variant in variants {
                    let last = variant.fields.last().map(|f| f.ty.as_ref().map_or(f.name.span, |t| t.span));
                    let whole = last.map_or(variant.name.span, |l| variant.name.span.to(l));
                    let mut child = self.one(OutlineKind::Variant, variant.name, whole, whole);
                    if last.is_some() {
                        child.signature.push(')');
                    }
                    one.children.push(child);
                }
                one
            }
            DeclKind::Struct { name, fields, .. } => {
                let mut one = self.one(OutlineKind::Struct, *name, span, head(span.end));
                for field in fields {
                    let whole = field.ty.as_ref().map_or(field.name.span, |t| field.name.span.to(t.span));
                    one.children.push(self.one(OutlineKind::Field, field.name, whole, whole));
                }
                one
            }
            DeclKind::Interface(i) => {
                let mut one = self.one(OutlineKind::Interface, i.name, span, head(span.end));
                for method in &i.methods {
                    let end = method.result.as_ref().map_or_else(
                        || method.params.last().map_or(method.name.span.end, |p| p.name.span.end),
                        |r| r.span.end,
                    );
                    let whole = Span::new(method.name.span.start, end);
                    one.children.push(self.one(OutlineKind::Method, method.name, whole, whole));
                }
                one
            }
            DeclKind::Impl { target, methods } => {
                let mut one = self.one(OutlineKind::Impl, *target, span, head(target.span.end));
                one.name = one.signature.as_str().into();
                for method in methods {
                    let f = &method.function;
                    let whole = Span::new(f.name.span.start, f.body.span.end);
                    let head = Span::new(f.name.span.start, f.body.span.start);
                    let mut child = self.one(OutlineKind::Method, f.name, whole, head);
                    child.signature = format!("fn {}", child.signature);
                    child.doc = method.doc.clone();
                    one.children.push(child);
                }
                one
            }
        };
        one.doc = decl.doc.clone();
        Some(one)
    }

    /// The end of what precedes the first `{`.
    fn before_brace(&self, span: Span) -> u32 {
        let brace = self.source.slice(span).find('{').unwrap_or(0);
        span.start + brace as u32
    }
}
