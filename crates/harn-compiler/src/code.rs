//! The code of one function while it is being emitted: instructions whose jumps name labels, protected regions, and
//! stretches of cold code that are placed after the rest.

use crate::ownership;
use harn_bytecode::{Function, Handler, Instruction, Op, Site, Span as ByteSpan};
use harn_syntax::Span;

/// An instruction before layout: a jump's `d` is a label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inst {
    pub op: Op,
    pub a: u8,
    pub b: u8,
    pub c: u8,
    pub d: i32,
    pub span: Span,
}

/// A place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(pub u32);

/// A protected region: the ranges of instructions that belong to it (it has gaps where an exit leaves it).
#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub ranges: Vec<(u32, u32)>,
    pub target: Label,
    pub error: u8,
    pub top: u8,
    pub raw: bool,
}

const UNPLACED: u32 = u32::MAX;

/// The growing code of a function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Code {
    pub insts: Vec<Inst>,
    pub labels: Vec<u32>,
    /// Closed regions, inner ones first.
    pub regions: Vec<Region>,
    pub sites: Vec<Site>,
    cold: Vec<(Label, Vec<Inst>)>,
    pub span: Span,
}

impl Code {
    /// Appends an instruction at the current span.
    pub(crate) fn emit(&mut self, op: Op, a: u8, b: u8, c: u8, d: i32) {
        let span = self.span;
        self.insts.push(Inst { op, a, b, c, d, span });
    }

    /// Appends a jump.
    pub(crate) fn jump(&mut self, op: Op, a: u8, b: u8, c: u8, label: Label) {
        self.emit(op, a, b, c, label.0 as i32);
    }

    /// Appends a compare of a register with a small immediate and a jump.
    pub(crate) fn jump_imm(&mut self, op: Op, a: u8, imm: i16, label: Label) {
        let bits = imm as u16;
        self.jump(op, a, bits as u8, (bits >> 8) as u8, label);
    }

    /// A label to be placed later.
    pub(crate) fn label(&mut self) -> Label {
        self.labels.push(UNPLACED);
        Label(self.labels.len() as u32 - 1)
    }

    /// Places a label at the next instruction.
    pub(crate) fn place(&mut self, label: Label) {
        let here = self.here();
        if let Some(slot) = self.labels.get_mut(label.0 as usize) {
            *slot = here;
        }
    }

    /// A label at the next instruction.
    pub(crate) fn place_new(&mut self) -> Label {
        let label = self.label();
        self.place(label);
        label
    }

    /// Number of the next instruction.
    pub(crate) fn here(&self) -> u32 {
        self.insts.len() as u32
    }

    /// A new access site.
    pub(crate) fn site(&mut self, name: &str) -> i32 {
        self.sites.push(Site { name: name.to_owned() });
        self.sites.len() as i32 - 1
    }

    /// Takes the instructions from `start` on out of the line; they will stand after the rest, under `label`.
    pub(crate) fn make_cold(&mut self, label: Label, start: u32) {
        let tail = self.insts.split_off((start as usize).min(self.insts.len()));
        self.cold.push((label, tail));
    }

    /// Lays the code out with explicit ownership. `registers` counts those in use, parameters stand in `r1..`.
    pub(crate) fn finish(
        mut self,
        function: &mut Function,
        registers: u16,
        pool: &dyn ownership::ConstantFacts,
    ) {
        for (label, tail) in std::mem::take(&mut self.cold) {
            self.place(label);
            self.insts.extend(tail);
        }
        function.registers = registers.max(function.last_param() as u16 + 1);
        function.sites = std::mem::take(&mut self.sites);
        ownership::settle(&self, function, pool);
    }
}

/// Collects laid-out instructions with their spans.
#[derive(Default)]
pub(crate) struct Output {
    pub code: Vec<Instruction>,
    pub spans: Vec<(u32, ByteSpan)>,
    /// Positions of jumps and the label each goes to.
    pub fixups: Vec<(u32, u32)>,
    pub handlers: Vec<Handler>,
}

impl Output {
    /// Number of the next instruction.
    pub(crate) fn here(&self) -> u32 {
        self.code.len() as u32
    }

    /// Appends an instruction; spans are kept as changes.
    pub(crate) fn push(&mut self, inst: Inst) {
        let span = ByteSpan { start: inst.span.start, end: inst.span.end };
        if self.spans.last().is_none_or(|(_, last)| *last != span) {
            let here = self.here();
            self.spans.push((here, span));
        }
        self.code.push(Instruction::new(inst.op, inst.a, inst.b, inst.c, inst.d));
    }
}
