//! Every operation in full: what the step loop does not do in its own arm. It works on the saved position of the
//! fiber, so it may fail, wait, push frames or switch strands.

use harn_bytecode::{Const, Instruction, Op, ParallelKind, RaiseKind};

use super::access;
use super::call::owned_closure;
use super::call::spread_then;
use super::check::check_param;
use super::construct::{concat, dict_literal, extend, merge, push_slow, struct_from_dict, struct_literal};
use super::fiber::{Delivery, Fiber};
use super::middle::{self, forget};
use super::operate;
use super::registers::{copy, put, take};
use super::unwind::with_raw_error;
use super::{Next, Vm, iterate, operands, sites};
use crate::error::{ErrorKind, VmError};
use crate::native::ControlOp;
use crate::value::code::{self, Code, Linked, Resolved};
use crate::value::slots::SlotsCell;
use crate::value::{Value, View, display, shape, tag};

type Result<T> = std::result::Result<T, Box<VmError>>;

const LIST: u64 = tag::LIST as u64;

/// Executes one instruction. False: the step ends, for the reason in `fiber.exit`.
///
/// # Safety
/// The fiber belongs to `vm`, its position is saved, and `ins` is the verified instruction before it.
#[cold]
#[inline(never)]
pub(super) unsafe fn execute(vm: &mut Vm, fiber: &mut Fiber, ins: Instruction) -> bool {
    // SAFETY: see above.
    let result = unsafe { operation(vm, fiber, ins) };
    let next = match result {
        Ok(next) => next,
        Err(error) => vm.unwind(fiber, error),
    };
    match next {
        Next::Go => true,
        Next::Exit(exit) => {
            fiber.exit = Some(exit);
            false
        }
    }
}

