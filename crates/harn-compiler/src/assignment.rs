//! Assignments: in place wherever the value is unshared.
//!
//! Source: spec 02 sections 7.3, 7.4; design notes 3.5.

use crate::Compiler;
use crate::expressions::peel;
use crate::function::Control;
use crate::names::{Meaning, ModuleName};
use crate::operators::gives_number;
use harn_bytecode::{Const, Op, PathStep, RaiseKind};
use harn_syntax::ast::{Assign, BinaryOp, Expr, ExprKind, Ident, Stmt, Symbol};
use harn_syntax::precedents;

/// A step of a nested target.
enum Step<'a> {
    Field(Ident),
    Index(&'a Expr),
}

/// Where an assignment's root variable lives.
enum Root {
    Register(u8),
    Global(u32),
    Spilled(u32),
    /// In no mutable variable: storing raises, when everything before the store has been done.
    Nowhere(Symbol),
}

/// How the value of a target grows; the numbers are operand `c` of `LoosenGlobal`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Growth {
    Add = 0,
    Push = 1,
}

impl<'a> Compiler<'a> {
    /// `target = value`, `target += value`, ...
    pub(crate) fn assignment(&mut self, assign: &'a Assign, stmt: &'a Stmt) {
        let mark = self.mark();
        let target = peel(&assign.target);
        match &target.kind {
            ExprKind::Name(name) => self.assign_name(*name, target, assign, stmt),
            ExprKind::Property { .. } | ExprKind::Index { .. } => self.assign_nested(target, assign, stmt),
            _ => {
                self.error("HARN2106", "this cannot be assigned to", target.span);
            }
        }
        self.release(mark);
    }

    /// The root of an assignment.
    fn root(&mut self, name: Symbol) -> Root {
        let mutable = self.is_mutable_here(name);
        match self.meaning(name) {
            Meaning::Register(register) if mutable => Root::Register(register),
            Meaning::Spilled(number) if mutable => Root::Spilled(number),
            Meaning::Module(ModuleName::Global { index, mutable: true }) => Root::Global(index),
            _ => Root::Nowhere(name),
        }
    }

    /// Raises what assigning to a name that is no mutable variable raises.
    fn raise_unassignable(&mut self, name: Symbol) {
        match self.meaning(name) {
            Meaning::Unknown | Meaning::Builtin => self.raise_undefined(name),
            _ => {
                let text = self.text(name).to_owned();
                self.raise(RaiseKind::Immutable, &text);
            }
        }
    }

    fn assign_name(&mut self, name: Symbol, target: &'a Expr, assign: &'a Assign, stmt: &'a Stmt) {
        match self.root(name) {
            Root::Register(register) => self.assign_register(name, register, assign, stmt),
            root => {
                let value = self.temp();
                match self.growth(target, assign, &root) {
                    Some((growth, operand)) => {
                        // The operand stands in the register after the value, as the loosening wants it.
                        let second = self.temp();
                        self.load_name(name, value);
                        self.expr(operand, second);
                        self.at(stmt.span);
                        if let Root::Global(index) = root {
                            self.emit(Op::LoosenGlobal, value, second, growth as u8, index as i32);
                        }
                        self.grow(growth, value, second);
                    }
                    None => match assign.op {
                        Some(op) => {
                            let current = self.temp();
                            self.load_name(name, current);
                            self.combine_at(stmt.span, op, current, &assign.value, value);
                        }
                        None => self.expr(&assign.value, value),
                    },
                }
                self.at(stmt.span);
                self.store_root(&root, value);
            }
        }
    }

    fn store_root(&mut self, root: &Root, value: u8) {
        match root {
            Root::Register(register) => self.deliver(value, *register),
            Root::Global(index) => self.emit(Op::SetGlobal, value, 0, 0, *index as i32),
            Root::Spilled(number) => self.store_spilled(*number, value),
            Root::Nowhere(name) => self.raise_unassignable(*name),
        }
    }

