//! Lists, dicts and sets: methods and builtins without callbacks; the ones with callbacks are in the prelude.

pub mod dicts;
pub mod keyed;
pub mod lists;
pub mod sets;
