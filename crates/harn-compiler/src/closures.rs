//! Function bodies, closures and nested named functions: parameters, captures, results.
//!
//! A closure captures values at its creation. Its captured names stand in registers of the body, loaded at entry, so
//! that an assignment inside changes the call's private copy. Nested named functions are created where they can be
//! used first; those that mention each other share one list of captures and make each other anew when they call, so
//! no cycle of references arises.
//!
//! Source: spec 02 sections 8.1 to 8.4, 8.6, 13.3.

use crate::Compiler;
use crate::function::{FnState, Nested, Place, Role};
use crate::names::{Meaning, ModuleName};
use crate::survey::BodyFacts;
use harn_bytecode::{Function, FunctionKind, Op, Param as BytecodeParam};
use harn_syntax::Span;
use harn_syntax::ast::{
    Binding, Block, Closure, DeclKind, Expr, ExprKind, FnDecl, Ident, Param, Stmt, StmtKind, Symbol,
};
use harn_syntax::precedents;
use std::rc::Rc;

/// How many captures are loaded into registers at entry; further ones are read on demand.
const EAGER_CAPTURES: usize = 48;
/// More parameters than this cannot be passed in a window.
const MOST_PARAMETERS: usize = 128;

/// A function-like body to be emitted.
pub(crate) struct Body<'a> {
    pub name: String,
    pub params: Parameters<'a>,
    pub block: &'a Block,
    pub role: Role,
    /// The value of the last expression is the result.
    pub value: bool,
    /// `gen fn`.
    pub stream: bool,
    pub captures: Vec<Symbol>,
    pub group: Option<(u32, Symbol)>,
    pub self_name: Option<Symbol>,
}

/// Parameters as written, or bare names.
pub(crate) enum Parameters<'a> {
    Full(&'a [Param]),
    Bare(Vec<Ident>),
    /// `{ ...xs -> }`: see [`precedents::takes_first_argument_alone`].
    First(Ident),
}

impl<'a> Parameters<'a> {
    fn of(closure: &'a Closure) -> Self {
        match closure.params.as_slice() {
            [only] if precedents::takes_first_argument_alone(closure) => Self::First(only.name),
            params => Self::Full(params),
        }
    }
}

/// How a captured name is bound where the closure is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Captured {
    Immutable,
    Mutable,
    /// Its value comes later.
    Cell,
}

/// The name and the body of `let name = { ... }`.
pub(crate) fn late_closure(stmt: &Stmt) -> Option<(Symbol, &Block)> {
    let StmtKind::Let(binding) = &stmt.kind else { return None };
    match (&binding.binding, &crate::expressions::peel(&binding.value).kind) {
        (Binding::Name(name), ExprKind::Closure(closure)) if !binding.mutable => {
            Some((name.name, &closure.body))
        }
        _ => None,
    }
}

/// Nested named functions of one block that are created together.
pub(crate) struct Planned<'a> {
    /// Before which statement.
    pub at: usize,
    pub members: Vec<Member<'a>>,
}

/// One of them.
pub(crate) struct Member<'a> {
    pub decl: &'a FnDecl,
    pub index: u32,
    pub register: Option<u8>,
    /// The register of the cell that closures made before it hold.
    pub cell: Option<u8>,
    pub captures: Rc<Vec<Symbol>>,
    pub group: u32,
}

impl<'a> Compiler<'a> {
    /// A closure literal.
    pub(crate) fn closure_literal(&mut self, closure: &'a Closure, dst: u8) {
        self.lambda(Parameters::of(closure), &closure.body, None, dst);
    }

    /// A closure literal bound to a name that it may call.
    pub(crate) fn named_closure(&mut self, closure: &'a Closure, name: Symbol, dst: u8) {
        self.lambda(Parameters::of(closure), &closure.body, Some(name), dst);
    }

