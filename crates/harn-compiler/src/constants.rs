//! The constant pool of a module: equal constants share an index.

use crate::NameMap;
use crate::ownership::{ConstantFacts, Level};
use harn_bytecode::{Const, ParamCheck, PathStep, TypeCheck};
use std::io::Write;

/// The pool.
#[derive(Default)]
pub(crate) struct Constants {
    pub values: Vec<Const>,
    /// By what [`write_key`] makes of them.
    seen: NameMap<Box<[u8]>, i32>,
    texts: NameMap<Box<str>, i32>,
    key: Vec<u8>,
}

impl Constants {
    /// The index of a text.
    pub(crate) fn text(&mut self, text: &str) -> i32 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        let index = self.values.len() as i32;
        self.values.push(Const::Str(text.to_owned()));
        self.texts.insert(text.into(), index);
        index
    }

    /// The index of a constant.
    pub(crate) fn intern(&mut self, value: Const) -> i32 {
        if let Const::Str(text) = &value {
            return self.text(text);
        }
        self.key.clear();
        write_key(&value, &mut self.key);
        if let Some(known) = self.seen.get(self.key.as_slice()) {
            return *known;
        }
        let index = self.values.len() as i32;
        self.values.push(value);
        self.seen.insert(self.key.as_slice().into(), index);
        index
    }
}

/// Writes bytes that tell constants apart. Floats go by their bits, so that `0.0` and `-0.0` differ and NaN equals itself.
fn write_key(value: &Const, key: &mut Vec<u8>) {
    let mut tagged = |tag: u8, bytes: &[u8]| {
        key.push(tag);
        key.extend_from_slice(bytes);
    };
    match value {
        Const::Int(value) => tagged(b'i', &value.to_le_bytes()),
        Const::Float(value) => tagged(b'f', &value.to_bits().to_le_bytes()),
        Const::Duration(value) => tagged(b'd', &value.to_le_bytes()),
        Const::Keys(keys) => {
            tagged(b'k', &[]);
            keys.iter().for_each(|name| write_text(name, key));
        }
        Const::Variant { enum_name, variant } => {
            tagged(b'v', &[]);
            [enum_name, variant].into_iter().for_each(|name| write_text(name, key));
        }
        Const::Struct { module, name, fields } => {
            tagged(b's', &[]);
            [module, name].into_iter().chain(fields).for_each(|name| write_text(name, key));
        }
        Const::Type(ParamCheck { param, check: TypeCheck::Named(name) }) => {
            tagged(b't', &[]);
            [param, name].into_iter().for_each(|name| write_text(name, key));
        }
        Const::Type(ParamCheck { param, check: TypeCheck::Number { label } }) => {
            tagged(b'n', &[]);
            [param, label].into_iter().for_each(|name| write_text(name, key));
        }
        // Rare ones by their debug text; writing to memory cannot fail.
        other => {
            tagged(b'?', &[]);
            let _ = write!(key, "{other:?}");
        }
    }
}

/// A text with its length before it, so that `["ab"]` and `["a", "b"]` differ.
fn write_text(text: &str, key: &mut Vec<u8>) {
    key.extend_from_slice(&(text.len() as u32).to_le_bytes());
    key.extend_from_slice(text.as_bytes());
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
