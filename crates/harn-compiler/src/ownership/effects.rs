//! What single instructions do to registers, and where they lead.

use super::ConstantFacts;
use crate::code::Inst;
use crate::registers::RegSet;
use harn_bytecode::{Op, Operand};

/// What one instruction does to registers.
#[derive(Clone, Copy, Default)]
pub(super) struct Effect<const W: usize> {
    /// The field `a`.
    pub a: u8,
    /// Whether it may go to its label, and whether it may go on to the next instruction.
    pub jumps: bool,
    pub falls: bool,
    /// Borrowed.
    pub uses: RegSet<W>,
    /// Borrowed or consumed, as the bits say: `(register, bit)`.
    pub optional: [Option<(u8, u8)>; 2],
    /// Moved away.
    pub eats: RegSet<W>,
    /// Written; those of `counted` with values that may be counted.
    pub defs: RegSet<W>,
    pub counted: RegSet<W>,
    /// Written only when the jump is taken, and whether that value may be counted.
    pub taken_def: Option<(u8, bool)>,
    /// Freed when control falls through.
    pub fall_frees: Option<u8>,
    /// Known to be free when control falls through, whatever it held.
    pub fall_plain: Option<u8>,
    /// Known to be free when the jump is taken.
    pub taken_plain: Option<u8>,
}

impl<const W: usize> Effect<W> {
    fn eat_range(&mut self, start: u8, count: usize) {
        for index in 0..count {
            self.eats.insert(start.wrapping_add(index as u8));
        }
    }

    fn def(&mut self, register: u8, counted: bool) {
        self.defs.insert(register);
        if counted {
            self.counted.insert(register);
        }
    }

    /// Everything read.
    pub(super) fn reads(&self) -> RegSet<W> {
        let mut all = self.uses.union(self.eats);
        for (register, _) in self.optional.iter().flatten() {
            all.insert(*register);
        }
        all
    }
}

pub(super) fn effect<const W: usize>(inst: &Inst, pool: &dyn ConstantFacts) -> Effect<W> {
    let (jumps, falls) = ends(inst);
    let mut out = Effect { a: inst.a, jumps, falls, ..Effect::default() };
    let fields = [inst.a, inst.b, inst.c];
    let kinds = inst.op.operands();
    let mut bit = 0;
    for (kind, register) in kinds.into_iter().zip(fields) {
        match kind {
            Operand::Def => out.def(register, true),
            Operand::Num => out.def(register, false),
            Operand::Use | Operand::Upd => out.uses.insert(register),
            Operand::UseBit => {
                if let Some(slot) = out.optional.get_mut(bit) {
                    *slot = Some((register, bit as u8));
                }
                bit += 1;
            }
            Operand::Eat => out.eats.insert(register),
            _ => {}
        }
    }
    let (a, b, c) = (inst.a, inst.b, inst.c);
    match inst.op {
        Op::Closure | Op::EnumNew => out.eat_range(b, usize::from(c)),
        Op::Concat => out.eat_range(b, usize::from(c)),
        Op::List => out.eat_range(b, inst.d.max(0) as usize),
        Op::DictLit | Op::StructLit => out.eat_range(b, pool.window(inst.d)),
        Op::ForPrep => {
            out.eat_range(a, 2);
            out.def(a, false);
            out.def(a.wrapping_add(1), false);
            out.def(a.wrapping_add(2), false);
        }
        Op::ForLoop => {
            out.uses.insert(a);
            out.uses.insert(a.wrapping_add(1));
            out.taken_def = Some((a.wrapping_add(2), false));
        }
        Op::IterInit => {
            out.def(a, true);
            out.def(a.wrapping_add(1), false);
        }
        Op::IterLoop => {
            out.uses.insert(a);
            out.uses.insert(a.wrapping_add(1));
            out.defs.remove(b);
            out.counted.remove(b);
            out.taken_def = Some((b, true));
            out.fall_frees = Some(a);
        }
        Op::SetPath => {
            for index in 0..pool.window(inst.d) {
                out.uses.insert(c.wrapping_add(index as u8));
            }
        }
        Op::LoosenAdd | Op::LoosenPush => {
            out.uses.insert(b);
            out.uses.insert(b.wrapping_add(1));
            for index in 0..pool.window(inst.d) {
                out.uses.insert(c.wrapping_add(index as u8));
            }
        }
        Op::Slice => {
            out.uses.insert(c);
            out.uses.insert(c.wrapping_add(1));
        }
        Op::Unpair => {
            out.def(a, true);
            out.def(a.wrapping_add(1), true);
        }
        Op::Call => {
            out.eat_range(a, usize::from(b) + 1);
            out.def(a, true);
        }
        Op::CallReg | Op::CallFn | Op::CallImport | Op::CallBuiltin => {
            out.eat_range(a.wrapping_add(1), usize::from(b));
            out.def(a, true);
        }
        Op::CallMethod => {
            out.eat_range(a.wrapping_add(1), usize::from(b) + 1);
            out.def(a, true);
        }
        Op::CallSpread => {
            out.eat_range(a, 2);
            out.def(a, true);
        }
        Op::CallFnSpread | Op::CallImportSpread | Op::CallBuiltinSpread => {
            out.eats.insert(a.wrapping_add(1));
            out.def(a, true);
        }
        Op::CallMethodSpread => {
            out.eat_range(a.wrapping_add(1), 2);
            out.def(a, true);
        }
        Op::TailCall => out.eat_range(a, usize::from(b) + 1),
        Op::TailCallFn | Op::TailCallImport => out.eat_range(a.wrapping_add(1), usize::from(b)),
        Op::Parallel => {
            out.eat_range(a, 3);
            out.def(a, true);
        }
        Op::Select => {
            out.eat_range(a, usize::from(b) + usize::from(c == 1));
            out.def(a, false);
            out.def(a.wrapping_add(1), true);
        }
        Op::JumpPresent | Op::JumpNotNil => out.fall_plain = Some(a),
        Op::JumpNil => out.taken_plain = Some(a),
        _ => {}
    }
    out
}

/// Whether an instruction ends a block, and how.
fn flow(op: Op) -> (bool, bool) {
    // (may jump to its label, may fall through)
    match op {
        Op::Jump => (true, false),
        Op::Return | Op::ReturnNil | Op::Throw | Op::TailCall | Op::TailCallFn | Op::TailCallImport => {
            (false, false)
        }
        _ => (op.operands()[3] == Operand::Jmp, true),
    }
}

/// Raising built-in errors ends the block too; told apart from [`flow`] by its operand pattern.
fn ends(inst: &Inst) -> (bool, bool) {
    if inst.op == Op::Raise { (false, false) } else { flow(inst.op) }
}

/// Loads without any effect but their result.
pub(super) fn is_pure_load(op: Op) -> bool {
    matches!(
        op,
        Op::Nil | Op::Bool | Op::Int | Op::Const | Op::Move | Op::LoadFn | Op::LoadBuiltin | Op::LoadSelf
    )
}

/// Instructions that cannot raise.
pub(super) fn cannot_fail(op: Op) -> bool {
    is_pure_load(op) || matches!(op, Op::Take | Op::Drop | Op::GetCapture | Op::CatchValue | Op::LoadImport)
}
