//! The border to builtins written in Rust: what they are given, what they may answer.
//!
//! A native computes, or asks: for an effect of the world, for the scheduler's help, or for another call in its
//! place. It never calls back into Harn code; anything that takes a callback is written in Harn in the prelude.

use std::any::{Any, TypeId};
use std::collections::HashMap;

use harn_effect::{Outcome, Request};

use crate::builtin::BuiltinId;
use crate::error::VmError;
use crate::value::{Value, from_data};

/// A builtin or method body. The arguments (receiver first) are owned by the call: `std::mem::take` what you need.
pub type NativeFn = fn(&mut NativeCtx<'_>, &mut [Value]) -> NativeResult;

/// What a native comes to.
pub type NativeResult = Result<Flow, Box<VmError>>;

/// Turns the outcome of an effect into the result of the call.
pub type ThenFn = fn(&mut NativeCtx<'_>, Outcome) -> NativeResult;

/// How a native goes on.
pub enum Flow {
    /// The result.
    Value(Value),
    /// The result is the outcome of an effect.
    Effect(Box<EffectCall>),
    /// The scheduler supplies the result.
    Control(Box<Control>),
    /// The result is that of another call.
    TailCall {
        /// What to call: a closure or a builtin.
        callee: Value,
        /// Its arguments.
        args: Vec<Value>,
    },
}

impl Flow {
    /// An effect whose outcome, as a value, is the result.
    pub fn effect(request: Request) -> Flow {
        Flow::Effect(Box::new(EffectCall { request, then: None }))
    }

    /// An effect whose outcome `then` turns into the result.
    pub fn effect_then(request: Request, then: ThenFn) -> Flow {
        Flow::Effect(Box::new(EffectCall { request, then: Some(then) }))
    }

    /// A request to the scheduler.
    pub fn control(op: ControlOp, args: Vec<Value>) -> Flow {
        Flow::Control(Box::new(Control { op, args }))
    }
}

impl From<Value> for Flow {
    fn from(value: Value) -> Flow {
        Flow::Value(value)
    }
}

/// An effect that a call waits for.
#[derive(Clone)]
pub struct EffectCall {
    /// What is asked of the world.
    pub request: Request,
    /// How the outcome becomes the result; without it, plain data becomes a value and an error is raised.
    pub then: Option<ThenFn>,
}

impl EffectCall {
    /// The result that an outcome gives.
    pub fn finish(&self, ctx: &mut NativeCtx<'_>, outcome: Outcome) -> NativeResult {
        match self.then {
            Some(then) => then(ctx, outcome),
            None => match outcome {
                Ok(data) => Ok(Flow::Value(from_data(data))),
                Err(raised) => Err(VmError::raised(raised)),
            },
        }
    }
}

/// A request to the scheduler; it answers with `Fiber::resume`.
#[derive(Clone)]
pub struct Control {
    /// What is asked.
    pub op: ControlOp,
    /// Its arguments.
    pub args: Vec<Value>,
}

/// What a fiber may ask of the scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlOp {
    /// `[closure]`: a new task. Its handle.
    Spawn,
    /// `[operand, closure, max]`: by `parallel`. The result of the kind.
    Parallel(harn_bytecode::ParallelKind),
    /// `[channels..., timeout?]`: `select` with that many channels. A list `[index, value]`; the index of timeout and
    /// default is the number of channels.
    Select {
        /// Number of channels.
        channels: usize,
        /// A timeout follows the channels.
        timeout: bool,
        /// Do not wait.
        default: bool,
    },
    /// `[handle]`: the next value of an iterable handle, or `Fiber::resume_end`.
    IterNext,
    /// Takes the default mutex. Nil.
    MutexEnter,
    /// Gives the default mutex back. Nil.
    MutexExit,
    /// An operation that runtime and standard library agree on by name.
    Named(&'static str),
}

/// Where a call stands in the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The path as a report shows it.
    pub path: String,
    /// Line, from 1; 0 when unknown.
    pub line: u32,
    /// Column, from 1, in bytes.
    pub column: u32,
}

/// State that natives keep per program: one value of each type, made at first use.
#[derive(Default)]
pub struct ProgramState {
    parts: HashMap<TypeId, Box<dyn Any>>,
    /// Whether this is the state of a guest, which the program does not know of, and whether a native used it.
    guarded: bool,
    touched: bool,
}

impl ProgramState {
    /// The state of this type.
    pub fn get<T: Default + 'static>(&mut self) -> &mut T {
        self.touched = self.guarded;
        self.cache()
    }

    /// As `get`, for state that no program can tell from a new one: caches. Each thread of a program has its own.
    pub fn cache<T: Default + 'static>(&mut self) -> &mut T {
        let slot = self.parts.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        if !slot.is::<T>() {
            *slot = Box::<T>::default();
        }
        match slot.downcast_mut::<T>() {
            Some(state) => state,
            // The slot was just made of this type.
            None => unreachable!(),
        }
    }

    /// The state of a guest.
    pub(crate) fn guarded() -> Self {
        ProgramState { guarded: true, ..Self::default() }
    }

    /// Whether state of the program was used on a guest since the last call.
    pub(crate) fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.touched)
    }
}

