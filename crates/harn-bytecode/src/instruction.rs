//! The instruction set: one table from which the opcodes, the disassembler and the verifier's facts are made.
//!
//! An [`Instruction`] is 8 bytes, `op:8 a:8 b:8 c:8 d:32`. Registers are `r0..r249` of the frame; `r0` is the callee
//! slot and parameters start at `r1`. A *call window* starts at register `a`: callee in `a`, arguments in `a+1..`;
//! the result lands in `a`.
//!
//! Ownership rule: a register that is dead never holds a counted value. So a write does not look at the old value,
//! and a return does not scan the frame. An operand is *borrowed* unless its kind says that it is consumed.

/// What an operand field of an instruction means. Registers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Not used.
    No,
    /// A register that is written with a value that may be counted; it must be free before.
    Def,
    /// A register that is written with a value that is never counted (int, float, bool, nil, duration).
    Num,
    /// A register that is read and stays owned by the frame.
    Use,
    /// A register that is read, and consumed when its consume bit is set (in `d` of three-register forms: bit 0 for
    /// `b`, bit 1 for `c`; in `c` bit 0 of immediate forms; in `a` of compare-and-branch: bit 0 for `b`, bit 1 for `c`).
    UseBit,
    /// A register whose value moves away; it is free afterwards.
    Eat,
    /// A register that is updated in place and stays owned.
    Upd,
    /// Base of a window of registers; the row says which.
    Win,
    /// Consume bits of the other operands.
    Bits,
    /// A number of registers or arguments.
    Cnt,
    /// A small number or flag.
    Flg,
    /// A signed 32-bit immediate in `d`.
    I32,
    /// A signed 16-bit immediate in `b` (low) and `c` (high).
    I16,
    /// A constant that is a plain value.
    Cst,
    /// A constant that is a list of keys.
    Keys,
    /// A constant that names an enum variant.
    Variant,
    /// A constant that names a struct and the fields given.
    Struct,
    /// A constant that is a text.
    Text,
    /// A constant that is a type check.
    Type,
    /// A constant that is an assignment path.
    Path,
    /// Index of an access site of the function.
    Site,
    /// Index of an access site in the low 24 bits of `d`; above them the consume bit of `b`.
    SiteBits,
    /// A jump, relative to the next instruction.
    Jmp,
    /// A function of the module.
    Fun,
    /// An import of the module.
    Imp,
    /// An entry of the module's list of builtins.
    Blt,
    /// A global of the module.
    Glb,
    /// A capture of the closure.
    Cap,
    /// A register of the frame by its wide number.
    Wide,
}

macro_rules! instructions {
    ($($op:ident [$a:ident $b:ident $c:ident $d:ident] $doc:literal;)*) => {
        /// An operation code. The rows and their meaning: see [`Op::doc`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op { $(#[doc = $doc] $op,)* }

        impl Op {
            /// Every operation, in the order of its code.
            pub const ALL: &'static [Op] = &[$(Op::$op,)*];

            /// The name in the disassembler.
            pub fn name(self) -> &'static str {
                match self { $(Op::$op => stringify!($op),)* }
            }

            /// The operation whose effect on its operands this one has: itself, unless it is fused with those behind it.
            pub fn plain(self) -> Op {
                match self {
                    Op::GetItemOfItem | Op::GetFieldOfItem => Op::GetIndex,
                    Op::MulFields => Op::GetField,
                    Op::MulThenAdd => Op::Mul,
                    Op::MulImmThenAdd => Op::MulImm,
                    Op::AddThenRem => Op::Add,
                    Op::LoosenThenAdd => Op::LoosenAdd,
                    plain => plain,
                }
            }

            /// What it does, in words.
            pub fn doc(self) -> &'static str {
                match self { $(Op::$op => $doc,)* }
            }

            /// The kinds of its operands `a`, `b`, `c`, `d`.
            #[inline]
            pub fn operands(self) -> [Operand; 4] {
                match self { $(Op::$op => [Operand::$a, Operand::$b, Operand::$c, Operand::$d],)* }
            }
        }
    };
}

