//! Calls that are more than pushing a frame: adjusting arguments, natives, methods, spreads, generators, answers.
//!
//! Everything here works on indices into the strand's registers; the step loop has saved its position before and
//! loads it again afterwards. A *window* is the index of register 0 of the callee.

use harn_bytecode::FunctionKind;
use harn_effect::Outcome;

use super::access;
use super::fiber::{Answer, Delivery, Fiber, Waiting};
use super::unwind::{clear, pc_index};
use super::{Exit, Next, Vm};
use crate::builtin::BuiltinId;
use crate::error::{ErrorKind, VmError};
use crate::native::{Control, ControlOp, EffectCall, Flow, NativeCtx, NativeFn, NativeResult, Place};
use crate::value::cell::GeneratorCell;
use crate::value::code::{self, Cache, Code, MethodCache, Resolved};
use crate::value::strand::{Frame, Strand};
use crate::value::{Value, View, display, tag};

/// How an operation went.
pub(super) type Went = Result<Next, Box<VmError>>;

/// Registers a new generator starts with.
const GENERATOR_REGISTERS: usize = 16;

impl Strand {
    /// Makes registers up to `end` exist.
    #[inline]
    pub(super) fn ensure(&mut self, end: usize) {
        if self.registers.len() < end {
            let wanted = end.max(self.registers.len() * 2);
            self.registers.resize_with(wanted, Value::default);
        }
    }

    /// The index one past the running frame's registers.
    pub(super) fn frame_end(&self) -> usize {
        // SAFETY: code of a frame belongs to a unit of the VM that steps the strand.
        self.base + unsafe { (*self.frames[self.top].code).registers as usize }
    }
}

impl Vm {
    /// Starts the next call of the fiber's queue; none left: done with nil.
    pub(super) fn start_next(&mut self, fiber: &mut Fiber) -> Went {
        let Some(callee) = fiber.queue.pop_front() else {
            return Ok(Next::Exit(Exit::Done(Value::NIL)));
        };
        let args = if fiber.queue.is_empty() { std::mem::take(&mut fiber.last_args) } else { Vec::new() };
        self.place_and_call(fiber, 0, callee, args)
    }

    /// Puts callee and arguments into a window and calls.
    pub(super) fn place_and_call(
        &mut self,
        fiber: &mut Fiber,
        window: usize,
        callee: Value,
        args: Vec<Value>,
    ) -> Went {
        let count = args.len();
        let wanted = match callee.tag() {
            // SAFETY: the code of a closure lives as long as the closure.
            tag::CLOSURE | tag::BORROWED => unsafe { (*code::code_of(&callee)).registers as usize },
            _ => 0,
        };
        fiber.strand.ensure(window + wanted.max(count + 2));
        fiber.strand.registers[window] = callee;
        for (i, arg) in args.into_iter().enumerate() {
            fiber.strand.registers[window + 1 + i] = arg;
        }
        let called = self.call_window(fiber, window, count, false);
        self.clear_on_error(fiber, called, window, count)
    }

    /// After an error, drops what a window beyond the frame still holds: unwinding looks at the frame only.
    pub(super) fn clear_on_error(
        &mut self,
        fiber: &mut Fiber,
        called: Went,
        window: usize,
        count: usize,
    ) -> Went {
        if called.is_err() {
            let end = (window + count + 1).min(fiber.strand.registers.len());
            clear(&mut fiber.strand.registers[window..end]);
        }
        called
    }

    /// Calls the value in the window with the arguments behind it.
    pub(super) fn call_window(&mut self, fiber: &mut Fiber, window: usize, count: usize, pipe: bool) -> Went {
        let callee = &fiber.strand.registers[window];
        match callee.tag() {
            tag::CLOSURE | tag::BORROWED => {
                let code = code::code_of(callee);
                self.enter(fiber, code, window, count)
            }
            tag::BUILTIN => {
                let View::Builtin(id) = callee.view() else { return Ok(Next::Go) };
                fiber.strand.registers[window] = Value::NIL;
                let Some(body) = self.registry.body(id) else {
                    return Err(VmError::new(ErrorKind::UndefinedBuiltin(id.name().to_owned())));
                };
                let resolved = self.resolve_body(id, body)?;
                self.call_resolved(fiber, resolved, window, window + 1, count)
            }
            _ if pipe => Err(VmError::ty(format!("cannot pipe into {}", callee.type_name()))),
            _ => Err(VmError::ty(format!("Cannot call {}", display(callee)))),
        }
    }

