//! Loading and linking: a module of bytecode becomes a unit of code that frames and closures point to.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use harn_bytecode::{Const, ExportItem, Function, FunctionKind, Module, PathStep};

use super::Vm;
use super::check::literal_value;
use super::suggest;
use crate::builtin::BuiltinId;
use crate::error::{ErrorKind, VmError};
use crate::registry::Body;
use crate::value::Value;
use crate::value::code::{self, Cache, Code, Globals, Link, Linked, LinkedStep, NEVER_FAST, Resolved, Unit};
use crate::value::shape::{self, Shape};

type Result<T> = std::result::Result<T, Box<VmError>>;

/// Makes a unit of a verified module.
pub(super) fn link(module: Arc<Module>, globals: Globals) -> Rc<Unit> {
    let values: Box<[Value]> = module.consts.iter().map(literal_value).collect();
    let linked: Box<[Linked]> = module.consts.iter().map(link_const).collect();
    let functions: Box<[Code]> =
        module.functions.iter().enumerate().map(|(number, function)| code(number, function)).collect();
    let link = Link {
        globals,
        imports: module.imports.iter().map(|_| Cell::new(std::ptr::null())).collect(),
        builtins: module.builtins.iter().map(|_| Cell::new(Resolved::Unknown)).collect(),
        function_values: RefCell::new(module.functions.iter().map(|_| Value::NIL).collect()),
    };
    let mut unit =
        Rc::new(Unit { module, functions, values, linked, struct_literals: RefCell::default(), link });
    let address = Rc::as_ptr(&unit);
    if let Some(made) = Rc::get_mut(&mut unit) {
        let (values, functions) = (made.values.as_ptr(), made.functions.as_ptr());
        for (code, function) in made.functions.iter_mut().zip(&made.module.functions) {
            code.unit = address;
            code.start = function.code.as_ptr();
            code.values = values;
            code.functions = functions;
            code.caches = code.cache_store.as_ptr();
        }
    }
    unit
}

fn code(number: usize, function: &Function) -> Code {
    let params = function.params.len() as u16;
    let fast = function.kind == FunctionKind::Plain && function.rest.is_none();
    Code {
        start: std::ptr::null(),
        values: std::ptr::null(),
        functions: std::ptr::null(),
        caches: std::ptr::null(),
        // A window always has room for the callee, the arguments and one value more.
        registers: u32::from(function.registers).max(function.last_param() as u32 + 2),
        params,
        fast: if fast { params } else { NEVER_FAST },
        kind: function.kind,
        rest: function.rest.is_some(),
        number: number as u32,
        unit: std::ptr::null(),
        cache_store: function.sites.iter().map(|_| Cache::default()).collect(),
    }
}

fn link_const(constant: &Const) -> Linked {
    match constant {
        Const::Keys(keys) => {
            let mut sorted: Vec<&str> = keys.iter().map(String::as_str).collect();
            sorted.sort_unstable();
            sorted.dedup();
            if sorted.len() != keys.len() {
                return Linked::Keys { shape: None };
            }
            Linked::Keys { shape: shape::of_keys(sorted).map(|shape| (shape, order(shape, keys))) }
        }
        Const::Variant { enum_name, variant } => Linked::Variant(shape::variant(enum_name, variant)),
        Const::Path(steps) => Linked::Path(
            steps
                .iter()
                .map(|step| LinkedStep {
                    field: match step {
                        PathStep::Field(name) => Some(name.as_str().into()),
                        PathStep::Index => None,
                    },
                    shape: Cell::new(std::ptr::null()),
                    slot: Cell::new(0),
                })
                .collect(),
        ),
        // Structs are linked when the unit that declares them is known.
        _ => Linked::Nothing,
    }
}

/// For each slot of the shape, the number of the key that goes there.
fn order(shape: &Shape, keys: &[String]) -> Box<[u8]> {
    let place = |slot: &str| keys.iter().position(|key| key == slot).unwrap_or(0) as u8;
    shape.keys.iter().map(|slot| place(slot)).collect()
}

impl Vm {
    /// The unit of a module, loading library modules at their first mention.
    pub(super) fn unit(&mut self, path: &str) -> Result<Rc<Unit>> {
        if let Some(unit) = self.units.get(path) {
            return Ok(unit.clone());
        }
        let loaded = match self.loader.as_mut() {
            Some(loader) => loader(path),
            None => Err(format!("module {path} is not loaded")),
        };
        let module = loaded.map_err(VmError::runtime)?;
        let dependencies = module.dependencies.clone();
        self.load(module).map_err(|refusal| VmError::runtime(refusal.to_string()))?;
        for dependency in dependencies {
            self.unit(&dependency)?;
        }
        match self.units.get(path) {
            Some(unit) => Ok(unit.clone()),
            None => Err(VmError::runtime(format!("module {path} is not loaded"))),
        }
    }

