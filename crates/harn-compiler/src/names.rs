//! What a name means, and reading it.
//!
//! Source: spec 02 sections 7.1, 8.2, 8.3, 8.5.

use crate::Compiler;
use crate::function::{FnState, LAST_REGISTER, LAST_VARIABLE, Local, MANY_BINDINGS, Place, Role};
use harn_bytecode::{Op, RaiseKind};
use harn_syntax::Span;
use harn_syntax::ast::Symbol;
use harn_syntax::{Diagnostic, Severity};
use std::rc::Rc;

/// What a name of the file's top level means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ModuleName {
    /// A function of this module.
    Function(u32),
    /// A top-level variable; `tool`, `skill` and `eval_pack` are immutable ones.
    Global { index: u32, mutable: bool },
    /// A function of another module.
    Import(u32),
    /// A `tool`, `skill` or `eval_pack` of another module: a function without parameters gives its value.
    ImportedValue(u32),
    /// A struct: as a value, its constructor.
    Struct,
}

/// What a mention of a name resolves to, seen from the function being emitted.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    /// A register of this function.
    Register(u8),
    /// A spilled variable of this function.
    Spilled(u32),
    /// A capture slot of this function.
    Capture(u32),
    /// The content of the cell in a register of this function.
    Cell(u8),
    /// A function of the module.
    Function(u32),
    /// The running function.
    This,
    /// A sibling of the running function, made anew from its own captures.
    Sibling(Rc<crate::function::Nested>),
    /// A module-level name.
    Module(ModuleName),
    /// A builtin.
    Builtin,
    /// Nothing.
    Unknown,
}