    /// Calls what a name was resolved to, with the arguments from `args`; a code's window is `window`, whose first
    /// argument register is then `args`.
    pub(super) fn call_resolved(
        &mut self,
        fiber: &mut Fiber,
        resolved: Resolved,
        window: usize,
        args: usize,
        count: usize,
    ) -> Went {
        match resolved {
            Resolved::Native(id, native) => self.native(fiber, native, id, args, count, window),
            Resolved::Code(code) => {
                if let Some(next) = self.init_first(fiber, code)? {
                    return Ok(next);
                }
                self.enter(fiber, code, window, count)
            }
            Resolved::Unknown => Ok(Next::Go),
        }
    }

    /// Library modules loaded on demand: runs their initialisation first, then the calling instruction once more.
    fn init_first(&mut self, fiber: &mut Fiber, code: *const Code) -> Result<Option<Next>, Box<VmError>> {
        // SAFETY: the code belongs to a unit of this VM.
        let module = unsafe { (*code).unit().module.clone() };
        if self.initialised.contains_key(&module.path) {
            return Ok(None);
        }
        let mut inits = Vec::new();
        self.collect_inits(&module.path, &mut inits)?;
        if inits.is_empty() {
            return Ok(None);
        }
        if let Some((at, count)) = self.spread_out.take() {
            let args = &mut fiber.strand.registers[at..at + count];
            let list = Value::list(args.iter_mut().map(std::mem::take).collect());
            fiber.strand.registers[at] = list;
        }
        let top = fiber.strand.top;
        // SAFETY: the saved pc is one past the instruction being executed.
        let again = unsafe { fiber.strand.frames[top].pc.sub(1) };
        fiber.strand.frames[top].pc = again;
        // Above everything the instruction uses: its window may reach past the frame by spread arguments.
        let mut window = fiber.strand.frame_end() + 300;
        for code in inits.into_iter().rev() {
            fiber.strand.ensure(window + 2);
            fiber.strand.registers[window] = Value::NIL;
            self.enter(fiber, code, window, 0)?;
            window = fiber.strand.frame_end();
        }
        Ok(Some(Next::Go))
    }

    /// Enters code: adjusts the arguments (spec 02 section 8.4), then pushes the frame or makes the generator.
    pub(super) fn enter(
        &mut self,
        fiber: &mut Fiber,
        code: *const Code,
        window: usize,
        count: usize,
    ) -> Went {
        // SAFETY: the code belongs to a unit of this VM, or to the unit of a closure in the window.
        let facts = unsafe { &*code };
        let strand = &mut *fiber.strand;
        let params = usize::from(facts.params);
        strand.ensure(window + (facts.registers as usize).max(count + 2));
        if count < params {
            let function = facts.function();
            for i in count..params {
                strand.registers[window + 1 + i] =
                    if function.params[i].has_default { Value::ABSENT } else { Value::NIL };
            }
        }
        if facts.rest {
            let extra: Vec<Value> =
                (params..count).map(|i| std::mem::take(&mut strand.registers[window + 1 + i])).collect();
            strand.registers[window + 1 + params] = Value::list(extra);
        } else if count > params {
            clear(&mut strand.registers[window + 1 + params..window + 1 + count]);
        }
        if facts.kind != FunctionKind::Plain {
            return self.make_generator(fiber, code, window);
        }
        self.push_frame(fiber, code, window)
    }

