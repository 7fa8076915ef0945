//! The bodies of builtins and methods by name, given to the VM once.

use std::cell::Cell;
use std::collections::HashMap;

use harn_builtins::NameHash;

use crate::builtin::BuiltinId;
use crate::native::NativeFn;
use crate::value::Value;

/// Where a builtin or method is implemented.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// A Rust function.
    Native(NativeFn),
    /// A Harn function of a prelude module, loaded when first needed. Methods get the receiver as first argument.
    Prelude {
        /// Key of the module.
        module: &'static str,
        /// Name of the function.
        function: &'static str,
    },
}

/// All builtins, methods and runtime globals of a program.
#[derive(Default)]
pub struct Registry {
    /// By number: there are as many as names, and one is looked up for each call of one.
    builtins: Vec<Option<Body>>,
    /// The number of a method is given when the first program calls it: making its name takes longer than all the rest.
    methods: HashMap<(&'static str, &'static str), (Cell<Option<BuiltinId>>, Body), NameHash>,
    globals: HashMap<String, Value>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a builtin.
    pub fn builtin(&mut self, name: &'static str, body: Body) {
        self.add(BuiltinId::of_static(name), body);
    }

    /// Adds a builtin whose name is made while the program runs. The name is kept for ever.
    pub fn named_builtin(&mut self, name: &str, body: Body) {
        self.add(BuiltinId::of(name), body);
    }

    fn add(&mut self, id: BuiltinId, body: Body) {
        let place = id.number() as usize;
        if place >= self.builtins.len() {
            self.builtins.resize(place + 1, None);
        }
        if let Some(slot) = self.builtins.get_mut(place) {
            *slot = Some(body);
        }
    }

    /// Adds a method of the type that `type_of` names `on`. Its name as a builtin is `on.name`.
    pub fn method(&mut self, on: &'static str, name: &'static str, body: Body) {
        self.methods.insert((on, name), (Cell::new(None), body));
    }

    /// Sets a runtime global (`pi`, `argv`, `stream`, ...): what a module's builtin list names and no builtin is.
    pub fn global(&mut self, name: &str, value: Value) {
        self.globals.insert(name.to_owned(), value);
    }

    /// The body of a builtin.
    pub fn find_builtin(&self, name: &str) -> Option<(BuiltinId, Body)> {
        let id = BuiltinId::known(name)?;
        self.body(id).map(|body| (id, body))
    }

    /// The body of a method.
    pub fn find_method(&self, on: &str, name: &str) -> Option<(BuiltinId, Body)> {
        let (number, body) = self.methods.get(&(on, name))?;
        let id = number.get().unwrap_or_else(|| BuiltinId::of(&format!("{on}.{name}")));
        number.set(Some(id));
        Some((id, *body))
    }

    /// A runtime global.
    pub fn find_global(&self, name: &str) -> Option<&Value> {
        self.globals.get(name)
    }

    pub(crate) fn body(&self, id: BuiltinId) -> Option<Body> {
        self.builtins.get(id.number() as usize).copied().flatten()
    }

    /// Names of all builtins.
    pub fn builtin_names(&self) -> impl Iterator<Item = &'static str> {
        (0u32..)
            .zip(&self.builtins)
            .filter(|(_, body)| body.is_some())
            .map(|(number, _)| BuiltinId::from_number(number).name())
    }
}
