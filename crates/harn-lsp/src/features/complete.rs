//! What may be typed next: members after a dot, fields in a struct literal, exports in an import, else every name in
//! sight, builtins and keywords.

use crate::features::hover::Declarations;
use crate::patch;
use crate::server::Refused;
use crate::workspace::{Analysis, Workspace};
use harn_builtins::Visibility;
use harn_syntax::ast::DeclKind;
use harn_syntax::{Parsed, Source, Span, TokenKind};
use harn_types::graph::{ItemKind, ItemRef, ModuleGraph, declared};
use harn_types::index::{LocalKind, Member, MemberKind, Place, members_at};
use lsp_types::*;
use std::collections::BTreeSet;

/// `textDocument/completion`.
pub fn complete(
    workspace: &mut Workspace,
    params: CompletionParams,
) -> Result<Option<CompletionList>, Refused> {
    let at = params.text_document_position;
    let path = workspace.path(&at.text_document.uri);
    let Some(document) = workspace.document(&path) else { return Ok(None) };
    let lines = crate::text::LineIndex::new(&document.text);
    let offset = lines.offset(&document.text, at.position, workspace.encoding);
    Ok(complete_at(workspace, path, offset))
}

/// What may be typed at a byte offset of an open document.
pub fn complete_at(workspace: &mut Workspace, path: String, offset: u32) -> Option<CompletionList> {
    let text = workspace.document(&path)?.text.clone();
    let (source, parsed) = workspace.parsed(&path)?;
    let cx = Cx { path, offset, word: word_before(&text, offset), source, parsed };
    let items = cx.items(workspace)?;
    // While a name is typed the list is filtered here; the editor asks again for the next character.
    Some(CompletionList { is_incomplete: !cx.word.is_empty(), items })
}

/// The span of the identifier that ends at `offset`.
fn word_before(text: &str, offset: u32) -> Span {
    let before = text.get(..offset as usize).unwrap_or("");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start = before.trim_end_matches(is_word).len();
    Span::new(start as u32, offset)
}

struct Cx {
    path: String,
    offset: u32,
    word: Span,
    source: Source,
    parsed: std::sync::Arc<Parsed>,
}

impl Cx {
    fn items(&self, workspace: &mut Workspace) -> Option<Vec<CompletionItem>> {
        if let Some(kind) = patch::in_text(&self.parsed, self.offset) {
            let path = matches!(kind, TokenKind::Str) && self.in_import_path();
            return path.then(|| self.import_paths(workspace));
        }
        if self.after_dot() {
            return Some(self.members(workspace));
        }
        if let Some(names) = self.imported_names(workspace) {
            return Some(names);
        }
        let analysis = workspace.analysis(&self.path)?;
        let mut items = self.struct_fields(&analysis).unwrap_or_default();
        self.names(&analysis, &mut items);
        Some(items)
    }

    /// Whether the word may be the beginning of `name`.
    fn fits(&self, name: &str) -> bool {
        let word = self.source.slice(self.word);
        let mut rest = name.chars().map(|c| c.to_ascii_lowercase());
        word.chars().map(|c| c.to_ascii_lowercase()).all(|c| rest.any(|r| r == c))
    }

    /// The index of the token before the word.
    fn previous(&self) -> Option<(usize, TokenKind, Span)> {
        let index = self.parsed.tokens.partition_point(|t| t.span.start < self.word.start);
        patch::before(&self.parsed, index)
    }

    fn after_dot(&self) -> bool {
        matches!(self.previous(), Some((_, TokenKind::Dot | TokenKind::QuestionDot, _)))
    }

    fn members(&self, workspace: &mut Workspace) -> Vec<CompletionItem> {
        let text = self.source.text();
        // A name of our own takes the word's place: half a word may be a keyword.
        let bare = format!(
            "{}{}",
            text.get(..self.word.start as usize).unwrap_or(""),
            text.get(self.word.end as usize..).unwrap_or("")
        );
        let graph = patch::graph(workspace, &self.path, &bare, self.word.start, patch::MEMBER);
        let name = Span::new(self.word.start, self.word.start + patch::MEMBER.len() as u32);
        let members = graph.and_then(|g| members_at(&g, g.entry, name)).unwrap_or_default();
        let known = !members.is_empty();
        let members = if known { members } else { all_methods() };
        let mut items: Vec<CompletionItem> =
            members.iter().filter(|m| self.fits(&m.name)).map(member_item).collect();
        for (i, item) in items.iter_mut().enumerate() {
            // Fields before methods, in the order of their declaration.
            item.sort_text = Some(format!("{i:04}"));
        }
        items
    }