    fn push_frame(&mut self, fiber: &mut Fiber, code: *const Code, window: usize) -> Went {
        let strand = &mut *fiber.strand;
        // SAFETY: as in `enter`.
        let (start, registers) = unsafe { ((*code).start, (*code).registers as usize) };
        if strand.top + 1 >= strand.frames.len() {
            let depth: usize = strand.top + fiber.pulls.iter().map(|pull| pull.strand.top + 1).sum::<usize>();
            if depth >= self.limits.depth {
                return Err(VmError::new(ErrorKind::StackOverflow));
            }
            let others = depth - strand.top;
            let most = (self.limits.depth - others).max(2) + 1;
            let wanted = (strand.frames.len() * 2).min(most).max(strand.top + 2);
            let bottom = strand.frames[0];
            strand.frames.resize(wanted, bottom);
        }
        strand.ensure(window + registers);
        strand.top += 1;
        let delta = (window - strand.base) as u32;
        strand.frames[strand.top] = Frame { code, pc: start, delta };
        strand.base = window;
        Ok(Next::Go)
    }

    /// Makes a generator whose body has not begun; it lands in the window.
    fn make_generator(&mut self, fiber: &mut Fiber, code: *const Code, window: usize) -> Went {
        // SAFETY: as in `enter`.
        let facts = unsafe { &*code };
        let used = 1 + usize::from(facts.params) + usize::from(facts.rest);
        let mut registers: Vec<Value> = Vec::new();
        registers.resize_with((facts.registers as usize).max(GENERATOR_REGISTERS), Value::default);
        for (to, from) in registers.iter_mut().zip(&mut fiber.strand.registers[window..window + used]) {
            *to = std::mem::take(from);
        }
        // The body outlives the call: it owns its closure.
        if registers[0].tag() == tag::BORROWED {
            registers[0] = owned_closure(&registers[0]);
        }
        let mut frames = vec![self.bottom(); 4];
        frames[1] = Frame { code, pc: facts.start, delta: 0 };
        let strand = Box::new(Strand { registers, frames, top: 1, base: 0 });
        fiber.strand.registers[window] = GeneratorCell::alloc(facts.kind, strand);
        Ok(Next::Go)
    }

    /// Calls a native with `count` arguments from `args`; the result goes to `dst`.
    pub(super) fn native(
        &mut self,
        fiber: &mut Fiber,
        native: NativeFn,
        id: BuiltinId,
        args: usize,
        count: usize,
        dst: usize,
    ) -> Went {
        fiber.strand.ensure(args + count + 1);
        let place = place(&fiber.strand);
        let mut ctx = NativeCtx {
            program: &mut self.program,
            task: &mut fiber.task,
            limits: self.limits,
            builtin: Some(id),
            place,
        };
        let result = native(&mut ctx, &mut fiber.strand.registers[args..args + count]);
        clear(&mut fiber.strand.registers[args..args + count]);
        self.flow(fiber, result, dst, Some(id))
    }

    /// What a native answered, put into effect.
    fn flow(
        &mut self,
        fiber: &mut Fiber,
        result: NativeResult,
        dst: usize,
        builtin: Option<BuiltinId>,
    ) -> Went {
        match result? {
            Flow::Value(value) => {
                fiber.strand.registers[dst] = value;
                Ok(Next::Go)
            }
            Flow::Effect(call) => {
                fiber.waiting = Some(Waiting::Effect { dst, then: call.then, builtin });
                Ok(Next::Exit(Exit::Effect(*call)))
            }
            Flow::Control(control) => Ok(self.ask(fiber, *control, Delivery::Register(dst))),
            Flow::TailCall { callee, args } => self.place_and_call(fiber, dst, callee, args),
        }
    }

    /// Leaves the step with a request to the scheduler.
    pub(super) fn ask(&mut self, fiber: &mut Fiber, control: Control, delivery: Delivery) -> Next {
        fiber.waiting = Some(Waiting::Control { delivery });
        Next::Exit(Exit::Control(control))
    }

