//! Machines on other threads: a guest runs pure code of a program that lives elsewhere.
//!
//! A guest has its own heap and its own copy of what linking makes; the bytecode is shared. It has no world, no
//! scheduler and no module variables of its own: code that needs one of them *escapes*. What a guest computed after an
//! escape means nothing, and because nothing happened before it that anybody can see, the home thread runs the same
//! call again from its start.

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use harn_bytecode::{Module, Op, Operand};

use super::construct::empty_struct;
use super::{Fiber, Vm, link};
use crate::error::VmError;
use crate::native::{Limits, ProgramState};
use crate::registry::Registry;
use crate::value::code::{self, Globals, Unit};
use crate::value::parcel::{ErrorParcel, Parcel, Scalar};
use crate::value::{Value, View, shape, tag};

/// What a guest is made from.
#[derive(Clone)]
pub struct Blueprint {
    modules: Vec<(Arc<Module>, bool)>,
    globals: Vec<(String, Parcel)>,
    limits: Limits,
}

/// What code on a guest needed from home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Something that only the home thread has.
    Home,
    /// The value of a module variable, by module and index.
    Global(String, usize),
}

/// What makes a machine a guest.
pub(super) struct Guest {
    /// Modules whose variables live at home.
    borrowed: HashSet<String>,
    wanted: Option<Escape>,
    clock_read: Rc<Cell<bool>>,
}

impl Vm {
    /// What guests of this program are made from; nothing when a runtime global cannot travel or it has
    /// to stay at home.
    pub fn blueprint(&self) -> Option<Blueprint> {
        if self.stays_home {
            return None;
        }
        let modules = self.units.iter();
        let modules =
            modules.map(|(key, unit)| (unit.module.clone(), self.initialised.contains_key(key))).collect();
        let globals = self.globals.iter();
        let globals = globals
            .map(|(name, value)| Some((name.clone(), Parcel::pack(value)?)))
            .collect::<Option<Vec<_>>>()?;
        Some(Blueprint { modules, globals, limits: self.limits })
    }

    /// Says that no other thread may run code of this program.
    pub fn stay_home(&mut self) {
        self.stays_home = true;
    }

    /// A guest; `registry` has the same bodies as at home.
    pub fn guest(registry: Rc<Registry>, blueprint: Blueprint) -> Vm {
        let mut vm = Vm::new(registry, blueprint.limits);
        let mut borrowed = HashSet::new();
        for (module, initialised) in blueprint.modules {
            let path = module.path.clone();
            if initialised {
                vm.initialised.insert(path.clone(), true);
                borrowed.insert(path.clone());
            }
            // The home machine has verified it.
            let globals = Globals::new(module.globals.len());
            let unit = link::link(module, globals);
            vm.add_foreign_methods(&unit);
            vm.units.insert(path, unit);
        }
        for (name, parcel) in blueprint.globals {
            if let Ok(value) = vm.unpack(parcel) {
                vm.set_global(&name, value);
            }
        }
        let clock_read = Rc::new(Cell::new(false));
        let seen = clock_read.clone();
        vm.set_clock(Box::new(move || {
            seen.set(true);
            0
        }));
        vm.program = ProgramState::guarded();
        vm.guest = Some(Box::new(Guest { borrowed, wanted: None, clock_read }));
        vm
    }

    /// Whether the code that a guest just ran has escaped, and where to. Asked after each step.
    pub fn take_escape(&mut self) -> Option<Escape> {
        let touched = self.program.take_touched();
        let guest = self.guest.as_mut()?;
        let read = guest.clock_read.replace(false);
        let home = (touched || read).then_some(Escape::Home);
        guest.wanted.take().or(home)
    }

    /// A module variable without a value was used: on a guest that is an escape.
    #[cold]
    pub(super) fn note_global(&mut self, unit: &Unit, index: usize, written: bool) {
        let Some(guest) = self.guest.as_mut() else { return };
        let mutable = unit.module.globals.get(index).is_some_and(|global| global.mutable);
        let borrowed = guest.borrowed.contains(&unit.module.path);
        if mutable || (written && borrowed) {
            guest.wanted = Some(Escape::Home);
        } else if !written && guest.wanted.is_none() {
            let lent = || Escape::Global(unit.module.path.clone(), index);
            guest.wanted = Some(if borrowed { lent() } else { Escape::Home });
        }
    }

    /// The value of an immutable module variable, for guests; nothing when it has none or cannot travel.
    pub fn lend_global(&self, module: &str, index: usize) -> Option<Parcel> {
        let unit = self.units.get(module)?;
        if unit.module.globals.get(index)?.mutable {
            return None;
        }
        let value = unit.link.globals.get(index)?;
        if value.is_absent() { None } else { Parcel::pack(&value) }
    }

    /// Takes the value of a module variable that home has lent.
    pub fn borrow_global(&mut self, module: &str, index: usize, parcel: Parcel) {
        let Ok(value) = self.unpack(parcel) else { return };
        let Some(unit) = self.units.get(module) else { return };
        unit.link.globals.set(index, value);
    }