instructions! {
    // Loads and moves.
    Nil [Num No No No] "a = nil";
    Bool [Num No No I32] "a = d is not 0";
    Int [Num No No I32] "a = the int d";
    Const [Def No No Cst] "a = constant d. Int, float, bool and duration constants are never counted, strings may be";
    Move [Def Use No No] "a = b (copy)";
    Take [Def Eat No No] "a = b; b is free";
    Drop [Eat No No No] "releases a; a is free. Harmless on a free register";
    GetWide [Def No No Wide] "a = frame register d (copy)";
    TakeWide [Def No No Wide] "a = frame register d; that one is left nil";
    SetWide [Eat No No Wide] "frame register d = a, whose value moves; the old value is released";
    GetGlobal [Def No No Glb] "a = global d of this module (copy). Reading one not yet initialised is an error";
    TakeGlobal [Def No No Glb] "a = global d; the global is left nil until SetGlobal";
    SetGlobal [Eat No No Glb] "global d = a, whose value moves; the old value is released";
    LoadFn [Def No No Fun] "a = function d as a value";
    LoadImport [Def No No Imp] "a = the imported function d as a value";
    LoadBuiltin [Def No No Blt] "a = builtin or runtime global d of the module's list as a value; an unknown name is the undefined-variable error";
    Closure [Def Win Cnt Fun] "a = closure of function d; its captures move from b..b+c";
    GetCapture [Def No No Cap] "a = capture d of the running closure (copy)";
    LoadSelf [Def No No No] "a = the running closure";
    CellNew [Def No No No] "a = a new cell holding nil (for names bound later than they are captured)";
    CellGet [Def Use No No] "a = content of the cell b (copy)";
    CellSet [Use Eat No No] "content of the cell a = b";

    // Arithmetic and comparison. Consume bits in d (bit 0: b, bit 1: c), in c bit 0 for immediate forms.
    // Only Add, Mul, MulImm and their field forms can yield counted values (strings, lists, dicts).
    Add [Def UseBit UseBit Bits] "a = b + c. With b consumed and unique, text, list and dict grow in place; a may be b";
    Sub [Num UseBit UseBit Bits] "a = b - c";
    Mul [Def UseBit UseBit Bits] "a = b * c";
    Div [Num UseBit UseBit Bits] "a = b / c";
    Rem [Num UseBit UseBit Bits] "a = b % c";
    Pow [Num UseBit UseBit Bits] "a = b ** c";
    AddImm [Num UseBit Bits I32] "a = b + d (an int)";
    SubImm [Num UseBit Bits I32] "a = b - d";
    MulImm [Def UseBit Bits I32] "a = b * d";
    DivImm [Num UseBit Bits I32] "a = b / d";
    RemImm [Num UseBit Bits I32] "a = b % d";
    AddFloat [Num UseBit Bits Cst] "a = b + constant d, a float";
    SubFloat [Num UseBit Bits Cst] "a = b - constant d, a float";
    MulFloat [Num UseBit Bits Cst] "a = b * constant d, a float";
    DivFloat [Num UseBit Bits Cst] "a = b / constant d, a float";
    AddField [Def UseBit Use SiteBits] "a = b + property of c";
    SubField [Num UseBit Use SiteBits] "a = b - property of c";
    MulField [Def UseBit Use SiteBits] "a = b * property of c";
    Neg [Num UseBit Bits No] "a = -b";
    Not [Num UseBit Bits No] "a = !b";
    Truthy [Num UseBit Bits No] "a = truthiness of b as a bool";
    Eq [Num UseBit UseBit Bits] "a = b == c";
    Ne [Num UseBit UseBit Bits] "a = b != c";
    Lt [Num UseBit UseBit Bits] "a = b < c";
    Le [Num UseBit UseBit Bits] "a = b <= c";
    In [Num UseBit UseBit Bits] "a = b in c";
    NotIn [Num UseBit UseBit Bits] "a = b not in c";

    // Branches. A taken jump costs fuel when it goes back.
    Jump [No No No Jmp] "jumps";
    JumpIf [UseBit Bits No Jmp] "jumps when a is truthy; b bit 0: a is consumed either way";
    JumpIfNot [UseBit Bits No Jmp] "jumps when a is falsy; b bit 0: a is consumed either way";
    JumpNil [Use No No Jmp] "jumps when a is nil";
    JumpNotNil [Use No No Jmp] "jumps when a is not nil";
    JumpPresent [Use No No Jmp] "jumps when the parameter a was passed; else a is free (default code follows)";
    JumpEq [Bits UseBit UseBit Jmp] "jumps when b == c; consume bits in a";
    JumpNe [Bits UseBit UseBit Jmp] "jumps when b != c";
    JumpLt [Bits UseBit UseBit Jmp] "jumps when b < c";
    JumpLe [Bits UseBit UseBit Jmp] "jumps when b <= c";
    JumpNotLt [Bits UseBit UseBit Jmp] "jumps when not b < c (differs from c <= b for NaN and mixed types)";
    JumpNotLe [Bits UseBit UseBit Jmp] "jumps when not b <= c";
    JumpEqImm [Use I16 No Jmp] "jumps when a == imm";
    JumpNeImm [Use I16 No Jmp] "jumps when a != imm";
    JumpLtImm [Use I16 No Jmp] "jumps when a < imm";
    JumpLeImm [Use I16 No Jmp] "jumps when a <= imm";
    JumpGtImm [Use I16 No Jmp] "jumps when a > imm";
    JumpGeImm [Use I16 No Jmp] "jumps when a >= imm";
    JumpNotLtImm [Use I16 No Jmp] "jumps when not a < imm";
    JumpNotLeImm [Use I16 No Jmp] "jumps when not a <= imm";
    JumpNotGtImm [Use I16 No Jmp] "jumps when not a > imm";
    JumpNotGeImm [Use I16 No Jmp] "jumps when not a >= imm";
    ForPrep [Win No Flg Jmp] "a = start, a+1 = end (ints, else the range error), c: 1 exclusive. Sets a+2 = start, or jumps when empty. a, a+1 are never counted afterwards";
    ForLoop [Win No No Jmp] "next int into a+2 (which must be free) and jumps back, else falls through";
    IterInit [Win Eat No No] "starts iterating b (consumed; b may be a); state in a, a+1 (a+1 is never counted)";
    IterLoop [Win Def No Jmp] "next item into b and jumps (to the loop body); at the end frees a and falls through. Leaving early: Drop a. At the top of a loop one jumps to the IterLoop at its bottom";

    // Building data.
    List [Def Win No Cnt] "a = list of the d values moved from b..; a may be b";
    ListPush [Upd Eat No No] "a = a.push(b), in place when a is a unique list; any other receiver: full method call";
    ListAppend [Upd Eat No No] "appends b to the list a (building a literal with spreads)";
    ListExtend [Upd Eat No No] "appends the items of the list b to the list a; not a list: the spread error";
    DictLit [Def Win No Keys] "a = dict of keys d with values moved from b.. in the order of d; later duplicates win; a may be b";
    DictNew [Def No No No] "a = empty dict";
    DictSet [Upd UseBit Eat Bits] "key (display of b) of the dict a = c; d bit 0: b is consumed";
    DictMerge [Upd Eat No No] "entries of b go into the dict a, later ones win (spread); not a dict or struct: Type error";
    StructLit [Def Win No Struct] "a = struct d with the given fields' values moved from b.., undeclared ones dropped; a may be b";
    StructDict [Def Eat No Struct] "a = struct d from the dict b (`P({..})`); a non-dict gives a struct with no field set";
    EnumNew [Def Win Cnt Variant] "a = enum value of variant d with c fields moved from b..; a may be b";
    EnumList [Def Eat No Variant] "a = enum value of variant d whose fields are the items of the list b";
    Range [Def Use Use Flg] "a = range b to c; d: 1 exclusive";
    Concat [Def Win Cnt No] "a = displays of the c values of b.., which are consumed, joined; a may be b";

    // Access. GetIndex: consume bits in d.
    GetField [Def Use No Site] "a = property of b; a may be b only if b is never counted, so use a fresh register";
    GetFieldOpt [Def Use No Site] "a = property of b by `?.`";
    SetField [Upd Eat No Site] "property of a = b, in place when unique";
    TakeField [Def Upd No Site] "a = property of b, which is left nil in b (an error between this and SetField would lose it: prefer SetPath)";
    GetIndex [Def UseBit UseBit Bits] "a = b[c]; d bit 0: b consumed, bit 1: c consumed";
    GetIndexOpt [Def UseBit UseBit Bits] "a = b?[c]";
    SetIndex [Upd UseBit Eat Bits] "a[b] = c, in place when unique; d bit 0: b consumed";
    TakeIndex [Def Upd Use No] "a = b[c], which is left nil in b (see TakeField)";
    SetPath [Upd Eat Win Path] "stores b into a along path d (`a.x[i].y = b`); the index keys stand in c.. in order (borrowed). Nothing changes when it fails. b stays consumed either way";
    LoosenGlobal [Use Use Flg Glb] "before a is changed and stored into global d: when that holds the very text or list in a, it is left nil, so that a is unshared. c: 0 a + b follows, 1 a.push(b)";
    LoosenAdd [Upd Win Win Path] "as LoosenGlobal for the place along path d (not nested deeper than its containers) in a, before b + (b+1); keys as SetPath";
    LoosenPush [Upd Win Win Path] "as LoosenAdd, before b.push(b+1)";
    Slice [Def Use Win No] "a = b[c : c+1] (nil: open; c, c+1 borrowed)";
    EnumField [Def Use Flg No] "a = field c of the enum value b, nil when it has fewer";
    DictRest [Def Use No Keys] "a = the dict b without the keys d";
    ListRest [Def Use No I32] "a = the list b without its first d items";
    Unpair [Win Eat No No] "a, a+1 = the parts of b for a `for (x, y)` pattern (pair, dict entry, list of two; else the property rules)";

    // Calls. All arguments and the callee are consumed; the result lands in a.
    Call [Win Cnt Flg No] "calls the value a with b arguments; c: 1 the error names a pipe";
    CallReg [Win Cnt Use No] "calls the value in register c, which stays owned by the caller, with b arguments in a+1..";
    CallFn [Win Cnt No Fun] "calls function d with b arguments";
    CallImport [Win Cnt No Imp] "calls the imported function d with b arguments";
    CallBuiltin [Win Cnt No Blt] "calls builtin d with b arguments in a+1..";
    CallMethod [Win Cnt Flg Site] "calls a method of the receiver a+1 with b arguments in a+2..; c: 1 `?.`";
    CallSpread [Win No Flg No] "calls the value a with the items of the list a+1; c: 1 the error names a pipe";
    CallFnSpread [Win No No Fun] "calls function d with the items of the list a+1";
    CallImportSpread [Win No No Imp] "calls the imported function d with the items of the list a+1";
    CallBuiltinSpread [Win No No Blt] "calls builtin d with the items of the list a+1";
    CallMethodSpread [Win No Flg Site] "calls a method of the receiver a+1 with the items of the list a+2; c: 1 `?.`";
    TailCall [Win Cnt Flg No] "as Call, replacing the frame, whose other registers must be free";
    TailCallFn [Win Cnt No Fun] "as CallFn, replacing the frame";
    TailCallImport [Win Cnt No Imp] "as CallImport, replacing the frame";
    Return [Eat No No No] "returns a; every other register must be free";
    ReturnNil [No No No No] "returns nil; every register must be free";

    // Errors, matching, checks.
    Throw [Eat No No No] "throws a; a raw error (of a raw handler) is raised again unchanged, with its place";
    Raise [Flg No No Text] "raises a built-in error with the text d; a: see `RaiseKind`. Never falls through; the unwinding releases what the frame owns";
    CatchValue [Def Eat No No] "a = what `catch` binds for the raw error b; a may be b";
    TestError [Num Use No Text] "a = the raw error b is a thrown enum value of the enum named d";
    TestRetry [Num Use No No] "a = the raw error b may be retried: no cancellation, no expired deadline that encloses this place";
    Propagate [Def Eat No Jmp] "postfix `?`: Ok: a = its value; Err: a = the Err, and jumps; else the error; a may be b";
    TestVariant [Num Use No Variant] "a = b is an enum value of variant d, whatever its fields";
    TestDict [Num Use No No] "a = b is a dict";
    TestList [Num Use No I32] "a = b is a list of at least d items";
    TestListExact [Num Use No I32] "a = b is a list of exactly d items";
    TestStruct [Num Use No Text] "a = b is a struct named d";
    CheckDict [Use No No No] "error unless a is a dict (destructuring)";
    CheckList [Use No No No] "error unless a is a list (destructuring)";
    CheckParam [Use No No Type] "error unless the parameter a passes check d";

    // Control that the scheduler takes part in.
    Yield [Num Eat No No] "hands b to the consumer of this generator; a = nil when it goes on";
    Spawn [Def Eat No No] "a = handle of a new task that runs the closure b";
    Parallel [Win No Flg No] "a = result of parallel kind c: operand a, closure a+1, max_concurrent or nil a+2, all consumed. Kinds: see `ParallelKind`";
    Select [Win Cnt Flg No] "waits on b channels in a..; c: 0 no more, 1 timeout in a+b, 2 default. All consumed. a = index of the case (b: timeout or default), a+1 = the value (nil when closed)";
    DeadlinePush [Use No No No] "arms a deadline of a from now (duration, int ms, else 30 s)";
    DeadlinePop [No No No No] "disarms the innermost deadline; also run on every other way out";
    MutexEnter [No No No No] "takes the mutex `__default__`, waiting if need be";
    MutexExit [No No No No] "gives it back; also run on every other way out";

    // Measuring: only in code that was compiled with probes.
    Probe [No No No I32] "counts that line d of the source was reached";

    // Fused when a module is loaded: see `harn_vm::interpreter::fuse`. Each may do the work of the instructions behind it
    // as well; taken alone it is the operation it is named after, with the same operands.
    GetItemOfItem [Def UseBit UseBit Bits] "GetIndex before a GetIndex of its result, which dies there";
    GetFieldOfItem [Def UseBit UseBit Bits] "GetIndex before a GetField of its result and the Drop of it";
    MulFields [Def Use No Site] "GetField before a MulField by which its result dies";
    MulThenAdd [Def UseBit UseBit Bits] "Mul before an Add of its result";
    MulImmThenAdd [Def UseBit Bits I32] "MulImm before an Add of its result";
    AddThenRem [Def UseBit UseBit Bits] "Add before a RemImm of its result";
    LoosenThenAdd [Upd Win Win Path] "LoosenAdd before its Add";

    // Made by the VM itself, refused by the verifier.
    Halt [No No No No] "end of a fiber or generator: the result is in r0 of the frame above";
    Deliver [No No No No] "moves the result of a call that an instruction other than a call made to its register";
}

