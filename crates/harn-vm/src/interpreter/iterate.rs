//! Iteration: lifting values to iters, the next item of every iterable, pulling generators (spec 02 sections 9.3, 13).

use super::fiber::{Delivery, Fiber, Pull};
use super::unwind::{clear, pc_index};
use super::{Exit, Next, Vm};
use crate::error::VmError;
use crate::native::{Control, ControlOp};
use crate::value::cell::{GeneratorState, IterCell, range_len};
use crate::value::shape::Shape;
use crate::value::slots::SlotsCell;
use crate::value::{Value, View, shape, tag};

/// `iter(x)`: an iter over a snapshot of `x`, or over what a generator or channel gives.
pub(crate) fn lift(value: Value) -> Result<Value, Box<VmError>> {
    match value.view() {
        View::Iter(_) => Ok(value),
        View::List(_)
        | View::Set(_)
        | View::Dict(_)
        | View::Str(_)
        | View::Range { .. }
        | View::Generator(_)
        | View::Stream(_) => Ok(IterCell::alloc(value)),
        View::Handle(handle) if handle.is_iterable() => Ok(IterCell::alloc(value)),
        _ => Err(VmError::ty(format!("iter: value of type {} is not iterable", value.type_name()))),
    }
}

/// Whether `for` takes items from it; `nil` gives none.
pub(super) fn check_iterable(value: &Value) -> Result<(), Box<VmError>> {
    match value.view() {
        View::Nil
        | View::Iter(_)
        | View::List(_)
        | View::Set(_)
        | View::Dict(_)
        | View::Str(_)
        | View::Range { .. }
        | View::Generator(_)
        | View::Stream(_) => Ok(()),
        View::Handle(handle) if handle.is_iterable() => Ok(()),
        _ => Err(VmError::ty(format!("cannot iterate {}", value.type_name()))),
    }
}

/// The next item of a value that holds all its items; `position` counts on. A dict gives `{key, value}`, or pairs.
fn next_item(source: &Value, position: &mut u64, pairs: bool) -> Option<Value> {
    let at = *position as usize;
    *position += 1;
    match source.view() {
        View::List(list) => list.get(at),
        View::Dict(_) => {
            let (key, value) = source.entry_at(at)?;
            let (key, value) = (Value::str(key), value.clone());
            Some(if pairs { Value::pair(key, value) } else { entry(key, value) })
        }
        View::Set(_) => {
            let table = &source.set_cell().table;
            for at in at..table.end() {
                *position = at as u64 + 1;
                if let Some((item, _)) = table.entry(at) {
                    return Some(item.clone());
                }
            }
            None
        }
        View::Range { start, .. } => {
            ((at as u64) < source.range_cell().len()).then(|| Value::int(start.wrapping_add(at as i64)))
        }
        View::Str(text) => {
            let c = text.get(at..)?.chars().next()?;
            let end = at + c.len_utf8();
            *position = end as u64;
            text.get(at..end).map(Value::str)
        }
        _ => None,
    }
}

/// The dict that `for` gives for an entry.
fn entry(key: Value, value: Value) -> Value {
    static KEYS: [&str; 2] = ["key", "value"];
    match shape::of_keys(KEYS) {
        Some(shape) => {
            let descriptor: *const Shape = shape;
            SlotsCell::alloc_from(tag::RECORD, descriptor.cast(), vec![key, value])
        }
        None => Value::dict([("key", key), ("value", value)]),
    }
}

fn done_dict(item: Option<Value>) -> Value {
    let done = Value::bool(item.is_none());
    Value::dict([("done", done), ("value", item.unwrap_or_default())])
}

/// Sets up a counting loop: `a` the first int, `a + 1` how many follow it, `a + 2` the first int. False when empty.
///
/// # Safety
/// `at..at+3` are registers.
pub(super) unsafe fn for_prep(at: *mut Value, exclusive: bool) -> Result<bool, Box<VmError>> {
    // SAFETY (of the caller): three registers.
    unsafe {
        let (start, end) = (&*at, &*at.add(1));
        for bound in [start, end] {
            if !bound.is_int() {
                return Err(bad_bound(bound));
            }
        }
        let start = start.payload as i64;
        let count = range_len(start, end.payload as i64, exclusive);
        *at.add(1) = Value::raw_number(count.saturating_sub(1));
        if count == 0 {
            return Ok(false);
        }
        super::registers::put(at.add(2), Value::int(start));
        Ok(true)
    }
}

#[cold]
fn bad_bound(bound: &Value) -> Box<VmError> {
    VmError::ty(format!("range bounds must be int, got {}", bound.type_name()))
}

pub(super) fn make_range(start: &Value, end: &Value, exclusive: bool) -> Result<Value, Box<VmError>> {
    match (start.as_int(), end.as_int()) {
        (Some(start), Some(end)) => Ok(Value::range(start, end, exclusive)),
        (None, _) => Err(bad_bound(start)),
        _ => Err(bad_bound(end)),
    }
}

impl Vm {
    /// The slow side of `IterLoop`: state in `a`, `a + 1` of the running frame. The loop instruction is the one before
    /// the saved pc.
    pub(super) fn iter_loop(&mut self, fiber: &mut Fiber, a: usize) -> Result<Next, Box<VmError>> {
        let source = &fiber.strand.registers[a];
        match source.tag() {
            tag::GENERATOR | tag::ITER | tag::HANDLE => {
                let source = source.clone();
                self.pull(fiber, source, Delivery::Loop)
            }
            _ => {
                let mut position = fiber.strand.registers[a + 1].payload;
                let item = next_item(source, &mut position, false);
                fiber.strand.registers[a + 1] = Value::raw_number(position);
                self.deliver(fiber, Delivery::Loop, item);
                Ok(Next::Go)
            }
        }
    }