    /// A closure over what is visible now, into `dst`.
    pub(crate) fn lambda(
        &mut self,
        params: Parameters<'a>,
        block: &'a Block,
        self_name: Option<Symbol>,
        dst: u8,
    ) {
        let span = self.f().code.span;
        let facts = self.survey.body(block).cloned().unwrap_or_default();
        let captures: Vec<Symbol> =
            facts.free.iter().copied().filter(|name| self.is_capturable(*name)).collect();
        let index = self.reserve_function();
        // The visible binding of that name, if any, is an earlier one that the closure captures.
        let self_name = self_name.filter(|name| !captures.contains(name));
        self.body(
            index,
            Body {
                name: String::new(),
                params,
                block,
                role: Role::Closure,
                value: true,
                stream: false,
                captures: captures.clone(),
                group: None,
                self_name,
            },
        );
        self.at(span);
        self.instantiate(index, &captures, dst);
    }

    /// The closure of a function with these captures, or the bare function when there are none.
    pub(crate) fn instantiate(&mut self, index: u32, captures: &[Symbol], dst: u8) {
        if captures.is_empty() {
            return self.emit(Op::LoadFn, dst, 0, 0, index as i32);
        }
        let mark = self.mark();
        if captures.len() > 200 {
            let span = self.f().code.span;
            self.error("HARN2104", "a closure can capture at most 200 variables", span);
        }
        let base = self.window(dst);
        for (number, name) in captures.iter().enumerate() {
            let register = if number == 0 { base } else { self.temp() };
            match self.meaning(*name) {
                // The cell itself: what is in it comes later.
                Meaning::Cell(cell) => self.emit(Op::Move, register, cell, 0, 0),
                _ => self.load_name(*name, register),
            }
        }
        self.emit(Op::Closure, dst, base, captures.len() as u8, index as i32);
        self.release(mark);
    }

    /// Whether a closure created here captures this name's value.
    fn is_capturable(&mut self, name: Symbol) -> bool {
        match self.meaning(name) {
            Meaning::Register(_)
            | Meaning::Spilled(_)
            | Meaning::Capture(_)
            | Meaning::Cell(_)
            | Meaning::Sibling(_) => true,
            Meaning::This => self.fns.last().is_some_and(|f| !f.captures.is_empty()),
            // Closures keep the value of a file variable; one that cannot change is read where it stands.
            Meaning::Module(ModuleName::Global { index, mutable: true }) => self.is_ready(index),
            _ => false,
        }
    }

    /// Emits a body as function `index`.
    pub(crate) fn body(&mut self, index: u32, body: Body<'a>) {
        let facts = self.survey.body(body.block).cloned().unwrap_or_default();
        let outer: Vec<Captured> = body.captures.iter().map(|name| self.captured(*name)).collect();
        let mut function = Function { name: body.name, ..Function::default() };
        function.kind = match (body.stream || facts.emits && !facts.yields, facts.yields || facts.emits) {
            (true, _) => FunctionKind::Stream,
            (false, true) => FunctionKind::Generator,
            (false, false) => FunctionKind::Plain,
        };
        function.captures = body.captures.len() as u16;
        let mut state = FnState::new(function, body.role);
        state.index = index;
        state.generator = state.function.kind != FunctionKind::Plain;
        state.captures = body.captures.clone();
        state.group = body.group;
        state.self_name = body.self_name;
        state.code.span = body.block.span;
        self.fns.push(state);
        self.placeholders.push(None);
        self.reserve_parameters(&body.params);
        self.reserve_spill(facts.bindings);
        self.load_captures(&body.captures, &outer, &facts);
        self.f().scope += 1;
        self.parameters(&body.params);
        self.statements_of_body(body.block, body.value);
        self.finish_function(index);
    }

    /// The statements of a body and its result.
    fn statements_of_body(&mut self, block: &'a Block, value: bool) {
        if value {
            let result = self.temp();
            self.statements(&block.stmts, Some(result));
            self.at(Span { start: block.span.end.saturating_sub(1), end: block.span.end });
            self.emit(Op::Return, result, 0, 0, 0);
        } else {
            self.statements(&block.stmts, None);
            self.at(Span { start: block.span.end.saturating_sub(1), end: block.span.end });
            self.emit(Op::ReturnNil, 0, 0, 0, 0);
        }
    }

