//! Ways out: protected regions, `try`/`catch`/`finally`, `defer`, `retry`, `deadline`, `mutex`, and the exits that
//! pass through them.
//!
//! A `finally` or `defer` block exists once. Whoever leaves through it stores a number that says how to go on (0 fall
//! through, 1 raise, 2.. an exit) and jumps to its entry; after the block the number decides.
//!
//! Source: spec 02 sections 9.6, 9.7, 9.8, 10.2, 11.2; 04 sections 4.4, 4.7.

use crate::Compiler;
use crate::code::Region;
use crate::function::{Control, ExitKind, Finally, Late, OpenRegion, Role};
use harn_bytecode::{Const, Op};
use harn_syntax::ast::{Block, Catch, Expr, Try, TypeKind};

impl<'a> Compiler<'a> {
    /// Starts protecting the code from here on.
    pub(crate) fn open_region(&mut self, raw: bool) -> OpenRegion {
        let f = self.f();
        let target = f.code.label();
        OpenRegion { ranges: Vec::new(), start: f.code.here(), target, top: f.next as u8, raw }
    }

    /// Ends the protection and places its handler here; gives the register of the error.
    pub(crate) fn close_region(&mut self, mut region: OpenRegion, end: u32) -> u8 {
        let f = self.f();
        if region.start < end {
            region.ranges.push((region.start, end));
        }
        f.code.place(region.target);
        f.highest = f.highest.max(u16::from(region.top) + 1);
        let top = region.top;
        f.code.regions.push(Region {
            ranges: region.ranges,
            target: region.target,
            error: top,
            top,
            raw: region.raw,
        });
        top
    }

    /// Pops the innermost control, which must be a region of the given kind.
    fn pop_region(&mut self) -> Option<OpenRegion> {
        match self.f().control.pop()? {
            Control::Handler(region) | Control::Deadline(region) | Control::Mutex(region) => Some(region),
            Control::Finally(finally) => Some(finally.region),
            Control::Loop { .. } => None,
        }
    }

    /// Leaves by `return`, `break` or `continue`, through everything in between. `value` is what a return returns.
    pub(crate) fn exit(&mut self, kind: ExitKind, value: Option<u8>) {
        let here = self.f().code.here();
        let mut crossed = Vec::new();
        let mut left = false;
        for index in (0..self.f().control.len()).rev() {
            let f = self.f();
            let Some(control) = f.control.get_mut(index) else { break };
            match control {
                Control::Loop { on_break, on_continue } => {
                    let target = match kind {
                        ExitKind::Break(to) if to == index => *on_break,
                        ExitKind::Continue(to) if to == index => *on_continue,
                        _ => continue,
                    };
                    f.code.jump(Op::Jump, 0, 0, 0, target);
                    left = true;
                    break;
                }
                Control::Handler(region) => {
                    region.pause(f.code.here());
                    crossed.push(index);
                }
                Control::Deadline(region) => {
                    region.pause(f.code.here());
                    crossed.push(index);
                    f.code.emit(Op::DeadlinePop, 0, 0, 0, 0);
                }
                Control::Mutex(region) => {
                    region.pause(f.code.here());
                    crossed.push(index);
                    f.code.emit(Op::MutexExit, 0, 0, 0, 0);
                }
                Control::Finally(finally) => {
                    finally.region.pause(f.code.here());
                    crossed.push(index);
                    let number = match finally.exits.iter().position(|known| *known == kind) {
                        Some(known) => known,
                        None => {
                            finally.exits.push(kind);
                            finally.exits.len() - 1
                        }
                    };
                    let (how, slot, entry) = (finally.how, finally.value, finally.entry);
                    if kind == ExitKind::Return {
                        match value {
                            Some(register) if register == slot => {}
                            Some(register) => f.code.emit(Op::Move, slot, register, 0, 0),
                            None => f.code.emit(Op::Nil, slot, 0, 0, 0),
                        }
                    } else {
                        f.code.emit(Op::Nil, slot, 0, 0, 0);
                    }
                    f.code.emit(Op::Int, how, 0, 0, number as i32 + 2);
                    f.code.jump(Op::Jump, 0, 0, 0, entry);
                    left = true;
                    break;
                }
            }
        }
        if !left {
            match value {
                Some(register) => self.emit(Op::Return, register, 0, 0, 0),
                None => self.emit(Op::ReturnNil, 0, 0, 0, 0),
            }
        }
        let f = self.f();
        let resume = f.code.here();
        debug_assert!(resume >= here);
        for index in crossed {
            if let Some(region) = f.control.get_mut(index).and_then(Control::region) {
                region.start = resume;
            }
        }
    }

    /// As [`Compiler::exit`], moved out of the line under `label`: code here goes on as if nothing had been emitted.
    pub(crate) fn exit_cold(&mut self, label: crate::code::Label, kind: ExitKind, value: Option<u8>) {
        let start = self.f().code.here();
        self.exit(kind, value);
        let f = self.f();
        f.code.make_cold(label, start);
        for control in &mut f.control {
            if let Some(region) = control.region()
                && region.start > start
            {
                region.start = start;
                if let Some((_, end)) = region.ranges.last_mut() {
                    *end = (*end).min(start);
                }
            }
        }
    }