    /// The value in a parcel, on this machine.
    pub fn unpack(&mut self, parcel: Parcel) -> Result<Value, Box<VmError>> {
        Ok(match parcel {
            Parcel::Plain(Scalar::Nil) => Value::NIL,
            Parcel::Plain(Scalar::Bool(b)) => Value::bool(b),
            Parcel::Plain(Scalar::Int(n)) => Value::int(n),
            Parcel::Plain(Scalar::Float(x)) => Value::float(x),
            Parcel::Plain(Scalar::Duration(ms)) => Value::duration(ms),
            Parcel::Str(text) => Value::string(text.into_string()),
            Parcel::Bytes(bytes) => Value::bytes(bytes.into_vec()),
            Parcel::List(items) => Value::list(self.unpack_all(items)?),
            Parcel::Set(items) => Value::set(self.unpack_all(items)?),
            Parcel::Pair(both) => Value::pair(self.unpack(both.0)?, self.unpack(both.1)?),
            Parcel::Range { start, end, exclusive } => Value::range(start, end, exclusive),
            Parcel::Builtin(id) => Value::builtin(id),
            Parcel::Dict(entries) => {
                let mut dict = Value::dict::<&str>([]);
                for (key, item) in entries {
                    let item = self.unpack(item)?;
                    dict.dict_set(&key, item);
                }
                dict
            }
            Parcel::Enum(parts) => {
                let (enum_name, variant, fields) = *parts;
                Value::enum_value(&enum_name, &variant, self.unpack_all(fields)?)
            }
            Parcel::Struct(parts) => {
                let declaration = shape::struct_type(&parts.module, &parts.name, &parts.declared);
                let mut made = empty_struct(shape::of_struct(declaration));
                for (key, item) in parts.fields {
                    let item = self.unpack(item)?;
                    made.dict_set(&key, item);
                }
                made
            }
            Parcel::Function(parts) => {
                let captures = self.unpack_all(parts.captures)?;
                return self.unpack_function(&parts.module, parts.number, captures);
            }
        })
    }

    fn unpack_all(&mut self, items: Vec<Parcel>) -> Result<Vec<Value>, Box<VmError>> {
        items.into_iter().map(|item| self.unpack(item)).collect()
    }

    fn unpack_function(
        &mut self,
        module: &str,
        number: u32,
        mut captures: Vec<Value>,
    ) -> Result<Value, Box<VmError>> {
        let unit = self.unit(module)?;
        let wanted =
            unit.module.functions.get(number as usize).map(|function| usize::from(function.captures));
        let Some(code) = unit.functions.get(number as usize).filter(|_| wanted == Some(captures.len()))
        else {
            return Err(VmError::runtime(format!("function {number} of {module} is another one here")));
        };
        if captures.is_empty() {
            return Ok(self.function_value(code));
        }
        // SAFETY: the unit is alive, as many captures are given as the function has, and they are moved: the
        // vector forgets them.
        unsafe {
            let made = code::closure(code, captures.as_ptr(), captures.len());
            captures.set_len(0);
            Ok(made)
        }
    }

    /// The error in a parcel, on this machine.
    pub fn unpack_error(&mut self, parcel: ErrorParcel) -> Result<Box<VmError>, Box<VmError>> {
        parcel.unpack(|thrown| self.unpack(thrown))
    }

    /// Whether the code of a closure asks for the scheduler, uses module variables that change, or names a builtin
    /// for which `foreign` holds; looks at the functions of its module that it names, directly or not.
    pub fn needs_home(&self, closure: &Value, foreign: impl Fn(&str) -> bool) -> bool {
        if closure.tag() != tag::CLOSURE {
            return true;
        }
        // SAFETY: the closure owns a count of the unit that holds its code.
        let code = unsafe { &*code::code_of(closure) };
        let module = &code.unit().module;
        let mut seen = HashSet::new();
        let mut work = vec![code.number];
        while let Some(number) = work.pop() {
            let Some(function) = module.functions.get(number as usize).filter(|_| seen.insert(number)) else {
                continue;
            };
            for ins in &function.code {
                match ins.op() {
                    Op::Spawn
                    | Op::Parallel
                    | Op::Select
                    | Op::MutexEnter
                    | Op::DeadlinePush
                    | Op::TakeGlobal
                    | Op::SetGlobal
                    | Op::LoosenGlobal
                    | Op::Probe
                    | Op::CellNew => return true,
                    Op::GetGlobal if module.globals.get(ins.index()).is_none_or(|global| global.mutable) => {
                        return true;
                    }
                    _ => {}
                }
                match ins.op().operands()[3] {
                    Operand::Fun => work.push(ins.index() as u32),
                    Operand::Blt if module.builtins.get(ins.index()).is_none_or(|name| foreign(name)) => {
                        return true;
                    }
                    _ => {}
                }
            }
        }
        false
    }
}

impl Fiber {
    /// The call that the fiber will begin with, when it has not begun and nothing of it is bound to this task: no
    /// deadline, no state of natives.
    pub fn fresh_call(&self) -> Option<(&Value, &[Value])> {
        if self.started || self.queue.len() != 1 || !self.deadlines.is_empty() || !self.task.is_empty() {
            return None;
        }
        self.queue.front().map(|callee| (callee, self.last_args.as_slice()))
    }
}

/// Where the code of a closure is: the same for closures made at one place of the program.
pub fn code_address(closure: &Value) -> Option<usize> {
    match closure.view() {
        View::Closure(_) => Some(code::code_of(closure) as usize),
        _ => None,
    }
}
