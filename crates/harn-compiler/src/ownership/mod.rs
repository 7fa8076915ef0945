//! Who owns what, when: the pass that makes a function obey the rule *a register that is dead never holds a counted
//! value*.
//!
//! Emission reads variables with `Move` and never thinks about their ends. This pass computes, over the control flow
//! with exception edges, which registers are live (backward) and which may hold counted values (forward). Then the
//! last `Move` of a register becomes `Take`, operands that die get their consume bits, and whatever dies otherwise is
//! dropped: after the instruction, on the edge of a branch that does not need it, or at the entry of a handler.
//!
//! Source: the ownership rule of `harn_bytecode::instruction`.

mod blocks;
mod effects;

use crate::code::{Code, Inst, Output};
use crate::registers::RegSet;
use effects::{Effect, cannot_fail, effect, is_pure_load};
use harn_bytecode::{Function, Handler, Op, Operand};

/// What only the constant pool can tell about an instruction.
pub(crate) trait ConstantFacts {
    /// Number of keys of a key list, fields of a struct literal, or index steps of a path.
    fn window(&self, constant: i32) -> usize;
    /// What a register holds after loading a constant.
    fn level(&self, constant: i32) -> Level;
    /// Whether a parameter check lets only numbers pass.
    fn admits_numbers_only(&self, constant: i32) -> bool;
}

/// What a register may hold, as the verifier sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A value that is never counted and whose arithmetic never is.
    Number,
    /// A short text: not counted, but arithmetic with it may be.
    Short,
    /// Anything.
    Counted,
}

/// The registers that may hold counted values, and those that may hold texts or counted values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held<const W: usize> {
    owned: RegSet<W>,
    texts: RegSet<W>,
}

impl<const W: usize> Held<W> {
    fn set(&mut self, register: u8, level: Level) {
        self.owned.remove(register);
        self.texts.remove(register);
        match level {
            Level::Number => {}
            Level::Short => self.texts.insert(register),
            Level::Counted => {
                self.owned.insert(register);
                self.texts.insert(register);
            }
        }
    }

    fn level(&self, register: u8) -> Level {
        if self.owned.contains(register) {
            Level::Counted
        } else if self.texts.contains(register) {
            Level::Short
        } else {
            Level::Number
        }
    }

    fn clear(&mut self, registers: RegSet<W>) {
        self.owned = self.owned.minus(registers);
        self.texts = self.texts.minus(registers);
    }

    fn join(self, other: Self) -> Self {
        Held { owned: self.owned.union(other.owned), texts: self.texts.union(other.texts) }
    }

    fn only(self, registers: RegSet<W>) -> Self {
        Held { owned: self.owned.intersect(registers), texts: self.texts.intersect(registers) }
    }
}

struct BlockInfo<const W: usize> {
    start: u32,
    end: u32,
    taken: Option<u32>,
    falls: bool,
    handler: Option<u32>,
    reachable: bool,
    preds: u32,
    reads: RegSet<W>,
    writes: RegSet<W>,
    live_in: RegSet<W>,
    held_in: Held<W>,
    /// `held_in` has grown since the block was walked.
    stale: bool,
}

struct Settler<'a, const W: usize> {
    code: &'a Code,
    pool: &'a dyn ConstantFacts,
    blocks: Vec<BlockInfo<W>>,
    /// Block number of each leader position.
    block_at: Vec<u32>,
    /// What each instruction does.
    effects: Vec<Effect<W>>,
    /// What is live behind each instruction.
    after: Vec<RegSet<W>>,
    entry_drops: Vec<RegSet<W>>,
    out: Output,
    /// Final position of each block, and of each label by block.
    positions: Vec<u32>,
    stubs: Vec<Stub<W>>,
    pieces: Vec<(u32, u32, u32)>,
    scratch: Option<u8>,
    registers: u16,
}

/// Drops that belong to the taken edge of a conditional jump.
struct Stub<const W: usize> {
    jump: u32,
    block: u32,
    target: u32,
    drops: RegSet<W>,
    span: harn_syntax::Span,
}