impl<'a> Compiler<'a> {
    /// The function being emitted.
    #[inline]
    pub(crate) fn f(&mut self) -> &mut FnState<'a> {
        if self.fns.is_empty() {
            self.fns.push(FnState::new(harn_bytecode::Function::default(), Role::Named));
        }
        let last = self.fns.len() - 1;
        &mut self.fns[last]
    }

    /// Emits at the current span.
    pub(crate) fn emit(&mut self, op: Op, a: u8, b: u8, c: u8, d: i32) {
        self.f().code.emit(op, a, b, c, d);
    }

    /// Instructions from here on belong to `span`.
    pub(crate) fn at(&mut self, span: Span) {
        self.f().code.span = span;
    }

    /// A fresh temporary register above all in use.
    pub(crate) fn temp(&mut self) -> u8 {
        let f = self.f();
        let register = f.next;
        if register > LAST_REGISTER {
            if !std::mem::replace(&mut f.exhausted, true) {
                let span = f.code.span;
                self.error(
                    "HARN2101",
                    "expression needs too many registers; split it into several statements",
                    span,
                );
            }
            return LAST_REGISTER as u8;
        }
        f.next += 1;
        f.highest = f.highest.max(f.next);
        register as u8
    }

    /// Reserves `count` consecutive registers.
    pub(crate) fn temps(&mut self, count: usize) -> u8 {
        let first = self.temp();
        for _ in 1..count {
            self.temp();
        }
        first
    }

    /// The mark to give back temporaries to.
    pub(crate) fn mark(&mut self) -> u16 {
        self.f().next
    }

    /// Frees the registers from `mark` up.
    pub(crate) fn release(&mut self, mark: u16) {
        self.f().next = mark;
    }

    /// Whether a register holds a variable: it must not be written before all reads of the expression are done.
    pub(crate) fn is_variable(&mut self, register: u8) -> bool {
        self.f().variables.contains(register)
    }

    /// Opens a scope; give the result to [`Compiler::close_scope`].
    pub(crate) fn open_scope(&mut self) -> (usize, u16) {
        let f = self.f();
        f.scope += 1;
        (f.locals.len(), f.next)
    }

    /// Closes a scope and frees its registers.
    pub(crate) fn close_scope(&mut self, (locals, next): (usize, u16)) {
        self.forget(locals);
        let f = self.f();
        f.scope -= 1;
        f.next = next;
    }

    /// Forgets the names declared since there were `locals` of them.
    pub(crate) fn forget(&mut self, locals: usize) {
        let f = self.f();
        while f.locals.len() > locals {
            if let Some(Local { place: Place::Register(register) | Place::Cell(register), .. }) =
                f.locals.pop()
            {
                f.variables.remove(register);
            }
        }
    }

    /// Makes a name visible in the innermost scope.
    pub(crate) fn bind(&mut self, name: Symbol, place: Place, mutable: bool) {
        if self.text(name) == "_" {
            return;
        }
        let f = self.f();
        if let Place::Register(register) | Place::Cell(register) = place {
            f.variables.insert(register);
        }
        let scope = f.scope;
        f.locals.push(Local { name, place, mutable, scope });
    }

    /// Raises the redeclaration error when two immutable declarations of one name meet in a scope (spec 02 §7.2).
    pub(crate) fn check_redeclaration(&mut self, name: Symbol, mutable: bool) {
        let f = self.f();
        let scope = f.scope;
        let clash = !mutable
            && f.locals
                .iter()
                .rev()
                .take_while(|local| local.scope == scope)
                .find(|local| local.name == name)
                .is_some_and(|local| !local.mutable);
        if clash {
            self.raise_redeclared(name);
        }
    }

    /// Emits the redeclaration error.
    pub(crate) fn raise_redeclared(&mut self, name: Symbol) {
        if self.text(name) == "_" {
            return;
        }
        let text = format!(
            "Cannot redeclare immutable variable '{}' in the same scope (use 'var' for mutable bindings)",
            self.text(name)
        );
        self.raise(RaiseKind::Runtime, &text);
    }

    /// Binds a name to the value in `register`, a fresh temporary on top. Keeps it there, or spills it.
    pub(crate) fn bind_value(&mut self, name: Symbol, register: u8, mutable: bool) {
        let f = self.f();
        let scope = f.scope;
        if let Some(place) =
            f.reserved.iter().find(|place| place.scope == scope && place.name == name).copied()
        {
            self.emit(Op::Move, place.register, register, 0, 0);
            self.release(u16::from(register));
            return self.bind(name, Place::Register(place.register), mutable);
        }
        let f = self.f();
        if u16::from(register) <= LAST_VARIABLE || f.spill.is_none() {
            return self.bind(name, Place::Register(register), mutable);
        }
        let number = f.spilled;
        f.spilled += 1;
        self.store_spilled(number, register);
        self.release(u16::from(register));
        self.bind(name, Place::Spilled(number), mutable);
    }

    /// Moves a register into the spill dict.
    pub(crate) fn store_spilled(&mut self, number: u32, register: u8) {
        let (spill, site) = self.spill_slot(number);
        self.emit(Op::SetField, spill, register, 0, site);
    }

    /// The register of the spill dict and the site of a variable in it.
    pub(crate) fn spill_slot(&mut self, number: u32) -> (u8, i32) {
        let f = self.f();
        let site = f.code.site(&format!("v{number}"));
        (f.spill.unwrap_or(1), site)
    }

    /// Gives a function with very many variables its spill dict.
    pub(crate) fn reserve_spill(&mut self, bindings: u32) {
        if bindings > MANY_BINDINGS {
            let register = self.temp();
            self.emit(Op::DictNew, register, 0, 0, 0);
            self.f().spill = Some(register);
        }
    }

    /// What a name means here.
    pub(crate) fn meaning(&mut self, name: Symbol) -> Meaning {
        let current = self.fns.len().saturating_sub(1);
        for (level, state) in self.fns.iter().enumerate().rev() {
            if let Some((_, own)) = state.group
                && level == current
                && own == name
                && state.local(name).is_none()
            {
                return self.this();
            }
            let Some(local) = state.local(name) else { continue };
            match &local.place {
                Place::Function(function) => return Meaning::Function(*function),
                Place::Register(register) if level == current => return Meaning::Register(*register),
                Place::Spilled(number) if level == current => return Meaning::Spilled(*number),
                Place::Capture(slot) if level == current => return Meaning::Capture(*slot),
                Place::Cell(register) if level == current => return Meaning::Cell(*register),
                Place::Nested(nested) if level == current => return Meaning::Register(nested.register),
                Place::Nested(nested) => {
                    let member =
                        self.fns.last().and_then(|f| f.group).is_some_and(|(group, _)| group == nested.group);
                    if member {
                        return Meaning::Sibling(nested.clone());
                    }
                }
                _ => {}
            }
        }
        if let Some(state) = self.fns.last()
            && state.self_name == Some(name)
        {
            return self.this();
        }
        self.module_meaning(name)
    }

    /// The running function: without captures it needs no closure value.
    fn this(&self) -> Meaning {
        match self.fns.last() {
            Some(state) if state.captures.is_empty() => Meaning::Function(state.index),
            _ => Meaning::This,
        }
    }

    /// What a name means when no local has it.
    pub(crate) fn module_meaning(&self, name: Symbol) -> Meaning {
        if let Some(known) = self.module_names.get(&name) {
            return Meaning::Module(*known);
        }
        if self.is_builtin(self.text(name)) { Meaning::Builtin } else { Meaning::Unknown }
    }

    /// Whether user code, or this module, may name this builtin.
    pub(crate) fn is_builtin(&self, name: &str) -> bool {
        harn_builtins::lookup(name)
            .and_then(harn_builtins::row)
            .is_some_and(|row| row.visibility == harn_builtins::Visibility::Public || self.is_library)
    }

    /// The register of a variable that lives in one, for borrowing.
    pub(crate) fn variable_register(&mut self, name: Symbol) -> Option<u8> {
        match self.meaning(name) {
            Meaning::Register(register) => Some(register),
            _ => None,
        }
    }

    /// Loads the value of a name into `dst`.
    pub(crate) fn load_name(&mut self, name: Symbol, dst: u8) {
        match self.meaning(name) {
            Meaning::Register(register) => self.emit(Op::Move, dst, register, 0, 0),
            Meaning::Spilled(number) => {
                let (spill, site) = self.spill_slot(number);
                self.emit(Op::GetField, dst, spill, 0, site);
            }
            Meaning::Capture(slot) => self.emit(Op::GetCapture, dst, 0, 0, slot as i32),
            Meaning::Cell(register) => {
                self.emit(Op::CellGet, dst, register, 0, 0);
                let bound = self.f().code.label();
                self.f().code.jump(Op::JumpNotNil, dst, 0, 0, bound);
                self.raise_undefined(name);
                self.f().code.place(bound);
            }
            Meaning::Function(function) => self.emit(Op::LoadFn, dst, 0, 0, function as i32),
            Meaning::This => self.emit(Op::LoadSelf, dst, 0, 0, 0),
            Meaning::Sibling(nested) => self.rebuild(&nested, dst),
            Meaning::Module(ModuleName::Function(function)) => {
                self.emit(Op::LoadFn, dst, 0, 0, function as i32)
            }
            Meaning::Module(ModuleName::Global { index, .. }) => {
                self.emit(Op::GetGlobal, dst, 0, 0, index as i32)
            }
            Meaning::Module(ModuleName::Import(import)) => {
                self.emit(Op::LoadImport, dst, 0, 0, import as i32)
            }
            Meaning::Module(ModuleName::ImportedValue(import)) => {
                let mark = self.mark();
                let base = self.window(dst);
                self.emit(Op::CallImport, base, 0, 0, import as i32);
                self.deliver(base, dst);
                self.release(mark);
            }
            Meaning::Module(ModuleName::Struct) => self.load_constructor(name, dst),
            Meaning::Builtin => {
                let text = self.text(name).to_owned();
                let index = self.builtin(&text);
                self.emit(Op::LoadBuiltin, dst, 0, 0, index);
            }
            Meaning::Unknown => self.load_unknown(name, dst),
        }
    }

    /// A sibling's closure, made from this function's own captures, which are the same.
    fn rebuild(&mut self, nested: &crate::function::Nested, dst: u8) {
        let mark = self.mark();
        let count = nested.captures.len();
        let base = self.temps(count.max(1));
        for index in 0..count {
            self.emit(Op::GetCapture, base.wrapping_add(index as u8), 0, 0, index as i32);
        }
        self.emit(Op::Closure, dst, base, count as u8, nested.function as i32);
        self.release(mark);
    }

    /// Runtime globals (`argv`, `pi`, ...) and namespaces, else the error.
    fn load_unknown(&mut self, name: Symbol, dst: u8) {
        let text = self.text(name).to_owned();
        if self.load_runtime_global(&text, dst) || self.load_alias_schema(&text, dst) {
            return;
        }
        self.raise_undefined(name);
        // What follows is unreachable, but its registers must look defined.
        self.emit(Op::Nil, dst, 0, 0, 0);
    }

    /// Emits `Undefined variable`, with a suggestion when a visible name is near (spec 02 §7.1).
    pub(crate) fn raise_undefined(&mut self, name: Symbol) {
        let text = self.text(name).to_owned();
        match self.suggestion(&text) {
            Some(near) => {
                let message = format!("Undefined variable: {text} (did you mean `{near}`?)");
                self.raise(RaiseKind::Runtime, &message);
            }
            None => self.raise(RaiseKind::UndefinedVariable, &text),
        }
    }

    /// Emits `Undefined builtin`, with a suggestion when a visible name is near.
    pub(crate) fn raise_undefined_call(&mut self, name: Symbol) {
        let text = self.text(name).to_owned();
        match self.suggestion(&text) {
            Some(near) => {
                let message = format!("Undefined builtin: {text} (did you mean `{near}`?)");
                self.raise(RaiseKind::Runtime, &message);
            }
            None => self.raise(RaiseKind::UndefinedBuiltin, &text),
        }
    }

    /// Emits a built-in error.
    pub(crate) fn raise(&mut self, kind: RaiseKind, text: &str) {
        let text = self.str_const(text);
        self.emit(Op::Raise, kind as u8, 0, 0, text);
    }

    /// The visible name nearest to `name`: locals first, then nearest, closest length, alphabetical.
    fn suggestion(&self, name: &str) -> Option<String> {
        let length = name.chars().count();
        let limit = match length {
            0..=2 => 1,
            3..=5 => 2,
            _ => 3,
        };
        let mut best: Option<(usize, usize, usize, String)> = None;
        let mut offer = |candidate: &str, rank: usize| {
            if candidate.starts_with("__") || candidate == name || candidate.contains('.') {
                return;
            }
            let count = candidate.chars().count();
            if count.abs_diff(length) > limit {
                return;
            }
            let distance = edit_distance(name, candidate);
            if distance <= limit && distance < count.max(length) {
                let entry = (distance, rank, count.abs_diff(length), candidate.to_owned());
                if best.as_ref().is_none_or(|known| entry < *known) {
                    best = Some(entry);
                }
            }
        };
        for state in &self.fns {
            for local in &state.locals {
                offer(self.text(local.name), 0);
            }
        }
        for known in self.module_names.keys() {
            offer(self.text(*known), 0);
        }
        for row in harn_builtins::builtins() {
            offer(row.name, 1);
        }
        best.map(|(_, _, _, name)| name)
    }

    /// Reports a compile error.
    pub(crate) fn error(&mut self, code: &'static str, message: &str, span: Span) {
        self.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code,
            message: message.to_owned(),
            span,
            label: None,
            help: None,
        });
    }
}

/// Number of insertions, deletions, replacements and swaps of neighbours between two short texts.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replace = previous.get(j).copied().unwrap_or(0) + usize::from(x != y);
            let delete = previous.get(j + 1).copied().unwrap_or(0) + 1;
            let insert = row.get(j).copied().unwrap_or(0) + 1;
            row.push(replace.min(delete).min(insert));
        }
        previous = row;
    }
    previous.last().copied().unwrap_or(0)
}
