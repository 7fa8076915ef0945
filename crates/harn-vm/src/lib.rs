//! The virtual machine: values, fibers, and the step loop that runs verified bytecode.
//!
//! A [`Value`] is what a program computes with. A [`Registry`] supplies the bodies of builtins ([`native`]); a `Vm`
//! loads modules of bytecode and steps fibers, which never touch the world: they hand out effects and control requests
//! and wait as plain data.

pub mod builtin;
pub mod error;
pub mod handle;
pub mod interpreter;
pub mod native;
pub mod registry;
pub mod value;

pub use builtin::BuiltinId;
pub use error::{ErrorKind, TraceFrame, VmError};
pub use handle::{Handle, SavedHandle};
pub use interpreter::snapshot;
pub use interpreter::{Blueprint, Entry, Escape, Exit, Fiber, Loader, Vm, code_address};
pub use native::{
    Control, ControlOp, EffectCall, Flow, Limits, Location, MAX_TEXT_BYTES, MemoryLimit, NativeCtx, NativeFn,
    NativeResult, ProgramState, TaskState, ThenFn,
};
pub use registry::{Body, Registry};
pub use value::cell::live_cells;
pub use value::parcel;
pub use value::{Value, View, compare, display, equals, from_data, hash_key, to_data};
