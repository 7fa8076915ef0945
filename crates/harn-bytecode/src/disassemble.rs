//! The text of a module for people (`harn dev code FILE`).

use std::fmt::Write;

use crate::instruction::{Instruction, Operand};
use crate::module::{Const, Function, FunctionKind, Module};

/// The text of a whole module.
pub fn disassemble(module: &Module) -> String {
    let mut out = format!("module {}\n", module.path);
    for (i, constant) in module.consts.iter().enumerate() {
        let _ = writeln!(out, "  const {i} = {}", show_const(constant));
    }
    for (i, global) in module.globals.iter().enumerate() {
        let _ = writeln!(out, "  global {i} = {}{}", global.name, if global.mutable { " (var)" } else { "" });
    }
    for (i, import) in module.imports.iter().enumerate() {
        let _ = writeln!(out, "  import {i} = {} from {}", import.name, import.module);
    }
    for (i, function) in module.functions.iter().enumerate() {
        write_function(&mut out, module, i, function);
    }
    out
}

fn write_function(out: &mut String, module: &Module, number: usize, function: &Function) {
    let name = if function.name.is_empty() { "(closure)" } else { &function.name };
    let params: Vec<String> = function
        .params
        .iter()
        .map(|p| if p.has_default { format!("{} = ..", p.name) } else { p.name.clone() })
        .chain(function.rest.iter().map(|r| format!("...{r}")))
        .collect();
    let kind = match function.kind {
        FunctionKind::Plain => "",
        FunctionKind::Generator => " generator",
        FunctionKind::Stream => " stream",
        FunctionKind::Iter => " iter",
    };
    let _ = writeln!(
        out,
        "\nfunction {number} {name}({}){kind} registers {} captures {}",
        params.join(", "),
        function.registers,
        function.captures
    );
    let mut line = 0;
    for (pc, ins) in function.code.iter().enumerate() {
        let at = function.span_at(pc as u32).map_or(0, |span| module.line_column(span.start).0);
        let mark = if at != line && at != 0 { format!("{at:>4}") } else { "    ".to_owned() };
        line = at;
        let _ = writeln!(out, "{mark} {pc:>4}  {}", show_instruction(module, function, pc, *ins));
    }
    for h in &function.handlers {
        let _ = writeln!(
            out,
            "     handler {}..{} -> {} error r{} top r{}{}",
            h.start,
            h.end,
            h.target,
            h.error,
            h.top,
            if h.raw { " raw" } else { "" }
        );
    }
}

/// One instruction with its operands by their kinds.
pub fn show_instruction(module: &Module, function: &Function, pc: usize, ins: Instruction) -> String {
    let op = ins.op();
    let mut text = format!("{:<14}", op.name());
    let fields = [i64::from(ins.a()), i64::from(ins.b()), i64::from(ins.c()), i64::from(ins.d())];
    let index = ins.index();
    for (kind, value) in op.operands().into_iter().zip(fields) {
        match kind {
            Operand::No => {}
            Operand::Def
            | Operand::Num
            | Operand::Use
            | Operand::UseBit
            | Operand::Eat
            | Operand::Upd
            | Operand::Win => {
                let _ = write!(text, " r{value}");
            }
            Operand::Bits => {
                if value != 0 {
                    let _ = write!(text, " dead={value:b}");
                }
            }
            Operand::Cnt => {
                let _ = write!(text, " n={value}");
            }
            Operand::Flg | Operand::I32 => {
                let _ = write!(text, " {value}");
            }
            Operand::I16 => {
                let _ = write!(text, " {}", ins.imm16());
            }
            Operand::Wide => {
                let _ = write!(text, " w{value}");
            }
            Operand::Jmp => {
                let _ = write!(text, " -> {}", pc as i64 + 1 + value);
            }
            Operand::Cst
            | Operand::Keys
            | Operand::Variant
            | Operand::Struct
            | Operand::Text
            | Operand::Type
            | Operand::Path => {
                let shown = module.consts.get(index).map_or_else(|| "?".to_owned(), show_const);
                let _ = write!(text, " {shown}");
            }
            Operand::Site => {
                let _ = write!(text, " .{}", function.sites.get(index).map_or("?", |s| &s.name));
            }
            Operand::SiteBits => {
                let _ = write!(text, " .{}", function.sites.get(ins.site()).map_or("?", |s| &s.name));
                if ins.site_bits() != 0 {
                    let _ = write!(text, " dead={:b}", ins.site_bits());
                }
            }
            Operand::Fun => {
                let name = module.functions.get(index).map_or("?", |f| &f.name);
                let _ = write!(text, " fn {index} {name}");
            }
            Operand::Imp => {
                let _ = write!(text, " import {}", module.imports.get(index).map_or("?", |i| &i.name));
            }
            Operand::Blt => {
                let _ = write!(text, " {}", module.builtins.get(index).map_or("?", String::as_str));
            }
            Operand::Glb => {
                let _ = write!(text, " ${}", module.globals.get(index).map_or("?", |g| &g.name));
            }
            Operand::Cap => {
                let _ = write!(text, " capture {value}");
            }
        }
    }
    text.truncate(text.trim_end().len());
    text
}

fn show_const(constant: &Const) -> String {
    match constant {
        Const::Nil => "nil".to_owned(),
        Const::Bool(b) => b.to_string(),
        Const::Int(n) => n.to_string(),
        Const::Float(x) => format!("{x:?}"),
        Const::Duration(ms) => format!("{ms}ms"),
        Const::Str(text) => format!("{text:?}"),
        Const::Keys(keys) => format!("{{{}}}", keys.join(", ")),
        Const::Variant { enum_name, variant } => format!("{enum_name}.{variant}"),
        Const::Struct { name, fields, .. } => format!("{name} {{{}}}", fields.join(", ")),
        Const::Type(check) => format!("check {}", check.param),
        Const::Path(steps) => format!("path of {}", steps.len()),
    }
}