    /// The code behind an exported name.
    pub(super) fn exported(&mut self, path: &str, name: &str) -> Result<*const Code> {
        let mut path = path.to_owned();
        let mut name = name.to_owned();
        // Re-exports form a chain; a cycle of them has no end.
        for _ in 0..64 {
            let unit = self.unit(&path)?;
            let item = unit.module.exports.iter().find(|e| e.name == name).map(|e| e.item);
            match item {
                Some(ExportItem::Function(number)) => {
                    if let Some(code) = unit.functions.get(number as usize) {
                        return Ok(code);
                    }
                    break;
                }
                Some(ExportItem::Import(number)) => match unit.module.imports.get(number as usize) {
                    Some(import) => {
                        path = import.module.clone();
                        name = import.name.clone();
                    }
                    None => break,
                },
                None => break,
            }
        }
        Err(VmError::runtime(format!("Import error: '{name}' is not defined in {path}")))
    }

    /// The code of import `index` of a unit, bound at its first use so that import cycles work.
    pub(super) fn import(&mut self, unit: &Unit, index: usize) -> Result<*const Code> {
        let slot = &unit.link.imports[index];
        if slot.get().is_null() {
            let import = unit.module.imports[index].clone();
            slot.set(self.exported(&import.module, &import.name)?);
        }
        Ok(slot.get())
    }

    /// A function of a unit as a value; the same value each time.
    pub(super) fn function_value(&mut self, code: *const Code) -> Value {
        // SAFETY: the code belongs to a unit that the VM holds.
        unsafe {
            let mut values = (*code).link().function_values.borrow_mut();
            let slot = &mut values[(*code).number as usize];
            if slot.is_nil() {
                *slot = code::closure(code, std::ptr::null(), 0);
            }
            slot.clone()
        }
    }

    /// What a body is, ready to be called.
    pub(super) fn resolve_body(&mut self, id: BuiltinId, body: Body) -> Result<Resolved> {
        match body {
            Body::Native(native) => Ok(Resolved::Native(id, native)),
            Body::Prelude { module, function } => Ok(Resolved::Code(self.exported(module, function)?)),
        }
    }

    /// The builtin `index` of a unit.
    pub(super) fn builtin(&mut self, unit: &Unit, index: usize) -> Result<Resolved> {
        let slot = &unit.link.builtins[index];
        if let Resolved::Unknown = slot.get() {
            let name = &unit.module.builtins[index];
            let Some((id, body)) = self.registry.find_builtin(name) else {
                return Err(self.undefined(name, ErrorKind::UndefinedBuiltin(name.clone()), "builtin"));
            };
            slot.set(self.resolve_body(id, body)?);
        }
        Ok(slot.get())
    }

    /// A builtin or runtime global as a value.
    pub(super) fn builtin_value(&mut self, unit: &Unit, index: usize) -> Result<Value> {
        let name = &unit.module.builtins[index];
        if let Some(value) = self.globals.get(name) {
            return Ok(value.clone());
        }
        if let Some(value) = self.registry.find_global(name) {
            return Ok(value.clone());
        }
        match self.registry.find_builtin(name) {
            Some((id, _)) => Ok(Value::builtin(id)),
            None => Err(self.undefined(name, ErrorKind::UndefinedVariable(name.clone()), "variable")),
        }
    }

    fn undefined(&self, name: &str, plain: ErrorKind, what: &str) -> Box<VmError> {
        match suggest::nearest(name, self.registry.builtin_names()) {
            Some(near) => VmError::runtime(format!("Undefined {what}: {name} (did you mean `{near}`?)")),
            None => VmError::new(plain),
        }
    }

    /// The shape of an empty struct of this declaration, with its type.
    pub(super) fn struct_root(&mut self, module: &str, name: &str) -> Result<&'static Shape> {
        let unit = self.unit(module)?;
        let Some(def) = unit.module.structs.iter().find(|s| s.name == name) else {
            return Err(VmError::new(ErrorKind::UndefinedVariable(name.to_owned())));
        };
        Ok(shape::of_struct(shape::struct_type(module, name, &def.fields)))
    }

    /// The impl method of a struct type.
    pub(super) fn struct_method(&mut self, shape: &Shape, name: &str) -> Option<*const Code> {
        let declared = shape.struct_type?;
        let unit = self.units.get(&*declared.module)?;
        let def = unit.module.structs.iter().find(|s| s.name == *declared.name)?;
        // Later impl blocks win, as later declarations do; those at home win over those of other modules.
        match def.methods.iter().rev().find(|(method, _)| method == name) {
            Some((_, number)) => unit.functions.get(*number as usize).map(std::ptr::from_ref),
            None => self.foreign_method(&declared.module, &declared.name, name),
        }
    }

    /// Makes the methods known that the `impl` blocks of a unit give to enums and to structs of other modules.
    pub(super) fn add_foreign_methods(&mut self, unit: &Unit) {
        for method in &unit.module.impls {
            if let Some(code) = unit.functions.get(method.function as usize) {
                let on = (method.module.clone(), method.type_name.clone());
                self.foreign_methods.entry(on).or_default().insert(method.name.clone(), code);
            }
        }
    }

    /// A method that an `impl` block elsewhere gives to a struct, or any block to an enum (of no module).
    pub(super) fn foreign_method(&self, module: &str, type_name: &str, name: &str) -> Option<*const Code> {
        if self.foreign_methods.is_empty() {
            return None;
        }
        self.foreign_methods.get(&(module.to_owned(), type_name.to_owned()))?.get(name).copied()
    }
}