    /// Delivers what the fiber waited for.
    pub(super) fn deliver_answer(&mut self, fiber: &mut Fiber, waiting: Waiting, answer: Answer) -> Went {
        match (waiting, answer) {
            (_, Answer::Error(error)) => Err(error),
            (Waiting::Effect { dst, then, builtin }, answer) => {
                let outcome: Outcome = match answer {
                    Answer::Outcome(outcome) => outcome,
                    Answer::Value(value) => {
                        fiber.strand.registers[dst] = value;
                        return Ok(Next::Go);
                    }
                    _ => Ok(harn_effect::Data::Nil),
                };
                // The request is not needed to finish the call.
                let request =
                    harn_effect::Request { op: harn_effect::Op::ClockNow, args: harn_effect::Data::Nil };
                let call = EffectCall { request, then };
                let place = place(&fiber.strand);
                let mut ctx = NativeCtx {
                    program: &mut self.program,
                    task: &mut fiber.task,
                    limits: self.limits,
                    builtin,
                    place,
                };
                let result = call.finish(&mut ctx, outcome);
                self.flow(fiber, result, dst, builtin)
            }
            (Waiting::Control { delivery }, answer) => {
                let item = match answer {
                    Answer::Value(value) => Some(value),
                    Answer::Outcome(Ok(data)) => Some(crate::value::from_data(data)),
                    Answer::Outcome(Err(raised)) => return Err(VmError::raised(raised)),
                    _ => None,
                };
                self.deliver(fiber, delivery, item);
                Ok(Next::Go)
            }
        }
    }

    /// Calls a method (spec 02 section 14): receiver in `window + 1`, arguments behind it.
    pub(super) fn call_method(
        &mut self,
        fiber: &mut Fiber,
        cache: &Cache,
        name: &str,
        window: usize,
        count: usize,
        optional: bool,
    ) -> Went {
        let receiver = &fiber.strand.registers[window + 1];
        let kind = receiver.tag();
        let cached = cache.method.get();
        if cached.tag == kind && kind != tag::NIL {
            let hit = kind != tag::STRUCT
                || std::ptr::eq(cache.shape.get(), receiver.slots_cell().descriptor.cast());
            if hit {
                return self.call_resolved(fiber, cached.found, window, window + 1, count + 1);
            }
        }
        if receiver.is_nil() && optional {
            return Ok(self.no_method(fiber, window, count));
        }
        match name {
            "iter" if iter_method_applies(receiver) => {
                let receiver = std::mem::take(&mut fiber.strand.registers[window + 1]);
                clear(&mut fiber.strand.registers[window + 2..window + 2 + count]);
                fiber.strand.registers[window] = super::iterate::lift(receiver)?;
                return Ok(Next::Go);
            }
            "next" if pulls(receiver) => {
                clear(&mut fiber.strand.registers[window + 2..window + 2 + count]);
                let receiver = fiber.strand.registers[window + 1].clone();
                return self.pull(fiber, receiver, Delivery::Next(window));
            }
            _ => {}
        }
        let type_name = receiver.type_name();
        if let Some((id, body)) = self.registry.find_method(type_name, name) {
            let found = self.resolve_body(id, body)?;
            // Generators and handles share a tag among several type names.
            if !matches!(kind, tag::GENERATOR | tag::HANDLE | tag::NIL | tag::ITER) {
                cache.method.set(MethodCache { tag: kind, found });
            }
            return self.call_resolved(fiber, found, window, window + 1, count + 1);
        }
        match kind {
            tag::STRUCT => {
                let shape = receiver.shape();
                if let Some(code) = self.struct_method(shape, name) {
                    cache.shape.set(shape);
                    cache.method.set(MethodCache { tag: kind, found: Resolved::Code(code) });
                    return self.call_resolved(fiber, Resolved::Code(code), window, window + 1, count + 1);
                }
                // A callable stored in a field.
                let stored = receiver.entry(name).filter(|v| v.is_callable()).cloned();
                if let Some(callee) = stored {
                    return self.call_stored(fiber, callee, window, count);
                }
            }
            tag::ENUM => {
                let found = match receiver.view() {
                    View::Enum(value) => self.foreign_method("", value.enum_name(), name),
                    _ => None,
                };
                if let Some(code) = found {
                    return self.call_resolved(fiber, Resolved::Code(code), window, window + 1, count + 1);
                }
            }
            tag::RECORD | tag::DICT => {
                let stored = receiver.entry(name).filter(|v| v.is_callable()).cloned();
                return match stored {
                    Some(callee) => self.call_stored(fiber, callee, window, count),
                    None => Ok(self.no_method(fiber, window, count)),
                };
            }
            tag::RANGE => {
                if let Some((id, body)) = self.registry.find_method("iter", name) {
                    let range = std::mem::take(&mut fiber.strand.registers[window + 1]);
                    fiber.strand.registers[window + 1] = super::iterate::lift(range)?;
                    let found = self.resolve_body(id, body)?;
                    return self.call_resolved(fiber, found, window, window + 1, count + 1);
                }
            }
            _ => {}
        }
        if self.limits.strict && !optional {
            return Err(VmError::ty(format!("{type_name} has no method `{name}`")));
        }
        Ok(self.no_method(fiber, window, count))
    }

