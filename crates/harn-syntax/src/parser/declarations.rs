//! Declarations (spec 01 section 5.1).

use super::types::is_name;
use super::{Parse, Parser};
use crate::ast::{Block, Expr};
use crate::ast::{
    Decl, DeclKind, EvalPack, Field, FnDecl, Ident, ImplMethod, Interface, MethodSig, Param, Pipeline, Stmt,
    StmtKind, ToolDecl, Variant,
};
use crate::codes;
use crate::source::Span;
use crate::token::TokenKind;
use std::sync::Arc;

impl Parser<'_> {
    /// Whether a declaration (other than a pipeline) or an attribute begins here.
    pub(super) fn begins_declaration(&self) -> bool {
        use TokenKind::*;
        match self.kind() {
            At | Pub | Override | Tool | Skill | EvalPack | Type | Enum | Struct | Interface | Impl => true,
            Fn => self.peek(1).kind != LParen,
            Ident => self.at_gen_fn(),
            _ => false,
        }
    }

    fn at_gen_fn(&self) -> bool {
        self.peek(1).kind == TokenKind::Fn && self.at_word("gen")
    }

    /// A declaration with its attributes and `pub`.
    pub(super) fn declaration(&mut self) -> Parse<StmtKind> {
        let attributes = self.attributes()?;
        let doc = self.doc_above();
        if !attributes.is_empty() && !self.begins_declaration() && !self.at(TokenKind::Pipeline)
            || !attributes.is_empty() && self.at(TokenKind::Override)
        {
            if self.at(TokenKind::Eof) {
                return Err(self.expected("declaration after attribute"));
            }
            return Err(self.expected_found(
                "fn/tool/skill/eval_pack/pipeline/struct/enum/type/interface/impl declaration after `@attr`",
                "non-declaration statement",
                codes::MISPLACED_ATTRIBUTE,
            ));
        }
        let public = self.eat_any_line(TokenKind::Pub);
        if public && (!self.begins_declaration() && !self.at(TokenKind::Pipeline) || self.not_exportable()) {
            return Err(self.expected_as(
                "fn, tool, skill, eval_pack, struct, enum, pipeline, or import after pub",
                codes::PUB_NEEDS_DECLARATION,
            ));
        }
        let kind = self.decl_kind()?;
        self.grow()?;
        Ok(StmtKind::Decl(Box::new(Decl { attributes, public, kind, doc })))
    }

    fn not_exportable(&self) -> bool {
        matches!(self.kind(), TokenKind::At | TokenKind::Pub | TokenKind::Override | TokenKind::Impl)
    }

    fn decl_kind(&mut self) -> Parse<DeclKind> {
        match self.kind() {
            TokenKind::Pipeline => self.pipeline(),
            TokenKind::Override => self.override_decl(),
            TokenKind::Tool => self.tool(),
            TokenKind::Skill => self.skill(),
            TokenKind::EvalPack => self.eval_pack(),
            TokenKind::Type => self.type_alias(),
            TokenKind::Enum => self.enum_decl(),
            TokenKind::Struct => self.struct_decl(),
            TokenKind::Interface => self.interface(),
            TokenKind::Impl => self.impl_decl(),
            _ => self.fn_decl().map(DeclKind::Fn),
        }
    }

    /// The text of the `/** ... */` that ends on the line above the current one (spec 01 section 1.2).
    fn doc_above(&self) -> Option<Arc<str>> {
        let mut before = self.tokens.partition_point(|token| token.span.start < self.start());
        let mut newlines = 0;
        while let Some(token) = before.checked_sub(1).and_then(|index| self.tokens.get(index)) {
            before -= 1;
            match token.kind {
                TokenKind::Newline if newlines == 1 => return None,
                TokenKind::Newline => newlines = 1,
                TokenKind::Whitespace => {}
                TokenKind::DocBlock => return Some(doc_text(self.text(token.span)).into()),
                // Attributes on the line of the declaration itself.
                _ if newlines == 0 => {}
                _ => return None,
            }
        }
        None
    }

    fn bare_params(&mut self) -> Parse<Vec<Ident>> {
        self.expect(TokenKind::LParen)?;
        let params = self.list(TokenKind::RParen, is_name, |parser| parser.ident("parameter name"))?;
        self.expect(TokenKind::RParen)?;
        Ok(params)
    }

    fn pipeline(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("pipeline name")?;
        let params = self.bare_params()?;
        let result = self.result_type()?;
        let parent =
            if self.eat(TokenKind::Extends) { Some(self.ident("parent pipeline name")?) } else { None };
        let body = self.block()?;
        Ok(DeclKind::Pipeline(Pipeline { name, params, result, parent, body }))
    }

    fn override_decl(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("override name")?;
        let params = self.bare_params()?;
        Ok(DeclKind::Override { name, params, body: self.block()? })
    }

    /// `gen fn name ...` or `fn name ...`.
    fn fn_decl(&mut self) -> Parse<FnDecl> {
        let is_gen = self.at_gen_fn();
        if is_gen {
            self.bump();
        }
        self.expect(TokenKind::Fn)?;
        let name = self.ident("function name")?;
        let type_params = self.type_params()?;
        let params = self.paren_params()?;
        let result = self.result_type()?;
        let bounds = self.bounds()?;
        let body = self.block()?;
        Ok(FnDecl { name, is_gen, type_params, params, result, bounds, body })
    }

    fn paren_params(&mut self) -> Parse<Vec<Param>> {
        self.expect(TokenKind::LParen)?;
        let params = self.params(TokenKind::RParen)?;
        self.expect(TokenKind::RParen)?;
        Ok(params)
    }

    /// Parameters up to `close`, which is left for the caller.
    pub(super) fn params(&mut self, close: TokenKind) -> Parse<Vec<Param>> {
        let mut defaults = false;
        self.list(
            close,
            |kind| is_name(kind) || kind == TokenKind::Dot,
            |parser| {
                let rest = parser.eat_spread();
                let at = parser.current;
                let name = parser.ident("parameter name")?;
                let ty = parser.annotation()?;
                let default = parser.default_value()?;
                if rest {
                    let ends =
                        parser.at(close) || parser.at(TokenKind::Comma) && parser.peek(1).kind == close;
                    if !ends {
                        let what = "Rest parameter must be the last parameter";
                        return Err(parser.expected_as(what, codes::PARAMETER_ORDER));
                    }
                } else if default.is_none() && defaults {
                    parser.report_at(
                        at,
                        "Required parameter cannot follow a parameter with a default value",
                        codes::PARAMETER_ORDER,
                    );
                }
                defaults |= default.is_some();
                Ok(Param { name, ty, default, rest })
            },
        )
    }

    fn tool(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("tool name")?;
        let params = self.paren_params()?;
        let result = self.result_type()?;
        let start = self.expect(TokenKind::LBrace)?.span.start;
        let mut description = None;
        if self.at_word("description") && matches!(self.peek(1).kind, TokenKind::Str | TokenKind::RawStr) {
            self.bump();
            let at = self.pos;
            let text = self.text(self.current.span);
            description = Some(match self.bump().kind {
                TokenKind::RawStr => super::cursor::raw_value(text).into(),
                _ => self.string_value(text).as_ref().into(),
            });
            if self.separator("tool body item").is_err() {
                self.resume(at)?;
            }
        }
        let stmts = self.nested(|parser| parser.statements("statement"))?;
        self.close_block()?;
        let body = Block { stmts, span: Span::new(start, self.previous_end) };
        Ok(DeclKind::Tool(ToolDecl { name, params, result, description, body }))
    }

    fn skill(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("skill name")?;
        self.expect(TokenKind::LBrace)?;
        let mut fields: Vec<(Ident, Expr)> = Vec::new();
        while !self.at(TokenKind::RBrace) && !self.at(TokenKind::Eof) {
            let field = self.ident("skill field name")?;
            fields.push((field, self.expression()?));
            self.separator("skill field")?;
        }
        self.close_block()?;
        Ok(DeclKind::Skill { name, fields })
    }

    fn eval_pack(&mut self) -> Parse<DeclKind> {
        self.bump();
        let mut id = None;
        let binding = if self.at(TokenKind::Str) {
            let (text, span) = self.eval_pack_id();
            let name = self.names.intern(&binding_of(&text));
            id = Some(text);
            Ident { name, span }
        } else {
            let name = self.ident("eval_pack name or string id")?;
            if self.at_same_line(TokenKind::Str) {
                id = Some(self.eval_pack_id().0);
            }
            name
        };
        self.expect(TokenKind::LBrace)?;
        let mut pack = EvalPack { binding, id, fields: Vec::new(), body: Vec::new(), summarize: None };
        while !self.at(TokenKind::RBrace) && !self.at(TokenKind::Eof) {
            let at = self.pos;
            if self.eval_pack_item(&mut pack).is_err() {
                let start = self.start();
                self.resume(at)?;
                pack.body.push(Stmt {
                    kind: StmtKind::Error,
                    span: Span::new(start, self.previous_end.max(start)),
                });
            }
        }
        self.close_block()?;
        Ok(DeclKind::EvalPack(pack))
    }

    fn eval_pack_id(&mut self) -> (Arc<str>, Span) {
        let span = self.bump().span;
        (self.string_value(self.text(span)).as_ref().into(), span)
    }

    fn eval_pack_item(&mut self, pack: &mut EvalPack) -> Parse<()> {
        let next = self.peek(1).kind;
        if next == TokenKind::Colon && (self.at(TokenKind::Ident) || self.kind().is_keyword()) {
            let name = self.ident("eval_pack field name")?;
            self.bump();
            pack.fields.push((name, self.expression()?));
            return self.separator("eval_pack field");
        }
        if self.at_word("summarize") && next == TokenKind::LBrace {
            if pack.summarize.is_some() {
                return Err(self.expected_found(
                    "one summarize block",
                    "duplicate summarize block",
                    codes::DUPLICATE_SUMMARIZE,
                ));
            }
            self.bump();
            pack.summarize = Some(self.block()?);
            return self.separator("eval_pack item");
        }
        pack.body.push(self.statement()?);
        self.separator("eval_pack body statement")
    }

    fn type_alias(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("type name")?;
        let type_params = self.type_params()?;
        self.expect(TokenKind::Eq)?;
        Ok(DeclKind::TypeAlias { name, type_params, ty: self.type_expr()? })
    }

    fn enum_decl(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("enum name")?;
        let type_params = self.type_params()?;
        self.expect(TokenKind::LBrace)?;
        let variants = self.list(TokenKind::RBrace, is_name, |parser| {
            let name = parser.ident("variant name")?;
            let fields =
                if parser.at_same_line(TokenKind::LParen) { parser.paren_params()? } else { Vec::new() };
            Ok(Variant { name, fields })
        })?;
        self.expect(TokenKind::RBrace)?;
        Ok(DeclKind::Enum { name, type_params, variants })
    }

    fn struct_decl(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("struct name")?;
        let type_params = self.type_params()?;
        self.expect(TokenKind::LBrace)?;
        let fields = self.list(TokenKind::RBrace, is_name, |parser| {
            let name = parser.ident("field name")?;
            let optional = parser.eat(TokenKind::Question);
            Ok(Field { name, optional, ty: parser.annotation()? })
        })?;
        self.expect(TokenKind::RBrace)?;
        Ok(DeclKind::Struct { name, type_params, fields })
    }

    fn interface(&mut self) -> Parse<DeclKind> {
        self.bump();
        let name = self.ident("interface name")?;
        let type_params = self.type_params()?;
        self.expect(TokenKind::LBrace)?;
        let mut interface = Interface { name, type_params, assoc_types: Vec::new(), methods: Vec::new() };
        loop {
            match self.kind() {
                TokenKind::Type => {
                    self.bump();
                    let name = self.ident("associated type name")?;
                    let ty = if self.eat(TokenKind::Eq) { Some(self.type_expr()?) } else { None };
                    interface.assoc_types.push((name, ty));
                }
                TokenKind::Fn => {
                    self.bump();
                    let name = self.ident("method name")?;
                    let type_params = self.type_params()?;
                    let params = self.paren_params()?;
                    let result = self.result_type()?;
                    interface.methods.push(MethodSig { name, type_params, params, result });
                }
                _ => break,
            }
        }
        self.expect(TokenKind::RBrace)?;
        Ok(DeclKind::Interface(interface))
    }

    fn impl_decl(&mut self) -> Parse<DeclKind> {
        self.bump();
        let target = self.ident("type name")?;
        self.expect(TokenKind::LBrace)?;
        let mut methods = Vec::new();
        while self.at(TokenKind::At) || self.at(TokenKind::Pub) || self.at(TokenKind::Fn) || self.at_gen_fn()
        {
            let attributes = self.attributes()?;
            let doc = self.doc_above();
            let public = self.eat_any_line(TokenKind::Pub);
            methods.push(ImplMethod { attributes, public, function: self.fn_decl()?, doc });
        }
        self.expect(TokenKind::RBrace)?;
        Ok(DeclKind::Impl { target, methods })
    }
}

/// The identifier that a string id of an `eval_pack` binds.
fn binding_of(id: &str) -> String {
    let mut name = String::new();
    for c in id.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let name = name.trim_matches('_');
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || TokenKind::keyword(name).is_some()
    {
        return format!("eval_pack_{name}");
    }
    name.to_string()
}

/// The text of a `/** ... */` comment without its frame.
fn doc_text(comment: &str) -> String {
    let inner = comment.strip_prefix("/**").and_then(|c| c.strip_suffix("*/")).unwrap_or(comment);
    let lines: Vec<&str> = inner
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let line = if index == 0 { line.strip_prefix(' ').unwrap_or(line) } else { star_stripped(line) };
            line.trim_end()
        })
        .collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(lines.len());
    let last = lines.iter().rposition(|line| !line.is_empty()).map_or(first, |last| last + 1);
    lines.get(first..last).unwrap_or(&[]).join("\n")
}

fn star_stripped(line: &str) -> &str {
    let line = line.trim_start();
    let line = line.strip_prefix('*').unwrap_or(line);
    line.strip_prefix(' ').unwrap_or(line)
}
