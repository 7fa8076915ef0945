//! Errors on their way: finding a handler, dropping what the left frames own, recording where it happened.

use super::fiber::Fiber;
use super::{Exit, Next, Vm};
use crate::error::{TraceFrame, VmError};
use crate::value::Value;
use crate::value::cell::{ErrorCell, GeneratorState};
use crate::value::strand::{Frame, Strand};
use harn_bytecode::Op;

/// Frames of a trace that are kept; the rest is counted.
const TRACE: usize = 100;

impl Vm {
    /// Carries `error` to the innermost handler. The running frame's pc has been saved.
    #[cold]
    pub(super) fn unwind(&mut self, fiber: &mut Fiber, mut error: Box<VmError>) -> Next {
        if error.trace.is_empty() {
            error.trace = trace(fiber);
        }
        loop {
            let strand = &mut *fiber.strand;
            let frame = strand.frames[strand.top];
            // SAFETY: code of a frame belongs to a unit of this VM.
            let code = unsafe { &*frame.code };
            let window = strand.base..(strand.base + code.registers as usize).min(strand.registers.len());
            if !code.unit.is_null() {
                let pc = pc_index(&frame);
                let handlers = &code.function().handlers;
                if let Some(handler) = handlers.iter().find(|h| h.start <= pc && pc < h.end) {
                    let top = strand.base + usize::from(handler.top);
                    clear(&mut strand.registers[top.min(window.end)..window.end]);
                    strand.registers[strand.base + usize::from(handler.error)] =
                        if handler.raw { ErrorCell::alloc(error) } else { error.catch_value() };
                    // SAFETY: handler targets are instructions of the function (verified).
                    strand.frames[strand.top].pc = unsafe { code.start.add(handler.target as usize) };
                    return Next::Go;
                }
            }
            clear(&mut strand.registers[window]);
            if strand.top > 0 {
                strand.base -= frame.delta as usize;
                strand.top -= 1;
                continue;
            }
            // The strand has no frame left: the error goes to whoever pulled it.
            match fiber.pulls.pop() {
                Some(pull) => {
                    *pull.generator.generator_cell().state.borrow_mut() = GeneratorState::Done;
                    fiber.strand = pull.strand;
                }
                None => {
                    fiber.queue.clear();
                    return Next::Exit(Exit::Failed(error));
                }
            }
        }
    }
}

/// Drops the values of registers that are given up.
pub(super) fn clear(registers: &mut [Value]) {
    for register in registers {
        if register.is_counted() {
            *register = Value::NIL;
        }
    }
}

/// The instruction that a frame is at: saved pcs are one past it.
pub(super) fn pc_index(frame: &Frame) -> u32 {
    // SAFETY: the pc of a frame lies inside the code of its function.
    let offset = unsafe { frame.pc.offset_from((*frame.code).start) };
    u32::try_from(offset - 1).unwrap_or(0)
}

/// The frames of a fiber, innermost first, through the generators being pulled.
pub(super) fn trace(fiber: &Fiber) -> Vec<TraceFrame> {
    let mut frames: Vec<TraceFrame> = Vec::new();
    let strands = std::iter::once(&*fiber.strand).chain(fiber.pulls.iter().rev().map(|pull| &*pull.strand));
    for strand in strands {
        trace_strand(strand, &mut frames);
    }
    frames
}

fn trace_strand(strand: &Strand, frames: &mut Vec<TraceFrame>) {
    for frame in strand.frames[..=strand.top].iter().rev() {
        // SAFETY: code of a frame belongs to a unit of this VM.
        let code = unsafe { &*frame.code };
        if code.unit.is_null() || code.unit().module.hidden {
            continue;
        }
        if frames.len() >= TRACE {
            if let Some(last) = frames.last_mut() {
                last.omitted += 1;
            }
            continue;
        }
        let (module, function) = (&code.unit().module, code.function());
        let span = function.span_at(pc_index(frame)).unwrap_or_default();
        let (line, column) = if function.spans.is_empty() { (0, 0) } else { module.line_column(span.start) };
        frames.push(TraceFrame {
            function: function.name.clone(),
            module: module.path.clone(),
            path: module.display_path.clone(),
            start: span.start,
            end: span.end,
            line,
            column,
            omitted: 0,
        });
    }
}

/// The builtin that the program is calling, else the function of the library: what the innermost frame of the program
/// is at, in whose name the hidden frames above it work.
pub(super) fn library_call(fiber: &Fiber) -> Option<String> {
    let strand = &*fiber.strand;
    let mut entered = None;
    for frame in strand.frames[..=strand.top].iter().rev() {
        // SAFETY: code of a frame belongs to a unit of this VM.
        let code = unsafe { &*frame.code };
        if code.unit.is_null() {
            break;
        }
        let (module, function) = (&code.unit().module, code.function());
        if module.hidden {
            entered = Some(&function.name);
            continue;
        }
        // A hidden function may have left by a tail call; the call of the program names the builtin all the same.
        let called = function.code.get(pc_index(frame) as usize)?;
        if matches!(called.op(), Op::CallBuiltin | Op::CallBuiltinSpread) {
            return module.builtins.get(called.index()).cloned();
        }
        break;
    }
    entered.map(ToString::to_string)
}

impl Value {
    /// An error as a value, for keeping it among values; programs never see one.
    pub fn raw_error(error: Box<VmError>) -> Value {
        ErrorCell::alloc(error)
    }

    /// The error of [`Value::raw_error`]; `None` for any other value.
    pub fn into_raw_error(self) -> Option<Box<VmError>> {
        raw_error(&self)
    }
}

/// Moves the error out of a raw error value.
pub(super) fn raw_error(value: &Value) -> Option<Box<VmError>> {
    if value.tag() != crate::value::tag::ERROR {
        return None;
    }
    let taken = value.error_cell().error.borrow_mut().take()?;
    taken.downcast::<VmError>().ok()
}

/// Looks at the error of a raw error value.
pub(super) fn with_raw_error<T>(value: &Value, look: impl FnOnce(&VmError) -> T) -> Option<T> {
    if value.tag() != crate::value::tag::ERROR {
        return None;
    }
    let cell = value.error_cell().error.borrow();
    cell.as_ref().and_then(|error| error.downcast_ref::<VmError>()).map(look)
}
