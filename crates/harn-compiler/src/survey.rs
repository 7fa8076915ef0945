//! The first phase: one walk over a file that finds, for every function-like body, the names it takes from outside, and
//! for the file which top-level variables have to be module globals.
//!
//! The second phase (emission) compiles a nested function at the moment its closure is created, so visibility at the
//! moment of capture is simply what emission can see. What it cannot know then is the future: which names a body will
//! mention, whether it yields, where a hoisted function is used first, and whether an operand's sibling assigns
//! variables. That is what this walk answers.
//!
//! Source: spec 02 sections 7.1, 8.2, 8.3, 13.3.

use crate::{NameMap, NameSet};
use harn_syntax::ast::{
    Ast, Binding, Block, Decl, DeclKind, DictEntry, Element, Else, Expr, ExprKind, Field, FnDecl, Ident,
    ImplMethod, InterpPart, Param, Pattern, PatternKind, Stmt, StmtKind, Symbol, Variant,
};
use std::rc::Rc;

/// What is known of one function-like body before it is emitted.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyFacts {
    /// Names mentioned and not bound inside, each once.
    pub free: Vec<Symbol>,
    /// Those of `free` that the body assigns.
    pub assigned: Vec<Symbol>,
    /// Contains `yield` outside nested functions.
    pub yields: bool,
    /// Contains `emit` outside nested functions.
    pub emits: bool,
    /// How many names the body binds.
    pub bindings: u32,
    /// For a named function: the first statement of its block that mentions it, function declarations and closures
    /// apart.
    pub first_use: Option<u32>,
    /// For a named function: the first statement of its block in which a closure mentions it.
    pub first_capture: Option<u32>,
}

/// The answers about one file.
#[derive(Debug, Default)]
pub(crate) struct Survey<'a> {
    /// How many names the file's own level binds, blocks included.
    pub bindings: u32,
    /// Structs declared anywhere in the file.
    pub structs: Vec<(Ident, &'a [Field])>,
    /// Enums declared anywhere in the file.
    pub enums: Vec<(Ident, &'a [Variant])>,
    /// `impl` blocks anywhere in the file.
    pub impls: Vec<(Ident, &'a [ImplMethod])>,
    bodies: NameMap<u32, Rc<BodyFacts>>,
    /// Where the bodies of closures begin that a function before them in their block mentions.
    late: NameSet<u32>,
    assigning: Vec<u64>,
    shared: Vec<bool>,
}

impl Survey<'_> {
    /// Facts about the function whose body block starts at this byte.
    pub(crate) fn body(&self, block: &Block) -> Option<&Rc<BodyFacts>> {
        self.bodies.get(&block.span.start)
    }

    /// Whether a function or closure mentions the closure with this body earlier than its `let`.
    pub(crate) fn is_late(&self, block: &Block) -> bool {
        self.late.contains(&block.span.start)
    }

    /// Whether evaluating the expression may assign a variable of its own function.
    pub(crate) fn assigns(&self, expr: &Expr) -> bool {
        let id = expr.id.0 as usize;
        self.assigning.get(id / 64).is_some_and(|word| word & (1 << (id % 64)) != 0)
    }

    /// Whether a top-level variable of this name must live in a module global because functions reach it.
    pub(crate) fn is_shared(&self, name: Symbol) -> bool {
        self.shared.get(name.0 as usize).copied().unwrap_or(false)
    }
}

/// Walks the whole file.
pub(crate) fn survey(ast: &Ast) -> Survey<'_> {
    let names = ast.names.len();
    let mut walker = Walker {
        out: Survey {
            bindings: 0,
            structs: Vec::new(),
            enums: Vec::new(),
            impls: Vec::new(),
            bodies: NameMap::default(),
            late: NameSet::default(),
            assigning: vec![0; ast.expr_count as usize / 64 + 1],
            shared: vec![false; names],
        },
        visible: vec![NONE; names],
        bindings: Vec::new(),
        blocks: Vec::new(),
        levels: vec![Level::default()],
        stamps: vec![0; names],
        next_stamp: 0,
        assignments: 0,
        upcoming: NameMap::default(),
    };
    walker.block(&ast.items);
    walker.out.bindings = walker.levels.first().map_or(0, |level| level.bindings);
    walker.out
}

const NONE: u32 = u32::MAX;

/// A name in scope.
struct Bound {
    name: Symbol,
    /// The binding it shadows.
    shadowed: u32,
    level: u32,
    /// Position in `blocks`.
    block: u32,
    /// For hoisted functions.
    first_use: u32,
    first_capture: u32,
    is_fn: bool,
}

