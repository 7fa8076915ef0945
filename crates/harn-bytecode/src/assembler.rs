//! Building a function by hand or from a compiler: emit, mark spans, patch jumps, intern constants.

use crate::instruction::{Instruction, Op};
use crate::module::{Const, Function, Handler, Module, Site, Span};

/// A place that a jump goes to, known or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(u32);

/// Collects the code of one function.
#[derive(Clone, Debug, Default)]
pub struct Assembler {
    function: Function,
    labels: Vec<Option<u32>>,
    pending: Vec<(usize, Label)>,
    handlers: Vec<(Label, Label, Label, u8, u8, bool)>,
    last_span: Option<Span>,
}

impl Assembler {
    /// Starts from a function without code.
    pub fn new(function: Function) -> Self {
        Self { function, ..Self::default() }
    }

    /// The number of the next instruction.
    pub fn here(&self) -> u32 {
        self.function.code.len() as u32
    }

    /// What has been built so far (parameters, registers and the rest may be set).
    pub fn function_mut(&mut self) -> &mut Function {
        &mut self.function
    }

    /// Emits an instruction.
    pub fn emit(&mut self, op: Op, a: u8, b: u8, c: u8, d: i32) -> u32 {
        let at = self.here();
        self.function.code.push(Instruction::new(op, a, b, c, d));
        at
    }

    /// Emits an instruction whose `d` is a jump to `label`.
    pub fn jump(&mut self, op: Op, a: u8, b: u8, c: u8, label: Label) -> u32 {
        let at = self.emit(op, a, b, c, 0);
        self.pending.push((at as usize, label));
        at
    }

    /// Emits a compare of `a` with an immediate and a jump.
    pub fn jump_imm(&mut self, op: Op, a: u8, imm: i16, label: Label) -> u32 {
        let bits = imm as u16;
        self.jump(op, a, bits as u8, (bits >> 8) as u8, label)
    }

    /// A label to be placed later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() as u32 - 1)
    }

    /// Places `label` at the next instruction.
    pub fn place(&mut self, label: Label) {
        let here = self.here();
        if let Some(slot) = self.labels.get_mut(label.0 as usize) {
            *slot = Some(here);
        }
    }

    /// A label placed here.
    pub fn place_new(&mut self) -> Label {
        let label = self.label();
        self.place(label);
        label
    }

    /// Instructions from here on belong to `span`.
    pub fn span(&mut self, span: Span) {
        if self.last_span != Some(span) {
            self.last_span = Some(span);
            let here = self.here();
            match self.function.spans.last_mut() {
                Some((at, last)) if *at == here => *last = span,
                _ => self.function.spans.push((here, span)),
            }
        }
    }

    /// Adds an access site.
    pub fn site(&mut self, name: &str) -> i32 {
        self.function.sites.push(Site { name: name.to_owned() });
        self.function.sites.len() as i32 - 1
    }

    /// Protects the code between two labels; inner ranges must be added before outer ones.
    pub fn protect(&mut self, start: Label, end: Label, target: Label, error: u8, top: u8, raw: bool) {
        self.handlers.push((start, end, target, error, top, raw));
    }

    /// The finished function; `None` when a label was never placed.
    pub fn finish(mut self) -> Option<Function> {
        let place = |label: &Label| self.labels.get(label.0 as usize).copied().flatten();
        for (at, label) in &self.pending {
            let target = place(label)?;
            let ins = self.function.code.get_mut(*at)?;
            *ins = ins.with_d(target as i32 - (*at as i32 + 1));
        }
        for (start, end, target, error, top, raw) in &self.handlers {
            let (start, end, target) = (place(start)?, place(end)?, place(target)?);
            if start < end {
                self.function.handlers.push(Handler {
                    start,
                    end,
                    target,
                    error: *error,
                    top: *top,
                    raw: *raw,
                });
            }
        }
        Some(self.function)
    }
}

/// Fills the constant pool and the lists of a module without duplicates.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    seen: std::collections::HashMap<String, u32>,
}

impl Pool {
    /// The index of `value` in the constants of `module`, added if need be.
    pub fn constant(&mut self, module: &mut Module, value: Const) -> i32 {
        let key = match &value {
            // Debug of a float does not tell the NaNs apart.
            Const::Float(x) => format!("f{:x}", x.to_bits()),
            other => format!("c{other:?}"),
        };
        self.intern(key, &mut module.consts, value)
    }

    /// The index of the builtin `name` in the list of `module`.
    pub fn builtin(&mut self, module: &mut Module, name: &str) -> i32 {
        self.intern(format!("b{name}"), &mut module.builtins, name.to_owned())
    }

    fn intern<T>(&mut self, key: String, list: &mut Vec<T>, value: T) -> i32 {
        let next = list.len() as u32;
        let index = *self.seen.entry(key).or_insert(next);
        if index == next {
            list.push(value);
        }
        index as i32
    }
}