    /// Takes the next item out of an iter, generator, stream or iterable handle.
    pub(super) fn pull(
        &mut self,
        fiber: &mut Fiber,
        source: Value,
        delivery: Delivery,
    ) -> Result<Next, Box<VmError>> {
        match source.tag() {
            tag::ITER => {
                let cell = source.iter_cell();
                let inner = cell.source.borrow().clone();
                if matches!(inner.tag(), tag::GENERATOR | tag::ITER | tag::HANDLE) {
                    return self.pull(fiber, inner, delivery);
                }
                let mut position = cell.position.get();
                let item = next_item(&inner, &mut position, true);
                cell.position.set(position);
                if item.is_none() {
                    cell.source.replace(Value::NIL);
                }
                self.deliver(fiber, delivery, item);
                Ok(Next::Go)
            }
            tag::GENERATOR => {
                let cell = source.generator_cell();
                let state = std::mem::replace(&mut *cell.state.borrow_mut(), GeneratorState::Running);
                match state {
                    GeneratorState::Suspended(strand) => {
                        let depth: usize = fiber.pulls.iter().map(|p| p.strand.top + 1).sum::<usize>()
                            + fiber.strand.top
                            + 1;
                        if depth >= self.limits.depth {
                            *cell.state.borrow_mut() = GeneratorState::Suspended(strand);
                            return Err(VmError::new(crate::error::ErrorKind::StackOverflow));
                        }
                        let strand = std::mem::replace(&mut fiber.strand, strand);
                        fiber.pulls.push(Pull { strand, generator: source, delivery });
                        Ok(Next::Go)
                    }
                    GeneratorState::Running => {
                        Err(VmError::runtime(format!("{} is already running", source.type_name())))
                    }
                    GeneratorState::Done => {
                        *cell.state.borrow_mut() = GeneratorState::Done;
                        self.deliver(fiber, delivery, None);
                        Ok(Next::Go)
                    }
                }
            }
            _ => {
                let control = Control { op: ControlOp::IterNext, args: vec![source] };
                Ok(self.ask(fiber, control, delivery))
            }
        }
    }

    /// `yield v`: back to the consumer. The saved pc is where the body goes on.
    pub(super) fn yield_item(&mut self, fiber: &mut Fiber, item: Value) -> Result<Next, Box<VmError>> {
        let Some(pull) = fiber.pulls.pop() else {
            return Err(VmError::runtime("yield outside of a generator"));
        };
        let strand = std::mem::replace(&mut fiber.strand, pull.strand);
        *pull.generator.generator_cell().state.borrow_mut() = GeneratorState::Suspended(strand);
        self.deliver(fiber, pull.delivery, Some(item));
        Ok(Next::Go)
    }

    /// The bottom of a strand was reached: its result stands in register 0.
    pub(super) fn strand_end(&mut self, fiber: &mut Fiber) -> Result<Next, Box<VmError>> {
        let result = std::mem::take(&mut fiber.strand.registers[0]);
        match fiber.pulls.pop() {
            Some(pull) => {
                *pull.generator.generator_cell().state.borrow_mut() = GeneratorState::Done;
                fiber.strand = pull.strand;
                self.deliver(fiber, pull.delivery, None);
                Ok(Next::Go)
            }
            None if fiber.queue.is_empty() => Ok(Next::Exit(Exit::Done(result))),
            None => {
                let bottom = self.bottom();
                fiber.strand.frames[0] = bottom;
                self.start_next(fiber)
            }
        }
    }

    /// Gives an item, or the end, to whoever asked.
    pub(super) fn deliver(&mut self, fiber: &mut Fiber, delivery: Delivery, item: Option<Value>) {
        let strand = &mut *fiber.strand;
        match delivery {
            Delivery::Register(dst) => strand.registers[dst] = item.unwrap_or_default(),
            Delivery::Next(dst) => {
                strand.registers[dst + 1] = Value::NIL;
                strand.registers[dst] = done_dict(item);
            }
            Delivery::Select(dst) => {
                let parts = item.unwrap_or_default();
                let (index, value) = match parts.view() {
                    View::List(list) => (list.get(0).unwrap_or_default(), list.get(1).unwrap_or_default()),
                    _ => (Value::int(0), Value::NIL),
                };
                strand.registers[dst] = index;
                strand.registers[dst + 1] = value;
            }
            Delivery::Loop => {
                let frame = &mut strand.frames[strand.top];
                // SAFETY: the saved pc is one past the `IterLoop` instruction.
                let ins = unsafe { *(*frame.code).start.add(pc_index(frame) as usize) };
                match item {
                    Some(item) => {
                        strand.registers[strand.base + usize::from(ins.b())] = item;
                        // SAFETY: jumps stay inside the function (verified).
                        frame.pc = unsafe { frame.pc.offset(ins.d() as isize) };
                    }
                    None => {
                        let a = strand.base + usize::from(ins.a());
                        clear(&mut strand.registers[a..a + 1]);
                        strand.registers[a + 1] = Value::NIL;
                    }
                }
            }
        }
    }
}