/// A block being walked.
struct OpenBlock {
    bindings: usize,
    statement: u32,
    in_function_decl: bool,
}

/// A function being walked; level 0 is the file.
#[derive(Default)]
struct Level {
    free: Vec<(Symbol, Mention)>,
    stamp: u32,
    yields: bool,
    emits: bool,
    bindings: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Mention {
    assigned: bool,
    /// Some function on the way is a named one.
    via_named: bool,
    /// It stands in a function within.
    inside: bool,
}

struct Walker<'a> {
    out: Survey<'a>,
    visible: Vec<u32>,
    bindings: Vec<Bound>,
    blocks: Vec<OpenBlock>,
    levels: Vec<Level>,
    stamps: Vec<u32>,
    next_stamp: u32,
    assignments: u64,
    /// Closures that statements to come bind to a name: the level of their block and where their body begins.
    upcoming: NameMap<Symbol, Vec<(usize, u32)>>,
}

impl<'a> Walker<'a> {
    fn level(&mut self) -> Option<&mut Level> {
        self.levels.last_mut()
    }

    fn open(&mut self) {
        self.blocks.push(OpenBlock { bindings: self.bindings.len(), statement: 0, in_function_decl: false });
    }

    fn close(&mut self) {
        let Some(block) = self.blocks.pop() else { return };
        while self.bindings.len() > block.bindings {
            if let Some(bound) = self.bindings.pop()
                && let Some(slot) = self.visible.get_mut(bound.name.0 as usize)
            {
                *slot = bound.shadowed;
            }
        }
    }

    fn bind(&mut self, name: Symbol) {
        self.bind_as(name, false);
    }

    fn bind_as(&mut self, name: Symbol, is_fn: bool) {
        if let Some(level) = self.levels.last_mut() {
            level.bindings += 1;
        }
        let index = self.bindings.len() as u32;
        let Some(slot) = self.visible.get_mut(name.0 as usize) else { return };
        let shadowed = std::mem::replace(slot, index);
        self.bindings.push(Bound {
            name,
            shadowed,
            level: self.levels.len() as u32 - 1,
            block: self.blocks.len().saturating_sub(1) as u32,
            first_use: NONE,
            first_capture: NONE,
            is_fn,
        });
    }

    fn bound(&mut self, name: Symbol) -> Option<&mut Bound> {
        let index = *self.visible.get(name.0 as usize)?;
        self.bindings.get_mut(index as usize)
    }

    /// A mention inside a function (level 1 and deeper).
    fn mention(&mut self, name: Symbol, mention: Mention) {
        self.note_use(name, mention.inside);
        let depth = self.levels.len() as u32 - 1;
        if self.bound(name).is_some_and(|bound| bound.level == depth) {
            return;
        }
        let Some(level) = self.levels.last_mut() else { return };
        if !mention.assigned
            && !mention.via_named
            && let Some(stamp) = self.stamps.get_mut(name.0 as usize)
        {
            if *stamp == level.stamp {
                return;
            }
            *stamp = level.stamp;
        }
        level.free.push((name, mention));
    }

    /// A function of level 1 mentions a name that the file's own level has to serve: by a module global when a named
    /// function is on the way or when the name is not declared yet, else by capture.
    fn surface(&mut self, name: Symbol, via_named: bool) {
        self.note_use(name, true);
        let shares = match self.bound(name) {
            None => true,
            Some(bound) => via_named && bound.block == 0,
        };
        if shares && let Some(shared) = self.out.shared.get_mut(name.0 as usize) {
            *shared = true;
        }
    }

    /// Records the first use of a hoisted function.
    fn note_use(&mut self, name: Symbol, inside: bool) {
        let Some(bound) = self.bound(name) else { return };
        let (block, is_fn) = (bound.block as usize, bound.is_fn);
        if is_fn
            && let Some(open) = self.blocks.get(block)
            && !open.in_function_decl
        {
            let statement = open.statement;
            let level = self.levels.len() as u32 - 1;
            if let Some(bound) = self.bound(name) {
                let direct = bound.level == level && !inside;
                let first = if direct { &mut bound.first_use } else { &mut bound.first_capture };
                *first = (*first).min(statement);
            }
        }
    }

    fn read(&mut self, name: Symbol) {
        if self.levels.len() == 1 {
            self.note_use(name, false);
        } else {
            self.mention(name, Mention { assigned: false, via_named: false, inside: false });
        }
    }

    fn enter(&mut self) {
        self.next_stamp += 1;
        self.levels.push(Level { stamp: self.next_stamp, ..Level::default() });
        self.open();
    }