    /// The call yields nil; receiver and arguments are dropped.
    fn no_method(&mut self, fiber: &mut Fiber, window: usize, count: usize) -> Next {
        clear(&mut fiber.strand.registers[window + 1..window + 2 + count]);
        fiber.strand.registers[window] = Value::NIL;
        Next::Go
    }

    /// Calls a callable found in the receiver with the arguments alone.
    fn call_stored(&mut self, fiber: &mut Fiber, callee: Value, window: usize, count: usize) -> Went {
        let registers = &mut fiber.strand.registers;
        registers[window + 1] = Value::NIL;
        registers[window + 1..window + 2 + count].rotate_left(1);
        registers[window] = callee;
        self.call_window(fiber, window, count, false)
    }

    /// Lays the items of the list in `at` out as arguments from `at` on; how many there are.
    pub(super) fn spread(&mut self, fiber: &mut Fiber, at: usize) -> Result<usize, Box<VmError>> {
        let list = std::mem::take(&mut fiber.strand.registers[at]);
        if list.tag() != tag::LIST {
            return Err(access::cannot_destructure(&list, "[...]", "list"));
        }
        let items = list.into_list();
        let count = items.len();
        self.limits.check_size(count as u64 * 64)?;
        fiber.strand.ensure(at + count + 2);
        for (i, item) in items.into_iter().enumerate() {
            fiber.strand.registers[at + i] = item;
        }
        Ok(count)
    }

    /// `list.push` on a receiver that is no list, or any call that an instruction other than a call makes: the result
    /// goes to register `dst` by way of a frame of the VM's own.
    pub(super) fn push_method(
        &mut self,
        fiber: &mut Fiber,
        cache: &Cache,
        receiver: Value,
        argument: Value,
        dst: usize,
    ) -> Went {
        let strand = &mut *fiber.strand;
        let stub_window = strand.frame_end();
        let delta = (dst - strand.base) as u64;
        let deliver: *const Code = &self.stubs.deliver;
        self.push_frame(fiber, deliver, stub_window)?;
        let strand = &mut *fiber.strand;
        strand.ensure(stub_window + 6);
        strand.registers[stub_window] = Value::raw_number(delta);
        strand.registers[stub_window + 2] = receiver;
        strand.registers[stub_window + 3] = argument;
        let called = self.call_method(fiber, cache, "push", stub_window + 1, 1, false);
        self.clear_on_error(fiber, called, stub_window + 1, 2)
    }

    /// The result of a call stands in register 1 of the VM's own frame: moves it where it belongs and leaves the frame.
    pub(super) fn finish_deliver(&mut self, fiber: &mut Fiber) {
        let strand = &mut *fiber.strand;
        let result = std::mem::take(&mut strand.registers[strand.base + 1]);
        let target = strand.registers[strand.base].payload as usize;
        strand.registers[strand.base] = Value::NIL;
        strand.base -= strand.frames[strand.top].delta as usize;
        strand.top -= 1;
        let to = strand.base + target;
        strand.registers[to] = result;
    }

    /// A tail call: the window moves down over the running frame, which ends.
    pub(super) fn tail_window(&mut self, fiber: &mut Fiber, window: usize, count: usize) -> usize {
        let strand = &mut *fiber.strand;
        let base = strand.base;
        for i in 0..=count {
            strand.registers[base + i] = std::mem::take(&mut strand.registers[window + i]);
        }
        strand.base -= strand.frames[strand.top].delta as usize;
        strand.top -= 1;
        base
    }