    /// The innermost loop, for `break` and `continue`.
    pub(crate) fn innermost_loop(&mut self) -> Option<usize> {
        self.f().control.iter().rposition(|control| matches!(control, Control::Loop { .. }))
    }

    /// From here on, `block` runs on every way out; `late` is what it mentions that is declared after it.
    pub(crate) fn begin_finally(&mut self, block: &'a Block, late: Option<Late>) {
        let how = self.temp();
        let value = self.temp();
        let region = self.open_region(true);
        let f = self.f();
        let entry = f.code.label();
        let visible = f.locals.len();
        f.control.push(Control::Finally(Box::new(Finally {
            region,
            how,
            value,
            entry,
            exits: Vec::new(),
            block,
            visible,
            late,
        })));
    }

    /// Ends the protection of the innermost `finally` or `defer`, and emits its block.
    pub(crate) fn end_finally(&mut self) {
        let Some(Control::Finally(finally)) = self.f().control.pop() else { return };
        let Finally { region, how, value, entry, exits, block, visible, late } = *finally;
        let end = self.f().code.here();
        // Nothing is pending on the ordinary way. It is said, for a register that is read where it was not written on every
        // way is alive from the beginning of the function on.
        self.emit(Op::Nil, value, 0, 0, 0);
        self.emit(Op::Int, how, 0, 0, 0);
        self.f().code.jump(Op::Jump, 0, 0, 0, entry);
        let error = self.close_region(region, end);
        self.emit(Op::Move, value, error, 0, 0);
        self.emit(Op::Int, how, 0, 0, 1);
        self.f().code.place(entry);
        let hidden = {
            let f = self.f();
            let at = visible.min(f.locals.len());
            f.locals.split_off(at)
        };
        match &late {
            Some(late) => self.deferred_by_stage(block, late, &hidden),
            None => self.block(block, None),
        }
        self.f().locals.extend(hidden);
        let done = self.f().code.label();
        self.f().code.jump_imm(Op::JumpEqImm, how, 0, done);
        let labels: Vec<_> = exits.iter().map(|_| self.f().code.label()).collect();
        for (number, label) in labels.iter().enumerate() {
            self.f().code.jump_imm(Op::JumpEqImm, how, number as i16 + 2, *label);
        }
        self.emit(Op::Throw, value, 0, 0, 0);
        for (kind, label) in exits.iter().zip(labels) {
            self.f().code.place(label);
            self.exit(*kind, Some(value));
        }
        self.f().code.place(done);
    }

    /// `try { } catch { } finally { }` and the try-expression.
    pub(crate) fn try_expr(&mut self, tried: &'a Try, dst: Option<u8>) {
        let mark = self.mark();
        let result = dst.map(|dst| self.working(dst));
        if tried.catch.is_none() && tried.finally.is_none() {
            let result = result.unwrap_or_else(|| self.temp());
            self.try_result(&tried.body, result);
            if let Some(dst) = dst {
                self.deliver(result, dst);
            }
            return self.release(mark);
        }
        if let Some(finally) = &tried.finally {
            if let Some(result) = result {
                // Ends the liveness of an earlier value at this place.
                self.emit(Op::Nil, result, 0, 0, 0);
            }
            self.begin_finally(finally, None);
        }
        match &tried.catch {
            Some(catch) => self.try_catch(&tried.body, catch, result),
            None => self.block(&tried.body, result),
        }
        if tried.finally.is_some() {
            self.end_finally();
        }
        if let (Some(result), Some(dst)) = (result, dst) {
            self.deliver(result, dst);
        }
        self.release(mark);
    }

    fn try_catch(&mut self, body: &'a Block, catch: &'a Catch, result: Option<u8>) {
        let typed = catch.ty.as_ref().and_then(|ty| match &ty.kind {
            TypeKind::Named { name, .. } => Some(self.text(*name).to_owned()),
            _ => None,
        });
        let end = self.f().code.label();
        let region = self.open_region(typed.is_some());
        self.f().control.push(Control::Handler(region));
        self.block(body, result);
        let Some(region) = self.pop_region() else { return };
        let stop = self.f().code.here();
        self.f().code.jump(Op::Jump, 0, 0, 0, end);
        self.close_region(region, stop);
        let scope = self.open_scope();
        let error = self.temp();
        if let Some(enum_name) = typed {
            let test = self.temp();
            let name = self.str_const(&enum_name);
            self.emit(Op::TestError, test, error, 0, name);
            let matches = self.f().code.label();
            self.f().code.jump(Op::JumpIf, test, 0, 0, matches);
            self.emit(Op::Throw, error, 0, 0, 0);
            self.f().code.place(matches);
            self.emit(Op::CatchValue, error, error, 0, 0);
            self.release(u16::from(error) + 1);
        }
        if let Some(name) = &catch.name {
            self.bind_value(name.name, error, false);
        }
        self.block(&catch.body, result);
        self.close_scope(scope);
        self.f().code.place(end);
    }

