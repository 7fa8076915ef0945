//! What both directions know about frames: which registers may own values, positions of iterations, traces.

use super::bytes::{In, Out};
use super::{Unreadable, damaged};
use crate::error::{TraceFrame, VmError};
use crate::interpreter::fiber::Delivery;
use crate::interpreter::unwind::pc_index;
use crate::value::strand::Strand;
use crate::value::{Value, tag};

/// Whether every register of the frames that owns a value may do so by the verified code: what the code holds for free
/// is overwritten without a look. `bases` has the index of register 0 of each frame; `delivery` is where the strand
/// waits for something.
pub(super) fn check_owned(
    strand: &Strand,
    bases: &[usize],
    delivery: Option<Delivery>,
) -> Result<(), String> {
    let top = bases.len().saturating_sub(1);
    for (at, (frame, base)) in strand.frames.iter().zip(bases).enumerate() {
        // SAFETY: frames point to code of units that the VM holds.
        let code = unsafe { &*frame.code };
        if code.unit.is_null() {
            continue;
        }
        // A loop that waits for its next item has not been left: it still owns what it iterates.
        let looping = at == top && matches!(delivery, Some(Delivery::Loop));
        // SAFETY: the pc of a frame lies inside the code of its function (checked on the way in).
        let pc = unsafe { frame.pc.offset_from(code.start) } as usize;
        let pc = if looping { pc_index(frame) as usize } else { pc };
        let module = &code.unit().module;
        let Some(owning) = harn_bytecode::verify::may_own(module, code.number as usize, pc) else {
            return Err("a frame stands where its function never is".to_owned());
        };
        // The window of a call in progress belongs to the callee.
        let end = bases.get(at + 1).copied().unwrap_or(usize::MAX).min(base + owning.len());
        let window = strand.registers.get(*base..end.min(strand.registers.len())).unwrap_or_default();
        // `next()` keeps the generator beside the place of its answer while it is pulled.
        let kept = match delivery {
            Some(Delivery::Next(dst)) if at == top => Some(dst + 1),
            _ => None,
        };
        for (register, (value, may)) in window.iter().zip(&owning).enumerate().skip(1) {
            if value.is_counted() && !may && kept != Some(base + register) {
                return Err(format!("register {register} owns a value that its function knows nothing of"));
            }
        }
    }
    Ok(())
}

/// The position of an iteration as it is written: among the items of a set that are there, since gaps are not kept.
pub(super) fn position_to_write(source: &Value, position: u64) -> u64 {
    if source.tag() != tag::SET {
        return position;
    }
    let table = &source.set_cell().table;
    let before = usize::try_from(position).unwrap_or(usize::MAX).min(table.end());
    (0..before).filter(|at| table.entry(*at).is_some()).count() as u64
}

pub(super) fn write_trace(out: &mut Out, error: &VmError) {
    out.count(error.trace.len());
    for frame in &error.trace {
        out.text(&frame.function);
        out.text(&frame.module);
        out.text(&frame.path);
        for number in [frame.start, frame.end, frame.line, frame.column] {
            out.number(u64::from(number));
        }
        out.count(frame.omitted);
    }
}

pub(super) fn read_trace(bytes: &mut In<'_>) -> Result<Vec<TraceFrame>, Unreadable> {
    let count = bytes.count()?;
    let mut trace = Vec::new();
    for _ in 0..count {
        let (function, module, path) = (bytes.text()?, bytes.text()?, bytes.text()?);
        let mut numbers = [0u32; 4];
        for number in &mut numbers {
            *number = u32::try_from(bytes.number()?).or_else(|_| damaged("a place in a trace"))?;
        }
        let [start, end, line, column] = numbers;
        let omitted = usize::try_from(bytes.number()?).unwrap_or(usize::MAX);
        trace.push(TraceFrame {
            function: function.to_owned(),
            module: module.to_owned(),
            path: path.to_owned(),
            start,
            end,
            line,
            column,
            omitted,
        });
    }
    Ok(trace)
}
