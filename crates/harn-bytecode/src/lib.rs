//! Bytecode: where compiler and virtual machine meet.
//!
//! [`instruction`] holds the one table of operations. A compiled file is a [`Module`] of [`Function`]s, built with an
//! [`Assembler`], proved safe by [`verify()`], printed by [`disassemble()`] and kept as bytes by [`file`].
//! Nothing here knows the language's syntax or how values are represented.

pub mod assembler;
pub mod disassemble;
pub mod file;
pub mod fingerprint;
pub mod instruction;
pub mod module;
pub mod verify;

pub use assembler::{Assembler, Label, Pool};
pub use disassemble::disassemble;
pub use fingerprint::fingerprint;
pub use instruction::{Instruction, Op, Operand, ParallelKind, RaiseKind};
pub use module::{
    Const, EnumDef, Export, ExportItem, ForeignMethod, Function, FunctionKind, Global, Handler, Import,
    Module, Param, ParamCheck, PathStep, Pipeline, ShapeField, Site, Span, StructDef, TypeCheck,
};
pub use verify::{Refusal, verify};