    /// Names inside the braces of `import { ... } from "path"`.
    fn imported_names(&self, workspace: &mut Workspace) -> Option<Vec<CompletionItem>> {
        let open = patch::open_bracket(&self.parsed, self.word.start, &[TokenKind::LBrace])?;
        let (_, kind, _) = patch::before(&self.parsed, open)?;
        if kind != TokenKind::Import {
            return None;
        }
        let later = self.parsed.tokens.get(open..)?;
        let from = later.iter().position(|t| t.kind == TokenKind::From)?;
        let path = later.get(from..)?.iter().find(|t| t.kind == TokenKind::Str)?;
        let listed = self.source.slice(path.span).trim_matches('"').to_owned();
        // The statement may not parse yet: an import of everything resolves the path.
        let probe = format!("import \"{listed}\"\n");
        let graph = workspace.graph_with(&self.path, probe);
        let target = graph.module(graph.entry)?.imports.first()?.target?;
        let exports = graph.module(target)?.exports.clone();
        let items = exports.iter().filter(|(name, _)| self.fits(name));
        let mut known = Declarations::default();
        Some(items.map(|(name, item)| item_completion(&graph, &mut known, name, *item)).collect())
    }

    fn in_import_path(&self) -> bool {
        let index = self.parsed.tokens.partition_point(|t| t.span.end < self.offset);
        matches!(patch::before(&self.parsed, index), Some((_, TokenKind::Import | TokenKind::From, _)))
    }

    /// Programs of the workspace and library modules, as an import would name them.
    fn import_paths(&self, workspace: &mut Workspace) -> Vec<CompletionItem> {
        let here = self.path.rsplit_once('/').map_or("", |p| p.0);
        let own = self.path.clone();
        let mut paths: BTreeSet<String> =
            workspace.programs().iter().filter(|p| **p != own).filter_map(|p| relative(here, p)).collect();
        paths.extend(workspace.library().into_iter().map(|m| format!("std/{m}")));
        let quoted = self.parsed.tokens.get(self.parsed.tokens.partition_point(|t| t.span.end < self.offset));
        let inner =
            quoted.map(|t| Span::new(t.span.start + 1, t.span.end.saturating_sub(1).max(t.span.start + 1)));
        let text = self.source.text();
        let lines = crate::text::LineIndex::new(text);
        paths
            .into_iter()
            .map(|path| CompletionItem {
                kind: Some(CompletionItemKind::FILE),
                text_edit: inner.map(|span| {
                    let range = lines.range(text, span, workspace.encoding);
                    CompletionTextEdit::Edit(TextEdit { range, new_text: path.clone() })
                }),
                label: path,
                ..CompletionItem::default()
            })
            .collect()
    }

    /// The fields that a struct literal around the word lacks.
    fn struct_fields(&self, analysis: &Analysis) -> Option<Vec<CompletionItem>> {
        let open = patch::open_bracket(&self.parsed, self.word.start, &[TokenKind::LBrace])?;
        let (_, kind, name) = patch::before(&self.parsed, open)?;
        let starts_entry = matches!(self.previous()?.1, TokenKind::LBrace | TokenKind::Comma);
        if kind != TokenKind::Ident || !starts_entry {
            return None;
        }
        let item = analysis.entry()?.resolve(self.source.slice(name))?;
        let DeclKind::Struct { fields, .. } = &analysis.graph.decl(item)?.kind else { return None };
        let home = analysis.graph.module(item.module)?;
        let given: Vec<&str> = self
            .parsed
            .tokens
            .get(open..)?
            .windows(2)
            .take_while(|w| w.first().is_none_or(|t| t.kind != TokenKind::RBrace))
            .filter_map(|w| match w {
                [name, colon] if colon.kind == TokenKind::Colon => Some(self.source.slice(name.span)),
                _ => None,
            })
            .collect();
        let fields = fields.iter().filter_map(|f| {
            let name = home.ast().names.text(f.name.name);
            let missing = !given.contains(&name) && self.fits(name);
            missing.then(|| CompletionItem {
                label: name.to_owned(),
                kind: Some(CompletionItemKind::FIELD),
                detail: f.ty.as_ref().map(|t| home.source.slice(t.span).to_owned()),
                insert_text: Some(format!("{name}: ")),
                sort_text: Some(format!("0{name}")),
                ..CompletionItem::default()
            })
        });
        Some(fields.collect())
    }