/// # Safety
/// As [`execute`].
unsafe fn operation(vm: &mut Vm, fiber: &mut Fiber, ins: Instruction) -> Result<Next> {
    let strand = &mut *fiber.strand;
    // SAFETY (to the end of the function): registers, jumps, constants and the rest of the operands were verified; the
    // window of the frame lies inside the register stack; dead registers hold nothing counted.
    let base = unsafe { strand.registers.as_mut_ptr().add(strand.base) };
    let code = strand.frames[strand.top].code;
    let op = ins.op().plain();
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
    macro_rules! window {
        ($a:expr) => {
            fiber.strand.base + usize::from($a)
        };
    }
    macro_rules! jump {
        ($ins:expr) => {{
            let frame = &mut fiber.strand.frames[fiber.strand.top];
            frame.pc = frame.pc.offset($ins.d() as isize);
            return Ok(Next::Go);
        }};
    }
    macro_rules! branch {
        ($base:expr, $negate:expr) => {{
            if operands::compare(vm, $base, b!(), c!(), u32::from(ins.a()))? != $negate {
                jump!(ins);
            }
        }};
    }
    macro_rules! branch_imm {
        ($base:expr, $swap:expr, $negate:expr) => {{
            if operands::compare_immediate(vm, $base, a!(), ins.imm16(), $swap)? != $negate {
                jump!(ins);
            }
        }};
    }
    // SAFETY: see above.
    unsafe {
        match op {
            // Loads and moves.
            Op::Nil => put(a!(), Value::NIL),
            Op::Bool => put(a!(), Value::bool(ins.d() != 0)),
            Op::Int => put(a!(), Value::int(i64::from(ins.d()))),
            Op::Const => copy(a!(), (*code).values.add(ins.index())),
            Op::Move => copy(a!(), b!()),
            Op::Take => {
                let value = take(b!());
                put(a!(), value);
            }
            Op::Drop => drop(take(a!())),
            Op::GetWide => copy(a!(), base.add(ins.index())),
            Op::TakeWide => {
                let value = take(base.add(ins.index()));
                put(a!(), value);
            }
            Op::SetWide => {
                let value = take(a!());
                *base.add(ins.index()) = value;
            }
            Op::GetGlobal => {
                let global = (*code).link().globals.at(ins.index());
                if (*global).is_absent() {
                    vm.note_global((*code).unit(), ins.index(), false);
                    return Err(uninitialised(code, ins.index()));
                }
                copy(a!(), global);
            }
            Op::TakeGlobal => {
                let global = (*code).link().globals.at(ins.index());
                if (*global).is_absent() {
                    vm.note_global((*code).unit(), ins.index(), false);
                    return Err(uninitialised(code, ins.index()));
                }
                let value = take(global);
                put(a!(), value);
            }
            Op::SetGlobal => {
                let value = take(a!());
                let global = (*code).link().globals.at(ins.index());
                if (*global).is_absent() {
                    vm.note_global((*code).unit(), ins.index(), true);
                }
                *global = value;
            }
            Op::LoadFn => {
                let value = vm.function_value((*code).functions.add(ins.index()));
                put(a!(), value);
            }
            Op::LoadImport => {
                let found = vm.import((*code).unit(), ins.index())?;
                let value = vm.function_value(found);
                put(a!(), value);
            }
            Op::LoadBuiltin => {
                let value = vm.builtin_value((*code).unit(), ins.index())?;
                put(a!(), value);
            }
            Op::Closure => {
                let (from, count) = (b!(), usize::from(ins.c()));
                let value = code::closure((*code).functions.add(ins.index()), from, count);
                forget(from, count);
                put(a!(), value);
            }
            Op::GetCapture => {
                let captures = SlotsCell::slot((*base).payload as *mut SlotsCell, ins.index());
                copy(a!(), captures);
            }
            Op::LoadSelf => {
                let value = match (*base).tag() {
                    tag::BORROWED => owned_closure(&*base),
                    tag::CLOSURE => (*base).clone(),
                    _ => vm.function_value(code),
                };
                put(a!(), value);
            }
            Op::CellNew => {
                let cell = vm.new_cell();
                put(a!(), cell);
            }
            Op::CellGet => {
                is_cell(&*b!())?;
                let value = (*b!()).cell_cell().value.borrow().clone();
                put(a!(), value);
            }
            Op::CellSet => {
                let value = take(b!());
                is_cell(&*a!())?;
                drop((*a!()).cell_cell().value.replace(value));
            }

            // Arithmetic and comparison.
            Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem | Op::Pow => {
                operands::binary(vm, op, a!(), b!(), c!(), ins.d() as u32)?;
            }
            Op::AddImm | Op::SubImm | Op::MulImm | Op::DivImm | Op::RemImm => {
                operands::immediate(vm, op, a!(), b!(), i64::from(ins.d()), ins.c() & 1 != 0)?;
            }
            Op::AddFloat | Op::SubFloat | Op::MulFloat | Op::DivFloat => {
                let op = match op {
                    Op::AddFloat => Op::Add,
                    Op::SubFloat => Op::Sub,
                    Op::MulFloat => Op::Mul,
                    _ => Op::Div,
                };
                let constant = (*code).values.add(ins.index()).cast_mut();
                operands::binary(vm, op, a!(), b!(), constant, u32::from(ins.c()) & 1)?;
            }
            Op::AddField | Op::SubField | Op::MulField => {
                let op = match op {
                    Op::AddField => Op::Add,
                    Op::SubField => Op::Sub,
                    _ => Op::Mul,
                };
                let mut value = sites::get_field(&*code, ins.site(), &*c!(), false)?;
                operands::binary(vm, op, a!(), b!(), &mut value, u32::from(ins.site_bits()) & 1)?;
            }
            Op::Neg => {
                let x = b!();
                let answer = operate::negate(&*x);
                if ins.c() & 1 != 0 {
                    drop(take(x));
                }
                let value = answer?;
                put(a!(), value);
            }
            Op::Not | Op::Truthy => {
                let x = b!();
                let answer = (*x).truthy() == (op == Op::Truthy);
                if ins.c() & 1 != 0 {
                    drop(take(x));
                }
                put(a!(), Value::bool(answer));
            }
            Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::In | Op::NotIn => {
                operands::binary(vm, op, a!(), b!(), c!(), ins.d() as u32)?;
            }

            // Branches.
            Op::Jump => jump!(ins),
            Op::JumpIf => {
                let x = a!();
                let answer = (*x).truthy();
                if ins.b() & 1 != 0 {
                    drop(take(x));
                }
                if answer {
                    jump!(ins);
                }
            }
            Op::JumpIfNot => {
                let x = a!();
                let answer = (*x).truthy();
                if ins.b() & 1 != 0 {
                    drop(take(x));
                }
                if !answer {
                    jump!(ins);
                }
            }
            Op::JumpNil => {
                if (*a!()).is_nil() {
                    jump!(ins);
                }
            }
            Op::JumpNotNil => {
                if !(*a!()).is_nil() {
                    jump!(ins);
                }
            }
            Op::JumpPresent => {
                if !(*a!()).is_absent() {
                    jump!(ins);
                }
            }
            Op::JumpEq => branch!(Op::Eq, false),
            Op::JumpNe => branch!(Op::Eq, true),
            Op::JumpLt => branch!(Op::Lt, false),
            Op::JumpLe => branch!(Op::Le, false),
            Op::JumpNotLt => branch!(Op::Lt, true),
            Op::JumpNotLe => branch!(Op::Le, true),
            Op::JumpEqImm => branch_imm!(Op::Eq, false, false),
            Op::JumpNeImm => branch_imm!(Op::Eq, false, true),
            Op::JumpLtImm => branch_imm!(Op::Lt, false, false),
            Op::JumpLeImm => branch_imm!(Op::Le, false, false),
            Op::JumpGtImm => branch_imm!(Op::Lt, true, false),
            Op::JumpGeImm => branch_imm!(Op::Le, true, false),
            Op::JumpNotLtImm => branch_imm!(Op::Lt, false, true),
            Op::JumpNotLeImm => branch_imm!(Op::Le, false, true),
            Op::JumpNotGtImm => branch_imm!(Op::Lt, true, true),
            Op::JumpNotGeImm => branch_imm!(Op::Le, true, true),
            Op::ForPrep => {
                let at = a!();
                if !iterate::for_prep(at, ins.c() & 1 != 0)? {
                    jump!(ins);
                }
            }
            Op::ForLoop => {
                // a: the int last given out; a+1: how many are left; both payloads under fixed tags.
                let at = a!();
                let left = (*at.add(1)).payload;
                if left != 0 {
                    (*at.add(1)).payload = left - 1;
                    let next = ((*at).payload as i64).wrapping_add(1);
                    (*at).payload = next as u64;
                    put(at.add(2), Value::int(next));
                    jump!(ins);
                }
            }
            Op::IterInit => {
                let source = take(b!());
                iterate::check_iterable(&source)?;
                let at = a!();
                put(at, source);
                at.add(1).write(Value::raw_number(0));
            }
            Op::IterLoop => return vm.iter_loop(fiber, window!(ins.a())),

            // Building data.
            Op::List => {
                let value = middle::list_literal(b!(), ins.index());
                put(a!(), value);
            }
            Op::ListPush => {
                let (list, item) = (a!(), b!());
                if (*list).word == LIST {
                    return push_slow(vm, list, item).map(|()| Next::Go);
                }
                let (receiver, argument) = (take(list), take(item));
                // A method name of the VM's own: no site, so no cache.
                let cache = code::Cache::default();
                return vm.push_method(fiber, &cache, receiver, argument, window!(ins.a()));
            }
            Op::ListAppend => {
                let item = take(b!());
                (*a!()).list_push(item);
            }
            Op::ListExtend => {
                let more = take(b!());
                extend(vm, &mut *a!(), more)?;
            }
            Op::DictLit => {
                let value = dict_literal(&*code, ins.index(), b!());
                put(a!(), value);
            }
            Op::DictNew => put(a!(), Value::dict::<&str>([])),
            Op::DictSet => {
                let value = take(c!());
                let key = b!();
                match (*key).as_str() {
                    Some(_) => (*a!()).dict_set_value(&*key, value),
                    None => (*a!()).dict_set(&display(&*key), value),
                }
                if ins.d() & 1 != 0 {
                    drop(take(key));
                }
            }
            Op::DictMerge => {
                let more = take(b!());
                merge(&mut *a!(), &more)?;
            }
            Op::StructLit => {
                let value = struct_literal(vm, &*code, ins.index(), b!())?;
                put(a!(), value);
            }
            Op::StructDict => {
                let from = take(b!());
                let value = struct_from_dict(vm, &*code, ins.index(), &from)?;
                put(a!(), value);
            }
            Op::EnumNew => {
                let Some(Linked::Variant(variant)) = linked(code, ins.index()) else { return Ok(Next::Go) };
                let descriptor: *const shape::Variant = *variant;
                let (from, count) = (b!(), usize::from(ins.c()));
                let value = SlotsCell::alloc_moved(tag::ENUM, descriptor.cast(), from, count);
                forget(from, count);
                put(a!(), value);
            }
            Op::EnumList => {
                let fields = take(b!()).into_list();
                let Some(Linked::Variant(variant)) = linked(code, ins.index()) else { return Ok(Next::Go) };
                let descriptor: *const shape::Variant = *variant;
                put(a!(), SlotsCell::alloc_from(tag::ENUM, descriptor.cast(), fields));
            }
            Op::Range => {
                let value = iterate::make_range(&*b!(), &*c!(), ins.d() & 1 != 0)?;
                put(a!(), value);
            }
            Op::Concat => {
                let value = concat(vm, b!(), usize::from(ins.c()));
                let value = value?;
                put(a!(), value);
            }

            // Access.
            Op::GetField => {
                let value = sites::get_field(&*code, ins.index(), &*b!(), false)?;
                put(a!(), value);
            }
            Op::GetFieldOpt => {
                let value = sites::get_field(&*code, ins.index(), &*b!(), true)?;
                put(a!(), value);
            }
            Op::SetField => {
                let value = take(b!());
                sites::set_field(&*code, ins.index(), &mut *a!(), value)?;
            }
            Op::TakeField => {
                let name = &(*code).function().sites[ins.index()].name;
                let from = &mut *b!();
                let answer = match from.entry_mut(name) {
                    Some(slot) => Ok(std::mem::take(slot)),
                    None => access::property(from, name),
                };
                let value = answer?;
                put(a!(), value);
            }
            Op::GetIndex | Op::GetIndexOpt => {
                let optional = op == Op::GetIndexOpt;
                sites::get_index(a!(), b!(), c!(), ins.d() as u32, optional)?;
            }
            Op::SetIndex => {
                let (to, key) = (a!(), b!());
                let value = take(c!());
                let answer = access::set_subscript(&mut *to, &*key, value);
                if ins.d() & 1 != 0 {
                    drop(take(key));
                }
                answer?;
            }
            Op::TakeIndex => {
                let value = sites::take_index(&mut *b!(), &*c!())?;
                put(a!(), value);
            }
            Op::SetPath => {
                let value = take(b!());
                sites::set_path(&*code, ins.index(), &mut *a!(), c!(), value)?;
            }
            Op::Slice => {
                let at = c!();
                let value = access::slice(&*b!(), &*at, &*at.add(1))?;
                put(a!(), value);
            }
            Op::EnumField => {
                let from = &*b!();
                let value = match from.view() {
                    View::Enum(e) => e.fields().get(usize::from(ins.c())).cloned(),
                    _ => None,
                };
                put(a!(), value.unwrap_or_default());
            }
            Op::DictRest => {
                let value = sites::dict_rest(&*code, ins.index(), &*b!());
                put(a!(), value);
            }
            Op::ListRest => {
                let from = &*b!();
                let items = match from.view() {
                    View::List(_) => from.list_cell().items.get(ins.index()..).map(<[Value]>::to_vec),
                    _ => None,
                };
                put(a!(), Value::list(items.unwrap_or_default()));
            }
            Op::Unpair => {
                let item = take(b!());
                let (first, second) = access::unpair(&item)?;
                put(a!(), first);
                put(a!().add(1), second);
            }

            // Calls.
            Op::CallFn => {
                let callee = (*code).functions.add(ins.index());
                let window = window!(ins.a());
                return vm.enter(fiber, callee, window, usize::from(ins.b()));
            }
            Op::Call => {
                let window = window!(ins.a());
                return vm.call_window(fiber, window, usize::from(ins.b()), ins.c() & 1 != 0);
            }
            Op::CallReg => {
                let (window, callee) = (a!(), c!());
                if (*callee).tag() == tag::CLOSURE {
                    put(window, code::borrowed(&*callee));
                } else {
                    copy(window, callee);
                }
                let window = window!(ins.a());
                return vm.call_window(fiber, window, usize::from(ins.b()), false);
            }
            Op::CallImport => {
                let mut callee = (&(*code).link().imports)[ins.index()].get();
                if callee.is_null() {
                    callee = vm.import((*code).unit(), ins.index())?;
                }
                let window = window!(ins.a());
                return vm.enter(fiber, callee, window, usize::from(ins.b()));
            }
            Op::CallBuiltin => {
                let mut found = (&(*code).link().builtins)[ins.index()].get();
                if let Resolved::Unknown = found {
                    found = vm.builtin((*code).unit(), ins.index())?;
                }
                let window = window!(ins.a());
                return vm.call_resolved(fiber, found, window, window + 1, usize::from(ins.b()));
            }
            Op::CallMethod => {
                let cache = &*(*code).caches.add(ins.index());
                let window = window!(ins.a());
                let name = &(*code).function().sites[ins.index()].name;
                return vm.call_method(fiber, cache, name, window, usize::from(ins.b()), ins.c() & 1 != 0);
            }
            Op::CallSpread => {
                let window = window!(ins.a());
                return spread_then(vm, fiber, window, window + 1, |vm, fiber, count| {
                    vm.call_window(fiber, window, count, ins.c() & 1 != 0)
                });
            }
            Op::CallFnSpread => {
                let callee = (*code).functions.add(ins.index());
                let window = window!(ins.a());
                return spread_then(vm, fiber, window, window + 1, |vm, fiber, count| {
                    vm.enter(fiber, callee, window, count)
                });
            }
            Op::CallImportSpread => {
                let found = vm.import((*code).unit(), ins.index())?;
                let window = window!(ins.a());
                return spread_then(vm, fiber, window, window + 1, |vm, fiber, count| {
                    vm.enter(fiber, found, window, count)
                });
            }
            Op::CallBuiltinSpread => {
                let found = vm.builtin((*code).unit(), ins.index())?;
                let window = window!(ins.a());
                return spread_then(vm, fiber, window, window + 1, |vm, fiber, count| {
                    vm.call_resolved(fiber, found, window, window + 1, count)
                });
            }
            Op::CallMethodSpread => {
                let cache = &*(*code).caches.add(ins.index());
                let name = &(*code).function().sites[ins.index()].name;
                let window = window!(ins.a());
                return spread_then(vm, fiber, window, window + 2, |vm, fiber, count| {
                    vm.call_method(fiber, cache, name, window, count, ins.c() & 1 != 0)
                });
            }
            Op::TailCall => {
                let window = window!(ins.a());
                let count = usize::from(ins.b());
                let window = vm.tail_window(fiber, window, count);
                let called = vm.call_window(fiber, window, count, ins.c() & 1 != 0);
                return vm.clear_on_error(fiber, called, window, count);
            }
            Op::TailCallFn | Op::TailCallImport => {
                let callee = if op == Op::TailCallFn {
                    (*code).functions.add(ins.index())
                } else {
                    vm.import((*code).unit(), ins.index())?
                };
                let window = window!(ins.a());
                let count = usize::from(ins.b());
                let window = vm.tail_window(fiber, window, count);
                let called = vm.enter(fiber, callee, window, count);
                return vm.clear_on_error(fiber, called, window, count);
            }
            // The loop does these itself.
            Op::Return | Op::ReturnNil | Op::LoosenGlobal | Op::LoosenAdd | Op::LoosenPush => {}

            // Errors, matching, checks.
            Op::Throw => {
                let value = take(a!());
                return Err(Vm::thrown(value));
            }
            Op::Raise => return Err(raise(&*code, ins)),
            Op::CatchValue => {
                let raw = take(b!());
                let value = with_raw_error(&raw, VmError::catch_value);
                put(a!(), value.unwrap_or_default());
            }
            Op::TestError => {
                let name = const_text(&*code, ins.index());
                let answer = with_raw_error(&*b!(), |error| match &error.kind {
                    ErrorKind::Thrown(value) => {
                        matches!(value.view(), View::Enum(e) if e.enum_name() == name)
                    }
                    _ => false,
                });
                put(a!(), Value::bool(answer.unwrap_or(false)));
            }
            Op::TestRetry => {
                let armed = fiber.deadlines.len();
                let answer = with_raw_error(&*b!(), |error| match error.kind {
                    ErrorKind::Cancelled => false,
                    ErrorKind::Deadline { level } => level >= armed,
                    _ => true,
                });
                put(a!(), Value::bool(answer.unwrap_or(true)));
            }
            Op::Propagate => {
                let value = take(b!());
                let (value, leaves) = propagate(value)?;
                put(a!(), value);
                if leaves {
                    jump!(ins);
                }
            }
            Op::TestVariant => {
                let value = b!();
                let answer = (*value).word == u64::from(tag::ENUM)
                    && matches!(linked(code, ins.index()), Some(Linked::Variant(variant))
                        if std::ptr::eq(*variant, (*value).slots_cell().descriptor.cast()));
                put(a!(), Value::bool(answer));
            }
            Op::Probe => vm.count_line((*code).unit, ins.index()),
            Op::TestDict => put(a!(), Value::bool((*b!()).is_dict())),
            Op::TestList => {
                let answer = (*b!()).word == LIST && (*b!()).list_cell().items.len() >= ins.index();
                put(a!(), Value::bool(answer));
            }
            Op::TestListExact => {
                let answer = (*b!()).word == LIST && (*b!()).list_cell().items.len() == ins.index();
                put(a!(), Value::bool(answer));
            }
            Op::TestStruct => {
                let name = const_text(&*code, ins.index());
                let answer = matches!((*b!()).view(), View::Struct(s) if s.name() == name);
                put(a!(), Value::bool(answer));
            }
            Op::CheckDict => {
                if !(*a!()).is_dict() {
                    return Err(access::cannot_destructure(&*a!(), "{...}", "dict"));
                }
            }
            Op::CheckList => {
                if (*a!()).word != LIST {
                    return Err(access::cannot_destructure(&*a!(), "[...]", "list"));
                }
            }
            Op::CheckParam => {
                if let Some(Const::Type(check)) = (*code).unit().module.consts.get(ins.index()) {
                    check_param(&*a!(), check)?;
                }
            }

            // Control that the scheduler takes part in.
            Op::Yield => {
                let item = take(b!());
                put(a!(), Value::NIL);
                return vm.yield_item(fiber, item);
            }
            Op::Spawn => {
                let (from, dst) = (window!(ins.b()), window!(ins.a()));
                return Ok(vm.ask_with(fiber, ControlOp::Spawn, from..from + 1, Delivery::Register(dst)));
            }
            Op::Parallel => {
                let at = window!(ins.a());
                let kind = ParallelKind::from_number(ins.c()).unwrap_or(ParallelKind::Count);
                let op = ControlOp::Parallel(kind);
                return Ok(vm.ask_with(fiber, op, at..at + 3, Delivery::Register(at)));
            }
            Op::Select => {
                let at = window!(ins.a());
                let channels = usize::from(ins.b());
                let timeout = ins.c() & 1 != 0;
                let op = ControlOp::Select { channels, timeout, default: ins.c() & 2 != 0 };
                let operands = at..at + channels + usize::from(timeout);
                return Ok(vm.ask_with(fiber, op, operands, Delivery::Select(at)));
            }
            Op::DeadlinePush => {
                let ms = match (*a!()).view() {
                    View::Duration(ms) | View::Int(ms) => ms.max(0),
                    _ => 30_000,
                };
                let end = (vm.clock)().saturating_add(ms);
                fiber.deadlines.push(end);
                if ms == 0 {
                    // Nothing may run in the block.
                    let expired = fiber.expire(end);
                    if let Some(error) = expired {
                        return Err(error);
                    }
                }
            }
            Op::DeadlinePop => {
                fiber.deadlines.pop();
            }
            Op::MutexEnter | Op::MutexExit => {
                let op = if op == Op::MutexEnter { ControlOp::MutexEnter } else { ControlOp::MutexExit };
                // The answer is not used: it goes to a register beyond the frame.
                let beyond = fiber.strand.frame_end();
                fiber.strand.ensure(beyond + 1);
                return Ok(vm.ask_with(fiber, op, 0..0, Delivery::Register(beyond)));
            }

            // Fused ones are their plain selves here.
            Op::GetItemOfItem
            | Op::GetFieldOfItem
            | Op::MulFields
            | Op::MulThenAdd
            | Op::MulImmThenAdd
            | Op::AddThenRem
            | Op::LoosenThenAdd => {}

            // The VM's own.
            Op::Halt => return vm.strand_end(fiber),
            Op::Deliver => {
                vm.finish_deliver(fiber);
            }
        }
    }
    Ok(Next::Go)
}

