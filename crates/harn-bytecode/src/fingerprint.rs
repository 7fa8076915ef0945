//! What a function does as one number: equal numbers, equal code, wherever in its module the function stands.
//!
//! A suspended run may go on in code that was compiled anew as long as the functions it is in have kept their
//! fingerprint (spec 08 section 4.6).

use crate::instruction::{Op, Operand};
use crate::module::Module;

/// The fingerprint of a function of a verified module: its code with every operand resolved, its parameters, handlers
/// and the closures it makes. Names of local things and places in the source do not count.
pub fn fingerprint(module: &Module, function: usize) -> u64 {
    let mut sum = Fnv::default();
    // Closures nest as deeply as the source does; a work list needs no stack.
    let mut work = vec![function];
    let mut seen = Vec::new();
    while let Some(number) = work.pop() {
        if seen.contains(&number) {
            continue;
        }
        seen.push(number);
        add_function(&mut sum, module, number, &mut work);
    }
    sum.0
}

fn add_function(sum: &mut Fnv, module: &Module, number: usize, nested: &mut Vec<usize>) {
    let Some(function) = module.functions.get(number) else { return };
    sum.text(&format!(
        "{:?} {:?} {:?} {} {} {:?}",
        function.params,
        function.rest,
        function.kind,
        function.registers,
        function.captures,
        function.handlers
    ));
    for ins in &function.code {
        sum.bytes(&[ins.code(), ins.a(), ins.b(), ins.c()]);
        let index = ins.index();
        let last = ins.op().operands()[3];
        match last {
            Operand::Cst
            | Operand::Keys
            | Operand::Variant
            | Operand::Struct
            | Operand::Text
            | Operand::Type
            | Operand::Path => sum.text(&format!("{:?}", module.consts.get(index))),
            Operand::Site => sum.text(function.sites.get(index).map_or("", |site| &site.name)),
            Operand::Fun if ins.op() == Op::Closure => nested.push(index),
            Operand::Fun => sum.text(module.functions.get(index).map_or("", |f| &f.name)),
            Operand::Imp => sum.text(&format!("{:?}", module.imports.get(index))),
            Operand::Blt => sum.text(module.builtins.get(index).map_or("", String::as_str)),
            Operand::Glb => sum.text(&format!("{:?}", module.globals.get(index))),
            _ => sum.bytes(&ins.d().to_le_bytes()),
        }
    }
}

/// FNV-1a, 64 bits: stable across versions and machines.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruction::Instruction;
    use crate::module::{Const, Function};

    fn module(consts: Vec<Const>, index: i32) -> Module {
        let code =
            vec![Instruction::new(Op::Const, 1, 0, 0, index), Instruction::new(Op::Return, 1, 0, 0, 0)];
        let function = Function { name: "f".to_owned(), registers: 2, code, ..Function::default() };
        Module { consts, functions: vec![function], ..Module::default() }
    }

    #[test]
    fn the_place_of_a_constant_does_not_count_but_its_value_does() {
        let one = module(vec![Const::Int(7)], 0);
        let moved = module(vec![Const::Nil, Const::Int(7)], 1);
        let other = module(vec![Const::Int(8)], 0);
        assert_eq!(fingerprint(&one, 0), fingerprint(&moved, 0));
        assert_ne!(fingerprint(&one, 0), fingerprint(&other, 0));
    }
}