    /// The raw error of an uncaught handler value, or the thrown value.
    pub(super) fn thrown(value: Value) -> Box<VmError> {
        match super::unwind::raw_error(&value) {
            Some(error) => error,
            None => VmError::thrown(value),
        }
    }

    /// A variable cell; the VM keeps it in mind, since closures inside may refer to it.
    pub(super) fn new_cell(&mut self) -> Value {
        let cell = crate::value::cell::VarCell::alloc(Value::NIL);
        if self.cells.len() >= self.cells_limit {
            // Cells that nobody else has any more are of no interest.
            self.cells.retain(|cell| !cell.is_unique());
            self.cells_limit = (self.cells.len() * 2).max(1024);
        }
        self.cells.push(cell.clone());
        cell
    }

    /// A `select`, `parallel`, `spawn` or lock: moves the operands out and asks the scheduler.
    pub(super) fn ask_with(
        &mut self,
        fiber: &mut Fiber,
        op: ControlOp,
        operands: std::ops::Range<usize>,
        delivery: Delivery,
    ) -> Next {
        let args = operands.map(|i| std::mem::take(&mut fiber.strand.registers[i])).collect();
        self.ask(fiber, Control { op, args }, delivery)
    }
}

/// Where the running instruction of the program stands: that of the innermost frame outside the hidden modules of the
/// library, in whose name they work.
///
/// The lifetime is that of a native call: units live as long as the VM.
fn place<'a>(strand: &Strand) -> Place<'a> {
    // SAFETY: code of a frame belongs to a unit that the VM holds during the call.
    let hidden = |at: usize| unsafe {
        let code = &*strand.frames[at].code;
        !code.unit.is_null() && code.unit().module.hidden
    };
    let mut at = strand.top;
    while at > 0 && hidden(at) {
        at -= 1;
    }
    let frame = strand.frames[at];
    // SAFETY: as above.
    unsafe {
        if (*frame.code).unit.is_null() {
            return Place { module: None, function: None, pc: 0 };
        }
        let unit = &*(*frame.code).unit;
        Place {
            module: Some(&unit.module),
            function: unit.module.functions.get((*frame.code).number as usize),
            pc: pc_index(&frame),
        }
    }
}

/// A closure that owns its cell, from one that the caller's register owns.
pub(super) fn owned_closure(borrowed: &Value) -> Value {
    let closure = Value::raw(u64::from(tag::CLOSURE), borrowed.payload);
    let owned = closure.clone();
    // The first value took over a count that is not its own.
    std::mem::forget(closure);
    owned
}

fn iter_method_applies(receiver: &Value) -> bool {
    matches!(
        receiver.view(),
        View::List(_)
            | View::Set(_)
            | View::Dict(_)
            | View::Str(_)
            | View::Range { .. }
            | View::Generator(_)
            | View::Stream(_)
            | View::Iter(_)
    ) || matches!(receiver.view(), View::Handle(handle) if handle.is_iterable())
}

/// Whether `next()` pulls one item.
fn pulls(receiver: &Value) -> bool {
    match receiver.view() {
        View::Generator(_) | View::Stream(_) | View::Iter(_) => true,
        View::Handle(handle) => handle.is_iterable() && handle.type_name() == "stream",
        _ => false,
    }
}

/// Lays the spread arguments out, calls, and after an error drops what lies beyond the frame.
pub(super) fn spread_then(
    vm: &mut Vm,
    fiber: &mut Fiber,
    window: usize,
    at: usize,
    call: impl FnOnce(&mut Vm, &mut Fiber, usize) -> Went,
) -> Went {
    let count = vm.spread(fiber, at)?;
    vm.spread_out = Some((at, count));
    let called = call(vm, fiber, count);
    vm.spread_out = None;
    if called.is_err() {
        let end = (at + count).min(fiber.strand.registers.len());
        clear(&mut fiber.strand.registers[window..end]);
    }
    called
}
