//! Each kind of tree node as a node of the dump.

use super::Node;
use crate::ast::*;

pub(super) struct Dump<'a> {
    pub names: &'a Names,
}

impl Dump<'_> {
    fn name(&self, ident: &Ident) -> Node {
        Node::atom(self.names.text(ident.name))
    }

    fn idents(&self, head: &str, idents: &[Ident]) -> Node {
        Node::list(head, idents.iter().map(|ident| self.name(ident)))
    }

    fn optional<T>(&self, head: &str, value: &Option<T>, dump: impl Fn(&T) -> Node) -> Option<Node> {
        value.as_ref().map(|value| Node::list(head, [dump(value)]))
    }

    fn block(&self, block: &Block) -> Node {
        Node::list("block", block.stmts.iter().map(|stmt| self.stmt(stmt)))
    }

    pub fn stmt(&self, stmt: &Stmt) -> Node {
        match &stmt.kind {
            StmtKind::Import(import) => {
                let head = if import.public { "pub-import" } else { "import" };
                let names = import.names.as_ref().map(|names| self.idents("names", names));
                Node::list(head, std::iter::once(text(&import.path)).chain(names))
            }
            StmtKind::Decl(decl) => self.decl(decl),
            StmtKind::Let(binding) => {
                let mut nodes = vec![self.binding(&binding.binding)];
                nodes.extend(self.optional("type", &binding.ty, |ty| self.ty(ty)));
                nodes.push(self.expr(&binding.value));
                Node::list(if binding.mutable { "var" } else { "let" }, nodes)
            }
            StmtKind::Assign(assign) => {
                let op = assign.op.map_or(String::new(), |op| operator(op).to_string());
                Node::list(&format!("{op}="), [self.expr(&assign.target), self.expr(&assign.value)])
            }
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::For(each) => Node::list(
                "for",
                [self.binding(&each.binding), self.expr(&each.iterable), self.block(&each.body)],
            ),
            StmtKind::While { condition, body } => {
                Node::list("while", [self.expr(condition), self.block(body)])
            }
            StmtKind::Guard { condition, otherwise } => {
                Node::list("guard", [self.expr(condition), self.block(otherwise)])
            }
            StmtKind::Require { condition, message } => {
                let message = message.as_ref().map(|message| self.expr(message));
                Node::list("require", std::iter::once(self.expr(condition)).chain(message))
            }
            StmtKind::Return(value) => Node::list("return", value.as_ref().map(|value| self.expr(value))),
            StmtKind::Throw(value) => Node::list("throw", [self.expr(value)]),
            StmtKind::Yield(value) => Node::list("yield", value.as_ref().map(|value| self.expr(value))),
            StmtKind::Emit(value) => Node::list("emit", [self.expr(value)]),
            StmtKind::Break => Node::list("break", []),
            StmtKind::Continue => Node::list("continue", []),
            StmtKind::Defer(body) => Node::list("defer", [self.block(body)]),
            StmtKind::Mutex(body) => Node::list("mutex", [self.block(body)]),
            StmtKind::Select(select) => self.select(select),
            StmtKind::Error => Node::list("error", []),
        }
    }

    fn select(&self, select: &Select) -> Node {
        let mut nodes: Vec<Node> = select
            .cases
            .iter()
            .map(|case| {
                Node::list("from", [self.name(&case.name), self.expr(&case.channel), self.block(&case.body)])
            })
            .collect();
        if let Some((duration, body)) = &select.timeout {
            nodes.push(Node::list("timeout", [self.expr(duration), self.block(body)]));
        }
        nodes.extend(self.optional("default", &select.default, |body| self.block(body)));
        Node::list("select", nodes)
    }

    fn binding(&self, binding: &Binding) -> Node {
        let rest_of = |rest: &Option<Ident>| self.optional("...", rest, |rest| self.name(rest));
        match binding {
            Binding::Name(name) => self.name(name),
            Binding::Dict { entries, rest, .. } => {
                let entries = entries.iter().map(|entry| {
                    let mut nodes = Vec::new();
                    if entry.key.name != entry.name.name {
                        nodes.push(self.name(&entry.name));
                    }
                    nodes.extend(self.optional("=", &entry.default, |default| self.expr(default)));
                    bare_or_list(self.names.text(entry.key.name), nodes)
                });
                Node::list("dict", entries.chain(rest_of(rest)))
            }
            Binding::List { elements, rest, .. } => {
                let elements = elements.iter().map(|element| {
                    let default = self.optional("=", &element.default, |default| self.expr(default));
                    bare_or_list(self.names.text(element.name.name), default.into_iter().collect())
                });
                Node::list("list", elements.chain(rest_of(rest)))
            }
            Binding::Pair { first, second, .. } => Node::list("pair", [self.name(first), self.name(second)]),
        }
    }

    fn decl(&self, decl: &Decl) -> Node {
        let mut nodes: Vec<Node> =
            decl.attributes.iter().map(|attribute| self.attribute(attribute)).collect();
        nodes.extend(decl.doc.as_ref().map(|doc| Node::list("doc", [text(doc)])));
        let head = match &decl.kind {
            DeclKind::Pipeline(pipeline) => {
                nodes.push(self.name(&pipeline.name));
                nodes.push(self.idents("params", &pipeline.params));
                nodes.extend(self.optional("->", &pipeline.result, |ty| self.ty(ty)));
                nodes.extend(self.optional("extends", &pipeline.parent, |parent| self.name(parent)));
                nodes.push(self.block(&pipeline.body));
                "pipeline"
            }
            DeclKind::Override { name, params, body } => {
                nodes.extend([self.name(name), self.idents("params", params), self.block(body)]);
                "override"
            }
            DeclKind::Fn(function) => {
                nodes.extend(self.function(function));
                if function.is_gen { "gen-fn" } else { "fn" }
            }
            DeclKind::Tool(tool) => {
                nodes.extend([self.name(&tool.name), self.params(&tool.params)]);
                nodes.extend(self.optional("->", &tool.result, |ty| self.ty(ty)));
                nodes
                    .extend(self.optional("description", &tool.description, |description| text(description)));
                nodes.push(self.block(&tool.body));
                "tool"
            }
            DeclKind::Skill { name, fields } => {
                nodes.push(self.name(name));
                nodes.extend(self.fields(fields));
                "skill"
            }
            DeclKind::EvalPack(pack) => {
                nodes.push(self.name(&pack.binding));
                nodes.extend(self.optional("id", &pack.id, |id| text(id)));
                nodes.extend(self.fields(&pack.fields));
                nodes.extend(pack.body.iter().map(|stmt| self.stmt(stmt)));
                nodes.extend(self.optional("summarize", &pack.summarize, |body| self.block(body)));
                "eval_pack"
            }
            DeclKind::TypeAlias { name, type_params, ty } => {
                nodes.push(self.name(name));
                nodes.extend(self.type_params(type_params));
                nodes.push(self.ty(ty));
                "type"
            }
            DeclKind::Enum { name, type_params, variants } => {
                nodes.push(self.name(name));
                nodes.extend(self.type_params(type_params));
                nodes.extend(variants.iter().map(|variant| {
                    let fields = variant.fields.iter().map(|field| self.param(field)).collect();
                    bare_or_list(self.names.text(variant.name.name), fields)
                }));
                "enum"
            }
            DeclKind::Struct { name, type_params, fields } => {
                nodes.push(self.name(name));
                nodes.extend(self.type_params(type_params));
                nodes.extend(fields.iter().map(|field| {
                    let name = optional_name(self.names.text(field.name.name), field.optional);
                    bare_or_list(&name, field.ty.as_ref().map(|ty| self.ty(ty)).into_iter().collect())
                }));
                "struct"
            }
            DeclKind::Interface(interface) => {
                nodes.push(self.name(&interface.name));
                nodes.extend(self.type_params(&interface.type_params));
                nodes.extend(interface.assoc_types.iter().map(|(name, ty)| {
                    Node::list(
                        "type",
                        std::iter::once(self.name(name)).chain(ty.as_ref().map(|ty| self.ty(ty))),
                    )
                }));
                nodes.extend(interface.methods.iter().map(|method| {
                    let mut nodes = vec![self.name(&method.name)];
                    nodes.extend(self.type_params(&method.type_params));
                    nodes.push(self.params(&method.params));
                    nodes.extend(self.optional("->", &method.result, |ty| self.ty(ty)));
                    Node::list("fn", nodes)
                }));
                "interface"
            }
            DeclKind::Impl { target, methods } => {
                nodes.push(self.name(target));
                nodes.extend(methods.iter().map(|method| {
                    let mut nodes: Vec<Node> = method.attributes.iter().map(|a| self.attribute(a)).collect();
                    nodes.extend(method.doc.as_ref().map(|doc| Node::list("doc", [text(doc)])));
                    nodes.extend(self.function(&method.function));
                    let head = if method.function.is_gen { "gen-fn" } else { "fn" };
                    Node::list(&exported(head, method.public), nodes)
                }));
                "impl"
            }
        };
        Node::list(&exported(head, decl.public), nodes)
    }

    fn attribute(&self, attribute: &Attribute) -> Node {
        let args = attribute.args.iter().map(|(name, value)| match name {
            Some(name) => Node::list(self.names.text(name.name), [self.attr_value(value)]),
            None => self.attr_value(value),
        });
        bare_or_list(&format!("@{}", self.names.text(attribute.name.name)), args.collect())
    }

    fn attr_value(&self, value: &AttrValue) -> Node {
        match value {
            AttrValue::Str(value) => text(value),
            AttrValue::Int(value) => Node::atom(value.to_string()),
            AttrValue::Float(value) => Node::atom(format!("{value:?}")),
            AttrValue::Bool(value) => Node::atom(value.to_string()),
            AttrValue::Nil => Node::atom("nil"),
            AttrValue::Name(name) => Node::atom(self.names.text(*name)),
            AttrValue::List(values) => Node::list("list", values.iter().map(|value| self.attr_value(value))),
        }
    }

    fn function(&self, function: &FnDecl) -> Vec<Node> {
        let mut nodes = vec![self.name(&function.name)];
        nodes.extend(self.type_params(&function.type_params));
        nodes.push(self.params(&function.params));
        nodes.extend(self.optional("->", &function.result, |ty| self.ty(ty)));
        nodes.extend(
            function
                .bounds
                .iter()
                .map(|(name, bound)| Node::list("where", [self.name(name), self.name(bound)])),
        );
        nodes.push(self.block(&function.body));
        nodes
    }

    fn fields<'a>(&'a self, fields: &'a [(Ident, Expr)]) -> impl Iterator<Item = Node> + 'a {
        fields.iter().map(|(name, value)| Node::list(self.names.text(name.name), [self.expr(value)]))
    }

    fn type_params(&self, params: &[TypeParam]) -> Option<Node> {
        let nodes = params.iter().map(|param| match param.variance {
            Variance::Invariant => self.name(&param.name),
            Variance::In => Node::list("in", [self.name(&param.name)]),
            Variance::Out => Node::list("out", [self.name(&param.name)]),
        });
        (!params.is_empty()).then(|| Node::list("types", nodes))
    }

    fn params(&self, params: &[Param]) -> Node {
        Node::list("params", params.iter().map(|param| self.param(param)))
    }

    fn param(&self, param: &Param) -> Node {
        let mut nodes: Vec<Node> = param.ty.iter().map(|ty| self.ty(ty)).collect();
        nodes.extend(self.optional("=", &param.default, |default| self.expr(default)));
        let dots = if param.rest { "..." } else { "" };
        bare_or_list(&format!("{dots}{}", self.names.text(param.name.name)), nodes)
    }

    fn expr(&self, expr: &Expr) -> Node {
        match &expr.kind {
            ExprKind::Nil => Node::atom("nil"),
            ExprKind::Bool(value) => Node::atom(value.to_string()),
            ExprKind::Int(value) => Node::atom(value.to_string()),
            ExprKind::Float(value) => Node::atom(format!("{value:?}")),
            ExprKind::Duration(value) => Node::atom(format!("{value}ms")),
            ExprKind::Str(value) => text(value),
            ExprKind::Interp(parts) => Node::list(
                "interp",
                parts.iter().map(|part| match part {
                    InterpPart::Text(value) => text(value),
                    InterpPart::Expr(expr) => self.expr(expr),
                }),
            ),
            ExprKind::Name(name) => Node::atom(self.names.text(*name)),
            ExprKind::List(elements) => {
                Node::list("list", elements.iter().map(|element| self.element(element)))
            }
            ExprKind::Dict(entries) => Node::list("dict", entries.iter().map(|entry| self.entry(entry))),
            ExprKind::StructLit { name, fields } => {
                let fields = fields.iter().map(|entry| self.entry(entry));
                Node::list("new", std::iter::once(self.name(name)).chain(fields))
            }
            ExprKind::Closure(closure) => {
                let head = if closure.fn_form { "fn-closure" } else { "closure" };
                Node::list(head, [self.params(&closure.params), self.block(&closure.body)])
            }
            ExprKind::Paren(inner) => Node::list("paren", [self.expr(inner)]),
            ExprKind::Unary { op, operand } => {
                Node::list(if *op == UnaryOp::Neg { "neg" } else { "!" }, [self.expr(operand)])
            }
            ExprKind::Binary { op, left, right } => {
                Node::list(operator(*op), [self.expr(left), self.expr(right)])
            }
            ExprKind::Pipe { left, right } => Node::list("|>", [self.expr(left), self.expr(right)]),
            ExprKind::Range { start, end, exclusive } => {
                Node::list(if *exclusive { "to-exclusive" } else { "to" }, [self.expr(start), self.expr(end)])
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                Node::list("?:", [self.expr(condition), self.expr(then), self.expr(otherwise)])
            }
            ExprKind::Call { callee, type_args, args } => {
                let mut nodes = vec![self.expr(callee)];
                if !type_args.is_empty() {
                    nodes.push(Node::list("types", type_args.iter().map(|ty| self.ty(ty))));
                }
                nodes.extend(args.iter().map(|arg| self.element(arg)));
                Node::list("call", nodes)
            }
            ExprKind::MethodCall { object, name, optional, args } => {
                let nodes = [self.expr(object), self.name(name)];
                Node::list(
                    if *optional { "?.call" } else { ".call" },
                    nodes.into_iter().chain(args.iter().map(|arg| self.element(arg))),
                )
            }
            ExprKind::Property { object, name, optional } => {
                Node::list(if *optional { "?." } else { "." }, [self.expr(object), self.name(name)])
            }
            ExprKind::Index { object, index, optional } => {
                Node::list(if *optional { "?[]" } else { "[]" }, [self.expr(object), self.expr(index)])
            }
            ExprKind::Slice { object, start, end } => {
                let bound =
                    |bound: &Option<Box<Expr>>| bound.as_ref().map_or(Node::atom("_"), |e| self.expr(e));
                Node::list("[:]", [self.expr(object), bound(start), bound(end)])
            }
            ExprKind::Propagate(inner) => Node::list("?", [self.expr(inner)]),
            ExprKind::If(branch) => {
                let otherwise = branch.otherwise.as_ref().map(|otherwise| match otherwise {
                    Else::Block(block) => self.block(block),
                    Else::If(expr) => self.expr(expr),
                });
                Node::list(
                    "if",
                    [self.expr(&branch.condition), self.block(&branch.then)].into_iter().chain(otherwise),
                )
            }
            ExprKind::Match { value, arms } => {
                let arms = arms.iter().map(|arm| {
                    let mut nodes = vec![self.pattern(&arm.pattern)];
                    nodes.extend(self.optional("if", &arm.guard, |guard| self.expr(guard)));
                    nodes.push(self.block(&arm.body));
                    Node::list("arm", nodes)
                });
                Node::list("match", std::iter::once(self.expr(value)).chain(arms))
            }
            ExprKind::Try(attempt) => {
                let mut nodes = vec![self.block(&attempt.body)];
                if let Some(catch) = &attempt.catch {
                    let mut parts: Vec<Node> = catch.name.iter().map(|name| self.name(name)).collect();
                    parts.extend(catch.ty.iter().map(|ty| self.ty(ty)));
                    parts.push(self.block(&catch.body));
                    nodes.push(Node::list("catch", parts));
                }
                nodes.extend(self.optional("finally", &attempt.finally, |body| self.block(body)));
                Node::list("try", nodes)
            }
            ExprKind::TryStar(inner) => Node::list("try*", [self.expr(inner)]),
            ExprKind::Retry { attempts, body } => {
                Node::list("retry", [self.expr(attempts), self.block(body)])
            }
            ExprKind::Parallel(parallel) => {
                let head = match parallel.kind {
                    ParallelKind::Count => "parallel",
                    ParallelKind::Each => "parallel-each",
                    ParallelKind::EachStream => "parallel-stream",
                    ParallelKind::Settle => "parallel-settle",
                };
                let mut nodes = vec![self.expr(&parallel.operand)];
                nodes.extend(self.optional("max_concurrent", &parallel.max_concurrent, |max| self.expr(max)));
                nodes.extend(self.optional("param", &parallel.param, |param| self.name(param)));
                nodes.push(self.block(&parallel.body));
                Node::list(head, nodes)
            }
            ExprKind::Spawn(body) => Node::list("spawn", [self.block(body)]),
            ExprKind::Deadline { duration, body } => {
                Node::list("deadline", [self.expr(duration), self.block(body)])
            }
            ExprKind::Error => Node::list("error", []),
        }
    }

    fn element(&self, element: &Element) -> Node {
        let value = self.expr(&element.value);
        if element.spread { Node::list("...", [value]) } else { value }
    }

    fn entry(&self, entry: &DictEntry) -> Node {
        match entry {
            DictEntry::Named { key, value, .. } => Node::list(&format!("{key:?}"), [self.expr(value)]),
            DictEntry::Computed { key, value } => Node::list("[]", [self.expr(key), self.expr(value)]),
            DictEntry::Spread(value) => Node::list("...", [self.expr(value)]),
        }
    }

    fn pattern(&self, pattern: &Pattern) -> Node {
        let rest_of = |rest: &Option<Ident>| self.optional("...", rest, |rest| self.name(rest));
        let entry = |(key, pattern): &(std::sync::Arc<str>, Pattern)| {
            Node::list(&format!("{key:?}"), [self.pattern(pattern)])
        };
        match &pattern.kind {
            PatternKind::Wildcard => Node::atom("_"),
            PatternKind::Name(name) => Node::list("bind", [self.name(name)]),
            PatternKind::Value(value) => self.expr(value),
            PatternKind::Variant { enum_name, variant, args } => {
                let nodes = [self.name(enum_name), self.name(variant)];
                let args =
                    args.as_ref().map(|args| Node::list("args", args.iter().map(|arg| self.pattern(arg))));
                Node::list("variant", nodes.into_iter().chain(args))
            }
            PatternKind::Dict { entries, rest } => {
                Node::list("dict", entries.iter().map(entry).chain(rest_of(rest)))
            }
            PatternKind::Struct { name, entries } => {
                Node::list("struct", std::iter::once(self.name(name)).chain(entries.iter().map(entry)))
            }
            PatternKind::List { elements, rest } => {
                Node::list("list", elements.iter().map(|element| self.pattern(element)).chain(rest_of(rest)))
            }
            PatternKind::Or(alternatives) => {
                Node::list("or", alternatives.iter().map(|alternative| self.pattern(alternative)))
            }
        }
    }

    fn ty(&self, ty: &TypeExpr) -> Node {
        match &ty.kind {
            TypeKind::Named { name, args } => {
                bare_or_list(self.names.text(*name), args.iter().map(|arg| self.ty(arg)).collect())
            }
            TypeKind::Union(members) => Node::list("|", members.iter().map(|member| self.ty(member))),
            TypeKind::Shape(fields) => Node::list(
                "shape",
                fields.iter().map(|field| {
                    let name = optional_name(self.names.text(field.name.name), field.optional);
                    Node::list(&name, [self.ty(&field.ty)])
                }),
            ),
            TypeKind::Function { params, result } => {
                let params = Node::list("params", params.iter().map(|param| self.ty(param)));
                Node::list("fn", [params, self.ty(result)])
            }
            TypeKind::Str(value) => text(value),
            TypeKind::Int(value) => Node::atom(value.to_string()),
            TypeKind::Error => Node::list("error", []),
        }
    }
}

fn text(value: &str) -> Node {
    Node::atom(format!("{value:?}"))
}

fn bare_or_list(head: &str, rest: Vec<Node>) -> Node {
    if rest.is_empty() { Node::atom(head) } else { Node::list(head, rest) }
}

fn optional_name(name: &str, optional: bool) -> String {
    if optional { format!("{name}?") } else { name.to_string() }
}

fn exported(head: &str, public: bool) -> String {
    if public { format!("pub-{head}") } else { head.to_string() }
}

fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Or => "||",
        BinaryOp::And => "&&",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Gt => ">",
        BinaryOp::Le => "<=",
        BinaryOp::Ge => ">=",
        BinaryOp::In => "in",
        BinaryOp::NotIn => "not-in",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Coalesce => "??",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::Pow => "**",
    }
}