    /// Lays out the innermost function and stores it.
    pub(crate) fn finish_function(&mut self, index: u32) {
        self.placeholders.pop();
        let Some(mut state) = self.fns.pop() else { return };
        let registers = state.highest;
        let mut function = std::mem::take(&mut state.function);
        state.code.finish(&mut function, registers, &self.consts);
        if let Some(slot) = self.functions.get_mut(index as usize) {
            *slot = function;
        }
    }

    /// Gives the parameters their registers, before anything else.
    fn reserve_parameters(&mut self, params: &Parameters<'a>) {
        let count = match params {
            Parameters::Full(params) => params.len(),
            Parameters::Bare(names) => names.len(),
            Parameters::First(_) => 1,
        };
        if count > MOST_PARAMETERS {
            let span = self.f().code.span;
            self.error("HARN2105", "a function can have at most 128 parameters", span);
        }
        for _ in 0..count.min(MOST_PARAMETERS) {
            self.temp();
        }
    }

    /// Captured names become locals of the outermost scope.
    fn load_captures(&mut self, captures: &[Symbol], outer: &[Captured], facts: &BodyFacts) {
        let mut eager = 0;
        for (slot, name) in captures.iter().enumerate() {
            if facts.free.binary_search(name).is_err() {
                continue;
            }
            let mutable = match outer.get(slot) {
                Some(Captured::Cell) => {
                    let register = self.temp();
                    self.emit(Op::GetCapture, register, 0, 0, slot as i32);
                    self.bind(*name, Place::Cell(register), false);
                    continue;
                }
                outer => outer == Some(&Captured::Mutable),
            };
            let assigned = facts.assigned.contains(name);
            if assigned || eager < EAGER_CAPTURES {
                eager += 1;
                let register = self.temp();
                self.emit(Op::GetCapture, register, 0, 0, slot as i32);
                self.bind_value(*name, register, mutable);
            } else {
                self.bind(*name, Place::Capture(slot as u32), false);
            }
        }
    }

    fn captured(&mut self, name: Symbol) -> Captured {
        match self.meaning(name) {
            Meaning::Cell(_) => Captured::Cell,
            _ if self.is_mutable_here(name) => Captured::Mutable,
            _ => Captured::Immutable,
        }
    }

    /// Makes cells for the closures of a block that closures before them mention: `let f = { -> g() }`, then
    /// `let g = { -> 1 }` (spec 02 section 8.2).
    pub(crate) fn plan_late(&mut self, stmts: &'a [Stmt]) {
        for stmt in stmts {
            if let Some((name, body)) = late_closure(stmt)
                && self.survey.is_late(body)
                && matches!(self.meaning(name), Meaning::Unknown)
            {
                let cell = self.temp();
                self.at(stmt.span);
                self.emit(Op::CellNew, cell, 0, 0, 0);
                self.bind(name, Place::Cell(cell), true);
            }
        }
    }

    /// Puts the closure in `value` into the cell of its name, if closures before it have one.
    pub(crate) fn fill_cell(&mut self, name: Symbol, value: u8) {
        let f = self.f();
        let scope = f.scope;
        let cell = match f.local(name) {
            Some(local) if local.scope == scope => match local.place {
                Place::Cell(cell) => cell,
                _ => return,
            },
            _ => return,
        };
        let mark = self.mark();
        let copy = self.temp();
        self.emit(Op::Move, copy, value, 0, 0);
        self.emit(Op::CellSet, cell, copy, 0, 0);
        self.release(mark);
    }