    /// `try { body }`: a Result.
    fn try_result(&mut self, body: &'a Block, result: u8) {
        let end = self.f().code.label();
        let region = self.open_region(false);
        self.f().control.push(Control::Handler(region));
        self.block(body, Some(result));
        let Some(region) = self.pop_region() else { return };
        let stop = self.f().code.here();
        let mark = self.mark();
        let test = self.temp();
        for variant in ["Ok", "Err"] {
            let index =
                self.constant(Const::Variant { enum_name: "Result".to_owned(), variant: variant.to_owned() });
            self.emit(Op::TestVariant, test, result, 0, index);
            self.f().code.jump(Op::JumpIf, test, 0, 0, end);
        }
        self.release(mark);
        self.result_value("Ok", result, result);
        self.f().code.jump(Op::Jump, 0, 0, 0, end);
        let error = self.close_region(region, stop);
        self.result_value("Err", error, result);
        self.f().code.place(end);
    }

    /// `try* e`.
    pub(crate) fn try_star(&mut self, expr: &'a Expr, inner: &'a Expr, dst: u8) {
        if self.fns.len() == 1 && matches!(self.f().role, Role::Script | Role::Init) {
            self.error(
                "HARN2103",
                "try* requires an enclosing function (fn, tool, or pipeline) so the rethrow has a target",
                expr.span,
            );
        }
        self.expr(inner, dst);
    }

    /// `retry n { }`.
    pub(crate) fn retry(&mut self, attempts: &'a Expr, body: &'a Block, dst: Option<u8>) {
        let mark = self.mark();
        let result = dst.map(|dst| self.working(dst));
        let left = self.temp();
        self.expr(attempts, left);
        let (again, end, raise) = {
            let f = self.f();
            (f.code.place_new(), f.code.label(), f.code.label())
        };
        let region = self.open_region(true);
        self.f().control.push(Control::Handler(region));
        self.block(body, result);
        let Some(region) = self.pop_region() else { return };
        let stop = self.f().code.here();
        self.f().code.jump(Op::Jump, 0, 0, 0, end);
        let error = self.close_region(region, stop);
        self.release(u16::from(error) + 1);
        let test = self.temp();
        self.emit(Op::TestRetry, test, error, 0, 0);
        self.f().code.jump(Op::JumpIfNot, test, 0, 0, raise);
        self.emit(Op::SubImm, left, left, 0, 1);
        self.f().code.jump_imm(Op::JumpGeImm, left, 1, again);
        self.f().code.place(raise);
        self.emit(Op::Throw, error, 0, 0, 0);
        self.f().code.place(end);
        if let (Some(result), Some(dst)) = (result, dst) {
            self.deliver(result, dst);
        }
        self.release(mark);
    }

    /// `deadline d { }`.
    pub(crate) fn deadline(&mut self, duration: &'a Expr, body: &'a Block, dst: Option<u8>) {
        let mark = self.mark();
        let result = dst.map(|dst| self.working(dst));
        let limit = self.operand(duration);
        self.emit(Op::DeadlinePush, limit, 0, 0, 0);
        let region = self.open_region(true);
        self.f().control.push(Control::Deadline(region));
        self.block(body, result);
        self.end_guarded(Op::DeadlinePop);
        if let (Some(result), Some(dst)) = (result, dst) {
            self.deliver(result, dst);
        }
        self.release(mark);
    }

    /// `mutex { }`.
    pub(crate) fn mutex(&mut self, body: &'a Block) {
        let mark = self.mark();
        self.emit(Op::MutexEnter, 0, 0, 0, 0);
        let region = self.open_region(true);
        self.f().control.push(Control::Mutex(region));
        self.block(body, None);
        self.end_guarded(Op::MutexExit);
        self.release(mark);
    }

    /// The normal and the failing end of a region that gives something back.
    fn end_guarded(&mut self, give_back: Op) {
        let Some(region) = self.pop_region() else { return };
        let stop = self.f().code.here();
        let end = self.f().code.label();
        self.emit(give_back, 0, 0, 0, 0);
        self.f().code.jump(Op::Jump, 0, 0, 0, end);
        let error = self.close_region(region, stop);
        self.emit(give_back, 0, 0, 0, 0);
        self.emit(Op::Throw, error, 0, 0, 0);
        self.f().code.place(end);
    }
}

impl OpenRegion {
    /// Ends the covered range at `here`; [`Compiler::exit`] goes on after the exit's code.
    fn pause(&mut self, here: u32) {
        if self.start < here {
            self.ranges.push((self.start, here));
        }
        self.start = here;
    }
}

impl Control<'_> {
    /// The open region, if this has one.
    pub(crate) fn region(&mut self) -> Option<&mut OpenRegion> {
        match self {
            Control::Handler(region) | Control::Deadline(region) | Control::Mutex(region) => Some(region),
            Control::Finally(finally) => Some(&mut finally.region),
            Control::Loop { .. } => None,
        }
    }
}