trait TaskPart: Any {
    fn boxed_clone(&self) -> Box<dyn TaskPart>;
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: Clone + 'static> TaskPart for T {
    fn boxed_clone(&self) -> Box<dyn TaskPart> {
        Box::new(self.clone())
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// State that natives keep per task; a child task starts with a copy of its parent's. There are few kinds, and most
/// tasks have none.
#[derive(Default)]
pub struct TaskState(Vec<(TypeId, Box<dyn TaskPart>)>);

impl TaskState {
    /// How many kinds of state there are.
    pub fn parts(&self) -> usize {
        self.0.len()
    }

    /// Whether no native has kept anything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The state of this type, if a native has made it.
    pub fn peek<T: Default + Clone + 'static>(&mut self) -> Option<&mut T> {
        self.0.iter().any(|(id, _)| *id == TypeId::of::<T>()).then(|| self.get())
    }

    /// The state of this type.
    pub fn get<T: Default + Clone + 'static>(&mut self) -> &mut T {
        let id = TypeId::of::<T>();
        let at = match self.0.iter().position(|(known, _)| *known == id) {
            Some(at) => at,
            None => {
                self.0.push((id, Box::new(T::default())));
                self.0.len() - 1
            }
        };
        let part = self.0.get_mut(at).map(|(_, part)| &mut **part);
        match part.and_then(|part| part.as_any_mut().downcast_mut::<T>()) {
            Some(state) => state,
            // Keyed by the type.
            None => unreachable!(),
        }
    }
}

impl Clone for TaskState {
    fn clone(&self) -> Self {
        TaskState(self.0.iter().map(|(id, part)| (*id, (**part).boxed_clone())).collect())
    }
}

/// What the VM allows values to grow to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Nested calls.
    pub depth: usize,
    /// Bytes of values on the heap, as far as counted; also bounds the size of a single result.
    pub heap_bytes: usize,
    /// Unknown methods and such are errors (spec 02 section 14).
    pub strict: bool,
    /// What the whole process may hold.
    pub memory: Option<MemoryLimit>,
}

/// A limit on the memory of the process, looked at between slices and before large values are made: what no count of ours
/// sees (tables, buffers of libraries, other threads) counts too.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimit {
    /// Bytes.
    pub bytes: u64,
    /// How many bytes the process holds now. Asked seldom; a system call is fine.
    pub in_use: fn() -> u64,
}

/// Results and growth below this size are not counted one by one: the look between slices is enough for them.
const COUNTED: u64 = 4 << 10;
/// After so many bytes of counted results, and after so many slices, the memory of the process is looked at.
const LOOK_AFTER: u64 = 32 << 20;
const LOOK_EVERY: u64 = 16;

thread_local! {
    /// Bytes of results, and slices, since the last look.
    static SINCE: [std::cell::Cell<u64>; 2] = const { [const { std::cell::Cell::new(0) }; 2] };
}

impl MemoryLimit {
    /// Adds to a count; when it is due, looks at the memory, of which `wanted` more bytes are needed. The count starts
    /// again only when all was well: a step that asks twice (the quick way, then the one that raises) gets one answer.
    #[inline(never)]
    fn count(self, which: usize, more: u64, after: u64, wanted: u64) -> Result<(), Box<VmError>> {
        SINCE.with(|since| {
            let Some(count) = since.get(which) else { return Ok(()) };
            count.set(count.get().saturating_add(more));
            if count.get() < after {
                return Ok(());
            }
            self.check(wanted)?;
            count.set(0);
            Ok(())
        })
    }