    /// Whether the name, as visible here, may be assigned.
    pub(crate) fn is_mutable_here(&mut self, name: Symbol) -> bool {
        if let Some(local) = self.fns.last().and_then(|f| f.local(name)) {
            return local.mutable;
        }
        matches!(self.module_names.get(&name), Some(ModuleName::Global { mutable: true, .. }))
    }

    /// Binds parameters, computes defaults, checks annotations.
    fn parameters(&mut self, params: &Parameters<'a>) {
        match params {
            Parameters::Bare(names) => {
                for (index, name) in names.iter().enumerate() {
                    let text = self.text(name.name).to_owned();
                    self.f().function.params.push(BytecodeParam { name: text, has_default: false });
                    self.bind(name.name, Place::Register(index as u8 + 1), false);
                }
            }
            Parameters::First(name) => {
                let text = self.text(name.name).to_owned();
                self.f().function.params.push(BytecodeParam { name: text, has_default: true });
                let present = self.f().code.label();
                self.f().code.jump(Op::JumpPresent, 1, 0, 0, present);
                self.emit(Op::List, 1, 1, 0, 0);
                self.f().code.place(present);
                self.bind(name.name, Place::Register(1), false);
            }
            Parameters::Full(params) => {
                for (index, param) in params.iter().take(MOST_PARAMETERS).enumerate() {
                    self.parameter(param, index as u8 + 1);
                }
                for (index, param) in params.iter().take(MOST_PARAMETERS).enumerate() {
                    if let Some(ty) = &param.ty
                        && !param.rest
                    {
                        self.check_parameter(param.name, ty, index as u8 + 1);
                    }
                }
            }
        }
    }

    fn parameter(&mut self, param: &'a Param, register: u8) {
        let name = self.text(param.name.name).to_owned();
        if param.rest {
            self.f().function.rest = Some(name);
        } else {
            self.f().function.params.push(BytecodeParam { name, has_default: param.default.is_some() });
        }
        if let Some(default) = &param.default {
            let present = self.f().code.label();
            self.at(default.span);
            self.f().code.jump(Op::JumpPresent, register, 0, 0, present);
            self.expr(default, register);
            self.f().code.place(present);
        }
        self.bind(param.name.name, Place::Register(register), false);
    }

