//! `tool`, `skill` and `eval_pack` declarations, and the attributes that register functions.
//!
//! Each binds a value that a builtin makes: the declaration is a call.
//!
//! Source: spec 07 sections 3.1, 14.1; 02 section 17.

use crate::Compiler;
use crate::closures::{Body, Parameters};
use crate::expressions::Literal;
use crate::function::Role;
use harn_bytecode::{Const, Op};
use harn_syntax::Span;
use harn_syntax::ast::{
    AttrValue, Attribute, Block, Decl, EvalPack, Expr, Ident, Param, Symbol, ToolDecl, TypeExpr, TypeKind,
};

/// A JSON-like value known at compile time.
enum Data {
    Literal(Literal),
    Text(String),
    List(Vec<Data>),
    Dict(Vec<(String, Data)>),
}

impl Data {
    fn text(text: &str) -> Data {
        Data::Text(text.to_owned())
    }
}

impl<'a> Compiler<'a> {
    /// The index of a builtin that a declaration needs, or the error that says that it is missing.
    fn needed(&mut self, builtin: &str, what: &str, span: Span) -> Option<i32> {
        if harn_builtins::lookup(builtin).is_none() {
            self.error("HARN2190", &format!("{what} is not supported yet"), span);
            return None;
        }
        Some(self.builtin(builtin))
    }

    /// `tool NAME(params) { }`.
    pub(crate) fn tool(&mut self, tool: &'a ToolDecl, span: Span) {
        let Some(declare) = self.needed("__tool_declare", "a tool declaration", tool.name.span) else {
            return;
        };
        let base = self.temp();
        let [name, description, parameters, names, returns, handler] = std::array::from_fn(|_| self.temp());
        let text = self.text(tool.name.name).to_owned();
        self.load_str(&text, name);
        match &tool.description {
            Some(description_text) => self.load_str(description_text, description),
            None => self.emit(Op::Nil, description, 0, 0, 0),
        }
        self.tool_parameters(&tool.params, parameters);
        let listed =
            Data::List(tool.params.iter().map(|param| Data::text(self.text(param.name.name))).collect());
        self.load_data(&listed, names);
        match &tool.result {
            Some(ty) => {
                let schema = self.schema(ty);
                self.load_data(&schema, returns);
            }
            None => self.emit(Op::Nil, returns, 0, 0, 0),
        }
        self.handler(&text, &tool.params, &tool.body, handler);
        self.at(span);
        self.emit(Op::CallBuiltin, base, 6, 0, declare);
        self.release(u16::from(base) + 1);
        self.bind_declared(tool.name, base);
    }

    /// The body of a tool as a function value.
    fn handler(&mut self, name: &str, params: &'a [Param], block: &'a Block, dst: u8) {
        let facts = self.survey.body(block).cloned().unwrap_or_default();
        let captures: Vec<Symbol> =
            facts.free.iter().copied().filter(|name| self.is_capturable_outside(*name)).collect();
        let index = self.reserve_function();
        self.body(
            index,
            Body {
                name: name.to_owned(),
                params: Parameters::Full(params),
                block,
                role: Role::Named,
                value: true,
                stream: false,
                captures: captures.clone(),
                group: None,
                self_name: None,
            },
        );
        self.instantiate(index, &captures, dst);
    }

    /// The dict of parameter schemas; defaults are values of the running program.
    fn tool_parameters(&mut self, params: &'a [Param], dst: u8) {
        self.emit(Op::DictNew, dst, 0, 0, 0);
        for param in params {
            let mark = self.mark();
            let schema = match &param.ty {
                Some(ty) => self.schema(ty),
                None => Data::Dict(vec![("type".to_owned(), Data::text("any"))]),
            };
            let entry = self.temp();
            self.load_data(&schema, entry);
            if let Some(default) = &param.default {
                let value = self.temp();
                self.emit(Op::Bool, value, 0, 0, 0);
                let site = self.f().code.site("required");
                self.emit(Op::SetField, entry, value, 0, site);
                self.expr(default, value);
                let site = self.f().code.site("default");
                self.emit(Op::SetField, entry, value, 0, site);
            }
            let name = self.text(param.name.name).to_owned();
            let site = self.f().code.site(&name);
            self.emit(Op::SetField, dst, entry, 0, site);
            self.release(mark);
        }
    }

    /// The JSON Schema of a written type.
    fn schema(&self, ty: &TypeExpr) -> Data {
        self.schema_within(ty, &mut Vec::new())
    }

