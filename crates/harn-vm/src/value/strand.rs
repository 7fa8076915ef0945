//! A strand: one register stack with its frames. A fiber is a strand with the generators it is pulling; a suspended
//! generator keeps its own.

use harn_bytecode::Instruction;

use super::Value;
use super::code::Code;

/// An activation of a function.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub code: *const Code,
    /// Where to go on; kept while the frame is not the running one, and saved before cold calls.
    pub pc: *const Instruction,
    /// Registers between the caller's window and this one.
    pub delta: u32,
}

/// Registers and frames. Every register holds a valid value; dead ones hold no counted value.
pub(crate) struct Strand {
    pub registers: Vec<Value>,
    pub frames: Vec<Frame>,
    /// Index of the running frame.
    pub top: usize,
    /// Index of register 0 of the running frame.
    pub base: usize,
}

impl Strand {
    /// Everything the strand holds.
    pub(crate) fn into_registers(self) -> Vec<Value> {
        self.registers
    }
}
