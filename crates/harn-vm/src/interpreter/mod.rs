//! The interpreter: loaded modules, fibers and the step loop.
//!
//! [`Vm::step`] runs a fiber until it is done, fails, needs the world or the scheduler, or has used its fuel. Harn
//! calls, callbacks and generators are frames and strands of the fiber; nothing recurses in Rust.
//!
//! Unsafe code here relies on what the verifier proves (operands in range, jumps in range, no overwrite of a register
//! that may hold a counted value) and on one rule: the units of a VM live as long as the VM, and a fiber only runs on
//! the VM that made it.
#![allow(unsafe_code)]

mod access;
mod call;
mod check;
mod construct;
mod fiber;
mod fuse;
mod fused;
mod guest;
mod iterate;
mod link;
mod middle;
mod operands;
mod operate;
mod registers;
mod sites;
mod slow;
pub mod snapshot;
mod step;
mod suggest;
mod unwind;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use harn_bytecode::{FunctionKind, Instruction, Module, Op};

pub use check::passes as passes_type;
pub use fiber::Fiber;
pub use guest::{Blueprint, Escape, code_address};

use crate::error::VmError;
use crate::native::{Control, EffectCall, Limits, ProgramState};
use crate::registry::Registry;
use crate::value::Value;
use crate::value::code::{Code, Globals, NEVER_FAST, Unit};
use crate::value::strand::Frame;

/// Why a step ended.
pub enum Exit {
    /// The fiber ended with this value.
    Done(Value),
    /// The fiber ended with an error that nothing caught.
    Failed(Box<VmError>),
    /// It waits for an effect; answer with [`Fiber::resume`].
    Effect(EffectCall),
    /// It waits for the scheduler; answer with [`Fiber::resume_value`], [`Fiber::resume_end`] or
    /// [`Fiber::resume_error`].
    Control(Control),
    /// It used its fuel; step again.
    OutOfFuel,
}

/// How a cold part of an instruction went.
pub(crate) enum Next {
    /// Go on with the running frame of the fiber.
    Go,
    /// Leave the step.
    Exit(Exit),
}

/// Finds and compiles a library module by its key.
pub type Loader = Box<dyn FnMut(&str) -> Result<Module, String>>;

