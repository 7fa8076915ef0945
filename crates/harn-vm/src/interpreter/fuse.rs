//! Instructions that run together: when a module is loaded, the first of a sequence that profiles show often becomes an
//! operation that does the work of all of them when the operands are the common ones.
//!
//! Only the operation code of the first changes. The others stay where they are, so jumps into the sequence, places of
//! errors and snapshots mean what they meant; and whenever an operand is not the common one, the first does its own
//! part alone and the next follows. A fused operation never fails.

use harn_bytecode::{Instruction, Module, Op};

/// Fuses what can be fused in a verified module.
pub(super) fn fuse(module: &mut Module) {
    for function in &mut module.functions {
        for at in 0..function.code.len() {
            let Some((first, rest)) = function.code.get_mut(at..).and_then(<[_]>::split_first_mut) else {
                break;
            };
            if let Some(op) = fused(*first, rest) {
                *first = first.with_op(op);
            }
        }
    }
}

/// What the instruction becomes, seen with those that follow.
fn fused(first: Instruction, rest: &[Instruction]) -> Option<Op> {
    let next = *rest.first()?;
    let result = first.a();
    match (first.op(), next.op()) {
        // `rows[i][k]`: the row is neither kept nor counted. The outer list stays owned.
        (Op::GetIndex, Op::GetIndex)
            if first.d() & 1 == 0 && next.d() & 1 == 1 && next.b() == result && next.c() != result =>
        {
            Some(Op::GetItemOfItem)
        }
        // `rows[i].name`, where the item is used for that alone.
        (Op::GetIndex, Op::GetField) if next.b() == result && next.a() != result => {
            let then = *rest.get(1)?;
            (then.op() == Op::Drop && then.a() == result).then_some(Op::GetFieldOfItem)
        }
        // `x.a * y.b`.
        (Op::GetField, Op::MulField)
            if next.b() == result && next.site_bits() & 1 == 1 && next.c() != result =>
        {
            Some(Op::MulFields)
        }
        // A product as one side of a sum, and a sum taken modulo a constant; of all three, the last two wait for each
        // other and are better off together.
        (Op::Mul | Op::MulImm, Op::Add) if rest.get(1).is_some_and(|then| is_sum_modulo(next, *then)) => None,
        (Op::Mul, Op::Add) if (next.b() == result) != (next.c() == result) => Some(Op::MulThenAdd),
        (Op::MulImm, Op::Add) if (next.b() == result) != (next.c() == result) => Some(Op::MulImmThenAdd),
        (Op::Add, Op::RemImm) if is_sum_modulo(first, next) => Some(Op::AddThenRem),
        // `place += number`: nothing to loosen.
        (Op::LoosenAdd, Op::Add) if next.b() == first.b() => Some(Op::LoosenThenAdd),
        _ => None,
    }
}

fn is_sum_modulo(sum: Instruction, modulo: Instruction) -> bool {
    modulo.op() == Op::RemImm && modulo.b() == sum.a() && modulo.d() > 0
}
