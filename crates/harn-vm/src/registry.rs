//! The bodies of builtins and methods by name, given to the VM once.

use std::collections::HashMap;

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
    builtins: HashMap<BuiltinId, Body>,
    methods: HashMap<(&'static str, &'static str), (BuiltinId, Body)>,
    globals: HashMap<String, Value>,
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a builtin.
    pub fn builtin(&mut self, name: &str, body: Body) {
        self.builtins.insert(BuiltinId::of(name), body);
    }

    /// Adds a method of the type that `type_of` names `on`. Its name as a builtin is `on.name`.
    pub fn method(&mut self, on: &'static str, name: &'static str, body: Body) {
        let id = BuiltinId::of(&format!("{on}.{name}"));
        self.methods.insert((on, name), (id, body));
    }

    /// Sets a runtime global (`pi`, `argv`, `stream`, ...): what a module's builtin list names and no builtin is.
    pub fn global(&mut self, name: &str, value: Value) {
        self.globals.insert(name.to_owned(), value);
    }

    /// The body of a builtin.
    pub fn find_builtin(&self, name: &str) -> Option<(BuiltinId, Body)> {
        let id = BuiltinId::known(name)?;
        self.builtins.get(&id).map(|body| (id, *body))
    }

    /// The body of a method.
    pub fn find_method(&self, on: &str, name: &str) -> Option<(BuiltinId, Body)> {
        self.methods.get(&(on, name)).copied()
    }

    /// A runtime global.
    pub fn find_global(&self, name: &str) -> Option<&Value> {
        self.globals.get(name)
    }

    pub(crate) fn body(&self, id: BuiltinId) -> Option<Body> {
        self.builtins.get(&id).copied()
    }

    /// Names of all builtins.
    pub fn builtin_names(&self) -> impl Iterator<Item = &'static str> {
        self.builtins.keys().map(|id| id.name())
    }
}