    fn names(&self, analysis: &Analysis, items: &mut Vec<CompletionItem>) {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut known = Declarations::default();
        let mut add = |item: CompletionItem, rank: u8, items: &mut Vec<CompletionItem>| {
            if self.fits(&item.label) && seen.insert(item.label.clone()) {
                let sort_text = Some(format!("{rank}{}", item.label));
                items.push(CompletionItem { sort_text, ..item });
            }
        };
        for local in analysis.index.visible_at(self.word.start) {
            if !self.fits(&local.name) {
                continue;
            }
            if local.kind != LocalKind::Function && local.span != self.word {
                let item = CompletionItem {
                    label: local.name.to_string(),
                    kind: Some(CompletionItemKind::VARIABLE),
                    detail: local.ty.as_ref().map(|t| t.to_string()),
                    ..CompletionItem::default()
                };
                add(item, 1, items);
            } else if local.kind == LocalKind::Function {
                let place = Place { module: analysis.graph.entry, name: local.span };
                let detail = known.at(&analysis.graph, place).map(|d| d.signature.clone());
                let item = CompletionItem {
                    label: local.name.to_string(),
                    kind: Some(CompletionItemKind::FUNCTION),
                    detail,
                    ..CompletionItem::default()
                };
                add(item, 2, items);
            }
        }
        if let Some(entry) = analysis.entry() {
            let imported = entry.imported.iter().map(|(name, i)| (name, i.item));
            for (name, item) in entry.items.iter().map(|(n, i)| (n, *i)).chain(imported) {
                if self.fits(name) {
                    add(item_completion(&analysis.graph, &mut known, name, item), 2, items);
                }
            }
        }
        let mut spaces: BTreeSet<&str> = BTreeSet::new();
        for row in harn_builtins::builtins().iter().filter(|r| r.visibility == Visibility::Public) {
            if let Some((space, _)) = row.name.split_once('.') {
                spaces.insert(space);
                continue;
            }
            if self.fits(row.name) {
                add(function_item(row.name, row.signature, row.doc, CompletionItemKind::FUNCTION), 3, items);
            }
        }
        for space in spaces {
            let item = CompletionItem {
                label: space.to_owned(),
                kind: Some(CompletionItemKind::MODULE),
                ..CompletionItem::default()
            };
            add(item, 3, items);
        }
        for ty in TYPES {
            let kind = Some(CompletionItemKind::CLASS);
            add(CompletionItem { label: (*ty).to_owned(), kind, ..CompletionItem::default() }, 4, items);
        }
        for (_, word) in TokenKind::KEYWORDS {
            let kind = Some(CompletionItemKind::KEYWORD);
            add(CompletionItem { label: (*word).to_owned(), kind, ..CompletionItem::default() }, 4, items);
        }
    }
}

/// The names of built-in types that are no builtins as well.
const TYPES: &[&str] =
    &["int", "float", "string", "bool", "bytes", "duration", "list", "dict", "any", "unknown", "never"];

/// The methods of every built-in type, each name once.
fn all_methods() -> Vec<Member> {
    let mut seen = BTreeSet::new();
    let fresh = harn_builtins::methods().iter().filter(|m| seen.insert(m.name));
    fresh
        .map(|m| Member {
            name: m.name.into(),
            kind: MemberKind::Method,
            detail: m.signature.to_owned(),
            doc: m.doc,
            optional: false,
        })
        .collect()
}

fn member_item(member: &Member) -> CompletionItem {
    match member.kind {
        MemberKind::Method => {
            function_item(&member.name, &member.detail, member.doc, CompletionItemKind::METHOD)
        }
        MemberKind::Field | MemberKind::Variant => CompletionItem {
            label: member.name.to_string(),
            kind: Some(match member.kind {
                MemberKind::Variant => CompletionItemKind::ENUM_MEMBER,
                _ => CompletionItemKind::FIELD,
            }),
            detail: (!member.detail.is_empty()).then(|| {
                if member.optional { format!("{} (optional)", member.detail) } else { member.detail.clone() }
            }),
            ..CompletionItem::default()
        },
    }
}

fn function_item(name: &str, signature: &str, doc: &str, kind: CompletionItemKind) -> CompletionItem {
    CompletionItem {
        label: name.to_owned(),
        kind: Some(kind),
        detail: Some(signature.to_owned()),
        documentation: (!doc.is_empty()).then(|| Documentation::String(doc.to_owned())),
        ..CompletionItem::default()
    }
}

fn item_completion(
    graph: &ModuleGraph,
    known: &mut Declarations,
    name: &str,
    item: ItemRef,
) -> CompletionItem {
    let place = graph
        .decl(item)
        .and_then(|d| declared(&d.kind))
        .map(|(n, _)| Place { module: item.module, name: n.span });
    let found = place.and_then(|p| known.at(graph, p));
    CompletionItem {
        label: name.to_owned(),
        kind: Some(match item.kind {
            ItemKind::Struct => CompletionItemKind::STRUCT,
            ItemKind::Enum => CompletionItemKind::ENUM,
            ItemKind::TypeAlias => CompletionItemKind::CLASS,
            ItemKind::Interface => CompletionItemKind::INTERFACE,
            _ => CompletionItemKind::FUNCTION,
        }),
        detail: found.map(|d| d.signature.clone()),
        documentation: found.and_then(|d| d.doc.as_ref()).map(|doc| {
            let value = super::hover::doc_text(doc);
            Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
        }),
        ..CompletionItem::default()
    }
}

/// `path` as a file in the directory `here` would import it: without the suffix, with `../` where needed.
fn relative(here: &str, path: &str) -> Option<String> {
    let path = path.strip_suffix(".harn")?;
    let from: Vec<&str> = here.split('/').collect();
    let to: Vec<&str> = path.split('/').collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.len() - common;
    if up > 4 {
        return None;
    }
    let rest = to.get(common..)?.join("/");
    Some(if up == 0 { rest } else { format!("{}{rest}", "../".repeat(up)) })
}