/// How `Parallel` runs its closure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ParallelKind {
    /// `parallel N`: `N` times with the index.
    Count = 0,
    /// `parallel each`: once per item, results in order.
    Each = 1,
    /// `parallel settle`: as each, with the outcome of every item.
    Settle = 2,
    /// `parallel each ... as stream`: a stream of results as they come.
    Stream = 3,
}

impl ParallelKind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Count,
            1 => Self::Each,
            2 => Self::Settle,
            3 => Self::Stream,
            _ => return None,
        })
    }
}

/// The built-in error that `Raise` raises with its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RaiseKind {
    /// `Runtime error: TEXT`.
    Runtime = 0,
    /// `Undefined variable: TEXT` (kind undefined name; with a suggestion the compiler uses `Runtime`).
    UndefinedVariable = 1,
    /// `Undefined builtin: TEXT`.
    UndefinedBuiltin = 2,
    /// `Cannot assign to immutable binding: TEXT`.
    Immutable = 3,
    /// `Type error: TEXT`.
    Type = 4,
}

impl RaiseKind {
    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Runtime,
            1 => Self::UndefinedVariable,
            2 => Self::UndefinedBuiltin,
            3 => Self::Immutable,
            4 => Self::Type,
            _ => return None,
        })
    }
}

/// One instruction: `op:8 a:8 b:8 c:8 d:32`, from the low bits up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Instruction(u64);

