//! The step loop: one `match` over the operations with the fast paths. Whatever an arm does not settle breaks out to
//! the one cold call, [`slow::execute`], which does any operation in full. Position (`pc`, `base`, `frame`, `code`)
//! lives in locals; it is saved before that call and loaded after it.
#![allow(clippy::nonminimal_bool, reason = "with NaN, not less is not the same as greater or equal")]
#![allow(clippy::needless_borrow, reason = "references behind raw pointers are written out")]

use harn_bytecode::{Instruction, Op};

use super::fiber::Fiber;
use super::registers::{copy, debug_check_free, is_dict, is_text, put, take};
use super::{Vm, fused, middle, slow};
use crate::value::cell::ListCell;
use crate::value::code::{self, Code, Linked, Resolved};
use crate::value::slots::SlotsCell;
use crate::value::strand::Frame;
use crate::value::{Value, tag};

const BOOL: u64 = tag::BOOL as u64;
const INT: u64 = tag::INT as u64;
const FLOAT: u64 = tag::FLOAT as u64;
const LIST: u64 = tag::LIST as u64;
const STRUCT: u64 = tag::STRUCT as u64;
const CLOSURE: u64 = tag::CLOSURE as u64;
const ENUM: u64 = tag::ENUM as u64;

/// Runs a fiber until something ends the step; the reason is in `fiber.exit`, none when the fuel is used up.
///
/// # Safety
/// The fiber belongs to `vm` and its frames run verified code.
pub(super) unsafe fn run(vm: &mut Vm, fiber: &mut Fiber, fuel: i64) {
    let mut fuel = fuel;
    let mut pc: *const Instruction;
    let mut base: *mut Value;
    let mut frame: *mut Frame;
    let mut frame_end: *mut Frame;
    let mut stack_end: *mut Value;
    let mut code: *const Code;

    // SAFETY: registers, jumps, constants and the rest of the operands were verified; windows of frames lie inside the
    // register stack (`Strand::ensure`, the test in `enter!`); dead registers hold nothing counted.
    unsafe {
        macro_rules! load {
            () => {{
                let strand = &mut *fiber.strand;
                let frames = strand.frames.as_mut_ptr();
                frame = frames.add(strand.top);
                frame_end = frames.add(strand.frames.len());
                let registers = strand.registers.as_mut_ptr();
                base = registers.add(strand.base);
                stack_end = registers.add(strand.registers.len());
                code = (*frame).code;
                pc = (*frame).pc;
            }};
        }
        load!();
        'run: loop {
            // `pc` stays at the instruction until it is done.
            let ins = *pc;
            debug_assert!(usize::from(ins.code()) < Op::ALL.len());
            let op = std::mem::transmute::<u8, Op>(ins.code());
            'slow: {
                macro_rules! a {
                    () => {
                        base.add(ins.a() as usize)
                    };
                }
                macro_rules! b {
                    () => {
                        base.add(ins.b() as usize)
                    };
                }
                macro_rules! c {
                    () => {
                        base.add(ins.c() as usize)
                    };
                }
                macro_rules! next {
                    () => {{
                        pc = pc.add(1);
                        continue 'run;
                    }};
                }
                macro_rules! jump {
                    () => {{
                        pc = pc.offset(ins.d() as isize + 1);
                        fuel -= 1;
                        if fuel < 0 {
                            break 'run;
                        }
                        continue 'run;
                    }};
                }
                macro_rules! arithmetic {
                    ($x:ident, $y:ident, $int:expr, $float:expr) => {{
                        let (x, y) = (b!(), c!());
                        if (*x).word == INT && (*y).word == INT {
                            let ($x, $y) = ((*x).payload as i64, (*y).payload as i64);
                            put(a!(), Value::int($int));
                            next!();
                        }
                        if (*x).word == FLOAT && (*y).word == FLOAT {
                            let ($x, $y) = (f64::from_bits((*x).payload), f64::from_bits((*y).payload));
                            put(a!(), Value::float($float));
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! immediate {
                    ($x:ident, $y:ident, $int:expr, $float:expr) => {{
                        let x = b!();
                        if (*x).word == INT {
                            let ($x, $y) = ((*x).payload as i64, i64::from(ins.d()));
                            put(a!(), Value::int($int));
                            next!();
                        }
                        if (*x).word == FLOAT {
                            let ($x, $y) = (f64::from_bits((*x).payload), f64::from(ins.d()));
                            put(a!(), Value::float($float));
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! with_float {
                    ($x:ident, $y:ident, $float:expr) => {{
                        let x = b!();
                        if (*x).word == FLOAT {
                            let constant = (*code).values.add(ins.index());
                            let ($x, $y) =
                                (f64::from_bits((*x).payload), f64::from_bits((*constant).payload));
                            put(a!(), Value::float($float));
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! with_field {
                    ($x:ident, $y:ident, $int:expr, $float:expr) => {{
                        let (x, from) = (b!(), c!());
                        if (*from).word | 1 == STRUCT {
                            let cell = (*from).payload as *mut SlotsCell;
                            let cache = (*code).caches.add(ins.site());
                            if (*cell).descriptor == (*cache).shape.get().cast() {
                                let y = SlotsCell::slot(cell, (*cache).slot.get() as usize);
                                if (*x).word == FLOAT && (*y).word == FLOAT {
                                    let ($x, $y) =
                                        (f64::from_bits((*x).payload), f64::from_bits((*y).payload));
                                    put(a!(), Value::float($float));
                                    next!();
                                }
                                if (*x).word == INT && (*y).word == INT {
                                    let ($x, $y) = ((*x).payload as i64, (*y).payload as i64);
                                    put(a!(), Value::int($int));
                                    next!();
                                }
                            }
                        }
                        break 'slow;
                    }};
                }
                macro_rules! compare {
                    ($x:ident, $y:ident, $test:expr) => {{
                        let (x, y) = (b!(), c!());
                        if (*x).word == INT && (*y).word == INT {
                            let ($x, $y) = ((*x).payload as i64, (*y).payload as i64);
                            put(a!(), Value::bool($test));
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! branch {
                    ($x:ident, $y:ident, $test:expr) => {{
                        let (x, y) = (b!(), c!());
                        if (*x).word == INT && (*y).word == INT {
                            let ($x, $y) = ((*x).payload as i64, (*y).payload as i64);
                            if $test {
                                jump!();
                            }
                            next!();
                        }
                        if (*x).word == FLOAT && (*y).word == FLOAT {
                            let ($x, $y) = (f64::from_bits((*x).payload), f64::from_bits((*y).payload));
                            if $test {
                                jump!();
                            }
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! branch_imm {
                    ($x:ident, $y:ident, $test:expr) => {{
                        let x = a!();
                        if (*x).word == INT {
                            let ($x, $y) = ((*x).payload as i64, i64::from(ins.imm16()));
                            if $test {
                                jump!();
                            }
                            next!();
                        }
                        if (*x).word == FLOAT {
                            let ($x, $y) = (f64::from_bits((*x).payload), f64::from(ins.imm16()));
                            if $test {
                                jump!();
                            }
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! get_index {
                    () => {{
                        let (from, key) = (b!(), c!());
                        if (*from).word == LIST && (*key).word == INT {
                            let items = &(*((*from).payload as *const ListCell)).items;
                            let index = (*key).payload as usize;
                            if index < items.len() {
                                let item = items.as_ptr().add(index);
                                if ins.d() & 1 == 0 {
                                    copy(a!(), item);
                                } else {
                                    // The list ends here, as a row of `rows[i][k]` does: `a` may be its register.
                                    let value = (*item).clone();
                                    drop(take(from));
                                    put(a!(), value);
                                }
                                next!();
                            }
                        }
                        if is_dict(from) && is_text(key) {
                            let value = middle::dict_get(from, key, ins.d() as u32);
                            put(a!(), value);
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! get_field {
                    () => {{
                        let from = b!();
                        if (*from).word | 1 == STRUCT {
                            let cell = (*from).payload as *mut SlotsCell;
                            let cache = (*code).caches.add(ins.index());
                            if (*cell).descriptor == (*cache).shape.get().cast() {
                                copy(a!(), SlotsCell::slot(cell, (*cache).slot.get() as usize));
                                next!();
                            }
                        }
                        break 'slow;
                    }};
                }
                macro_rules! add {
                    () => {{
                        let (x, y) = (b!(), c!());
                        if (*x).word == INT && (*y).word == INT {
                            let sum = ((*x).payload as i64).wrapping_add((*y).payload as i64);
                            put(a!(), Value::int(sum));
                            next!();
                        }
                        if (*x).word == FLOAT && (*y).word == FLOAT {
                            let sum = f64::from_bits((*x).payload) + f64::from_bits((*y).payload);
                            put(a!(), Value::float(sum));
                            next!();
                        }
                        if ((*x).word == LIST || is_text(x))
                            && let Some(value) = middle::append(vm, x, y, ins.d() as u32)
                        {
                            put(a!(), value);
                            next!();
                        }
                        break 'slow;
                    }};
                }
                macro_rules! loosen {
                    () => {{
                        let current = b!();
                        if (*current).is_counted()
                            && let Some(Linked::Path(steps)) = (&(*(*code).unit).linked).get(ins.index())
                        {
                            middle::loosen_path(
                                vm,
                                steps,
                                a!(),
                                c!(),
                                current,
                                ins.code() == Op::LoosenPush as u8,
                            );
                        }
                        next!();
                    }};
                }
                // The fused instructions behind this one have been done, too.
                macro_rules! skip {
                    ($count:expr) => {{
                        pc = pc.add($count + 1);
                        continue 'run;
                    }};
                }
                // Pushes a frame for code that takes exactly the arguments given, if there is room.
                macro_rules! enter {
                    ($callee:expr, $window:expr) => {
                        enter!($callee, $window, 0)
                    };
                    ($callee:expr, $window:expr, $more:expr) => {{
                        let callee: *const Code = $callee;
                        let window: *mut Value = $window;
                        if (*callee).fast != u16::from(ins.b()) + $more
                            || frame.add(1) >= frame_end
                            || window.add((*callee).registers as usize) > stack_end
                        {
                            break 'slow;
                        }
                        (*frame).pc = pc.add(1);
                        frame = frame.add(1);
                        (*frame).code = callee;
                        (*frame).delta = u32::from(ins.a());
                        code = callee;
                        pc = (*callee).start;
                        base = window;
                        fuel -= 1;
                        if fuel < 0 {
                            break 'run;
                        }
                        continue 'run;
                    }};
                }
                macro_rules! leave {
                    ($word:expr, $payload:expr) => {{
                        if (*base).is_counted() {
                            drop(take(base));
                        }
                        debug_check_free(base, code);
                        (*base).word = $word;
                        (*base).payload = $payload;
                        base = base.sub((*frame).delta as usize);
                        frame = frame.sub(1);
                        code = (*frame).code;
                        pc = (*frame).pc;
                        continue 'run;
                    }};
                }

                match op {
                    // Loads and moves.
                    Op::Nil => {
                        put(a!(), Value::NIL);
                        next!();
                    }
                    Op::Bool => {
                        put(a!(), Value::bool(ins.d() != 0));
                        next!();
                    }
                    Op::Int => {
                        put(a!(), Value::int(i64::from(ins.d())));
                        next!();
                    }
                    Op::Const => {
                        copy(a!(), (*code).values.add(ins.index()));
                        next!();
                    }
                    Op::Move => {
                        copy(a!(), b!());
                        next!();
                    }
                    Op::Take => {
                        let from = b!();
                        let (word, payload) = ((*from).word, (*from).payload);
                        (*from).word = 0;
                        put(a!(), Value::raw(word, payload));
                        next!();
                    }
                    Op::Drop => {
                        drop(take(a!()));
                        next!();
                    }
                    Op::GetGlobal => {
                        let global = (*code).link().globals.at(ins.index());
                        if (*global).is_absent() {
                            break 'slow;
                        }
                        copy(a!(), global);
                        next!();
                    }
                    Op::SetGlobal => {
                        let global = (*code).link().globals.at(ins.index());
                        if (*global).is_counted() {
                            middle::replace(global, a!());
                        } else if (*global).is_absent() {
                            break 'slow;
                        } else {
                            global.write(take(a!()));
                        }
                        next!();
                    }
                    Op::TakeGlobal => {
                        let global = (*code).link().globals.at(ins.index());
                        if (*global).is_absent() {
                            break 'slow;
                        }
                        let (word, payload) = ((*global).word, (*global).payload);
                        (*global).word = 0;
                        put(a!(), Value::raw(word, payload));
                        next!();
                    }
                    Op::LoosenGlobal => {
                        if (*a!()).is_counted() {
                            let global = (*code).link().globals.at(ins.index());
                            middle::loosen(vm, global, a!(), b!(), ins.c() == 1);
                        }
                        next!();
                    }
                    Op::LoosenAdd | Op::LoosenPush => loosen!(),
                    Op::LoosenThenAdd => {
                        if fused::loosen_then_add(base, *pc.add(1)) {
                            skip!(1);
                        }
                        loosen!()
                    }
                    Op::GetCapture => {
                        copy(a!(), SlotsCell::slot((*base).payload as *mut SlotsCell, ins.index()));
                        next!();
                    }

                    // Arithmetic and comparison.
                    Op::Add => add!(),
                    Op::AddThenRem => {
                        if fused::add_then_rem(base, ins, *pc.add(1)) {
                            skip!(1);
                        }
                        add!()
                    }
                    Op::Sub => arithmetic!(x, y, x.wrapping_sub(y), x - y),
                    Op::Mul => arithmetic!(x, y, x.wrapping_mul(y), x * y),
                    Op::MulThenAdd => {
                        if fused::mul_then_add(base, ins, *pc.add(1)) {
                            skip!(1);
                        }
                        arithmetic!(x, y, x.wrapping_mul(y), x * y)
                    }
                    Op::Div => {
                        let (x, y) = (b!(), c!());
                        if (*x).word == FLOAT && (*y).word == FLOAT {
                            let quotient = f64::from_bits((*x).payload) / f64::from_bits((*y).payload);
                            put(a!(), Value::float(quotient));
                            next!();
                        }
                        // A divisor of zero is an error, one of minus one may overflow.
                        if (*x).word == INT && (*y).word == INT && (*y).payload as i64 > 0 {
                            put(a!(), Value::int((*x).payload as i64 / (*y).payload as i64));
                            next!();
                        }
                        break 'slow;
                    }
                    Op::Rem => {
                        let (x, y) = (b!(), c!());
                        if (*x).word == INT && (*y).word == INT && (*y).payload as i64 > 0 {
                            put(a!(), Value::int((*x).payload as i64 % (*y).payload as i64));
                            next!();
                        }
                        break 'slow;
                    }
                    Op::AddImm => immediate!(x, y, x.wrapping_add(y), x + y),
                    Op::SubImm => immediate!(x, y, x.wrapping_sub(y), x - y),
                    Op::MulImm => immediate!(x, y, x.wrapping_mul(y), x * y),
                    Op::MulImmThenAdd => {
                        if fused::mul_imm_then_add(base, ins, *pc.add(1)) {
                            skip!(1);
                        }
                        immediate!(x, y, x.wrapping_mul(y), x * y)
                    }
                    Op::DivImm => {
                        let x = b!();
                        if (*x).word == INT && ins.d() > 0 {
                            put(a!(), Value::int((*x).payload as i64 / i64::from(ins.d())));
                            next!();
                        }
                        break 'slow;
                    }
                    Op::RemImm => {
                        let x = b!();
                        if (*x).word == INT && ins.d() > 0 {
                            put(a!(), Value::int(fused::remainder((*x).payload as i64, ins.d())));
                            next!();
                        }
                        break 'slow;
                    }
                    Op::AddFloat => with_float!(x, y, x + y),
                    Op::SubFloat => with_float!(x, y, x - y),
                    Op::MulFloat => with_float!(x, y, x * y),
                    Op::DivFloat => with_float!(x, y, x / y),
                    Op::AddField => with_field!(x, y, x.wrapping_add(y), x + y),
                    Op::SubField => with_field!(x, y, x.wrapping_sub(y), x - y),
                    Op::MulField => with_field!(x, y, x.wrapping_mul(y), x * y),
                    Op::Eq => {
                        let (x, y) = (b!(), c!());
                        if (*x).word == INT && (*y).word == INT {
                            put(a!(), Value::bool((*x).payload == (*y).payload));
                            next!();
                        }
                        let answer = middle::equal(x, y, ins.d() as u32);
                        put(a!(), Value::bool(answer));
                        next!();
                    }
                    Op::Ne => {
                        let (x, y) = (b!(), c!());
                        if (*x).word == INT && (*y).word == INT {
                            put(a!(), Value::bool((*x).payload != (*y).payload));
                            next!();
                        }
                        let answer = middle::equal(x, y, ins.d() as u32);
                        put(a!(), Value::bool(!answer));
                        next!();
                    }
                    Op::Lt => compare!(x, y, x < y),
                    Op::Le => compare!(x, y, x <= y),
                    Op::Not => {
                        let x = b!();
                        if (*x).word == BOOL {
                            put(a!(), Value::raw(BOOL, (*x).payload ^ 1));
                            next!();
                        }
                        break 'slow;
                    }

                    // Branches.
                    Op::Jump => jump!(),
                    Op::JumpIf => {
                        let x = a!();
                        // Nil, bools and ints: not counted, so the consume bit does not matter.
                        if (*x).word <= INT {
                            if (*x).word != 0 && (*x).payload != 0 {
                                jump!();
                            }
                            next!();
                        }
                        if middle::truthy(x, ins.b() & 1 != 0) {
                            jump!();
                        }
                        next!();
                    }
                    Op::JumpIfNot => {
                        let x = a!();
                        if (*x).word <= INT {
                            if (*x).word == 0 || (*x).payload == 0 {
                                jump!();
                            }
                            next!();
                        }
                        if !middle::truthy(x, ins.b() & 1 != 0) {
                            jump!();
                        }
                        next!();
                    }
                    Op::JumpNil => {
                        if (*a!()).is_nil() {
                            jump!();
                        }
                        next!();
                    }
                    Op::JumpNotNil => {
                        if !(*a!()).is_nil() {
                            jump!();
                        }
                        next!();
                    }
                    Op::JumpPresent => {
                        if !(*a!()).is_absent() {
                            jump!();
                        }
                        next!();
                    }
                    Op::JumpEq => {
                        let (x, y) = (b!(), c!());
                        let answer = if (*x).word == INT && (*y).word == INT {
                            (*x).payload == (*y).payload
                        } else {
                            middle::equal(x, y, u32::from(ins.a()))
                        };
                        if answer {
                            jump!();
                        }
                        next!();
                    }
                    Op::JumpNe => {
                        let (x, y) = (b!(), c!());
                        let answer = if (*x).word == INT && (*y).word == INT {
                            (*x).payload == (*y).payload
                        } else {
                            middle::equal(x, y, u32::from(ins.a()))
                        };
                        if !answer {
                            jump!();
                        }
                        next!();
                    }
                    Op::JumpLt => branch!(x, y, x < y),
                    Op::JumpLe => branch!(x, y, x <= y),
                    #[allow(clippy::neg_cmp_op_on_partial_ord)]
                    Op::JumpNotLt => branch!(x, y, !(x < y)),
                    #[allow(clippy::neg_cmp_op_on_partial_ord)]
                    Op::JumpNotLe => branch!(x, y, !(x <= y)),
                    Op::JumpEqImm => branch_imm!(x, y, x == y),
                    Op::JumpNeImm => branch_imm!(x, y, x != y),
                    Op::JumpLtImm => branch_imm!(x, y, x < y),
                    Op::JumpLeImm => branch_imm!(x, y, x <= y),
                    Op::JumpGtImm => branch_imm!(x, y, x > y),
                    Op::JumpGeImm => branch_imm!(x, y, x >= y),
                    #[allow(clippy::neg_cmp_op_on_partial_ord)]
                    Op::JumpNotLtImm => branch_imm!(x, y, !(x < y)),
                    #[allow(clippy::neg_cmp_op_on_partial_ord)]
                    Op::JumpNotLeImm => branch_imm!(x, y, !(x <= y)),
                    #[allow(clippy::neg_cmp_op_on_partial_ord)]
                    Op::JumpNotGtImm => branch_imm!(x, y, !(x > y)),
                    #[allow(clippy::neg_cmp_op_on_partial_ord)]
                    Op::JumpNotGeImm => branch_imm!(x, y, !(x >= y)),
                    Op::ForLoop => {
                        // a: the int last given out; a+1: how many are left; both payloads under fixed tags.
                        let at = a!();
                        let left = (*at.add(1)).payload;
                        if left != 0 {
                            (*at.add(1)).payload = left - 1;
                            let next = ((*at).payload as i64).wrapping_add(1);
                            (*at).payload = next as u64;
                            put(at.add(2), Value::int(next));
                            jump!();
                        }
                        next!();
                    }
                    Op::IterLoop => {
                        let at = a!();
                        if (*at).word == LIST {
                            let items = &(*((*at).payload as *const ListCell)).items;
                            let index = (*at.add(1)).payload as usize;
                            if index < items.len() {
                                (*at.add(1)).payload = index as u64 + 1;
                                copy(b!(), items.as_ptr().add(index));
                                jump!();
                            }
                            drop(take(at));
                            next!();
                        }
                        break 'slow;
                    }

                    // Data and access.
                    Op::ListPush => {
                        let list = a!();
                        if (*list).word == LIST && (*list).is_unique() {
                            let items = &mut (*((*list).payload as *mut ListCell)).items;
                            let len = items.len();
                            if len < items.capacity() {
                                items.as_mut_ptr().add(len).write(take(b!()));
                                items.set_len(len + 1);
                                next!();
                            }
                            if middle::grow(vm, list, b!()) {
                                next!();
                            }
                        }
                        break 'slow;
                    }
                    Op::GetField => get_field!(),
                    Op::MulFields => {
                        if fused::mul_fields(base, code, ins, *pc.add(1)) {
                            skip!(1);
                        }
                        get_field!()
                    }
                    Op::SetField => {
                        let to = a!();
                        if (*to).word | 1 == STRUCT {
                            let cell = (*to).payload as *mut SlotsCell;
                            let cache = (*code).caches.add(ins.index());
                            if (*cell).descriptor == (*cache).shape.get().cast() {
                                let index = (*cache).slot.get() as usize;
                                let slot = SlotsCell::slot(cell, index);
                                if (*to).is_unique() && !(*slot).is_counted() {
                                    slot.write(take(b!()));
                                } else {
                                    middle::set_slot(to, index, b!());
                                }
                                next!();
                            }
                        }
                        break 'slow;
                    }
                    Op::GetIndex => get_index!(),
                    Op::GetItemOfItem => {
                        if fused::item_of_item(base, ins, *pc.add(1)) {
                            skip!(1);
                        }
                        get_index!()
                    }
                    Op::GetFieldOfItem => {
                        if fused::field_of_item(base, code, ins, *pc.add(1)) {
                            skip!(2);
                        }
                        get_index!()
                    }
                    Op::SetIndex => {
                        let (to, key) = (a!(), b!());
                        if (*to).word == LIST && (*key).word == INT {
                            let cell = (*to).payload as *mut ListCell;
                            let index = (*key).payload as usize;
                            if index < (&(*cell).items).len() {
                                if (*to).is_unique() {
                                    let slot = (&mut (*cell).items).as_mut_ptr().add(index);
                                    if (*slot).is_counted() {
                                        middle::replace(slot, c!());
                                    } else {
                                        slot.write(take(c!()));
                                    }
                                } else {
                                    middle::set_item(to, index, c!());
                                }
                                next!();
                            }
                        }
                        if is_dict(to) && is_text(key) {
                            middle::dict_set(to, key, c!(), ins.d() & 1 != 0);
                            next!();
                        }
                        break 'slow;
                    }
                    Op::SetPath => {
                        if let Some(Linked::Path(steps)) = (&(*(*code).unit).linked).get(ins.index())
                            && middle::set_path(steps, a!(), c!(), b!())
                        {
                            next!();
                        }
                        break 'slow;
                    }
                    Op::List => {
                        let value = middle::list_literal(b!(), ins.index());
                        put(a!(), value);
                        next!();
                    }
                    Op::DictLit => match middle::dict_literal(code, ins.index(), b!()) {
                        Some(value) => {
                            put(a!(), value);
                            next!();
                        }
                        None => break 'slow,
                    },
                    Op::EnumNew => {
                        let Some(Linked::Variant(variant)) = (&(*(*code).unit).linked).get(ins.index())
                        else {
                            break 'slow;
                        };
                        let value = middle::enum_value(variant, b!(), usize::from(ins.c()));
                        put(a!(), value);
                        next!();
                    }
                    Op::Closure => {
                        let callee = (*code).functions.add(ins.index());
                        let value = middle::closure(callee, b!(), usize::from(ins.c()));
                        put(a!(), value);
                        next!();
                    }
                    Op::Concat => match middle::concat(vm, b!(), usize::from(ins.c())) {
                        Some(value) => {
                            put(a!(), value);
                            next!();
                        }
                        None => break 'slow,
                    },
                    Op::EnumField => {
                        let from = b!();
                        if (*from).word == ENUM {
                            let cell = (*from).payload as *mut SlotsCell;
                            if u32::from(ins.c()) < (*cell).len {
                                copy(a!(), SlotsCell::slot(cell, usize::from(ins.c())));
                                next!();
                            }
                        }
                        break 'slow;
                    }
                    Op::TestVariant => {
                        let value = b!();
                        let answer = (*value).word == ENUM
                            && matches!((&(*(*code).unit).linked).get(ins.index()),
                            Some(Linked::Variant(variant)) if std::ptr::eq(
                                *variant,
                                (*((*value).payload as *const SlotsCell)).descriptor.cast()
                            ));
                        put(a!(), Value::bool(answer));
                        next!();
                    }

                    // Calls.
                    Op::CallFn => enter!((*code).functions.add(ins.index()), a!()),
                    Op::Call => {
                        let window = a!();
                        if (*window).word == CLOSURE {
                            enter!((*((*window).payload as *const SlotsCell)).descriptor.cast(), window);
                        }
                        break 'slow;
                    }
                    Op::CallReg => {
                        let (window, closure) = (a!(), c!());
                        if (*closure).word == CLOSURE {
                            put(window, code::borrowed(&*closure));
                            enter!((*((*closure).payload as *const SlotsCell)).descriptor.cast(), window);
                        }
                        break 'slow;
                    }
                    Op::CallImport => {
                        let callee = (*(&(*(*code).unit).link.imports).as_ptr().add(ins.index())).get();
                        if callee.is_null() {
                            break 'slow;
                        }
                        enter!(callee, a!())
                    }
                    Op::CallMethod => {
                        let window = a!();
                        let kind = (*window.add(1)).tag();
                        let cache = (*code).caches.add(ins.index());
                        let cached = (*cache).method.get();
                        if cached.tag == kind
                            && let Resolved::Code(callee) = cached.found
                            && (kind != tag::STRUCT
                                || (*((*window.add(1)).payload as *const SlotsCell)).descriptor
                                    == (*cache).shape.get().cast())
                        {
                            enter!(callee, window, 1);
                        }
                        break 'slow;
                    }
                    Op::Return => {
                        let from = a!();
                        let (word, payload) = ((*from).word, (*from).payload);
                        (*from).word = 0;
                        leave!(word, payload)
                    }
                    Op::ReturnNil => leave!(0, 0),

                    Op::GetWide
                    | Op::TakeWide
                    | Op::SetWide
                    | Op::LoadFn
                    | Op::LoadImport
                    | Op::LoadBuiltin
                    | Op::LoadSelf
                    | Op::CellNew
                    | Op::CellGet
                    | Op::CellSet
                    | Op::Pow
                    | Op::Neg
                    | Op::Truthy
                    | Op::In
                    | Op::NotIn
                    | Op::ForPrep
                    | Op::IterInit
                    | Op::ListAppend
                    | Op::ListExtend
                    | Op::DictNew
                    | Op::DictSet
                    | Op::DictMerge
                    | Op::StructLit
                    | Op::StructDict
                    | Op::EnumList
                    | Op::Range
                    | Op::GetFieldOpt
                    | Op::TakeField
                    | Op::GetIndexOpt
                    | Op::TakeIndex
                    | Op::Slice
                    | Op::DictRest
                    | Op::ListRest
                    | Op::Unpair
                    | Op::CallBuiltin
                    | Op::CallSpread
                    | Op::CallFnSpread
                    | Op::CallImportSpread
                    | Op::CallBuiltinSpread
                    | Op::CallMethodSpread
                    | Op::TailCall
                    | Op::TailCallFn
                    | Op::TailCallImport
                    | Op::Throw
                    | Op::Raise
                    | Op::CatchValue
                    | Op::TestError
                    | Op::TestRetry
                    | Op::Propagate
                    | Op::TestDict
                    | Op::TestList
                    | Op::TestListExact
                    | Op::TestStruct
                    | Op::CheckDict
                    | Op::CheckList
                    | Op::CheckParam
                    | Op::Yield
                    | Op::Spawn
                    | Op::Parallel
                    | Op::Select
                    | Op::DeadlinePush
                    | Op::DeadlinePop
                    | Op::MutexEnter
                    | Op::MutexExit
                    | Op::Probe
                    | Op::Halt
                    | Op::Deliver => break 'slow,
                }
            }
            // The one cold call. It costs fuel, since it may be a call or a jump.
            save(fiber, pc.add(1), base, frame);
            if !slow::execute(vm, fiber, ins) {
                return;
            }
            load!();
            fuel -= 1;
            if fuel < 0 {
                break 'run;
            }
        }
        save(fiber, pc, base, frame);
    }
}

/// Writes the position back into the fiber.
#[inline(always)]
fn save(fiber: &mut Fiber, pc: *const Instruction, base: *mut Value, frame: *mut Frame) {
    let strand = &mut *fiber.strand;
    // SAFETY: base and frame point into the strand's stacks.
    unsafe {
        (*frame).pc = pc;
        strand.top = frame.offset_from(strand.frames.as_ptr()) as usize;
        strand.base = base.offset_from(strand.registers.as_ptr()) as usize;
    }
}