    /// As [`Self::schema`]; `open` are the aliases being expanded: one that contains itself is `any` there.
    fn schema_within(&self, ty: &TypeExpr, open: &mut Vec<Symbol>) -> Data {
        let of = |name: &str| Data::Dict(vec![("type".to_owned(), Data::text(name))]);
        match &ty.kind {
            TypeKind::Named { name, args } => match (self.text(*name), args.as_slice()) {
                ("int", _) => of("integer"),
                ("float", _) => of("number"),
                ("bool", _) => of("boolean"),
                ("nil", _) => of("null"),
                ("string", _) => of("string"),
                ("list", [item]) => Data::Dict(vec![
                    ("type".to_owned(), Data::text("array")),
                    ("items".to_owned(), self.schema_within(item, open)),
                ]),
                ("list" | "set", _) => of("array"),
                ("dict", [_, value]) => Data::Dict(vec![
                    ("type".to_owned(), Data::text("object")),
                    ("additionalProperties".to_owned(), self.schema_within(value, open)),
                ]),
                ("dict", _) => of("object"),
                (alias, _) => match self.alias(alias) {
                    Some(ty) if !open.contains(name) => {
                        open.push(*name);
                        let schema = self.schema_within(ty, open);
                        open.pop();
                        schema
                    }
                    _ => of("any"),
                },
            },
            TypeKind::Union(members) => self.union_schema(members, open),
            TypeKind::Shape(fields) => {
                let properties = fields
                    .iter()
                    .map(|field| (self.text(field.name.name).to_owned(), self.schema_within(&field.ty, open)))
                    .collect();
                let required = fields
                    .iter()
                    .filter(|field| !field.optional)
                    .map(|field| Data::text(self.text(field.name.name)))
                    .collect();
                Data::Dict(vec![
                    ("type".to_owned(), Data::text("object")),
                    ("properties".to_owned(), Data::Dict(properties)),
                    ("required".to_owned(), Data::List(required)),
                ])
            }
            TypeKind::Str(text) => Data::Dict(vec![
                ("type".to_owned(), Data::text("string")),
                ("enum".to_owned(), Data::List(vec![Data::text(text)])),
            ]),
            TypeKind::Int(value) => Data::Dict(vec![
                ("type".to_owned(), Data::text("integer")),
                ("enum".to_owned(), Data::List(vec![Data::Literal(Literal::Int(*value))])),
            ]),
            TypeKind::Function { .. } | TypeKind::Error => of("any"),
        }
    }

    fn union_schema(&self, members: &[TypeExpr], open: &mut Vec<Symbol>) -> Data {
        let texts: Option<Vec<Data>> = members
            .iter()
            .map(|member| match &member.kind {
                TypeKind::Str(text) => Some(Data::text(text)),
                _ => None,
            })
            .collect();
        match texts {
            Some(texts) => Data::Dict(vec![
                ("type".to_owned(), Data::text("string")),
                ("enum".to_owned(), Data::List(texts)),
            ]),
            None => Data::Dict(vec![(
                "anyOf".to_owned(),
                Data::List(members.iter().map(|member| self.schema_within(member, open)).collect()),
            )]),
        }
    }