/// Rewrites the code into `function`, with ownership made explicit.
pub(crate) fn settle(code: &Code, function: &mut Function, pool: &dyn ConstantFacts) {
    // One more for the register that results are computed in before the old value is released.
    if usize::from(function.registers) < RegSet::<1>::REGISTERS {
        settle_in::<1>(code, function, pool);
    } else {
        settle_in::<4>(code, function, pool);
    }
}

fn settle_in<const W: usize>(code: &Code, function: &mut Function, pool: &dyn ConstantFacts) {
    let mut settler = Settler::<W> {
        code,
        pool,
        blocks: Vec::new(),
        block_at: vec![u32::MAX; code.insts.len() + 1],
        effects: code.insts.iter().map(|inst| effect(inst, pool)).collect(),
        after: Vec::new(),
        entry_drops: Vec::new(),
        out: Output::default(),
        positions: Vec::new(),
        stubs: Vec::new(),
        pieces: Vec::new(),
        scratch: None,
        registers: function.registers,
    };
    settler.split();
    settler.reach();
    settler.liveness();
    settler.live_after();
    let mut entry = RegSet::default();
    for register in 1..=function.last_param() {
        entry.insert(register as u8);
    }
    settler.owned(entry);
    settler.write();
    function.registers = settler.registers;
    function.code = settler.out.code;
    function.spans = settler.out.spans;
    function.handlers = settler.out.handlers;
}

