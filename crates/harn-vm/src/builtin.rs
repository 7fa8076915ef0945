//! Names of builtins as small numbers, the same for the whole process.

use harn_builtins::NameHash;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A builtin's name, interned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuiltinId(u32);

#[derive(Default)]
struct Names {
    list: Vec<&'static str>,
    numbers: HashMap<&'static str, u32, NameHash>,
}

impl Names {
    fn add(&mut self, name: &'static str) -> BuiltinId {
        let number = self.list.len() as u32;
        self.list.push(name);
        self.numbers.insert(name, number);
        BuiltinId(number)
    }
}

static NAMES: LazyLock<Mutex<Names>> = LazyLock::new(Mutex::default);

impl BuiltinId {
    /// The id of a name. Meant for names of the builtin table: names are kept for ever.
    pub fn of(name: &str) -> BuiltinId {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = names.numbers.get(name) {
            return BuiltinId(*number);
        }
        names.add(Box::leak(name.into()))
    }

    /// The id of a name of the program's own text, which needs no copy.
    pub(crate) fn of_static(name: &'static str) -> BuiltinId {
        let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        match names.numbers.get(name) {
            Some(number) => BuiltinId(*number),
            None => names.add(name),
        }
    }

    /// The id of a name that somebody has given one; names that programs make up are not kept.
    pub fn known(name: &str) -> Option<BuiltinId> {
        let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        names.numbers.get(name).map(|number| BuiltinId(*number))
    }

    /// The name.
    pub fn name(self) -> &'static str {
        let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
        names.list.get(self.0 as usize).copied().unwrap_or("")
    }

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn from_number(number: u32) -> BuiltinId {
        BuiltinId(number)
    }
}