    /// The `e` of `x = x.push(e)`.
    fn push_argument(&mut self, name: Symbol, assign: &'a Assign) -> Option<&'a Expr> {
        let ExprKind::MethodCall { object, name: method, optional: false, args } = &peel(&assign.value).kind
        else {
            return None;
        };
        let [argument] = args.as_slice() else { return None };
        let same = matches!(&peel(object).kind, ExprKind::Name(root) if *root == name);
        let fits = same && !argument.spread && self.text(method.name) == "push";
        (fits && !self.survey.assigns(&argument.value)).then_some(&argument.value)
    }

    fn take_root(&mut self, root: &Root, dst: u8) {
        match root {
            Root::Register(register) => self.emit(Op::Move, dst, *register, 0, 0),
            Root::Global(index) => self.emit(Op::TakeGlobal, dst, 0, 0, *index as i32),
            Root::Spilled(number) => {
                let (spill, site) = self.spill_slot(*number);
                self.emit(Op::TakeField, dst, spill, 0, site);
            }
            Root::Nowhere(name) => self.raise_unassignable(*name),
        }
    }

    fn assign_register(&mut self, name: Symbol, register: u8, assign: &'a Assign, stmt: &'a Stmt) {
        if let Some(op) = assign.op {
            let current = if self.survey.assigns(&assign.value) {
                let copy = self.temp();
                self.emit(Op::Move, copy, register, 0, 0);
                copy
            } else {
                register
            };
            return self.combine_at(stmt.span, op, current, &assign.value, register);
        }
        if let Some(argument) = self.push_argument(name, assign) {
            let item = self.temp();
            self.expr(argument, item);
            self.at(stmt.span);
            return self.emit(Op::ListPush, register, item, 0, 0);
        }
        if writes_last(&assign.value) && !self.survey.assigns(&assign.value) {
            return self.expr(&assign.value, register);
        }
        let value = self.temp();
        self.expr(&assign.value, value);
        self.at(stmt.span);
        self.deliver(value, register);
    }

    /// `root.a[i].b = value`.
    fn assign_nested(&mut self, target: &'a Expr, assign: &'a Assign, stmt: &'a Stmt) {
        let mut steps = Vec::new();
        let mut place = target;
        loop {
            match &peel(place).kind {
                ExprKind::Property { object, name, .. } => {
                    steps.push(Step::Field(*name));
                    place = object;
                }
                ExprKind::Index { object, index, .. } => {
                    steps.push(Step::Index(index));
                    place = object;
                }
                _ => break,
            }
        }
        steps.reverse();
        let place = peel(place);
        let ExprKind::Name(name) = &place.kind else {
            return self.error(
                "HARN2106",
                "only a variable, or a part of one, can be assigned to",
                place.span,
            );
        };
        let root = self.root(*name);
        let value = self.temp();
        let growth = self.growth(target, assign, &root);
        // The operand of a growing target stands in the register after its value.
        let second = if growth.is_some() { self.temp() } else { value };
        if assign.op.is_none() && growth.is_none() {
            self.expr(&assign.value, value);
        }
        // The keys in a row, as the path instruction wants them; a single variable key is borrowed where it is.
        let count = steps.iter().filter(|step| matches!(step, Step::Index(_))).count();
        let keys = match (steps.as_slice(), assign.op) {
            ([Step::Index(index)], None) if growth.is_none() => self.operand(index),
            _ => {
                let base = if count > 0 { self.temps(count) } else { value };
                let mut key = base;
                for step in &steps {
                    if let Step::Index(index) = step {
                        self.expr(index, key);
                        key = key.wrapping_add(1);
                    }
                }
                base
            }
        };
        if let Some((growth, operand)) = growth {
            self.read_path(*name, &root, &steps, keys, value, target);
            self.expr(operand, second);
            self.at(target.span);
            let path = self.path(&steps);
            match (&root, growth) {
                (Root::Register(register), Growth::Add) => {
                    self.emit(Op::LoosenAdd, *register, value, keys, path);
                }
                (Root::Register(register), Growth::Push) => {
                    self.emit(Op::LoosenPush, *register, value, keys, path);
                }
                // Adding runs no code of the program: it happens while the root is taken for the store.
                (_, Growth::Add) => {
                    self.at(stmt.span);
                    return self.store_guarded(&root, &steps, keys, value, Some((second, path)));
                }
                (_, Growth::Push) => {
                    // Loosening cannot fail, so the root is never lost; a method named `push` may look at it.
                    let taken = self.temp();
                    self.take_root(&root, taken);
                    self.emit(Op::LoosenPush, taken, value, keys, path);
                    self.store_root(&root, taken);
                }
            }
            self.at(stmt.span);
            self.grow(growth, value, second);
        } else if let Some(op) = assign.op {
            self.read_path(*name, &root, &steps, keys, value, target);
            if self.survey.assigns(&assign.value) {
                // The operand may change the root: compute aside, store into the new one.
                let operand = self.temp();
                self.expr(&assign.value, operand);
                self.combine_registers(stmt, op, value, operand);
            } else {
                self.combine_at(stmt.span, op, value, &assign.value, value);
            }
        }
        if matches!(root, Root::Nowhere(_)) {
            self.at(place.span);
            return self.store_root(&root, value);
        }
        if precedents::drops_its_value(assign) {
            return;
        }
        self.at(target.span);
        match root {
            Root::Register(register) => self.store_path(register, &steps, keys, value),
            _ => self.store_guarded(&root, &steps, keys, value, None),
        }
    }

    fn combine_registers(&mut self, stmt: &'a Stmt, op: BinaryOp, value: u8, operand: u8) {
        self.at(stmt.span);
        let op = match op {
            BinaryOp::Sub => Op::Sub,
            BinaryOp::Mul => Op::Mul,
            BinaryOp::Div => Op::Div,
            BinaryOp::Rem => Op::Rem,
            _ => Op::Add,
        };
        self.emit(op, value, value, operand, 0);
    }

    /// Reads the value at a path.
    fn read_path(
        &mut self,
        name: Symbol,
        root: &Root,
        steps: &[Step<'a>],
        keys: u8,
        dst: u8,
        target: &'a Expr,
    ) {
        let mark = self.mark();
        let mut current = match root {
            Root::Register(register) => *register,
            _ => {
                let register = self.temp();
                self.load_name(name, register);
                register
            }
        };
        let mut key = keys;
        self.at(target.span);
        for (index, step) in steps.iter().enumerate() {
            let next = if index + 1 == steps.len() { dst } else { self.temp() };
            match step {
                Step::Field(field) => {
                    let text = self.text(field.name).to_owned();
                    let site = self.f().code.site(&text);
                    self.emit(Op::GetField, next, current, 0, site);
                }
                Step::Index(_) => {
                    self.emit(Op::GetIndex, next, current, key, 0);
                    key = key.wrapping_add(1);
                }
            }
            current = next;
        }
        self.release(mark);
    }

    /// Stores into the value in `register`.
    fn store_path(&mut self, register: u8, steps: &[Step<'a>], keys: u8, value: u8) {
        match steps {
            [Step::Field(field)] => {
                let text = self.text(field.name).to_owned();
                let site = self.f().code.site(&text);
                self.emit(Op::SetField, register, value, 0, site);
            }
            [Step::Index(_)] => self.emit(Op::SetIndex, register, keys, value, 0),
            _ => {
                let path = self.path(steps);
                self.emit(Op::SetPath, register, value, keys, path);
            }
        }
    }

    fn path(&mut self, steps: &[Step<'a>]) -> i32 {
        let path = steps
            .iter()
            .map(|step| match step {
                Step::Field(field) => PathStep::Field(self.text(field.name).to_owned()),
                Step::Index(_) => PathStep::Index,
            })
            .collect();
        self.constant(Const::Path(path))
    }

    /// How a text or list may grow in `t += e`, `t = t + e` or `t = t.push(e)`, and `e`. The target's keys are the
    /// same at both places: literals, and variables of this function that `e` does not assign.
    fn growth(&mut self, target: &'a Expr, assign: &'a Assign, root: &Root) -> Option<(Growth, &'a Expr)> {
        if matches!(root, Root::Nowhere(_)) {
            return None;
        }
        let (growth, operand) = match (assign.op, &peel(&assign.value).kind) {
            (Some(BinaryOp::Add), _) => (Growth::Add, &assign.value),
            (Some(_), _) => return None,
            (None, ExprKind::Binary { op: BinaryOp::Add, left, right }) if self.same_place(target, left) => {
                (Growth::Add, &**right)
            }
            (None, ExprKind::MethodCall { object, name, optional: false, args })
                if self.text(name.name) == "push" && self.same_place(target, object) =>
            {
                let [argument] = args.as_slice() else { return None };
                if argument.spread {
                    return None;
                }
                (Growth::Push, &argument.value)
            }
            _ => return None,
        };
        let number = growth == Growth::Add
            && (gives_number(operand)
                || matches!(
                    peel(operand).kind,
                    ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Duration(_)
                ));
        (!number && !self.survey.assigns(operand)).then_some((growth, operand))
    }

    /// Whether two places are the same, whatever is evaluated between them (but for assignments in this function).
    fn same_place(&mut self, x: &Expr, y: &Expr) -> bool {
        match (&peel(x).kind, &peel(y).kind) {
            (ExprKind::Name(x), ExprKind::Name(y)) => x == y,
            (
                ExprKind::Property { object: x, name: a, .. },
                ExprKind::Property { object: y, name: b, optional: false },
            ) => a.name == b.name && self.same_place(x, y),
            (
                ExprKind::Index { object: x, index: i, .. },
                ExprKind::Index { object: y, index: k, optional: false },
            ) => self.same_key(i, k) && self.same_place(x, y),
            _ => false,
        }
    }

    fn same_key(&mut self, x: &Expr, y: &Expr) -> bool {
        match (&peel(x).kind, &peel(y).kind) {
            (ExprKind::Name(x), ExprKind::Name(y)) => {
                x == y && matches!(self.meaning(*x), Meaning::Register(_))
            }
            (ExprKind::Int(x), ExprKind::Int(y)) => x == y,
            (ExprKind::Str(x), ExprKind::Str(y)) => x == y,
            _ => false,
        }
    }

    /// `value = value + second` or `value.push(second)`.
    fn grow(&mut self, growth: Growth, value: u8, second: u8) {
        match growth {
            Growth::Add => self.emit(Op::Add, value, value, second, 0),
            Growth::Push => self.emit(Op::ListPush, value, second, 0, 0),
        }
    }

    /// Takes the root out of its global or spill slot, stores, and puts it back even when the store fails. With
    /// `added`, the register after `value` and the path: adds it to the value, in place where that can be, and stores
    /// the sum.
    fn store_guarded(
        &mut self,
        root: &Root,
        steps: &[Step<'a>],
        keys: u8,
        value: u8,
        added: Option<(u8, i32)>,
    ) {
        let taken = self.temp();
        self.take_root(root, taken);
        let region = self.open_region(true);
        self.f().control.push(Control::Handler(region));
        if let Some((second, path)) = added {
            self.emit(Op::LoosenAdd, taken, value, keys, path);
            self.grow(Growth::Add, value, second);
        }
        self.store_path(taken, steps, keys, value);
        let Some(Control::Handler(region)) = self.f().control.pop() else { return };
        let stop = self.f().code.here();
        let end = self.f().code.label();
        self.store_root(root, taken);
        self.f().code.jump(Op::Jump, 0, 0, 0, end);
        let error = self.close_region(region, stop);
        self.store_root(root, taken);
        self.emit(Op::Throw, error, 0, 0, 0);
        self.f().code.place(end);
    }
}

/// Whether evaluating the expression writes its result only with its last instruction.
fn writes_last(expr: &Expr) -> bool {
    match &peel(expr).kind {
        ExprKind::Binary { op, .. } => !matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce),
        ExprKind::Nil
        | ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Duration(_)
        | ExprKind::Str(_)
        | ExprKind::Interp(_)
        | ExprKind::Name(_)
        | ExprKind::List(_)
        | ExprKind::Dict(_)
        | ExprKind::StructLit { .. }
        | ExprKind::Unary { .. }
        | ExprKind::Range { .. }
        | ExprKind::Call { .. }
        | ExprKind::MethodCall { .. }
        | ExprKind::Property { .. }
        | ExprKind::Index { .. }
        | ExprKind::Slice { .. }
        | ExprKind::Closure(_) => true,
        _ => false,
    }
}
