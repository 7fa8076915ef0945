//! Proof that a module is safe to run, before the VM trusts it: operands and jumps in range, constants of the right
//! kind, and no register overwritten while it may hold a counted value.

use std::collections::BTreeMap;

use crate::instruction::{Instruction, Op, Operand};
use crate::module::{Const, ExportItem, Function, Module, ParamCheck, PathStep, TypeCheck};

/// Why a module was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Key of the module.
    pub module: String,
    /// Name of the function.
    pub function: String,
    /// The instruction.
    pub pc: u32,
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Refusal { module, function, pc, reason } = self;
        write!(f, "module {module} is refused: {function} at {pc}: {reason}")
    }
}

impl std::error::Error for Refusal {}

/// Registers that ordinary operands reach.
pub const NARROW: usize = 250;

/// Proves `module` well-formed.
pub fn verify(module: &Module) -> Result<(), Refusal> {
    let refuse = |name: &str, reason: String| Refusal {
        module: module.path.clone(),
        function: name.to_owned(),
        pc: 0,
        reason,
    };
    let mut named: Vec<(&str, u32)> = Vec::new();
    named.extend(module.init.map(|number| ("init", number)));
    named.extend(module.script.map(|number| ("script", number)));
    named.extend(module.pipelines.iter().map(|p| (p.name.as_str(), p.function)));
    for export in &module.exports {
        match export.item {
            ExportItem::Function(number) => named.push((&export.name, number)),
            ExportItem::Import(number) if number as usize >= module.imports.len() => {
                return Err(refuse(&export.name, "exports an import that is not there".to_owned()));
            }
            ExportItem::Import(_) => {}
        }
    }
    for def in &module.structs {
        named.extend(def.methods.iter().map(|(name, number)| (name.as_str(), *number)));
    }
    named.extend(module.impls.iter().map(|method| (method.name.as_str(), method.function)));
    for (name, number) in named {
        match module.functions.get(number as usize) {
            Some(function) if function.captures == 0 => {}
            Some(_) => return Err(refuse(name, "a named function has captures".to_owned())),
            None => return Err(refuse(name, format!("function {number} is not there"))),
        }
    }
    for function in &module.functions {
        let check = Check { module, function };
        check.run().map_err(|(pc, reason)| Refusal {
            module: module.path.clone(),
            function: function.name.clone(),
            pc: pc as u32,
            reason,
        })?;
    }
    Ok(())
}

/// For each register that ordinary operands reach, whether it may own a counted value just before the instruction at `pc`
/// of a verified function. `None`: that place is never reached.
pub fn may_own(module: &Module, function: usize, pc: usize) -> Option<Vec<bool>> {
    let check = Check { module, function: module.functions.get(function)? };
    let blocks = check.flow().ok()?;
    let (start, state) = blocks.range(..=pc).next_back()?;
    let mut state = state.clone();
    for ins in check.function.code.get(*start..pc)? {
        if leaves(ins.op()) {
            return None;
        }
        check.apply(&mut state, *ins).ok()?;
    }
    Some(state.into_iter().map(|held| held == Held::Counted).collect())
}

/// What a register may hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    /// Nothing, or a value that is never counted and whose arithmetic never is.
    Number,
    /// A short text: not counted, but arithmetic with it may be.
    Short,
    /// Anything.
    Counted,
}

type State = Vec<Held>;
type Reason = (usize, String);

struct Check<'a> {
    module: &'a Module,
    function: &'a Function,
}

