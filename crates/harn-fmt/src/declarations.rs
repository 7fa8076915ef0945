//! Declarations (spec 01 section 9).

use crate::layout::Layout;
use crate::lines::Entry;
use crate::{Formatter, literals};
use harn_syntax::ast::{
    AttrValue, Attribute, Decl, DeclKind, EvalPack, FnDecl, ImplMethod, Interface, ToolDecl,
};
use harn_syntax::{Span, TokenKind};

fn text(text: impl Into<String>) -> Layout {
    Layout::text(text)
}

impl Formatter<'_> {
    /// A declaration with its attributes, which stands at `span`.
    pub fn declaration(&self, decl: &Decl, span: Span) -> Layout {
        let public = if decl.public { "pub " } else { "" };
        let kind = match &decl.kind {
            DeclKind::Pipeline(pipeline) => {
                let params =
                    self.bare_params(&pipeline.params, pipeline.name.span.end, pipeline.body.span.start);
                let parent = pipeline
                    .parent
                    .map_or(String::new(), |parent| format!(" extends {}", self.name(&parent)));
                Layout::concat([
                    text(format!("pipeline {}", self.name(&pipeline.name))),
                    params,
                    text(format!("{}{parent} ", self.result(pipeline.result.as_ref()))),
                    self.block(&pipeline.body),
                ])
            }
            DeclKind::Override { name, params, body } => Layout::concat([
                text(format!("override {}", self.name(name))),
                self.bare_params(params, name.span.end, body.span.start),
                text(" "),
                self.block(body),
            ]),
            DeclKind::Fn(function) => self.function(function),
            DeclKind::Tool(tool) => self.tool(tool),
            DeclKind::Skill { name, fields } => {
                let entries = fields.iter().map(|(field, value)| Entry {
                    start: field.span.start,
                    end: value.span.end,
                    layout: Layout::concat([text(format!("{} ", self.name(field))), self.expr(value)]),
                });
                self.body(format!("skill {} ", self.name(name)), name.span.end, span, entries.collect())
            }
            DeclKind::EvalPack(pack) => self.eval_pack(pack, span),
            DeclKind::TypeAlias { name, type_params, ty } => {
                text(format!("type {}{} = {}", self.name(name), self.type_params(type_params), self.ty(ty)))
            }
            DeclKind::Enum { name, type_params, variants } => {
                let mut entries = Vec::new();
                for (index, variant) in variants.iter().enumerate() {
                    let next = variants.get(index + 1).map_or(span.end, |next| next.name.span.start);
                    let head = text(self.name(&variant.name));
                    let last = variant.fields.last();
                    let end = match last {
                        Some(last) => {
                            let ty = last.ty.as_ref().map(|ty| ty.span.end);
                            let default = last.default.as_ref().map(|default| default.span.end);
                            self.token_of(
                                TokenKind::RParen,
                                default.or(ty).unwrap_or(last.name.span.end),
                                next,
                            )
                        }
                        None => variant.name.span.end,
                    };
                    let fields = match last {
                        Some(_) => self.params(&variant.fields, variant.name.span.end, end.saturating_sub(1)),
                        None => Layout::empty(),
                    };
                    let layout = Layout::concat([head, fields, text(",")]);
                    entries.push(Entry { start: variant.name.span.start, end, layout });
                }
                let head = format!("enum {}{} ", self.name(name), self.type_params(type_params));
                self.body(
                    head,
                    type_params.last().map_or(name.span.end, |last| last.name.span.end),
                    span,
                    entries,
                )
            }
            DeclKind::Struct { name, type_params, fields } => {
                let entries = fields.iter().map(|field| {
                    let mark = if field.optional { "?" } else { "" };
                    let ty = field.ty.as_ref().map_or(String::new(), |ty| format!(": {}", self.ty(ty)));
                    Entry {
                        start: field.name.span.start,
                        end: field.ty.as_ref().map_or(field.name.span.end, |ty| ty.span.end),
                        layout: text(format!("{}{mark}{ty},", self.name(&field.name))),
                    }
                });
                let head = format!("struct {}{} ", self.name(name), self.type_params(type_params));
                let from = type_params.last().map_or(name.span.end, |last| last.name.span.end);
                self.body(head, from, span, entries.collect())
            }
            DeclKind::Interface(interface) => self.interface(interface, span),
            DeclKind::Impl { target, methods } => {
                let mut entries = Vec::new();
                let mut from = self.token_of(TokenKind::LBrace, target.span.end, span.end);
                for method in methods {
                    let start = self.token_from(from).start;
                    from = method.function.body.span.end;
                    entries.push(Entry { start, end: from, layout: self.method(method) });
                }
                self.body(format!("impl {} ", self.name(target)), target.span.end, span, entries)
            }
        };
        let declared = Layout::concat([text(public), kind]);
        self.attributed(&decl.attributes, span.start, declared)
    }

    /// Attributes, one a line, with the comments between them and the declaration.
    fn attributed(&self, attributes: &[Attribute], start: u32, declared: Layout) -> Layout {
        let mut parts = Vec::new();
        let mut from = start;
        for attribute in attributes {
            for chunk in self.comment_chunks(self.comments.take(from, attribute.span.start), false) {
                parts.extend([chunk.layout, Layout::hard_line()]);
            }
            parts.extend([text(self.attribute(attribute)), Layout::hard_line()]);
            from = attribute.span.end;
        }
        if !attributes.is_empty() {
            let keyword = self.token_from(from).start;
            for chunk in self.comment_chunks(self.comments.take(from, keyword), false) {
                parts.extend([chunk.layout, Layout::hard_line()]);
            }
        }
        parts.push(declared);
        Layout::concat(parts)
    }

    fn attribute(&self, attribute: &Attribute) -> String {
        let args = attribute.args.iter().map(|(name, value)| match name {
            Some(name) => format!("{}: {}", self.name(name), self.attr_value(value)),
            None => self.attr_value(value),
        });
        let args: Vec<String> = args.collect();
        let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
        format!("@{}{args}", self.name(&attribute.name))
    }

    fn attr_value(&self, value: &AttrValue) -> String {
        match value {
            AttrValue::Str(value) => literals::quoted(value),
            AttrValue::Int(value) => value.to_string(),
            AttrValue::Float(value) => literals::float(*value),
            AttrValue::Bool(value) => value.to_string(),
            AttrValue::Nil => "nil".to_string(),
            AttrValue::Name(name) => self.parsed.ast.names.text(*name).to_string(),
            AttrValue::List(values) => {
                let values: Vec<String> = values.iter().map(|value| self.attr_value(value)).collect();
                format!("[{}]", values.join(", "))
            }
        }
    }

    fn function(&self, function: &FnDecl) -> Layout {
        let gen_word = if function.is_gen { "gen " } else { "" };
        let types = self.type_params(&function.type_params);
        let bounds: Vec<String> = function
            .bounds
            .iter()
            .map(|(name, bound)| format!("{}: {}", self.name(name), self.name(bound)))
            .collect();
        let bounds = if bounds.is_empty() { String::new() } else { format!(" where {}", bounds.join(", ")) };
        let from = function.type_params.last().map_or(function.name.span.end, |last| last.name.span.end);
        Layout::concat([
            text(format!("{gen_word}fn {}{types}", self.name(&function.name))),
            self.params(&function.params, from, function.body.span.start),
            text(format!("{}{bounds} ", self.result(function.result.as_ref()))),
            self.block(&function.body),
        ])
    }

    fn tool(&self, tool: &ToolDecl) -> Layout {
        let mut first = Vec::new();
        if tool.description.is_some() {
            let word = self.token_from(tool.body.span.start + 1);
            let value = self.token_from(word.end);
            first.push(Entry {
                start: word.start,
                end: value.end,
                layout: text(format!("description {}", self.string(value))),
            });
        }
        Layout::concat([
            text(format!("tool {}", self.name(&tool.name))),
            self.params(&tool.params, tool.name.span.end, tool.body.span.start),
            text(format!("{} ", self.result(tool.result.as_ref()))),
            self.block_with(&tool.body, first),
        ])
    }

    fn eval_pack(&self, pack: &EvalPack, span: Span) -> Layout {
        let binding = pack.binding;
        let first = self.source.slice(binding.span);
        let mut head = "eval_pack ".to_string();
        let mut from = binding.span.end;
        if first.starts_with('"') {
            head.push_str(&self.string(binding.span));
        } else {
            head.push_str(first);
            if pack.id.is_some() {
                let id = self.token_from(binding.span.end);
                head.push(' ');
                head.push_str(&self.string(id));
                from = id.end;
            }
        }
        head.push(' ');
        let mut entries: Vec<Entry> = Vec::new();
        for (field, value) in &pack.fields {
            let layout = Layout::concat([text(format!("{}: ", self.name(field))), self.expr(value)]);
            entries.push(Entry { start: field.span.start, end: value.span.end, layout });
        }
        entries.extend(self.statements(&pack.body));
        if let Some(body) = &pack.summarize {
            let layout = Layout::concat([text("summarize "), self.block(body)]);
            // The word stands right before its block.
            let start = self.source.text().get(..body.span.start as usize).and_then(|t| t.rfind("summarize"));
            entries.push(Entry {
                start: start.map_or(body.span.start, |start| start as u32),
                end: body.span.end,
                layout,
            });
        }
        entries.sort_by_key(|entry| entry.start);
        self.body(head, from, span, entries)
    }

    fn interface(&self, interface: &Interface, span: Span) -> Layout {
        let mut entries: Vec<Entry> = Vec::new();
        // A member ends where the next begins or the body ends: only its own tokens matter for comments.
        for (name, ty) in &interface.assoc_types {
            let value = ty.as_ref().map_or(String::new(), |ty| format!(" = {}", self.ty(ty)));
            entries.push(Entry {
                start: name.span.start.saturating_sub(1),
                end: ty.as_ref().map_or(name.span.end, |ty| ty.span.end),
                layout: text(format!("type {}{value}", self.name(name))),
            });
        }
        for method in &interface.methods {
            let last = method.params.last();
            let params_end = last.map_or(method.name.span.end, |last| {
                let ty = last.ty.as_ref().map(|ty| ty.span.end);
                last.default.as_ref().map(|default| default.span.end).or(ty).unwrap_or(last.name.span.end)
            });
            let close = self.token_of(TokenKind::RParen, params_end, span.end);
            let types = self.type_params(&method.type_params);
            let from = method.type_params.last().map_or(method.name.span.end, |last| last.name.span.end);
            entries.push(Entry {
                start: method.name.span.start.saturating_sub(1),
                end: method.result.as_ref().map_or(close, |ty| ty.span.end),
                layout: Layout::concat([
                    text(format!("fn {}{types}", self.name(&method.name))),
                    self.params(&method.params, from, close.saturating_sub(1)),
                    text(self.result(method.result.as_ref())),
                ]),
            });
        }
        entries.sort_by_key(|entry| entry.start);
        let head =
            format!("interface {}{} ", self.name(&interface.name), self.type_params(&interface.type_params));
        let from = interface.type_params.last().map_or(interface.name.span.end, |last| last.name.span.end);
        self.body(head, from, span, entries)
    }

    fn method(&self, method: &ImplMethod) -> Layout {
        let public = if method.public { "pub " } else { "" };
        let declared = Layout::concat([text(public), self.function(&method.function)]);
        let start = method.attributes.first().map_or(0, |first| first.span.start);
        self.attributed(&method.attributes, start, declared)
    }

    /// A header and a body of lines; the brace of the body is the first behind `from`.
    fn body(&self, head: String, from: u32, span: Span, entries: Vec<Entry>) -> Layout {
        let open = self.token_of(TokenKind::LBrace, from, span.end);
        let lines = self.lines(open, span.end.saturating_sub(1), entries);
        Layout::concat([text(head), self.braced(lines)])
    }

    /// Where the first token of a kind in `from..end` ends; `from` when there is none.
    fn token_of(&self, kind: TokenKind, from: u32, end: u32) -> u32 {
        self.tokens_in(Span::new(from, end))
            .find(|(found, _)| *found == kind)
            .map_or(from, |(_, span)| span.end)
    }
}
