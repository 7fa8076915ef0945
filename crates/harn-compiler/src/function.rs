//! The state of a function being emitted: its visible variables, its registers, and what encloses the current point.

use crate::code::{Code, Label};
use crate::registers::RegSet;
use harn_bytecode::Function;
use harn_syntax::ast::{Block, Symbol};
use std::rc::Rc;

/// The last register that variables and temporaries may use; above it stands the scratch register.
pub(crate) const LAST_REGISTER: u16 = 247;
/// Variables beyond this register are kept in the spill dict, in functions that have one.
pub(crate) const LAST_VARIABLE: u16 = 160;
/// A function that binds more names than this gets a spill dict.
pub(crate) const MANY_BINDINGS: u32 = 120;

/// Where a variable lives.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In a register.
    Register(u8),
    /// In the spill dict under this number.
    Spilled(u32),
    /// In a capture slot, read on demand; never assigned.
    Capture(u32),
    /// A nested function without captures: a function of the module.
    Function(u32),
    /// A nested function with captures.
    Nested(Rc<Nested>),
    /// In the cell that this register holds: declared later than a closure that mentions it was made.
    Cell(u8),
}

/// A nested named function with captures.
#[derive(Debug)]
pub(crate) struct Nested {
    /// Its function.
    pub function: u32,
    /// The register of its closure value, once created.
    pub register: u8,
    /// Functions that mention each other share one list of captures, so that each can make the other anew.
    pub group: u32,
    /// The captured names, the same for the whole group.
    pub captures: Vec<Symbol>,
}

/// A visible name.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub name: Symbol,
    pub place: Place,
    pub mutable: bool,
    /// Depth of the scope that declared it.
    pub scope: u32,
}

/// Where `break` and `continue` go, or how a pending exit is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitKind {
    /// `return`, with the value in a register.
    Return,
    /// `break` of the loop at this index of the control stack.
    Break(usize),
    /// `continue` of that loop.
    Continue(usize),
}

/// What encloses the current point, outermost first.
#[derive(Debug)]
pub(crate) enum Control<'a> {
    /// A loop.
    Loop { on_break: Label, on_continue: Label },
    /// A protected region without code of its own on the way out (`catch`, `retry`).
    Handler(OpenRegion),
    /// `finally` or `defer`.
    Finally(Box<Finally<'a>>),
    /// `deadline`: disarm on the way out.
    Deadline(OpenRegion),
    /// `mutex`: release on the way out.
    Mutex(OpenRegion),
}

/// A region that is still open.
#[derive(Debug)]
pub(crate) struct OpenRegion {
    pub ranges: Vec<(u32, u32)>,
    pub start: u32,
    pub target: Label,
    pub top: u8,
    pub raw: bool,
}

/// A pending `finally` or `defer` block: one copy of its code, entered with a number that says how to go on.
#[derive(Debug)]
pub(crate) struct Finally<'a> {
    pub region: OpenRegion,
    /// The register that says how to go on: 0 fall through, 1 raise, 2.. an exit.
    pub how: u8,
    /// The value to return or the error to raise.
    pub value: u8,
    /// The entry of the block.
    pub entry: Label,
    /// Exits that pass here, by number from 2.
    pub exits: Vec<ExitKind>,
    /// The code to run.
    pub block: &'a Block,
    /// How many names were visible where it was written.
    pub visible: usize,
    /// What it mentions that its own block declares after it.
    pub late: Option<Late>,
}

/// Variables that a `defer` mentions and its block declares later. Which of them exist when the block is left is known
/// then only, so its code exists once for each number of declarations that may have run.
#[derive(Debug)]
pub(crate) struct Late {
    /// The register that counts the declarations that have run.
    pub stage: u8,
    /// For each declaration, in their order: the position of its statement in the block, and its names.
    pub declarations: Vec<(usize, Vec<Symbol>)>,
}

/// The register of a variable that its block declares later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserved {
    pub scope: u32,
    pub name: Symbol,
    pub register: u8,
}

/// What kind of code this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The body of a script: its variables are the file's top level.
    Script,
    /// Module init: evaluates top-level variables into globals.
    Init,
    /// A pipeline, named function, method or tool body: reads the file's variables live.
    Named,
    /// A closure: snapshots.
    Closure,
}

/// A function being emitted.
#[derive(Debug)]
pub(crate) struct FnState<'a> {
    /// Its number in the module.
    pub index: u32,
    pub code: Code,
    pub locals: Vec<Local>,
    pub scope: u32,
    /// The next free register.
    pub next: u16,
    /// One more than the highest register used.
    pub highest: u16,
    /// Registers that hold variables at this point.
    pub variables: RegSet,
    pub control: Vec<Control<'a>>,
    pub role: Role,
    /// Registers of variables that are declared later in an open block, and mentioned by a `defer` in it.
    pub reserved: Vec<Reserved>,
    /// Copies of deferred code made so far.
    pub copies: u32,
    /// The body yields or emits.
    pub generator: bool,
    /// Captured names by slot.
    pub captures: Vec<Symbol>,
    /// Of a nested function: its group, and its own name.
    pub group: Option<(u32, Symbol)>,
    /// A closure bound by `let name = ...` can call itself by this name.
    pub self_name: Option<Symbol>,
    /// The register of the spill dict, below all windows, in functions with very many variables.
    pub spill: Option<u8>,
    /// How many variables are spilled.
    pub spilled: u32,
    pub function: Function,
    /// Register exhaustion was reported.
    pub exhausted: bool,
}

impl FnState<'_> {
    /// A function that starts with these names of parameters in `r1..`.
    pub(crate) fn new(function: Function, role: Role) -> Self {
        FnState {
            index: 0,
            code: Code::default(),
            locals: Vec::new(),
            scope: 0,
            next: 1,
            highest: 1,
            variables: RegSet::default(),
            control: Vec::new(),
            role,
            reserved: Vec::new(),
            copies: 0,
            generator: false,
            captures: Vec::new(),
            group: None,
            self_name: None,
            spill: None,
            spilled: 0,
            function,
            exhausted: false,
        }
    }

    /// The visible local of this name.
    pub(crate) fn local(&self, name: Symbol) -> Option<&Local> {
        self.locals.iter().rev().find(|local| local.name == name)
    }

    /// Whether leaving this point runs code of the frame: no tail calls then.
    pub(crate) fn is_protected(&self) -> bool {
        self.control.iter().any(|control| !matches!(control, Control::Loop { .. }))
    }
}