impl Instruction {
    /// Puts the fields together.
    pub const fn new(op: Op, a: u8, b: u8, c: u8, d: i32) -> Self {
        Self(op as u64 | (a as u64) << 8 | (b as u64) << 16 | (c as u64) << 24 | (d as u32 as u64) << 32)
    }

    /// With a 16-bit immediate in `b` and `c`.
    pub const fn with_imm16(op: Op, a: u8, imm: i16, d: i32) -> Self {
        let bits = imm as u16;
        Self::new(op, a, bits as u8, (bits >> 8) as u8, d)
    }

    /// The raw word, as it stands in a module file.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// From a raw word; `None` when the operation code is not in the table.
    pub fn from_word(word: u64) -> Option<Self> {
        Op::ALL.get((word & 0xff) as usize)?;
        Some(Self(word))
    }

    /// The operation.
    pub fn op(self) -> Op {
        // Both constructors admit only codes of the table.
        Op::ALL.get((self.0 & 0xff) as usize).copied().unwrap_or(Op::Halt)
    }

    /// The number of the operation.
    #[inline(always)]
    pub const fn code(self) -> u8 {
        self.0 as u8
    }

    /// Operand `a`.
    #[inline(always)]
    pub const fn a(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Operand `b`.
    #[inline(always)]
    pub const fn b(self) -> u8 {
        (self.0 >> 16) as u8
    }

    /// Operand `c`.
    #[inline(always)]
    pub const fn c(self) -> u8 {
        (self.0 >> 24) as u8
    }

    /// Operand `d`, signed.
    #[inline(always)]
    pub const fn d(self) -> i32 {
        (self.0 >> 32) as i32
    }

    /// Operand `d` as an index.
    #[inline(always)]
    pub const fn index(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// The site of an instruction that keeps consume bits above it.
    #[inline(always)]
    pub const fn site(self) -> usize {
        ((self.0 >> 32) & 0xff_ffff) as usize
    }

    /// The consume bits above the site.
    #[inline(always)]
    pub const fn site_bits(self) -> u8 {
        (self.0 >> 56) as u8
    }

    /// The 16-bit immediate in `b` and `c`.
    #[inline(always)]
    pub const fn imm16(self) -> i16 {
        (self.0 >> 16) as i16
    }

    /// The same operands under another operation, which must give them the same meaning.
    pub const fn with_op(self, op: Op) -> Self {
        Self((self.0 & !0xff) | op as u64)
    }

    /// The same instruction with another `d` (patching a jump).
    pub const fn with_d(self, d: i32) -> Self {
        Self((self.0 & 0xffff_ffff) | (d as u32 as u64) << 32)
    }
}

impl std::fmt::Debug for Instruction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {} {}", self.op().name(), self.a(), self.b(), self.c(), self.d())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_as_put() {
        let ins = Instruction::new(Op::GetIndex, 249, 1, 255, -7);
        assert_eq!((ins.op(), ins.a(), ins.b(), ins.c(), ins.d()), (Op::GetIndex, 249, 1, 255, -7));
        assert_eq!(Instruction::with_imm16(Op::JumpLtImm, 3, -300, 9).imm16(), -300);
        assert_eq!(ins.with_d(5).d(), 5);
        assert_eq!(ins.with_d(5).c(), 255);
    }

    #[test]
    fn codes_outside_the_table_are_refused() {
        assert!(Instruction::from_word(Op::ALL.len() as u64).is_none());
        assert!(Instruction::from_word(Op::Halt as u64).is_some());
    }

    #[test]
    fn codes_follow_the_table() {
        for (i, op) in Op::ALL.iter().enumerate() {
            assert_eq!(*op as usize, i);
        }
    }
}