    fn check(self, more: u64) -> Result<(), Box<VmError>> {
        let in_use = (self.in_use)();
        if in_use.saturating_add(more) <= self.bytes {
            return Ok(());
        }
        let mib = |bytes: u64| bytes >> 20;
        let wanted =
            if more >= 1 << 20 { format!(" and {} more are wanted", mib(more)) } else { String::new() };
        Err(VmError::runtime(format!(
            "out of memory: the process holds {} MiB{wanted}, of {} MiB that it may (--max-memory)",
            mib(in_use),
            mib(self.bytes)
        )))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 50_000, heap_bytes: 8 << 30, strict: false, memory: None }
    }
}

/// The bytes of one text: what would be longer is an error (spec 02 section 18), long before memory is exhausted.
pub const MAX_TEXT_BYTES: usize = 1 << 30;

impl Limits {
    /// An ordinary error when a text of this many bytes would be longer than [`MAX_TEXT_BYTES`].
    pub fn check_text(&self, bytes: u64) -> Result<(), Box<VmError>> {
        self.check_longer_text(bytes, bytes)
    }

    /// The same for a text that grows in place, of which only `more` bytes are new.
    #[inline]
    pub(crate) fn check_longer_text(&self, bytes: u64, more: u64) -> Result<(), Box<VmError>> {
        self.check_larger(bytes, more)?;
        if bytes > MAX_TEXT_BYTES as u64 {
            return Err(VmError::runtime(format!(
                "a text of {bytes} bytes is too long (at most {MAX_TEXT_BYTES})"
            )));
        }
        Ok(())
    }

    /// An ordinary error when a result of this many bytes would break the limit.
    pub fn check_size(&self, bytes: u64) -> Result<(), Box<VmError>> {
        self.check_larger(bytes, bytes)
    }

    /// The same for a value that grows in place, of which only `more` bytes are new: what is counted until the next look
    /// must not be the whole at each step, or the looks of n steps would cost n squared.
    #[inline]
    pub(crate) fn check_larger(&self, bytes: u64, more: u64) -> Result<(), Box<VmError>> {
        if bytes > self.heap_bytes as u64 {
            return Err(VmError::runtime(format!("out of memory: a value of {bytes} bytes is too large")));
        }
        match self.memory {
            Some(memory) if more >= COUNTED => memory.count(0, more, LOOK_AFTER, more),
            _ => Ok(()),
        }
    }

    /// An ordinary error when the process holds more than it may; called once a slice.
    pub(crate) fn check_memory(&self) -> Result<(), Box<VmError>> {
        match self.memory {
            Some(memory) => memory.count(1, 1, LOOK_EVERY, 0),
            _ => Ok(()),
        }
    }
}

/// What a native may look at.
pub struct NativeCtx<'a> {
    pub(crate) program: &'a mut ProgramState,
    pub(crate) task: &'a mut TaskState,
    pub(crate) limits: Limits,
    pub(crate) builtin: Option<BuiltinId>,
    pub(crate) place: Place<'a>,
}

/// The calling place, looked up only when asked for.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub module: Option<&'a harn_bytecode::Module>,
    pub function: Option<&'a harn_bytecode::Function>,
    pub pc: u32,
}

impl<'a> NativeCtx<'a> {
    /// A context outside of any call, for tests of natives.
    pub fn detached(program: &'a mut ProgramState, task: &'a mut TaskState) -> Self {
        let place = Place { module: None, function: None, pc: 0 };
        NativeCtx { program, task, limits: Limits::default(), builtin: None, place }
    }

    /// The program's state of this type.
    pub fn state<T: Default + 'static>(&mut self) -> &mut T {
        self.program.get()
    }

    /// A cache of the program: state that no program can tell from a new one.
    pub fn cache<T: Default + 'static>(&mut self) -> &mut T {
        self.program.cache()
    }

    /// The task's state of this type.
    pub fn task_state<T: Default + Clone + 'static>(&mut self) -> &mut T {
        self.task.get()
    }

    /// The name of the builtin or method being called.
    pub fn builtin_name(&self) -> &'static str {
        self.builtin.map_or("", BuiltinId::name)
    }

    /// The limits on values.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Key of the module that calls.
    pub fn module_path(&self) -> &'a str {
        self.place.module.map_or("", |m| &m.path)
    }

    /// Where the call stands.
    pub fn location(&self) -> Location {
        let (Some(module), Some(function)) = (self.place.module, self.place.function) else {
            return Location::default();
        };
        let (line, column) =
            function.span_at(self.place.pc).map_or((0, 0), |span| module.line_column(span.start));
        Location { path: module.display_path.clone(), line, column }
    }
}
