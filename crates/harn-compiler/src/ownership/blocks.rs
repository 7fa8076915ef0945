//! Basic blocks: how the code is cut, which of them are reached, and what is live between them.

use super::effects::Effect;
use super::{BlockInfo, Held, Settler};
use crate::code::Inst;
use crate::registers::RegSet;

impl<const W: usize> Settler<'_, W> {
    fn target(&self, inst: &Inst) -> u32 {
        self.code.labels.get(inst.d as usize).copied().unwrap_or(0)
    }

    pub(super) fn split(&mut self) {
        let count = self.code.insts.len();
        let mut leader = vec![false; count + 1];
        let mut mark = |at: u32| {
            if let Some(slot) = leader.get_mut(at as usize) {
                *slot = true;
            }
        };
        mark(0);
        for (index, (inst, effect)) in self.code.insts.iter().zip(&self.effects).enumerate() {
            let Effect { jumps, falls, .. } = *effect;
            if jumps {
                mark(self.code.labels.get(inst.d as usize).copied().unwrap_or(0));
            }
            if jumps || !falls {
                mark(index as u32 + 1);
            }
        }
        for region in &self.code.regions {
            mark(self.code.labels.get(region.target.0 as usize).copied().unwrap_or(0));
            for (start, end) in &region.ranges {
                mark(*start);
                mark(*end);
            }
        }
        let mut start = 0;
        for index in 1..=count {
            if index == count || leader.get(index).copied().unwrap_or(false) {
                let number = self.blocks.len() as u32;
                if let Some(slot) = self.block_at.get_mut(start) {
                    *slot = number;
                }
                self.blocks.push(BlockInfo {
                    start: start as u32,
                    end: index as u32,
                    taken: None,
                    falls: true,
                    handler: None,
                    reachable: false,
                    preds: 0,
                    reads: RegSet::<W>::default(),
                    writes: RegSet::<W>::default(),
                    live_in: RegSet::<W>::default(),
                    held_in: Held::default(),
                    stale: false,
                });
                start = index;
            }
        }
        // Outer regions first, so that inner ones overwrite.
        for (number, region) in self.code.regions.iter().enumerate().rev() {
            for (start, end) in &region.ranges {
                let from = self.blocks.partition_point(|block| block.start < *start);
                for block in self.blocks.iter_mut().skip(from).take_while(|block| block.start < *end) {
                    block.handler = Some(number as u32);
                }
            }
        }
        for number in 0..self.blocks.len() {
            let Some(block) = self.blocks.get(number) else { continue };
            let (start, end) = (block.start as usize, block.end as usize);
            let insts = self.insts(block);
            let effects = self.effects.get(start..end).unwrap_or(&[]);
            let (mut reads, mut writes) = (RegSet::<W>::default(), RegSet::<W>::default());
            let mut taken = None;
            let mut falls = true;
            for (inst, effect) in insts.iter().zip(effects) {
                reads = reads.union(effect.reads().minus(writes));
                writes = writes.union(effect.defs);
                if effect.jumps {
                    taken = self.block_at.get(self.target(inst) as usize).copied().filter(|b| *b != u32::MAX);
                }
                falls = effect.falls;
            }
            if let Some(block) = self.blocks.get_mut(number) {
                block.reads = reads;
                block.writes = writes;
                block.taken = taken;
                block.falls = falls;
            }
        }
        self.entry_drops = vec![RegSet::<W>::default(); self.blocks.len()];
        self.positions = vec![0; self.blocks.len()];
    }

    pub(super) fn insts(&self, block: &BlockInfo<W>) -> &[Inst] {
        self.code.insts.get(block.start as usize..block.end as usize).unwrap_or(&[])
    }

    pub(super) fn handler_block(&self, region: u32) -> Option<u32> {
        let region = self.code.regions.get(region as usize)?;
        let at = *self.code.labels.get(region.target.0 as usize)?;
        self.block_at.get(at as usize).copied().filter(|b| *b != u32::MAX)
    }

    pub(super) fn reach(&mut self) {
        let mut work = vec![0u32];
        while let Some(number) = work.pop() {
            let next = self.handler_of(number);
            let Some(block) = self.blocks.get_mut(number as usize) else { continue };
            if std::mem::replace(&mut block.reachable, true) {
                continue;
            }
            block.stale = true;
            let (taken, falls) = (block.taken, block.falls);
            for successor in [taken, falls.then_some(number + 1)].into_iter().flatten() {
                if let Some(block) = self.blocks.get_mut(successor as usize) {
                    block.preds += 1;
                }
                work.push(successor);
            }
            if let Some(handler) = next {
                if let Some(block) = self.blocks.get_mut(handler as usize) {
                    // Never a single predecessor: its entry belongs to the exception edges.
                    block.preds += 2;
                }
                work.push(handler);
            }
        }
    }

    fn handler_of(&self, number: u32) -> Option<u32> {
        self.handler_block(self.blocks.get(number as usize)?.handler?)
    }

    pub(super) fn live_in(&self, number: Option<u32>) -> RegSet<W> {
        number.and_then(|n| self.blocks.get(n as usize)).map_or(RegSet::<W>::default(), |block| block.live_in)
    }

    /// What is live at the handler of a block, below its top.
    pub(super) fn handler_live(&self, number: u32) -> RegSet<W> {
        let Some(block) = self.blocks.get(number as usize) else { return RegSet::<W>::default() };
        let Some(region) = block.handler.and_then(|h| self.code.regions.get(h as usize)) else {
            return RegSet::<W>::default();
        };
        self.live_in(self.handler_of(number)).below(region.top)
    }

    /// Live sets on the two ways out of a block: taken (before a write on that edge) and falling through.
    fn live_out(&self, number: u32) -> (RegSet<W>, RegSet<W>) {
        let Some(block) = self.blocks.get(number as usize) else { return Default::default() };
        let mut taken = self.live_in(block.taken);
        if block.taken.is_some()
            && let Some(last) = self.effects.get(block.end as usize - 1)
            && let Some((register, _)) = last.taken_def
        {
            taken.remove(register);
        }
        let fall = if block.falls { self.live_in(Some(number + 1)) } else { RegSet::<W>::default() };
        (taken, fall)
    }

    pub(super) fn liveness(&mut self) {
        loop {
            let mut changed = false;
            for number in (0..self.blocks.len() as u32).rev() {
                let (taken, fall) = self.live_out(number);
                let handler = self.handler_live(number);
                let Some(block) = self.blocks.get_mut(number as usize) else { continue };
                if !block.reachable {
                    continue;
                }
                let live = taken.union(fall).minus(block.writes).union(block.reads).union(handler);
                if live != block.live_in {
                    block.live_in = live;
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// Fills `after`: what is live behind each instruction.
    pub(super) fn live_after(&mut self) {
        let mut after = vec![RegSet::default(); self.effects.len()];
        for (number, block) in self.blocks.iter().enumerate().filter(|(_, block)| block.reachable) {
            let (taken, fall) = self.live_out(number as u32);
            let handler = self.handler_live(number as u32);
            let mut live = taken.union(fall);
            let range = block.start as usize..block.end as usize;
            let (Some(effects), Some(after)) = (self.effects.get(range.clone()), after.get_mut(range)) else {
                continue;
            };
            for (effect, slot) in effects.iter().zip(after).rev() {
                *slot = live;
                live = live.minus(effect.defs).union(effect.reads()).union(handler);
            }
        }
        self.after = after;
    }
}