/// What a program runs first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Only the initialisation of the module and what it imports.
    Init,
    /// The script body.
    Script,
    /// The pipeline of this name.
    Pipeline(&'a str),
    /// The exported or private function of this name.
    Function(&'a str),
}

/// The virtual machine: the code of one program and its shared state.
pub struct Vm {
    registry: Rc<Registry>,
    units: HashMap<String, Rc<Unit>>,
    /// Units whose module has grown: values and frames may still refer to them.
    outgrown: Vec<Rc<Unit>>,
    initialised: HashMap<String, bool>,
    loader: Option<Loader>,
    globals: HashMap<String, Value>,
    program: ProgramState,
    limits: Limits,
    clock: Box<dyn Fn() -> i64>,
    scratch: String,
    stubs: Box<Stubs>,
    id: u64,
    /// Variable cells made, to be emptied when the VM goes away: closures in them may refer to the cell.
    cells: Vec<Value>,
    cells_limit: usize,
    /// How often each line was reached, by unit; filled by code with probes only.
    hits: HashMap<*const Unit, Vec<u64>>,
    /// While a spread call looks for its callee: where its arguments are laid out, and how many. A call that has to be
    /// executed once more gets them back as a list.
    spread_out: Option<(usize, usize)>,
    /// Closures that restored frames borrow.
    pinned: Vec<Value>,
    /// What makes it a guest, when it runs code for a program on another thread.
    guest: Option<Box<guest::Guest>>,
    stays_home: bool,
    /// Methods by module and name of a struct (no module: an enum) and by their own name, for types of other modules.
    foreign_methods: HashMap<(String, String), HashMap<String, *const Code>>,
    /// The last field, so the last to go.
    _thread: ThreadShare,
}

/// What a VM uses of its thread, given back when all else of the VM is gone: its registry holds values too.
struct ThreadShare;

impl ThreadShare {
    fn take() -> ThreadShare {
        crate::value::shape::vm_begins();
        ThreadShare
    }
}

impl Drop for ThreadShare {
    fn drop(&mut self) {
        crate::value::slots::trim();
        crate::value::shape::vm_ends();
    }
}

/// Code of the VM's own.
struct Stubs {
    halt: Code,
    deliver: Code,
}

static HALT: [Instruction; 1] = [Instruction::new(Op::Halt, 0, 0, 0, 0)];
static DELIVER: [Instruction; 1] = [Instruction::new(Op::Deliver, 0, 0, 0, 0)];

fn stub(start: &'static [Instruction; 1], registers: u32) -> Code {
    Code {
        start: start.as_ptr(),
        values: std::ptr::null(),
        functions: std::ptr::null(),
        caches: std::ptr::null(),
        registers,
        params: 0,
        fast: NEVER_FAST,
        kind: FunctionKind::Plain,
        rest: false,
        number: 0,
        unit: std::ptr::null(),
        cache_store: Box::new([]),
    }
}

impl Vm {
    /// A VM without modules.
    pub fn new(registry: Rc<Registry>, limits: Limits) -> Vm {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Vm {
            registry,
            units: HashMap::new(),
            outgrown: Vec::new(),
            initialised: HashMap::new(),
            loader: None,
            globals: HashMap::new(),
            program: ProgramState::default(),
            limits,
            clock: Box::new(|| 0),
            scratch: String::new(),
            stubs: Box::new(Stubs { halt: stub(&HALT, 1), deliver: stub(&DELIVER, 2) }),
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            cells: Vec::new(),
            cells_limit: 1024,
            hits: HashMap::new(),
            spread_out: None,
            pinned: Vec::new(),
            guest: None,
            stays_home: false,
            foreign_methods: HashMap::new(),
            _thread: ThreadShare::take(),
        }
    }

    /// Where library modules (`std/...`, prelude) come from when code first needs them.
    pub fn set_loader(&mut self, loader: Loader) {
        self.loader = Some(loader);
    }

    /// The monotonic clock in milliseconds that deadlines are measured by.
    pub fn set_clock(&mut self, clock: Box<dyn Fn() -> i64>) {
        self.clock = clock;
    }

    /// Sets a runtime global of this program (`argv`, `prompt`, ...); it goes before the registry's.
    pub fn set_global(&mut self, name: &str, value: Value) {
        self.globals.insert(name.to_owned(), value);
    }

    /// The state that natives keep for this program.
    pub fn program_state(&mut self) -> &mut ProgramState {
        &mut self.program
    }

    /// The limits on values.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Loads a module. Its imports are bound when they are first used, so order and cycles do not matter here.
    pub fn load(&mut self, mut module: Module) -> Result<(), harn_bytecode::Refusal> {
        harn_bytecode::verify(&module)?;
        fuse::fuse(&mut module);
        if self.units.contains_key(&module.path) {
            return Ok(());
        }
        let path = module.path.clone();
        let globals = Globals::new(module.globals.len());
        let unit = link::link(Arc::new(module), globals);
        self.add_foreign_methods(&unit);
        self.units.insert(path, unit);
        Ok(())
    }

    /// Loads a module in the place of one of the same path that begins with the same variables: they keep their values,
    /// and code of the old one sees the new one's changes to them. What was made by the old one lives on.
    ///
    /// # Errors
    /// Code that the verifier refuses.
    pub fn grow(&mut self, module: Module) -> Result<(), harn_bytecode::Refusal> {
        let Some(old) = self.units.remove(&module.path) else { return self.load(module) };
        if let Err(refusal) = harn_bytecode::verify(&module) {
            self.units.insert(module.path, old);
            return Err(refusal);
        }
        let globals = old.link.globals.grown(module.globals.len());
        self.outgrown.push(old);
        self.outgrown.iter().for_each(|unit| unit.link.globals.follow());
        let path = module.path.clone();
        let unit = link::link(Arc::new(module), globals);
        self.add_foreign_methods(&unit);
        self.initialised.remove(&path);
        self.units.insert(path, unit);
        Ok(())
    }

    /// Whether a module is loaded.
    pub fn is_loaded(&self, path: &str) -> bool {
        self.units.contains_key(path)
    }

    /// A loaded module.
    pub fn module(&self, path: &str) -> Option<Arc<Module>> {
        self.units.get(path).map(|unit| unit.module.clone())
    }

    /// The value of a module's variable; of several with one name that of the last.
    pub fn variable(&self, path: &str, name: &str) -> Option<Value> {
        let unit = self.units.get(path)?;
        let index = unit.module.globals.iter().rposition(|global| global.name == name)?;
        let value = unit.link.globals.get(index)?;
        (!value.is_absent()).then_some(value)
    }

    /// A function of a module as a value: exported, or else any function of that name.
    pub fn function(&mut self, path: &str, name: &str) -> Option<Value> {
        let code = match self.exported(path, name) {
            Ok(code) => code,
            Err(_) => {
                let unit = self.units.get(path)?;
                let number = unit.module.functions.iter().position(|f| f.name == name)?;
                std::ptr::from_ref(unit.functions.get(number)?)
            }
        };
        Some(self.function_value(code))
    }

    /// The body of a pipeline as a value.
    pub fn pipeline(&mut self, path: &str, name: &str) -> Option<Value> {
        let unit = self.units.get(path)?;
        let pipeline = unit.module.pipelines.iter().find(|p| p.name == name)?;
        let code: *const Code = unit.functions.get(pipeline.function as usize)?;
        Some(self.function_value(code))
    }

    /// A fiber that initialises a module and what it imports, then runs the entry with the given arguments.
    pub fn program(&mut self, path: &str, entry: Entry<'_>, args: Vec<Value>) -> Result<Fiber, Box<VmError>> {
        let unit = self.unit(path)?;
        let mut queue = VecDeque::new();
        let mut inits = Vec::new();
        self.collect_inits(path, &mut inits)?;
        for code in inits {
            queue.push_back(self.function_value(code));
        }
        let main = match entry {
            Entry::Init => None,
            Entry::Script => match unit.module.script {
                Some(number) => unit.functions.get(number as usize).map(std::ptr::from_ref),
                None => None,
            }
            .map(|code| self.function_value(code)),
            Entry::Pipeline(name) => Some(
                self.pipeline(path, name)
                    .ok_or_else(|| VmError::runtime(format!("no pipeline '{name}' in {path}")))?,
            ),
            Entry::Function(name) => Some(
                self.function(path, name)
                    .ok_or_else(|| VmError::runtime(format!("no function '{name}' in {path}")))?,
            ),
        };
        let args = if main.is_some() { args } else { Vec::new() };
        queue.extend(main);
        Ok(Fiber::new(self.id, queue, args, self.bottom()))
    }

    /// A fiber that calls a closure, named function or builtin.
    pub fn call(&mut self, callee: Value, args: Vec<Value>) -> Fiber {
        Fiber::new(self.id, VecDeque::from([callee]), args, self.bottom())
    }

    /// Counts that a line of a unit was reached.
    #[cold]
    fn count_line(&mut self, unit: *const Unit, line: usize) {
        let lines = self.hits.entry(unit).or_default();
        if lines.len() <= line {
            lines.resize(line + 1, 0);
        }
        if let Some(count) = lines.get_mut(line) {
            *count += 1;
        }
    }

    /// For each module that was compiled with probes: its path as reports show it, and for each line that has code
    /// how often it was reached. Sorted by path and line.
    pub fn line_hits(&self) -> Vec<(String, Vec<(u32, u64)>)> {
        let mut found = Vec::new();
        for unit in self.units.values() {
            let hits = self.hits.get(&Rc::as_ptr(unit));
            let code = unit.module.functions.iter().flat_map(|function| &function.code);
            let lines: BTreeSet<u32> =
                code.filter(|ins| ins.op() == Op::Probe).map(|ins| ins.index() as u32).collect();
            if lines.is_empty() {
                continue;
            }
            let count = |line: u32| hits.and_then(|hits| hits.get(line as usize)).copied().unwrap_or(0);
            found.push((
                unit.module.display_path.clone(),
                lines.into_iter().map(|line| (line, count(line))).collect(),
            ));
        }
        found.sort();
        found
    }

    fn bottom(&self) -> Frame {
        Frame { code: &self.stubs.halt, pc: HALT.as_ptr(), delta: 0 }
    }

    /// The init functions of a module and its dependencies that have not run, dependencies first. They count as run
    /// from here on: a module that is still loading is not loaded again.
    fn collect_inits(&mut self, path: &str, inits: &mut Vec<*const Code>) -> Result<(), Box<VmError>> {
        // A work list, so that a long chain of imports does not use the Rust stack.
        let mut work = vec![(path.to_owned(), false)];
        while let Some((path, seen)) = work.pop() {
            let unit = self.unit(&path)?;
            if seen {
                if let Some(code) = unit.module.init.and_then(|number| unit.functions.get(number as usize)) {
                    inits.push(code);
                }
                continue;
            }
            if self.initialised.insert(path.clone(), true).is_some() {
                continue;
            }
            work.push((path, true));
            work.extend(unit.module.dependencies.iter().rev().map(|d| (d.clone(), false)));
        }
        Ok(())
    }

    /// Runs a fiber for at most about `fuel` jumps and calls.
    pub fn step(&mut self, fiber: &mut Fiber, fuel: u64) -> Exit {
        if fiber.vm != self.id {
            return Exit::Failed(VmError::runtime("a fiber was run on another program's machine"));
        }
        match self.prepare(fiber) {
            Ok(Next::Go) => {}
            Ok(Next::Exit(exit)) => return exit,
            Err(error) => match self.unwind(fiber, error) {
                Next::Go => {}
                Next::Exit(exit) => return exit,
            },
        }
        // SAFETY: the fiber belongs to this VM, whose units hold verified code.
        unsafe { step::run(self, fiber, fuel.min(i64::MAX as u64) as i64) };
        fiber.exit.take().unwrap_or(Exit::OutOfFuel)
    }

    /// Starts the fiber, delivers what it waited for, raises what is due.
    fn prepare(&mut self, fiber: &mut Fiber) -> Result<Next, Box<VmError>> {
        if !fiber.started {
            fiber.started = true;
            match self.start_next(fiber)? {
                Next::Go => {}
                exit => return Ok(exit),
            }
        }
        if let Some(waiting) = fiber.waiting.take() {
            match fiber.answer.take() {
                Some(answer) => return self.deliver_answer(fiber, waiting, answer),
                None => {
                    fiber.waiting = Some(waiting);
                    return Ok(Next::Exit(Exit::Failed(VmError::runtime("a waiting fiber was stepped"))));
                }
            }
        }
        if let Some(error) = fiber.interrupt.take() {
            return Err(error);
        }
        if crate::value::cell::heap_bytes() > self.limits.heap_bytes {
            return Err(VmError::runtime("out of memory: the values of the program exceed the heap limit"));
        }
        self.limits.check_memory()?;
        if !fiber.deadlines.is_empty()
            && let Some(error) = fiber.expire((self.clock)())
        {
            return Err(error);
        }
        Ok(Next::Go)
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        // Break the circles: globals hold closures that hold their unit; cells hold closures that hold the cell.
        for unit in self.units.values().chain(&self.outgrown) {
            // Moved out before they are dropped.
            let values = unit.link.function_values.take();
            drop((unit.link.globals.empty(), values));
        }
        self.pinned.clear();
        for cell in self.cells.drain(..) {
            let content = cell.cell_cell().value.take();
            drop(content);
        }
    }
}