/// The verifier does not follow cells: a wrong register is an error.
fn is_cell(value: &Value) -> Result<()> {
    if value.tag() == tag::CELL { Ok(()) } else { Err(VmError::runtime("not a variable cell")) }
}

/// # Safety
/// The code is alive.
#[inline(always)]
unsafe fn linked<'a>(code: *const Code, index: usize) -> Option<&'a Linked> {
    // SAFETY (of the caller): the code is alive.
    unsafe { (*code).unit().linked.get(index) }
}

fn const_text(code: &Code, index: usize) -> &str {
    match code.unit().module.consts.get(index) {
        Some(Const::Str(text)) => text,
        _ => "",
    }
}

#[cold]
fn uninitialised(code: *const Code, index: usize) -> Box<VmError> {
    // SAFETY: the code of the running frame.
    let module = unsafe { &(*code).unit().module };
    let name = module.globals.get(index).map_or("", |g| &g.name);
    VmError::runtime(format!(
        "'{name}' of {} is read before it has a value (import cycle)",
        module.display_path
    ))
}

#[cold]
fn raise(code: &Code, ins: Instruction) -> Box<VmError> {
    let text = const_text(code, ins.index()).to_owned();
    match RaiseKind::from_number(ins.a()) {
        Some(RaiseKind::UndefinedVariable) => VmError::new(ErrorKind::UndefinedVariable(text)),
        Some(RaiseKind::UndefinedBuiltin) => VmError::new(ErrorKind::UndefinedBuiltin(text)),
        Some(RaiseKind::Immutable) => VmError::new(ErrorKind::Immutable(text)),
        Some(RaiseKind::Type) => VmError::ty(text),
        Some(RaiseKind::Runtime) | None => VmError::runtime(text),
    }
}

/// Postfix `?`: the inner value, or the Err and true.
fn propagate(value: Value) -> Result<(Value, bool)> {
    let inner = match value.view() {
        View::Enum(e) if e.enum_name() == "Result" => match e.variant() {
            "Ok" => Some(e.fields().first().cloned().unwrap_or_default()),
            "Err" => None,
            _ => return Err(not_a_result(&value)),
        },
        _ => return Err(not_a_result(&value)),
    };
    match inner {
        Some(inner) => Ok((inner, false)),
        None => Ok((value, true)),
    }
}

#[cold]
fn not_a_result(value: &Value) -> Box<VmError> {
    VmError::ty(format!("? operator requires a Result value, got {}", value.type_name()))
}