    /// The type behind an alias of this file (one step; circular aliases have no schema).
    fn alias(&self, name: &str) -> Option<&'a TypeExpr> {
        let item = self.module.resolve(name)?;
        match &self.graph.decl(item)?.kind {
            harn_syntax::ast::DeclKind::TypeAlias { ty, .. } if item.module == self.index => {
                let circular = matches!(&ty.kind, TypeKind::Named { name: to, .. } if self.text(*to) == name);
                (!circular).then_some(ty)
            }
            _ => None,
        }
    }

    /// Loads the schema that the name of a type alias stands for as a value (`Schema<T>`); false for other names.
    pub(crate) fn load_alias_schema(&mut self, name: &str, dst: u8) -> bool {
        let Some(ty) = self.alias(name) else { return false };
        let schema = self.schema(ty);
        let mark = self.mark();
        let register = self.working(dst);
        self.load_data(&schema, register);
        self.deliver(register, dst);
        self.release(mark);
        true
    }

    fn load_data(&mut self, data: &Data, dst: u8) {
        match data {
            Data::Literal(literal) => self.load_literal(literal, dst),
            Data::Text(text) => self.load_str(text, dst),
            Data::List(items) => {
                self.emit(Op::List, dst, dst, 0, 0);
                for item in items {
                    let mark = self.mark();
                    let register = self.temp();
                    self.load_data(item, register);
                    self.emit(Op::ListAppend, dst, register, 0, 0);
                    self.release(mark);
                }
            }
            Data::Dict(entries) => {
                self.emit(Op::DictNew, dst, 0, 0, 0);
                for (key, value) in entries {
                    let mark = self.mark();
                    let register = self.temp();
                    self.load_data(value, register);
                    let site = self.f().code.site(key);
                    self.emit(Op::SetField, dst, register, 0, site);
                    self.release(mark);
                }
            }
        }
    }

    /// `skill NAME { field expr }`.
    pub(crate) fn skill(&mut self, name: Ident, fields: &'a [(Ident, Expr)], span: Span) {
        let Some(registry) = self.needed("skill_registry", "a skill declaration", name.span) else { return };
        let Some(define) = self.needed("skill_define", "a skill declaration", name.span) else { return };
        let base = self.temp();
        let [first, text, config] = std::array::from_fn(|_| self.temp());
        let name_text = self.text(name.name).to_owned();
        self.load_str(&name_text, text);
        self.fields(fields, config);
        self.at(span);
        let inner = self.temp();
        self.emit(Op::CallBuiltin, inner, 0, 0, registry);
        self.emit(Op::Move, first, inner, 0, 0);
        self.emit(Op::CallBuiltin, base, 3, 0, define);
        self.release(u16::from(base) + 1);
        self.bind_declared(name, base);
    }

    /// A dict of `name expr` fields.
    fn fields(&mut self, fields: &'a [(Ident, Expr)], dst: u8) {
        self.emit(Op::DictNew, dst, 0, 0, 0);
        for (key, value) in fields {
            let mark = self.mark();
            let register = self.temp();
            self.expr(value, register);
            let key_text = self.text(key.name).to_owned();
            let site = self.f().code.site(&key_text);
            self.at(key.span);
            self.emit(Op::SetField, dst, register, 0, site);
            self.release(mark);
        }
    }

    /// `eval_pack NAME { }`.
    pub(crate) fn eval_pack(&mut self, pack: &'a EvalPack, span: Span) {
        let Some(declare) = self.needed("__eval_pack_declare", "an eval_pack declaration", pack.binding.span)
        else {
            return;
        };
        let base = self.temp();
        let [name, id, config, summarize] = std::array::from_fn(|_| self.temp());
        let text = self.text(pack.binding.name).to_owned();
        self.load_str(&text, name);
        match &pack.id {
            Some(written) => self.load_str(written, id),
            None => self.emit(Op::Nil, id, 0, 0, 0),
        }
        self.fields(&pack.fields, config);
        let scope = self.open_scope();
        self.statements(&pack.body, None);
        self.close_scope(scope);
        match &pack.summarize {
            Some(block) => self.lambda(Parameters::Bare(Vec::new()), block, None, summarize),
            None => self.emit(Op::Nil, summarize, 0, 0, 0),
        }
        self.at(span);
        self.emit(Op::CallBuiltin, base, 4, 0, declare);
        self.release(u16::from(base) + 1);
        self.bind_declared(pack.binding, base);
    }

    /// `@acp_tool` and `@acp_skill`: registering calls after the declaration.
    pub(crate) fn function_attributes(&mut self, decl: &'a Decl, function: Option<Ident>) {
        for attribute in &decl.attributes {
            let name = self.text(attribute.name.name).to_owned();
            if name != "acp_tool" && name != "acp_skill" {
                continue;
            }
            match function {
                Some(function) => self.register(attribute, &name, function),
                None => self.error(
                    "HARN2108",
                    &format!("@{name} can only be applied to function declarations"),
                    attribute.span,
                ),
            }
        }
    }

    fn register(&mut self, attribute: &'a Attribute, kind: &str, function: Ident) {
        let (registry, define) = match kind {
            "acp_tool" => ("tool_registry", "tool_define"),
            _ => ("skill_registry", "skill_define"),
        };
        let what = format!("@{kind}");
        let Some(registry) = self.needed(registry, &what, attribute.span) else { return };
        let Some(define) = self.needed(define, &what, attribute.span) else { return };
        let mark = self.mark();
        let tool = kind == "acp_tool";
        let base = self.temp();
        let first = self.temp();
        let name = self.temp();
        let mut named = self.text(function.name).to_owned();
        let mut entries = Vec::new();
        for (key, value) in &attribute.args {
            let Some(key) = key else { continue };
            match (self.text(key.name), value) {
                ("name", AttrValue::Str(text)) => named = text.to_string(),
                (key, value) => entries.push((key.to_owned(), self.attribute_data(value))),
            }
        }
        self.load_str(&named, name);
        if tool {
            let description = self.temp();
            self.load_str("", description);
        }
        let config = self.temp();
        let inner = self.temp();
        let (callback, target) = if tool { ("handler", inner) } else { ("on_activate", config) };
        self.load_data(&Data::Dict(entries), target);
        if tool {
            self.emit(Op::DictNew, config, 0, 0, 0);
            let site = self.f().code.site("annotations");
            self.emit(Op::SetField, config, inner, 0, site);
        }
        self.load_name(function.name, inner);
        let site = self.f().code.site(callback);
        self.emit(Op::SetField, config, inner, 0, site);
        self.at(attribute.span);
        self.emit(Op::CallBuiltin, inner, 0, 0, registry);
        self.emit(Op::Move, first, inner, 0, 0);
        self.emit(Op::CallBuiltin, base, if tool { 4 } else { 3 }, 0, define);
        self.release(mark);
    }

    fn attribute_data(&self, value: &AttrValue) -> Data {
        match value {
            AttrValue::Str(text) => Data::text(text),
            AttrValue::Int(value) => Data::Literal(Literal::Int(*value)),
            AttrValue::Float(value) => Data::Literal(Literal::Float(*value)),
            AttrValue::Bool(value) => Data::Literal(Literal::Bool(*value)),
            AttrValue::Nil => Data::Literal(Literal::Nil),
            AttrValue::Name(name) => Data::text(self.text(*name)),
            AttrValue::List(items) => {
                Data::List(items.iter().map(|item| self.attribute_data(item)).collect())
            }
        }
    }

    /// The index of a constant; equal ones share it.
    pub(crate) fn constant(&mut self, value: Const) -> i32 {
        self.consts.intern(value)
    }
}