impl<const W: usize> Settler<'_, W> {
    fn owned(&mut self, entry: RegSet<W>) {
        if let Some(block) = self.blocks.first_mut() {
            block.held_in = Held { owned: entry, texts: entry };
        }
        loop {
            let mut again = false;
            for number in 0..self.blocks.len() as u32 {
                let Some(block) = self.blocks.get_mut(number as usize) else { continue };
                if !std::mem::replace(&mut block.stale, false) {
                    continue;
                }
                let (taken, falls, region) = (block.taken, block.falls, block.handler);
                let walk = self.walk(number, None);
                let mut feed = |target: Option<u32>, held: Held<W>, caught: bool| {
                    let Some((at, block)) = target.and_then(|t| Some((t, self.blocks.get_mut(t as usize)?)))
                    else {
                        return;
                    };
                    // What is dead beyond a normal edge is dropped on it; beyond an exception, at its target.
                    let incoming = if caught { held } else { held.only(block.live_in) };
                    let merged = block.held_in.join(incoming);
                    if merged != block.held_in {
                        block.held_in = merged;
                        block.stale = true;
                        // Blocks that were walked before must be walked again.
                        again |= at <= number;
                    }
                };
                feed(taken, walk.taken, false);
                if falls {
                    feed(Some(number + 1), walk.fall, false);
                }
                if let Some(region) = region
                    && let Some(info) = self.code.regions.get(region as usize)
                {
                    let mut held = Held {
                        owned: walk.ever.owned.below(info.top),
                        texts: walk.ever.texts.below(info.top),
                    };
                    held.set(info.error, Level::Counted);
                    let at = self.code.labels.get(info.target.0 as usize).copied().unwrap_or(0);
                    let handler = self.block_at.get(at as usize).copied().filter(|b| *b != u32::MAX);
                    feed(handler, held, true);
                }
            }
            if !again {
                return;
            }
        }
    }

    /// What the result of an instruction may be.
    fn result_level(&self, inst: &Inst, held: &Held<W>) -> Level {
        let number = |register: u8| held.level(register) == Level::Number;
        match inst.op {
            Op::Const => self.pool.level(inst.d),
            Op::Move | Op::Take => held.level(inst.b),
            Op::Add | Op::Mul if number(inst.b) && number(inst.c) => Level::Number,
            Op::MulImm if number(inst.b) => Level::Number,
            _ => Level::Counted,
        }
    }

    /// Goes through a block from its entry state. With `out`, writes the final code.
    fn walk(&mut self, number: u32, mut out: Option<&mut Output>) -> Walk<W> {
        let handler = self.handler_live(number);
        let Some(block) = self.blocks.get(number as usize) else { return Walk::default() };
        let (start, end) = (block.start, block.end);
        let mut held = block.held_in;
        let mut walk = Walk { ever: held, ..Walk::default() };
        let dead_at_entry = held.owned.minus(block.live_in);
        let entry_span = self.insts(block).first().map(|inst| inst.span).unwrap_or_default();
        for register in dead_at_entry.iter() {
            emit_drop(&mut out, register, entry_span);
        }
        held.clear(dead_at_entry);
        for index in start..end {
            let Some(mut inst) = self.code.insts.get(index as usize).copied() else { break };
            let live = self.after.get(index as usize).copied().unwrap_or_default();
            let Some(effect) = self.effects.get(index as usize).copied() else { break };
            let defs = effect.defs;
            if is_pure_load(inst.op) && (!live.contains(inst.a) || inst.op == Op::Move && inst.a == inst.b) {
                // Its result is never read. An operand that would have died here dies now.
                if inst.op == Op::Move {
                    let source = inst.b;
                    if held.owned.contains(source) && !live.contains(source) && !handler.contains(source) {
                        emit_drop(&mut out, source, inst.span);
                        held.set(source, Level::Number);
                    }
                }
                continue;
            }
            // A register is dead after this instruction when no later read sees its old value.
            let stays = live.minus(defs).union(handler);
            let before = held;
            let mut drops = RegSet::default();
            let mut gone = effect.eats;
            if inst.op == Op::Move && held.owned.contains(inst.b) && !stays.contains(inst.b) {
                inst.op = Op::Take;
                gone.insert(inst.b);
            }
            let mut bits = 0u8;
            let twice = matches!(effect.optional, [Some((x, _)), Some((y, _))] if x == y);
            for (register, bit) in effect.optional.into_iter().flatten() {
                if held.owned.contains(register) && !stays.contains(register) && !(twice && bit == 0) {
                    bits |= 1 << bit;
                    gone.insert(register);
                }
            }
            if bits != 0 {
                set_bits(&mut inst, bits);
            }
            for register in effect.uses.iter() {
                if held.owned.contains(register) && !stays.contains(register) && !gone.contains(register) {
                    drops.insert(register);
                }
            }
            held.clear(gone);
            // Writing over a value that is still owned: compute aside, release, move.
            let mut aside = None;
            for register in defs.iter() {
                if held.owned.contains(register) {
                    if cannot_fail(inst.op) && !effect.uses.contains(register) {
                        emit_drop(&mut out, register, inst.span);
                    } else if register == inst.a && defines_only_a(&inst) {
                        let scratch = self.scratch();
                        aside = Some((register, scratch));
                        inst.a = scratch;
                    }
                    drops.remove(register);
                }
            }
            for register in defs.iter() {
                let level = if !effect.counted.contains(register) {
                    Level::Number
                } else if register == effect.a {
                    self.result_level(&inst, &before)
                } else {
                    Level::Counted
                };
                held.set(register, level);
            }
            if inst.op == Op::CheckParam && self.pool.admits_numbers_only(inst.d) {
                held.set(inst.a, Level::Number);
                drops.remove(inst.a);
            }
            let dead_results = held.owned.intersect(defs).minus(live).minus(handler);
            drops = drops.union(dead_results);
            if effect.jumps || !effect.falls {
                // Operands of a branch die on its edges.
                walk.taken = held;
                walk.fall = held;
                if let Some((register, counted)) = effect.taken_def {
                    walk.taken.set(register, if counted { Level::Counted } else { Level::Number });
                }
                for register in [effect.fall_frees, effect.fall_plain].into_iter().flatten() {
                    walk.fall.set(register, Level::Number);
                }
                if let Some(register) = effect.taken_plain {
                    walk.taken.set(register, Level::Number);
                }
                walk.ever = walk.ever.join(before).join(held).join(walk.taken);
                if let Some(out) = out {
                    self.write_jump(number, inst, (effect.jumps, effect.falls), &walk, out);
                }
                return walk;
            }
            if let Some(out) = out.as_deref_mut() {
                out.push(inst);
            }
            if let Some((register, scratch)) = aside {
                emit_drop(&mut out, register, inst.span);
                let op = if held.owned.contains(register) { Op::Take } else { Op::Move };
                if let Some(out) = out.as_deref_mut() {
                    out.push(Inst { op, a: register, b: scratch, c: 0, d: 0, span: inst.span });
                }
            }
            for register in drops.iter() {
                emit_drop(&mut out, register, inst.span);
            }
            walk.ever = walk.ever.join(before).join(held);
            held.clear(drops);
        }
        walk.taken = held;
        walk.fall = held;
        if let Some(out) = out {
            let span = end
                .checked_sub(1)
                .and_then(|last| self.code.insts.get(last as usize))
                .map(|inst| inst.span)
                .unwrap_or_default();
            let drops = held.owned.minus(self.live_in(Some(number + 1)));
            for register in drops.iter() {
                push_drop(out, register, span);
            }
        }
        walk
    }

    fn scratch(&mut self) -> u8 {
        if let Some(scratch) = self.scratch {
            return scratch;
        }
        let scratch = self.registers.min(249) as u8;
        self.registers = self.registers.max(u16::from(scratch) + 1);
        self.scratch = Some(scratch);
        scratch
    }

    /// The last instruction of a block that jumps, returns or raises, with the drops of its edges.
    fn write_jump(
        &mut self,
        number: u32,
        inst: Inst,
        (jumps, falls): (bool, bool),
        walk: &Walk<W>,
        out: &mut Output,
    ) {
        let target = self.blocks.get(number as usize).and_then(|block| block.taken);
        if !jumps {
            // Nothing but the operand may be owned when a frame ends by returning; raising scans the frame.
            if inst.op != Op::Raise && inst.op != Op::Throw {
                let drops = walk.taken.owned;
                for register in drops.iter() {
                    push_drop(out, register, inst.span);
                }
            }
            out.push(inst);
            return;
        }
        let Some(target) = target else { return };
        let mut leaving = walk.taken.owned.minus(self.live_in(Some(target)));
        if let Some(block) = self.blocks.get(target as usize)
            && block.preds == 1
            && target > number
            && falls
        {
            if let Some(slot) = self.entry_drops.get_mut(target as usize) {
                *slot = slot.union(leaving);
            }
            leaving = RegSet::default();
        }
        if !falls {
            for register in leaving.iter() {
                push_drop(out, register, inst.span);
            }
            let at = out.here();
            // A jump to the very next block is no jump.
            let next = (number + 1..target).all(|n| self.blocks.get(n as usize).is_none_or(|b| !b.reachable));
            if target > number && next && self.no_entry_drops(target) {
                return;
            }
            out.push(inst);
            out.fixups.push((at, target));
            return;
        }
        let at = out.here();
        out.push(inst);
        if leaving.is_empty() {
            out.fixups.push((at, target));
        } else {
            self.stubs.push(Stub { jump: at, block: number, target, drops: leaving, span: inst.span });
        }
        let falling = walk.fall.owned.minus(self.live_in(Some(number + 1)));
        for register in falling.iter() {
            push_drop(out, register, inst.span);
        }
    }

    fn no_entry_drops(&self, block: u32) -> bool {
        self.entry_drops.get(block as usize).is_none_or(|drops| drops.is_empty())
    }

    fn write(&mut self) {
        let mut out = Output::default();
        out.code.reserve(self.code.insts.len() + self.code.insts.len() / 8);
        for number in 0..self.blocks.len() as u32 {
            let at = out.here();
            if let Some(slot) = self.positions.get_mut(number as usize) {
                *slot = at;
            }
            let Some(block) = self.blocks.get(number as usize) else { continue };
            if !block.reachable {
                continue;
            }
            let span = self.insts(block).first().map(|inst| inst.span).unwrap_or_default();
            for register in self.entry_drops.get(number as usize).copied().unwrap_or_default().iter() {
                push_drop(&mut out, register, span);
            }
            // Drops on the edge into a block are not under its handler: what they release counts as gone there.
            let body = out.here();
            self.walk(number, Some(&mut out));
            self.pieces.push((number, body, out.here()));
        }
        for stub in std::mem::take(&mut self.stubs) {
            let at = out.here();
            patch(&mut out, stub.jump, at);
            for register in stub.drops.iter() {
                push_drop(&mut out, register, stub.span);
            }
            let jump = out.here();
            out.push(Inst { op: Op::Jump, a: 0, b: 0, c: 0, d: 0, span: stub.span });
            out.fixups.push((jump, stub.target));
            self.pieces.push((stub.block, at, out.here()));
        }
        for (at, target) in std::mem::take(&mut out.fixups) {
            let position = self.positions.get(target as usize).copied().unwrap_or(0);
            patch(&mut out, at, position);
        }
        self.handlers(&mut out);
        self.out = out;
    }

    fn handlers(&self, out: &mut Output) {
        for region in &self.code.regions {
            let target = self
                .code
                .labels
                .get(region.target.0 as usize)
                .and_then(|at| self.block_at.get(*at as usize))
                .and_then(|block| self.positions.get(*block as usize));
            let Some(target) = target.copied() else { continue };
            let mut open: Option<(u32, u32)> = None;
            let close = |range: Option<(u32, u32)>, out: &mut Output| {
                if let Some((start, end)) = range
                    && start < end
                {
                    out.handlers.push(Handler {
                        start,
                        end,
                        target,
                        error: region.error,
                        top: region.top,
                        raw: region.raw,
                    });
                }
            };
            for (block, start, end) in &self.pieces {
                let at = self.blocks.get(*block as usize).map_or(0, |info| info.start);
                let covered = region.ranges.iter().any(|(from, to)| (*from..*to).contains(&at));
                if !covered {
                    continue;
                }
                match open.as_mut() {
                    Some((_, last)) if *last == *start => *last = *end,
                    _ => {
                        close(open, out);
                        open = Some((*start, *end));
                    }
                }
            }
            close(open, out);
        }
    }
}