    fn leave(&mut self, body: &'a Block, named: bool) {
        self.close();
        let Some(mut level) = self.levels.pop() else { return };
        level.free.sort_unstable_by_key(|(name, _)| *name);
        let mut facts = BodyFacts {
            yields: level.yields,
            emits: level.emits,
            bindings: level.bindings,
            ..BodyFacts::default()
        };
        let mut index = 0;
        while let Some((name, mut merged)) = level.free.get(index).copied() {
            while let Some((same, other)) = level.free.get(index)
                && *same == name
            {
                merged.assigned |= other.assigned;
                merged.via_named |= other.via_named;
                index += 1;
            }
            facts.free.push(name);
            if merged.assigned {
                facts.assigned.push(name);
            }
            // An assignment inside is private to the call: for the parent it is a read.
            let outward = Mention { assigned: false, via_named: named || merged.via_named, inside: true };
            if let Some((level, at)) = self.upcoming.get(&name).and_then(|found| found.last()).copied()
                && level == self.levels.len()
                && self.bound(name).is_none()
            {
                self.out.late.insert(at);
            }
            if self.levels.len() > 1 {
                self.mention(name, outward);
            } else {
                self.surface(name, outward.via_named);
            }
        }
        self.out.bodies.insert(body.span.start, Rc::new(facts));
    }

    fn function(&mut self, params: &'a [Param], body: &'a Block, named: bool) {
        self.enter();
        for param in params {
            if let Some(default) = &param.default {
                self.expr(default);
            }
            self.bind(param.name.name);
        }
        self.statements(&body.stmts);
        self.leave(body, named);
    }

    fn lambda(&mut self, param: Option<&Ident>, body: &'a Block) {
        self.enter();
        if let Some(param) = param {
            self.bind(param.name);
        }
        self.statements(&body.stmts);
        self.leave(body, false);
    }

    fn block(&mut self, stmts: &'a [Stmt]) {
        self.open();
        self.statements(stmts);
        self.close();
    }