impl Check<'_> {
    fn run(&self) -> Result<(), Reason> {
        let f = self.function;
        if f.params.len() + 2 > NARROW || usize::from(f.registers) < 1 + f.last_param() {
            return Err((0, "parameters do not fit the registers".to_owned()));
        }
        let Some(last) = f.code.last() else { return Err((0, "no code".to_owned())) };
        if !leaves(last.op()) {
            return Err((f.code.len() - 1, "falls off the end".to_owned()));
        }
        for (pc, ins) in f.code.iter().enumerate() {
            self.operands(pc, *ins).map_err(|reason| (pc, reason))?;
        }
        for handler in &f.handlers {
            let inside = handler.start < handler.end
                && handler.end as usize <= f.code.len()
                && (handler.target as usize) < f.code.len();
            if !inside
                || usize::from(handler.error) >= usize::from(f.registers).min(NARROW)
                || handler.error == 0
            {
                return Err((handler.start as usize, "a handler out of range".to_owned()));
            }
        }
        self.flow().map(|_| ())
    }

    /// Ranges and kinds of the operands of one instruction.
    fn operands(&self, pc: usize, ins: Instruction) -> Result<(), String> {
        let (m, f) = (self.module, self.function);
        let op = ins.op().plain();
        if matches!(op, Op::Halt | Op::Deliver) {
            return Err(format!("{} belongs to the VM", op.name()));
        }
        let fields = [ins.a(), ins.b(), ins.c(), 0];
        let index = ins.index();
        for (kind, register) in op.operands().into_iter().zip(fields) {
            match kind {
                Operand::Def
                | Operand::Num
                | Operand::Use
                | Operand::UseBit
                | Operand::Eat
                | Operand::Upd
                | Operand::Win => self.register(usize::from(register))?,
                Operand::Jmp => {
                    let target = pc as i64 + 1 + i64::from(ins.d());
                    if target < 0 || target >= f.code.len() as i64 {
                        return Err("jumps out of the function".to_owned());
                    }
                }
                Operand::Site => in_range(index, f.sites.len(), "site")?,
                Operand::SiteBits => in_range(ins.site(), f.sites.len(), "site")?,
                Operand::Fun => {
                    in_range(index, m.functions.len(), "function")?;
                    let captures = m.functions.get(index).map_or(0, |g| usize::from(g.captures));
                    let given = if op == Op::Closure { usize::from(ins.c()) } else { 0 };
                    if captures != given {
                        return Err(format!("function {index} has {captures} captures, not {given}"));
                    }
                }
                Operand::Imp => in_range(index, m.imports.len(), "import")?,
                Operand::Blt => in_range(index, m.builtins.len(), "builtin")?,
                Operand::Glb => in_range(index, m.globals.len(), "global")?,
                Operand::Cap => in_range(index, usize::from(f.captures), "capture")?,
                Operand::Wide => {
                    if index == 0 || index >= usize::from(f.registers) {
                        return Err(format!("register {index} is not there"));
                    }
                }
                Operand::Cst
                | Operand::Keys
                | Operand::Variant
                | Operand::Struct
                | Operand::Text
                | Operand::Type
                | Operand::Path => self.constant(kind, index)?,
                Operand::No | Operand::Bits | Operand::Cnt | Operand::Flg | Operand::I32 | Operand::I16 => {}
            }
        }
        // Windows reach beyond their base.
        for register in self.window(ins) {
            self.register(register)?;
        }
        if matches!(op, Op::LoosenAdd | Op::LoosenPush) {
            self.register(usize::from(ins.b()) + 1)?;
        }
        if matches!(op, Op::AddFloat | Op::SubFloat | Op::MulFloat | Op::DivFloat)
            && !matches!(m.consts.get(index), Some(Const::Float(_)))
        {
            return Err(format!("constant {index} is no float"));
        }
        if matches!(op, Op::ListRest | Op::TestList | Op::TestListExact | Op::List) && ins.d() < 0 {
            return Err("a negative count".to_owned());
        }
        Ok(())
    }

    fn register(&self, register: usize) -> Result<(), String> {
        if register == 0 || register >= usize::from(self.function.registers).min(NARROW) {
            return Err(format!("register {register} is not there"));
        }
        Ok(())
    }

    fn constant(&self, kind: Operand, index: usize) -> Result<(), String> {
        let Some(constant) = self.module.consts.get(index) else {
            return Err(format!("constant {index} is not there"));
        };
        let fits = match kind {
            Operand::Keys => matches!(constant, Const::Keys(_)),
            Operand::Variant => matches!(constant, Const::Variant { .. }),
            Operand::Struct => matches!(constant, Const::Struct { .. }),
            Operand::Text => matches!(constant, Const::Str(_)),
            Operand::Type => matches!(constant, Const::Type(_)),
            Operand::Path => matches!(constant, Const::Path(_)),
            _ => matches!(
                constant,
                Const::Nil
                    | Const::Bool(_)
                    | Const::Int(_)
                    | Const::Float(_)
                    | Const::Duration(_)
                    | Const::Str(_)
            ),
        };
        if fits { Ok(()) } else { Err(format!("constant {index} is of the wrong kind")) }
    }

    /// The registers of a window that the instruction consumes.
    fn window(&self, ins: Instruction) -> std::ops::Range<usize> {
        let (a, b, c) = (usize::from(ins.a()), usize::from(ins.b()), usize::from(ins.c()));
        match ins.op().plain() {
            Op::Closure | Op::EnumNew | Op::Concat => b..b + c,
            Op::List => b..b.saturating_add(ins.index()),
            Op::DictLit | Op::StructLit => b..b + self.given(ins.index()),
            Op::Call | Op::TailCall => a..a + b + 1,
            Op::CallReg
            | Op::CallFn
            | Op::CallImport
            | Op::CallBuiltin
            | Op::TailCallFn
            | Op::TailCallImport => a + 1..a + b + 1,
            Op::CallMethod => a + 1..a + b + 2,
            Op::CallSpread => a..a + 2,
            Op::CallFnSpread | Op::CallImportSpread | Op::CallBuiltinSpread => a + 1..a + 2,
            Op::CallMethodSpread => a + 1..a + 3,
            Op::Parallel => a..a + 3,
            Op::Select => a..a + (b + (c & 1)).max(2),
            Op::ForPrep | Op::ForLoop => a..a + 3,
            Op::IterInit | Op::IterLoop | Op::Unpair => a..a + 2,
            Op::Slice => c..c + 2,
            Op::SetPath | Op::LoosenAdd | Op::LoosenPush => c..c + self.given(ins.index()),
            _ => 0..0,
        }
    }

    /// How many registers a literal or path takes.
    fn given(&self, index: usize) -> usize {
        match self.module.consts.get(index) {
            Some(Const::Keys(keys)) => keys.len(),
            Some(Const::Struct { fields, .. }) => fields.len(),
            Some(Const::Path(steps)) => steps.iter().filter(|s| matches!(s, PathStep::Index)).count(),
            _ => 0,
        }
    }

    /// Follows what registers may hold along every way through the function.
    /// What registers may hold at the starts of the blocks that can be reached.
    fn flow(&self) -> Result<BTreeMap<usize, State>, Reason> {
        let f = self.function;
        let narrow = usize::from(f.registers).min(NARROW);
        let mut start = vec![Held::Number; narrow];
        for register in start.iter_mut().take(1 + f.last_param()).skip(1) {
            *register = Held::Counted;
        }
        // States at the starts of blocks; a block that got a larger state is walked again.
        let mut blocks: BTreeMap<usize, State> = BTreeMap::new();
        let leaders = self.leaders();
        let mut work = vec![0usize];
        blocks.insert(0, start);
        while let Some(block) = work.pop() {
            let Some(mut state) = blocks.get(&block).cloned() else { continue };
            let mut pc = block;
            while let Some(ins) = f.code.get(pc).copied() {
                if let Some(handler) =
                    f.handlers.iter().find(|h| (h.start as usize..h.end as usize).contains(&pc))
                {
                    let mut caught = state.clone();
                    for (register, held) in caught.iter_mut().enumerate() {
                        if register >= usize::from(handler.top) {
                            *held = Held::Number;
                        }
                    }
                    self.overwrite(&caught, usize::from(handler.error)).map_err(|r| (pc, r))?;
                    set(&mut caught, usize::from(handler.error), Held::Counted);
                    join(&mut blocks, &mut work, handler.target as usize, &caught);
                }
                let taken = self.apply(&mut state, ins).map_err(|reason| (pc, reason))?;
                if let Some(taken) = taken {
                    join(&mut blocks, &mut work, (pc as i64 + 1 + i64::from(ins.d())) as usize, &taken);
                }
                if leaves(ins.op()) {
                    break;
                }
                pc += 1;
                if leaders.binary_search(&pc).is_ok() {
                    join(&mut blocks, &mut work, pc, &state);
                    break;
                }
            }
        }
        Ok(blocks)
    }

    fn leaders(&self) -> Vec<usize> {
        let mut leaders: Vec<usize> = self.function.handlers.iter().map(|h| h.target as usize).collect();
        for (pc, ins) in self.function.code.iter().enumerate() {
            if ins.op().operands().contains(&Operand::Jmp) {
                leaders.push((pc as i64 + 1 + i64::from(ins.d())) as usize);
            }
        }
        leaders.sort_unstable();
        leaders.dedup();
        leaders
    }

    fn overwrite(&self, state: &State, register: usize) -> Result<(), String> {
        match state.get(register) {
            Some(Held::Counted) => Err(format!("register {register} is overwritten while it may be owned")),
            _ => Ok(()),
        }
    }

    /// Changes the state as the instruction does; the state along its jump, if it has one.
    fn apply(&self, state: &mut State, ins: Instruction) -> Result<Option<State>, String> {
        let op = ins.op().plain();
        let (a, b, c) = (usize::from(ins.a()), usize::from(ins.b()), usize::from(ins.c()));
        let held = |register: usize| state.get(register).copied().unwrap_or(Held::Number);
        // As they were before anything is consumed.
        let (held_b, held_c) = (held(b), held(c));
        let kinds = op.operands();

        // What is consumed.
        for (kind, register) in kinds.into_iter().zip([a, b, c]) {
            if kind == Operand::Eat {
                set(state, register, Held::Number);
            }
        }
        let dead = consumed_bits(ins);
        for (bit, register) in dead {
            if bit {
                set(state, register, Held::Number);
            }
        }
        if !matches!(
            op,
            Op::ForPrep
                | Op::ForLoop
                | Op::IterInit
                | Op::IterLoop
                | Op::Unpair
                | Op::Slice
                | Op::SetPath
                | Op::LoosenAdd
                | Op::LoosenPush
        ) {
            for register in self.window(ins) {
                set(state, register, Held::Number);
            }
        }

        match op {
            Op::Call
            | Op::CallReg
            | Op::CallFn
            | Op::CallImport
            | Op::CallBuiltin
            | Op::CallMethod
            | Op::CallSpread
            | Op::CallFnSpread
            | Op::CallImportSpread
            | Op::CallBuiltinSpread
            | Op::CallMethodSpread => {
                // The callee's frame lies over everything from the window up.
                if let Some(above) = (a..state.len()).find(|r| state.get(*r) == Some(&Held::Counted)) {
                    return Err(format!("register {above} lies in the window of a call"));
                }
                set(state, a, Held::Counted);
                return Ok(None);
            }
            Op::Parallel => {
                set(state, a, Held::Counted);
                return Ok(None);
            }
            Op::Select => {
                set(state, a, Held::Number);
                set(state, a + 1, Held::Counted);
                return Ok(None);
            }
            Op::ForPrep => {
                self.overwrite(state, a + 2)?;
                let mut done = state.clone();
                for s in [&mut *state, &mut done] {
                    set(s, a, Held::Number);
                    set(s, a + 1, Held::Number);
                    set(s, a + 2, Held::Number);
                }
                return Ok(Some(done));
            }
            Op::ForLoop => {
                for register in [a, a + 1, a + 2] {
                    self.overwrite(state, register)?;
                }
                set(state, a + 2, Held::Number);
                return Ok(Some(state.clone()));
            }
            Op::IterInit => {
                self.overwrite(state, a)?;
                self.overwrite(state, a + 1)?;
                set(state, a, Held::Counted);
                set(state, a + 1, Held::Number);
                return Ok(None);
            }
            Op::IterLoop => {
                self.overwrite(state, a + 1)?;
                self.overwrite(state, b)?;
                let mut again = state.clone();
                set(&mut again, b, Held::Counted);
                set(state, a, Held::Number);
                return Ok(Some(again));
            }
            Op::Unpair => {
                self.overwrite(state, a)?;
                self.overwrite(state, a + 1)?;
                set(state, a, Held::Counted);
                set(state, a + 1, Held::Counted);
                return Ok(None);
            }
            Op::Return | Op::ReturnNil | Op::TailCall | Op::TailCallFn | Op::TailCallImport => {
                if let Some(owned) = state.iter().position(|held| *held == Held::Counted) {
                    return Err(format!("register {owned} may be owned when the frame ends"));
                }
                return Ok(None);
            }
            Op::JumpPresent | Op::JumpNotNil => {
                let taken = state.clone();
                set(state, a, Held::Number);
                return Ok(Some(taken));
            }
            Op::JumpNil => {
                let mut taken = state.clone();
                set(&mut taken, a, Held::Number);
                return Ok(Some(taken));
            }
            Op::CheckParam => {
                if let Some(Const::Type(ParamCheck { check: TypeCheck::Number { .. }, .. })) =
                    self.module.consts.get(ins.index())
                {
                    set(state, a, Held::Number);
                }
                return Ok(None);
            }
            _ => {}
        }

        // What is written.
        if matches!(kinds[0], Operand::Def | Operand::Num) {
            self.overwrite(state, a)?;
            let level = match op {
                Op::Const => match self.module.consts.get(ins.index()) {
                    Some(Const::Str(text)) if text.len() <= 14 => Held::Short,
                    Some(Const::Str(_)) | None => Held::Counted,
                    Some(_) => Held::Number,
                },
                Op::Move | Op::Take => held_b,
                Op::Add | Op::Mul if held_b == Held::Number && held_c == Held::Number => Held::Number,
                Op::MulImm if held_b == Held::Number => Held::Number,
                _ if kinds[0] == Operand::Num => Held::Number,
                _ => Held::Counted,
            };
            set(state, a, level);
        }
        if kinds[1] == Operand::Def {
            self.overwrite(state, b)?;
            set(state, b, Held::Counted);
        }
        Ok(kinds.contains(&Operand::Jmp).then(|| state.clone()))
    }
}

