//! The constant pool of a module: equal constants share an index.

use crate::ownership::{ConstantFacts, Level};
use harn_bytecode::{Const, ParamCheck, PathStep, TypeCheck};
use std::collections::HashMap;

/// What tells two constants apart.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Int(i64),
    /// By bits, so that `0.0` and `-0.0` differ and NaN equals itself.
    Float(u64),
    Duration(i64),
    Str(String),
    /// Compound ones, by their debug text.
    Other(String),
}

/// The pool.
#[derive(Default)]
pub(crate) struct Constants {
    pub values: Vec<Const>,
    seen: HashMap<Key, i32>,
    texts: HashMap<String, i32>,
}

impl Constants {
    /// The index of a text.
    pub(crate) fn text(&mut self, text: &str) -> i32 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let index = self.values.len() as i32;
        self.values.push(Const::Str(text.to_owned()));
        self.texts.insert(text.to_owned(), index);
        index
    }

    /// The index of a constant.
    pub(crate) fn intern(&mut self, value: Const) -> i32 {
        let key = match &value {
            Const::Str(text) => return self.text(text),
            Const::Int(value) => Key::Int(*value),
            Const::Float(value) => Key::Float(value.to_bits()),
            Const::Duration(value) => Key::Duration(*value),
            Const::Keys(keys) => Key::Str(format!("{keys:?}")),
            other => Key::Other(format!("{other:?}")),
        };
        if let Some(known) = self.seen.get(&key) {
            return *known;
        }
        let index = self.values.len() as i32;
        self.values.push(value);
        self.seen.insert(key, index);
        index
    }
}

impl ConstantFacts for Constants {
    fn window(&self, constant: i32) -> usize {
        match self.values.get(constant as usize) {
            Some(Const::Keys(keys)) => keys.len(),
            Some(Const::Struct { fields, .. }) => fields.len(),
            Some(Const::Path(steps)) => steps.iter().filter(|step| **step == PathStep::Index).count(),
            _ => 0,
        }
    }

    fn level(&self, constant: i32) -> Level {
        match self.values.get(constant as usize) {
            // As long as a value holds inline.
            Some(Const::Str(text)) if text.len() <= 14 => Level::Short,
            Some(Const::Str(_)) | None => Level::Counted,
            Some(_) => Level::Number,
        }
    }

    fn admits_numbers_only(&self, constant: i32) -> bool {
        matches!(
            self.values.get(constant as usize),
            Some(Const::Type(ParamCheck { check: TypeCheck::Number { .. }, .. }))
        )
    }
}