/// What registers hold on the ways out of a block, and all that they ever held inside.
#[derive(Clone, Copy, Default)]
struct Walk<const W: usize> {
    taken: Held<W>,
    fall: Held<W>,
    ever: Held<W>,
}

/// Whether register `a` is the one result of an instruction, so that it can be computed elsewhere.
fn defines_only_a(inst: &Inst) -> bool {
    matches!(inst.op.operands()[0], Operand::Def | Operand::Num)
}

fn set_bits(inst: &mut Inst, bits: u8) {
    match inst.op.operands() {
        [Operand::Bits, ..] => inst.a = bits,
        [_, Operand::Bits, ..] => inst.b = bits,
        [_, _, Operand::Bits, _] => inst.c = bits,
        [_, _, _, Operand::SiteBits] => inst.d |= i32::from(bits) << 24,
        _ => inst.d = i32::from(bits),
    }
}

fn emit_drop(out: &mut Option<&mut Output>, register: u8, span: harn_syntax::Span) {
    if let Some(out) = out.as_deref_mut() {
        push_drop(out, register, span);
    }
}

fn push_drop(out: &mut Output, register: u8, span: harn_syntax::Span) {
    out.push(Inst { op: Op::Drop, a: register, b: 0, c: 0, d: 0, span });
}

fn patch(out: &mut Output, at: u32, target: u32) {
    if let Some(inst) = out.code.get_mut(at as usize) {
        *inst = inst.with_d(target as i32 - (at as i32 + 1));
    }
}