/// The operands that the consume bits of an instruction are about.
fn consumed_bits(ins: Instruction) -> [(bool, usize); 2] {
    let op = ins.op();
    let kinds = op.operands();
    let (a, b, c) = (usize::from(ins.a()), usize::from(ins.b()), usize::from(ins.c()));
    let bits = match kinds.iter().position(|kind| matches!(kind, Operand::Bits | Operand::SiteBits)) {
        Some(0) => u32::from(ins.a()),
        Some(1) => u32::from(ins.b()),
        Some(2) => u32::from(ins.c()),
        Some(_) if kinds[3] == Operand::SiteBits => u32::from(ins.site_bits()),
        Some(_) => ins.d() as u32,
        None => 0,
    };
    match (kinds[0] == Operand::UseBit, kinds[1] == Operand::UseBit) {
        (true, _) => [(bits & 1 != 0, a), (false, 0)],
        (_, true) => [(bits & 1 != 0, b), (bits & 2 != 0 && kinds[2] == Operand::UseBit, c)],
        _ => [(false, 0), (false, 0)],
    }
}

/// Whether nothing follows the instruction.
fn leaves(op: Op) -> bool {
    matches!(
        op,
        Op::Jump
            | Op::Return
            | Op::ReturnNil
            | Op::TailCall
            | Op::TailCallFn
            | Op::TailCallImport
            | Op::Throw
            | Op::Raise
    )
}

fn set(state: &mut State, register: usize, held: Held) {
    if let Some(slot) = state.get_mut(register) {
        *slot = held;
    }
}

fn in_range(index: usize, length: usize, what: &str) -> Result<(), String> {
    if index < length { Ok(()) } else { Err(format!("{what} {index} is not there")) }
}

fn join(blocks: &mut BTreeMap<usize, State>, work: &mut Vec<usize>, at: usize, state: &State) {
    match blocks.get_mut(&at) {
        None => {
            blocks.insert(at, state.clone());
            work.push(at);
        }
        Some(known) => {
            let mut grew = false;
            for (known, new) in known.iter_mut().zip(state) {
                if *new > *known {
                    *known = *new;
                    grew = true;
                }
            }
            if grew {
                work.push(at);
            }
        }
    }
}