    /// Plans the nested functions of a block, gives them their names, and says when to create them.
    pub(crate) fn plan_nested(&mut self, stmts: &'a [Stmt]) -> Vec<Planned<'a>> {
        let decls: Vec<(usize, &'a FnDecl)> = stmts
            .iter()
            .enumerate()
            .filter_map(|(at, stmt)| match &stmt.kind {
                StmtKind::Decl(decl) => match &decl.kind {
                    DeclKind::Fn(function) => Some((at, function)),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        if decls.is_empty() {
            return Vec::new();
        }
        self.plan_groups(stmts, &decls)
    }

    fn plan_groups(&mut self, stmts: &'a [Stmt], decls: &[(usize, &'a FnDecl)]) -> Vec<Planned<'a>> {
        let facts: Vec<Rc<BodyFacts>> =
            decls.iter().map(|(_, decl)| self.survey.body(&decl.body).cloned().unwrap_or_default()).collect();
        let count = decls.len();
        // reach[i][j]: i mentions j, directly or by way of siblings.
        let mut reach: Vec<Vec<bool>> = facts
            .iter()
            .map(|facts| decls.iter().map(|(_, other)| facts.free.contains(&other.name.name)).collect())
            .collect();
        for via in 0..count {
            for from in 0..count {
                if at2(&reach, from, via) {
                    for to in 0..count {
                        if at2(&reach, via, to)
                            && let Some(cell) = reach.get_mut(from).and_then(|row| row.get_mut(to))
                        {
                            *cell = true;
                        }
                    }
                }
            }
        }
        let names: Vec<Symbol> = decls.iter().map(|(_, decl)| decl.name.name).collect();
        // A function is created at the latest declaration it depends on, but before its first use; a closure that
        // mentions it earlier uses it only when it is called.
        let creation: Vec<(usize, usize)> = (0..count)
            .map(|i| {
                let latest = decls
                    .iter()
                    .enumerate()
                    .filter(|(j, _)| *j == i || at2(&reach, i, *j))
                    .map(|(_, (at, _))| *at)
                    .max()
                    .unwrap_or(0);
                let first = |at: Option<u32>| at.map_or(usize::MAX, |at| at as usize);
                let (used, captured) =
                    facts.get(i).map_or((None, None), |facts| (facts.first_use, facts.first_capture));
                let late = latest.min(first(used));
                (late.min(first(captured)), late)
            })
            .collect();
        let declared = declared_before(stmts);
        let mut done = vec![false; count];
        let mut planned: Vec<Planned<'a>> = Vec::new();
        // Groups in dependency order: a group is ready when everything it reaches outside itself is done.
        while let Some(next) = (0..count).find(|i| {
            !done.get(*i).copied().unwrap_or(true)
                && (0..count).all(|j| {
                    !at2(&reach, *i, j) || at2(&reach, j, *i) || done.get(j).copied().unwrap_or(true)
                })
        }) {
            let members: Vec<usize> =
                (0..count).filter(|j| *j == next || at2(&reach, next, *j) && at2(&reach, *j, next)).collect();
            let reaching: Vec<(usize, usize)> = (0..count)
                .filter(|i| members.iter().any(|m| m == i || at2(&reach, *i, *m)))
                .filter_map(|i| creation.get(i))
                .copied()
                .collect();
            let early = reaching.iter().map(|(early, _)| *early).min().unwrap_or(0);
            let late = reaching.iter().map(|(_, late)| *late).min().unwrap_or(0);
            // Waiting pays when a variable that the functions mention is declared meanwhile.
            let waits = declared.iter().any(|(name, when)| {
                *when >= early
                    && *when < late
                    && members.iter().any(|m| facts.get(*m).is_some_and(|facts| facts.free.contains(name)))
            });
            let at = if waits { late } else { early };
            let mut captures: Vec<Symbol> = Vec::new();
            for member in &members {
                for name in facts.get(*member).map_or(&[][..], |facts| &facts.free) {
                    let own = members.iter().any(|m| names.get(*m) == Some(name));
                    let visible = declared.iter().any(|(known, when)| known == name && *when < at);
                    let sibling = planned
                        .iter()
                        .flat_map(|group| &group.members)
                        .any(|m| m.decl.name.name == *name && m.register.is_some());
                    let plain_sibling = names.contains(name) && !sibling;
                    if !own
                        && !captures.contains(name)
                        && !plain_sibling
                        && (visible || sibling || self.is_capturable_outside(*name))
                    {
                        captures.push(*name);
                    }
                }
                if let Some(slot) = done.get_mut(*member) {
                    *slot = true;
                }
            }
            let captures = Rc::new(captures);
            self.groups += 1;
            let group = self.groups;
            let members = members
                .into_iter()
                .filter_map(|m| decls.get(m))
                .map(|(_, decl)| self.name_nested(decl, &captures, group, waits))
                .collect();
            planned.push(Planned { at, members });
        }
        planned
    }

    pub(crate) fn is_capturable_outside(&mut self, name: Symbol) -> bool {
        match self.meaning(name) {
            // Named functions read the file's variables where they stand.
            Meaning::Module(_) => false,
            _ => self.is_capturable(name),
        }
    }

    fn name_nested(
        &mut self,
        decl: &'a FnDecl,
        captures: &Rc<Vec<Symbol>>,
        group: u32,
        waits: bool,
    ) -> Member<'a> {
        let index = self.reserve_function();
        let name = decl.name.name;
        self.check_redeclaration(name, false);
        if captures.is_empty() {
            self.bind(name, Place::Function(index), false);
            return Member { decl, index, register: None, cell: None, captures: captures.clone(), group };
        }
        let register = self.temp();
        let mut member =
            Member { decl, index, register: Some(register), cell: None, captures: captures.clone(), group };
        if waits {
            let cell = self.temp();
            self.at(decl.name.span);
            self.emit(Op::CellNew, cell, 0, 0, 0);
            self.bind(name, Place::Cell(cell), false);
            member.cell = Some(cell);
        } else {
            self.bind_nested(&member, register);
        }
        member
    }

    fn bind_nested(&mut self, member: &Member<'a>, register: u8) {
        let captures = member.captures.as_ref().clone();
        let nested = Rc::new(Nested { function: member.index, register, group: member.group, captures });
        self.bind(member.decl.name.name, Place::Nested(nested), false);
    }

    /// Creates the functions planned for this statement.
    pub(crate) fn create_nested(&mut self, planned: &[Planned<'a>], at: usize) {
        for group in planned.iter().filter(|group| group.at == at) {
            for member in group.members.iter().filter(|member| member.cell.is_some()) {
                if let Some(register) = member.register {
                    self.bind_nested(member, register);
                }
            }
            for member in &group.members {
                let decl = member.decl;
                self.body(
                    member.index,
                    Body {
                        name: self.text(decl.name.name).to_owned(),
                        params: Parameters::Full(&decl.params),
                        block: &decl.body,
                        role: Role::Named,
                        value: false,
                        stream: decl.is_gen,
                        captures: member.captures.as_ref().clone(),
                        group: member.register.map(|_| (member.group, decl.name.name)),
                        self_name: None,
                    },
                );
                if let Some(register) = member.register {
                    self.at(decl.name.span);
                    self.instantiate(member.index, &member.captures, register);
                    self.f().variables.insert(register);
                    if let Some(cell) = member.cell {
                        let mark = self.mark();
                        let copy = self.temp();
                        self.emit(Op::Move, copy, register, 0, 0);
                        self.emit(Op::CellSet, cell, copy, 0, 0);
                        self.release(mark);
                    }
                }
            }
        }
    }

    /// `return f(args)` and `return v |> f` replace the frame, outside `try`, `finally` and `defer`.
    pub(crate) fn tail_call(&mut self, value: &'a Expr) -> bool {
        let value = crate::expressions::peel(value);
        let f = self.f();
        if f.is_protected() || f.generator || f.role == Role::Script || f.role == Role::Init {
            return false;
        }
        match &value.kind {
            ExprKind::Call { .. } => {
                let mark = self.mark();
                let scratch = self.temp();
                self.at(value.span);
                self.call(value, scratch, true);
                // Constructors and unknown names give a value after all.
                self.emit(Op::Return, scratch, 0, 0, 0);
                self.release(mark);
                true
            }
            ExprKind::Pipe { left, right } => {
                let mark = self.mark();
                let scratch = self.temp();
                self.at(value.span);
                self.pipe(left, right, scratch, true);
                self.emit(Op::Return, scratch, 0, 0, 0);
                self.release(mark);
                true
            }
            _ => false,
        }
    }
}

fn at2(matrix: &[Vec<bool>], row: usize, column: usize) -> bool {
    matrix.get(row).and_then(|row| row.get(column)).copied().unwrap_or(false)
}

/// The variables that statements of a block declare, with the statement after which they are visible.
fn declared_before(stmts: &[Stmt]) -> Vec<(Symbol, usize)> {
    let mut out = Vec::new();
    for (at, stmt) in stmts.iter().enumerate() {
        match &stmt.kind {
            StmtKind::Let(binding) => {
                crate::bindings::each_name(&binding.binding, &mut |name| out.push((name, at)));
            }
            StmtKind::Decl(decl) => match &decl.kind {
                DeclKind::Tool(tool) => out.push((tool.name.name, at)),
                DeclKind::Skill { name, .. } => out.push((name.name, at)),
                DeclKind::EvalPack(pack) => out.push((pack.binding.name, at)),
                _ => {}
            },
            _ => {}
        }
    }
    out
}