    /// The statements of the innermost open block.
    fn statements(&mut self, stmts: &'a [Stmt]) {
        let mut hoisted: Vec<(u32, u32)> = Vec::new();
        for stmt in stmts {
            if let StmtKind::Decl(decl) = &stmt.kind
                && let DeclKind::Fn(function) = &decl.kind
            {
                hoisted.push((self.bindings.len() as u32, function.body.span.start));
                self.bind_as(function.name.name, true);
            }
        }
        // The file's own variables are found late anyway.
        let level = self.levels.len();
        if level > 1 || self.blocks.len() > 1 {
            for (name, body) in stmts.iter().skip(1).rev().filter_map(crate::closures::late_closure) {
                self.upcoming.entry(name).or_default().push((level, body.span.start));
            }
        }
        for (index, stmt) in stmts.iter().enumerate() {
            if let Some((name, body)) = crate::closures::late_closure(stmt)
                && let Some(found) = self.upcoming.get_mut(&name)
                && found.last() == Some(&(level, body.span.start))
            {
                found.pop();
            }
            if let Some(open) = self.blocks.last_mut() {
                open.statement = index as u32;
                open.in_function_decl =
                    matches!(&stmt.kind, StmtKind::Decl(decl) if matches!(decl.kind, DeclKind::Fn(_)));
            }
            self.stmt(stmt);
        }
        for (binding, body) in hoisted {
            let known = |first: u32| (first != NONE).then_some(first);
            if let Some(bound) = self.bindings.get(binding as usize)
                && let Some(facts) = self.out.bodies.get_mut(&body).and_then(Rc::get_mut)
            {
                facts.first_use = known(bound.first_use);
                facts.first_capture = known(bound.first_capture);
            }
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        match &stmt.kind {
            StmtKind::Import(_) | StmtKind::Break | StmtKind::Continue | StmtKind::Error => {}
            StmtKind::Decl(decl) => self.decl(decl),
            StmtKind::Let(binding) => {
                self.expr(&binding.value);
                self.binding(&binding.binding);
            }
            StmtKind::Assign(assign) => {
                self.expr(&assign.value);
                self.target(&assign.target);
                self.assignments += 1;
            }
            StmtKind::Expr(expr) | StmtKind::Throw(expr) => self.expr(expr),
            StmtKind::For(for_loop) => {
                self.expr(&for_loop.iterable);
                self.open();
                self.binding(&for_loop.binding);
                self.block(&for_loop.body.stmts);
                self.close();
            }
            StmtKind::While { condition, body } => {
                self.expr(condition);
                self.block(&body.stmts);
            }
            StmtKind::Guard { condition, otherwise } => {
                self.expr(condition);
                self.block(&otherwise.stmts);
            }
            StmtKind::Require { condition, message } => {
                self.expr(condition);
                if let Some(message) = message {
                    self.expr(message);
                }
            }
            StmtKind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value);
                }
            }
            StmtKind::Yield(value) => {
                if let Some(level) = self.level() {
                    level.yields = true;
                }
                if let Some(value) = value {
                    self.expr(value);
                }
            }
            StmtKind::Emit(value) => {
                if let Some(level) = self.level() {
                    level.emits = true;
                }
                self.expr(value);
            }
            StmtKind::Defer(block) | StmtKind::Mutex(block) => self.block(&block.stmts),
            StmtKind::Select(select) => {
                for case in &select.cases {
                    self.expr(&case.channel);
                }
                if let Some((timeout, _)) = &select.timeout {
                    self.expr(timeout);
                }
                for case in &select.cases {
                    self.open();
                    self.bind(case.name.name);
                    self.block(&case.body.stmts);
                    self.close();
                }
                if let Some((_, block)) = &select.timeout {
                    self.block(&block.stmts);
                }
                if let Some(block) = &select.default {
                    self.block(&block.stmts);
                }
            }
        }
    }

    fn decl(&mut self, decl: &'a Decl) {
        match &decl.kind {
            DeclKind::Pipeline(pipeline) => {
                self.enter();
                for param in &pipeline.params {
                    self.bind(param.name);
                }
                self.statements(&pipeline.body.stmts);
                self.leave(&pipeline.body, true);
            }
            DeclKind::Override { params, body, .. } => {
                self.enter();
                for param in params {
                    self.bind(param.name);
                }
                self.statements(&body.stmts);
                self.leave(body, true);
            }
            DeclKind::Fn(FnDecl { params, body, .. }) => self.function(params, body, true),
            DeclKind::Tool(tool) => {
                self.function(&tool.params, &tool.body, true);
                for param in &tool.params {
                    if let Some(default) = &param.default {
                        self.expr(default);
                    }
                }
                self.bind(tool.name.name);
            }
            DeclKind::Skill { name, fields } => {
                for (_, value) in fields {
                    self.expr(value);
                }
                self.bind(name.name);
            }
            DeclKind::EvalPack(pack) => {
                for (_, value) in &pack.fields {
                    self.expr(value);
                }
                self.block(&pack.body);
                if let Some(summarize) = &pack.summarize {
                    self.lambda(None, summarize);
                }
                self.bind(pack.binding.name);
            }
            DeclKind::Struct { name, fields, .. } => self.out.structs.push((*name, fields)),
            DeclKind::Enum { name, variants, .. } => self.out.enums.push((*name, variants)),
            DeclKind::Impl { target, methods } => {
                self.out.impls.push((*target, methods));
                for method in methods {
                    self.function(&method.function.params, &method.function.body, true);
                }
            }
            DeclKind::TypeAlias { .. } | DeclKind::Interface(_) => {}
        }
    }

    fn binding(&mut self, binding: &'a Binding) {
        match binding {
            Binding::Name(name) => self.bind(name.name),
            Binding::Dict { entries, rest, .. } => {
                for entry in entries {
                    if let Some(default) = &entry.default {
                        self.expr(default);
                    }
                    self.bind(entry.name.name);
                }
                if let Some(rest) = rest {
                    self.bind(rest.name);
                }
            }
            Binding::List { elements, rest, .. } => {
                for element in elements {
                    if let Some(default) = &element.default {
                        self.expr(default);
                    }
                    self.bind(element.name.name);
                }
                if let Some(rest) = rest {
                    self.bind(rest.name);
                }
            }
            Binding::Pair { first, second, .. } => {
                self.bind(first.name);
                self.bind(second.name);
            }
        }
    }

    fn target(&mut self, target: &'a Expr) {
        match &target.kind {
            ExprKind::Name(name) if self.levels.len() > 1 => {
                self.mention(*name, Mention { assigned: true, via_named: false, inside: false });
            }
            ExprKind::Name(_) => {}
            ExprKind::Property { object, .. } => self.target(object),
            ExprKind::Index { object, index, .. } => {
                self.expr(index);
                self.target(object);
            }
            ExprKind::Paren(inner) => self.target(inner),
            _ => self.expr(target),
        }
    }

    fn pattern(&mut self, pattern: &'a Pattern) {
        match &pattern.kind {
            PatternKind::Wildcard => {}
            PatternKind::Name(name) => self.bind(name.name),
            PatternKind::Value(value) => self.expr(value),
            PatternKind::Variant { args, .. } => {
                for arg in args.iter().flatten() {
                    self.pattern(arg);
                }
            }
            PatternKind::Dict { entries, rest } => {
                for (_, entry) in entries {
                    self.pattern(entry);
                }
                if let Some(rest) = rest {
                    self.bind(rest.name);
                }
            }
            PatternKind::Struct { entries, .. } => {
                for (_, entry) in entries {
                    self.pattern(entry);
                }
            }
            PatternKind::List { elements, rest } => {
                for element in elements {
                    self.pattern(element);
                }
                if let Some(rest) = rest {
                    self.bind(rest.name);
                }
            }
            PatternKind::Or(alternatives) => {
                for alternative in alternatives {
                    self.pattern(alternative);
                }
            }
        }
    }

    fn elements(&mut self, elements: &'a [Element]) {
        for element in elements {
            self.expr(&element.value);
        }
    }

    fn entries(&mut self, entries: &'a [DictEntry]) {
        for entry in entries {
            match entry {
                DictEntry::Named { value, .. } | DictEntry::Spread(value) => self.expr(value),
                DictEntry::Computed { key, value } => {
                    self.expr(key);
                    self.expr(value);
                }
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Nil
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Duration(_)
            | ExprKind::Str(_)
            | ExprKind::Error => return,
            ExprKind::Name(name) => return self.read(*name),
            _ => {}
        }
        let before = self.assignments;
        self.compound(expr);
        if self.assignments != before {
            let id = expr.id.0 as usize;
            if let Some(word) = self.out.assigning.get_mut(id / 64) {
                *word |= 1 << (id % 64);
            }
        }
    }

    fn compound(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Interp(parts) => {
                for part in parts {
                    if let InterpPart::Expr(inner) = part {
                        self.expr(inner);
                    }
                }
            }
            ExprKind::List(elements) => self.elements(elements),
            ExprKind::Dict(entries) | ExprKind::StructLit { fields: entries, .. } => self.entries(entries),
            ExprKind::Closure(closure) => self.function(&closure.params, &closure.body, false),
            ExprKind::Paren(inner) | ExprKind::Propagate(inner) | ExprKind::TryStar(inner) => {
                self.expr(inner)
            }
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } | ExprKind::Pipe { left, right } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Range { start, end, .. } => {
                self.expr(start);
                self.expr(end);
            }
            ExprKind::Ternary { condition, then, otherwise } => {
                self.expr(condition);
                self.expr(then);
                self.expr(otherwise);
            }
            ExprKind::Call { callee, args, .. } => {
                self.expr(callee);
                self.elements(args);
            }
            ExprKind::MethodCall { object, args, .. } => {
                self.expr(object);
                self.elements(args);
            }
            ExprKind::Property { object, .. } => self.expr(object),
            ExprKind::Index { object, index, .. } => {
                self.expr(object);
                self.expr(index);
            }
            ExprKind::Slice { object, start, end } => {
                self.expr(object);
                for bound in [start, end].into_iter().flatten() {
                    self.expr(bound);
                }
            }
            ExprKind::If(branch) => {
                self.expr(&branch.condition);
                self.block(&branch.then.stmts);
                match &branch.otherwise {
                    Some(Else::Block(block)) => self.block(&block.stmts),
                    Some(Else::If(inner)) => self.expr(inner),
                    None => {}
                }
            }
            ExprKind::Match { value, arms } => {
                self.expr(value);
                for arm in arms {
                    self.open();
                    self.pattern(&arm.pattern);
                    if let Some(guard) = &arm.guard {
                        self.expr(guard);
                    }
                    self.block(&arm.body.stmts);
                    self.close();
                }
            }
            ExprKind::Try(tried) => {
                self.block(&tried.body.stmts);
                if let Some(catch) = &tried.catch {
                    self.open();
                    if let Some(name) = &catch.name {
                        self.bind(name.name);
                    }
                    self.block(&catch.body.stmts);
                    self.close();
                }
                if let Some(finally) = &tried.finally {
                    self.block(&finally.stmts);
                }
            }
            ExprKind::Retry { attempts, body } => {
                self.expr(attempts);
                self.block(&body.stmts);
            }
            ExprKind::Deadline { duration, body } => {
                self.expr(duration);
                self.block(&body.stmts);
            }
            ExprKind::Spawn(body) => self.lambda(None, body),
            ExprKind::Parallel(parallel) => {
                self.expr(&parallel.operand);
                if let Some(max) = &parallel.max_concurrent {
                    self.expr(max);
                }
                self.lambda(parallel.param.as_ref(), &parallel.body);
            }
            _ => {}
        }
    }
}
