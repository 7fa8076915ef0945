//! What a name is: its declaration or signature, its type here, its documentation.

use super::located;
use crate::server::Refused;
use crate::workspace::{Analysis, Workspace};
use harn_syntax::Span;
use harn_types::graph::{Module, ModuleGraph, ModuleIndex};
use harn_types::index::{LocalKind, Occurrence, Outline, OutlineKind, Place, Target, outline};
use lsp_types::{Hover, HoverContents, HoverParams, MarkupContent, MarkupKind};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// `textDocument/hover`.
pub fn hover(workspace: &mut Workspace, params: HoverParams) -> Result<Option<Hover>, Refused> {
    let at = params.text_document_position_params;
    let Some((_, analysis, offset)) = located(workspace, &at) else { return Ok(None) };
    let Some(occurrence) = analysis.index.at(offset) else { return Ok(None) };
    let Some(value) = describe(&analysis, occurrence) else { return Ok(None) };
    Ok(Some(Hover {
        contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value }),
        range: Some(workspace.range(&analysis, occurrence.span)),
    }))
}

fn describe(analysis: &Analysis, occurrence: &Occurrence) -> Option<String> {
    let graph = &analysis.graph;
    match &occurrence.target {
        Target::Place(place) => match declaration(graph, *place) {
            Some((found, parent)) => {
                let mut head = code(&found.signature);
                if let Some(parent) = parent {
                    head.push_str(&format!("\n\n{} of `{}`", word(found.kind), parent));
                }
                Some(with_doc(head, found.doc.as_deref().map(doc_text)))
            }
            None => local(analysis, place.name, occurrence),
        },
        Target::Builtin(name) => {
            let row = harn_builtins::lookup(name).and_then(harn_builtins::row);
            let Some(row) = row else { return Some(code(&format!("fn {name}"))) };
            Some(builtin(row.name, row.signature, row.doc, row.example))
        }
        Target::Method { on, name } => {
            let row = harn_builtins::method(on, name)?;
            Some(builtin(&format!("{on}.{name}"), row.signature, row.doc, row.example))
        }
        Target::Namespace(name) => Some(code(&format!("namespace {name}"))),
        Target::Key => {
            let name = analysis.entry()?.source.slice(occurrence.span);
            let ty = occurrence.ty.as_ref().map_or(String::new(), |t| format!(": {t}"));
            Some(code(&format!("{name}{ty}")))
        }
        Target::Module(module) => {
            let module = graph.module(*module)?;
            let names: Vec<&str> = module.exports.keys().map(|k| &**k).collect();
            Some(format!("{}\n\nexports {}", code(module.source.path()), names.join(", ")))
        }
    }
}

/// A variable: how it is declared, and its type where it is looked at.
fn local(analysis: &Analysis, name: Span, occurrence: &Occurrence) -> Option<String> {
    let local = analysis.index.locals.iter().find(|l| l.span == name);
    let Some(local) = local else {
        let text = analysis.entry()?.source.slice(occurrence.span);
        return Some(code(text));
    };
    let keyword = match local.kind {
        LocalKind::Let => "let ",
        LocalKind::Var => "var ",
        LocalKind::Param => "(parameter) ",
        LocalKind::Bound => "(variable) ",
        LocalKind::Function => "fn ",
    };
    let ty = occurrence.ty.as_ref().or(local.ty.as_ref());
    let ty = ty.map_or(String::new(), |t| format!(": {t}"));
    Some(code(&format!("{keyword}{}{ty}", local.name)))
}

fn builtin(name: &str, signature: &str, doc: &str, example: &str) -> String {
    let signature = signature.strip_prefix("fn").unwrap_or(signature);
    let mut text = with_doc(code(&format!("fn {name}{signature}")), Some(doc.to_owned()));
    if !example.is_empty() {
        text.push_str(&format!("\n\n{}", code(example)));
    }
    text
}

/// The declaration whose name stands at `place`, and the name of the declaration around it.
pub fn declaration(graph: &ModuleGraph, place: Place) -> Option<(Outline, Option<String>)> {
    let module: &Module = graph.module(place.module)?;
    let all = outline(&module.source, module.ast());
    fn find(list: Vec<Outline>, name: Span, parent: Option<&str>) -> Option<(Outline, Option<String>)> {
        for mut one in list {
            if one.name_span == name && one.kind != OutlineKind::Impl {
                return Some((one, parent.map(str::to_owned)));
            }
            let children = std::mem::take(&mut one.children);
            if let Some(found) = find(children, name, Some(&one.name)) {
                return Some(found);
            }
        }
        None
    }
    find(all, place.name, None)
}

/// The declarations of a program by their names' places: for those who ask for many.
#[derive(Default)]
pub struct Declarations {
    modules: HashMap<ModuleIndex, HashMap<Span, Outline>>,
}

impl Declarations {
    /// The declaration whose name stands at `place`. A module is walked at the first question about it.
    pub fn at(&mut self, graph: &ModuleGraph, place: Place) -> Option<&Outline> {
        let known = match self.modules.entry(place.module) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(gap) => {
                let module = graph.module(place.module)?;
                let mut waiting = outline(&module.source, module.ast());
                let mut found = HashMap::new();
                while let Some(mut one) = waiting.pop() {
                    waiting.append(&mut one.children);
                    if one.kind != OutlineKind::Impl {
                        found.insert(one.name_span, one);
                    }
                }
                gap.insert(found)
            }
        };
        known.get(&place.name)
    }
}

fn word(kind: OutlineKind) -> &'static str {
    match kind {
        OutlineKind::Field => "field",
        OutlineKind::Variant => "variant",
        OutlineKind::Method => "method",
        _ => "part",
    }
}

/// A fenced block of Harn.
pub fn code(text: &str) -> String {
    format!("```harn\n{text}\n```")
}

fn with_doc(head: String, doc: Option<String>) -> String {
    match doc {
        Some(doc) if !doc.trim().is_empty() => format!("{head}\n\n{}", doc.trim()),
        _ => head,
    }
}

/// Documentation without the signs of its comment.
pub fn doc_text(doc: &str) -> String {
    let bare = doc.trim().trim_start_matches("/**").trim_end_matches("*/");
    let line = |l: &str| {
        let l = l.trim();
        let l = l.strip_prefix("///").or_else(|| l.strip_prefix("* ")).unwrap_or(l);
        if l == "*" { String::new() } else { l.trim_start().to_owned() }
    };
    bare.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}
