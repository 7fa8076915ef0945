//! `defer` blocks that mention variables which their own block declares after them.
//!
//! A deferred block sees the variables of its scope as they are when it runs (spec 02 section 9.7). When it runs early, a
//! later declaration has not been reached, and the name means what it means outside of the block. So there is one copy
//! of the code for each number of declarations that may have run, and a register that counts them.

use crate::Compiler;
use crate::bindings::each_name;
use crate::function::{Control, LAST_VARIABLE, Late, Local, Reserved};
use crate::names::ModuleName;
use harn_bytecode::Op;
use harn_syntax::ast::{Block, Expr, ExprKind, Stmt, StmtKind, Symbol};
use harn_types::walk::{Visitor, walk_expr};
use std::collections::HashSet;

/// Copies of deferred code that a function may need: `defer`s inside each other multiply.
const MOST_COPIES: u32 = 256;

/// Which of some names a block mentions.
struct Mentions {
    wanted: HashSet<Symbol>,
    found: HashSet<Symbol>,
}

impl<'a> Visitor<'a> for Mentions {
    fn expr(&mut self, expr: &'a Expr) {
        if let ExprKind::Name(name) = &expr.kind
            && self.wanted.contains(name)
        {
            self.found.insert(*name);
        }
        walk_expr(self, expr);
    }
}

impl<'a> Compiler<'a> {
    /// What the `defer` at `index` mentions that later statements of its block declare; their registers are taken here,
    /// below those that an error drops on its way to the deferred code.
    pub(crate) fn late(&mut self, block: &'a Block, stmts: &'a [Stmt], index: usize) -> Option<Late> {
        let top = self.at_top_level();
        let mut declarations: Vec<(usize, Vec<Symbol>)> = Vec::new();
        for (at, stmt) in stmts.iter().enumerate().skip(index + 1) {
            let StmtKind::Let(binding) = &stmt.kind else { continue };
            let mut names = Vec::new();
            each_name(&binding.binding, &mut |name| names.push(name));
            // The file's variables have a place of their own.
            names.retain(|name| {
                Some(*name) != self.underscore
                    && !(top && matches!(self.module_names.get(name), Some(ModuleName::Global { .. })))
            });
            declarations.push((at, names));
        }
        let wanted: HashSet<Symbol> = declarations.iter().flat_map(|(_, names)| names).copied().collect();
        if wanted.is_empty() {
            return None;
        }
        let mut mentions = Mentions { wanted, found: HashSet::new() };
        mentions.block(block);
        for (_, names) in &mut declarations {
            names.retain(|name| mentions.found.contains(name));
        }
        declarations.retain(|(_, names)| !names.is_empty());
        if declarations.is_empty() {
            return None;
        }
        let scope = self.f().scope;
        for name in declarations.iter().flat_map(|(_, names)| names) {
            let f = self.f();
            let known = f.reserved.iter().any(|place| place.scope == scope && place.name == *name);
            // In a function with very many variables it will stand in the spill dict, which any code can read.
            if known || (f.next > LAST_VARIABLE && f.spill.is_some()) {
                continue;
            }
            let register = self.temp();
            // Said to have a value, for a register that is not written on every way is alive from the beginning on.
            self.emit(Op::Nil, register, 0, 0, 0);
            self.f().reserved.push(Reserved { scope, name: *name, register });
        }
        let stage = self.temp();
        self.emit(Op::Int, stage, 0, 0, 0);
        Some(Late { stage, declarations })
    }

    /// The statement at `index` has run: the `deferred` innermost `defer`s that wait for it count it.
    pub(crate) fn declared_late(&mut self, index: usize, deferred: usize) {
        let mut counts = Vec::new();
        for control in self.f().control.iter().rev().take(deferred) {
            if let Control::Finally(finally) = control
                && let Some(late) = &finally.late
                && let Some(number) = late.declarations.iter().position(|(at, _)| *at == index)
            {
                counts.push((late.stage, number + 1));
            }
        }
        for (stage, number) in counts {
            self.emit(Op::Int, stage, 0, 0, number as i32);
        }
    }

    /// The deferred block, once for each number of declarations that may have run; `hidden` are the names declared since
    /// it was registered.
    pub(crate) fn deferred_by_stage(&mut self, block: &'a Block, late: &Late, hidden: &[Local]) {
        let f = self.f();
        f.copies = f.copies.saturating_add(late.declarations.len() as u32);
        if f.copies > MOST_COPIES {
            let message =
                "`defer` blocks mention too many variables that are declared after them; declare them before";
            return self.error("HARN2102", message, block.span);
        }
        let labels: Vec<_> = late.declarations.iter().map(|_| self.f().code.label()).collect();
        let end = self.f().code.label();
        for (number, label) in labels.iter().enumerate() {
            self.f().code.jump_imm(Op::JumpEqImm, late.stage, number as i16 + 1, *label);
        }
        let mut visible: HashSet<Symbol> = HashSet::new();
        let scope = self.f().scope;
        self.block(block, None);
        for ((_, names), label) in late.declarations.iter().zip(labels) {
            self.f().code.jump(Op::Jump, 0, 0, 0, end);
            self.f().code.place(label);
            visible.extend(names);
            let shown = hidden.iter().filter(|local| local.scope == scope && visible.contains(&local.name));
            let before = self.f().locals.len();
            let shown: Vec<Local> = shown.cloned().collect();
            self.f().locals.extend(shown);
            self.block(block, None);
            self.f().locals.truncate(before);
        }
        self.f().code.place(end);
    }
}
