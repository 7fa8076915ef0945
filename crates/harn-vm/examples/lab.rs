//! Hand-assembled programs for measuring the interpreter alone: `cargo run --release -p harn-vm --example lab -- NAME`.
//!
//! Names: fib, loop, rec, push, sieve, words, alloc. The bytecode is what a good compiler would emit; compare with the
//! same program in Lua (`docs` of the benchmarks say how).

use std::rc::Rc;

use harn_bytecode::{Assembler, Const, Function, Module, Op, Param, Pool};
use harn_vm::{Entry, Exit, Limits, Registry, Value, Vm};

fn function(name: &str, params: &[&str], registers: u16) -> Assembler {
    let params = params.iter().map(|p| Param { name: (*p).to_owned(), has_default: false }).collect();
    Assembler::new(Function { name: name.to_owned(), params, registers, ..Function::default() })
}

fn done(module: &mut Module, asm: Assembler) {
    module.functions.extend(asm.finish());
}

fn fib(module: &mut Module) {
    // fn fib(n) { if n < 2 { return n } return fib(n - 1) + fib(n - 2) }
    let mut f = function("fib", &["n"], 6);
    let small = f.label();
    f.jump_imm(Op::JumpLtImm, 1, 2, small);
    f.emit(Op::SubImm, 4, 1, 0, 1);
    f.emit(Op::CallFn, 3, 1, 0, 0);
    f.emit(Op::SubImm, 5, 1, 1, 2);
    f.emit(Op::CallFn, 4, 1, 0, 0);
    f.emit(Op::Add, 3, 3, 4, 3);
    f.emit(Op::Return, 3, 0, 0, 0);
    f.place(small);
    f.emit(Op::Return, 1, 0, 0, 0);
    done(module, f);
    let mut m = function("main", &[], 4);
    m.emit(Op::Int, 2, 0, 0, 30);
    m.emit(Op::CallFn, 1, 1, 0, 0);
    m.emit(Op::Return, 1, 0, 0, 0);
    done(module, m);
}

fn counting(module: &mut Module) {
    // t = 0; for i in 0 to 10_000_000 exclusive { t = (t + i * 3) % 1000003 }
    let mut m = function("main", &[], 8);
    m.emit(Op::Int, 1, 0, 0, 0);
    m.emit(Op::Int, 2, 0, 0, 0);
    m.emit(Op::Int, 3, 0, 0, 10_000_000);
    let end = m.label();
    m.jump(Op::ForPrep, 2, 0, 1, end);
    let top = m.place_new();
    m.emit(Op::MulImm, 5, 4, 0, 3);
    m.emit(Op::Add, 1, 1, 5, 3);
    m.emit(Op::RemImm, 1, 1, 1, 1_000_003);
    m.jump(Op::ForLoop, 2, 0, 0, top);
    m.place(end);
    m.emit(Op::Return, 1, 0, 0, 0);
    done(module, m);
}

fn record(module: &mut Module, pool: &mut Pool) {
    // r = {a: 1, b: 2, c: 3}; 5_000_000 times t = t + r.a + r.b + r.c
    let keys = pool.constant(module, Const::Keys(["a", "b", "c"].map(str::to_owned).to_vec()));
    let mut m = function("main", &[], 12);
    for i in 0..3 {
        m.emit(Op::Int, 8 + i, 0, 0, i32::from(i) + 1);
    }
    m.emit(Op::DictLit, 1, 8, 0, keys);
    m.emit(Op::Int, 2, 0, 0, 0);
    m.emit(Op::Int, 3, 0, 0, 0);
    m.emit(Op::Int, 4, 0, 0, 5_000_000);
    let end = m.label();
    m.jump(Op::ForPrep, 3, 0, 1, end);
    let top = m.place_new();
    for name in ["a", "b", "c"] {
        let site = m.site(name);
        m.emit(Op::GetField, 8, 1, 0, site);
        m.emit(Op::Add, 2, 2, 8, 3);
    }
    m.jump(Op::ForLoop, 3, 0, 0, top);
    m.place(end);
    m.emit(Op::Drop, 1, 0, 0, 0);
    m.emit(Op::Return, 2, 0, 0, 0);
    done(module, m);
}

fn push(module: &mut Module) {
    let mut m = function("main", &[], 8);
    m.emit(Op::List, 1, 2, 0, 0);
    m.emit(Op::Int, 2, 0, 0, 0);
    m.emit(Op::Int, 3, 0, 0, 5_000_000);
    let end = m.label();
    m.jump(Op::ForPrep, 2, 0, 1, end);
    let top = m.place_new();
    m.emit(Op::Move, 5, 4, 0, 0);
    m.emit(Op::ListPush, 1, 5, 0, 0);
    m.jump(Op::ForLoop, 2, 0, 0, top);
    m.place(end);
    let site = m.site("count");
    m.emit(Op::GetField, 5, 1, 0, site);
    m.emit(Op::Drop, 1, 0, 0, 0);
    m.emit(Op::Return, 5, 0, 0, 0);
    done(module, m);
}

fn sieve(module: &mut Module) {
    // n = 1_000_000 booleans; while loops
    let mut m = function("main", &[], 12);
    m.emit(Op::List, 1, 2, 0, 0);
    m.emit(Op::Int, 2, 0, 0, 0);
    m.emit(Op::Int, 3, 0, 0, 1_000_001);
    let filled = m.label();
    m.jump(Op::ForPrep, 2, 0, 1, filled);
    let fill = m.place_new();
    m.emit(Op::Bool, 5, 0, 0, 1);
    m.emit(Op::ListPush, 1, 5, 0, 0);
    m.jump(Op::ForLoop, 2, 0, 0, fill);
    m.place(filled);
    m.emit(Op::Int, 2, 0, 0, 0); // count
    m.emit(Op::Int, 3, 0, 0, 2); // i
    m.emit(Op::Int, 4, 0, 0, 1_000_000); // n
    let (test, next) = (m.label(), m.label());
    m.jump(Op::Jump, 0, 0, 0, test);
    let body = m.place_new();
    m.emit(Op::GetIndex, 6, 1, 3, 0);
    m.jump(Op::JumpIfNot, 6, 1, 0, next);
    m.emit(Op::AddImm, 2, 2, 1, 1);
    m.emit(Op::Add, 5, 3, 3, 0); // j = i + i
    let inner_test = m.label();
    m.jump(Op::Jump, 0, 0, 0, inner_test);
    let inner = m.place_new();
    m.emit(Op::Bool, 6, 0, 0, 0);
    m.emit(Op::SetIndex, 1, 5, 6, 0);
    m.emit(Op::Add, 5, 5, 3, 1);
    m.place(inner_test);
    m.jump(Op::JumpLe, 0, 5, 4, inner);
    m.place(next);
    m.emit(Op::AddImm, 3, 3, 1, 1);
    m.place(test);
    m.jump(Op::JumpLe, 0, 3, 4, body);
    m.emit(Op::Drop, 1, 0, 0, 0);
    m.emit(Op::Return, 2, 0, 0, 0);
    done(module, m);
}

fn words(module: &mut Module, pool: &mut Pool) {
    // d = {}; 500_000 times: k = "w${i * 7919 % 5000}"; d[k] = (d[k] ?? 0) + 1
    let w = pool.constant(module, Const::Str("w".to_owned()));
    let mut m = function("main", &[], 12);
    m.emit(Op::DictNew, 1, 0, 0, 0);
    m.emit(Op::Int, 2, 0, 0, 0);
    m.emit(Op::Int, 3, 0, 0, 500_000);
    let end = m.label();
    m.jump(Op::ForPrep, 2, 0, 1, end);
    let top = m.place_new();
    m.emit(Op::MulImm, 9, 4, 0, 7919);
    m.emit(Op::RemImm, 9, 9, 1, 5000);
    m.emit(Op::Const, 8, 0, 0, w);
    m.emit(Op::Concat, 5, 8, 2, 0);
    m.emit(Op::GetIndex, 8, 1, 5, 0);
    let have = m.label();
    m.jump(Op::JumpNotNil, 8, 0, 0, have);
    m.emit(Op::Int, 8, 0, 0, 0);
    m.place(have);
    m.emit(Op::AddImm, 9, 8, 1, 1);
    m.emit(Op::SetIndex, 1, 5, 9, 1);
    m.jump(Op::ForLoop, 2, 0, 0, top);
    m.place(end);
    let site = m.site("w42");
    m.emit(Op::GetField, 5, 1, 0, site);
    m.emit(Op::Drop, 1, 0, 0, 0);
    m.emit(Op::Return, 5, 0, 0, 0);
    done(module, m);
}

fn alloc(module: &mut Module, pool: &mut Pool) {
    // 3_000_000 times r = {x: i, y: 2}; t = t + r.x
    let keys = pool.constant(module, Const::Keys(["x", "y"].map(str::to_owned).to_vec()));
    let mut m = function("main", &[], 12);
    m.emit(Op::Int, 1, 0, 0, 0);
    m.emit(Op::Int, 2, 0, 0, 0);
    m.emit(Op::Int, 3, 0, 0, 3_000_000);
    let end = m.label();
    m.jump(Op::ForPrep, 2, 0, 1, end);
    let top = m.place_new();
    m.emit(Op::Move, 8, 4, 0, 0);
    m.emit(Op::Int, 9, 0, 0, 2);
    m.emit(Op::DictLit, 5, 8, 0, keys);
    let site = m.site("x");
    m.emit(Op::GetField, 6, 5, 0, site);
    m.emit(Op::Drop, 5, 0, 0, 0);
    m.emit(Op::Add, 1, 1, 6, 3);
    m.jump(Op::ForLoop, 2, 0, 0, top);
    m.place(end);
    m.emit(Op::Return, 1, 0, 0, 0);
    done(module, m);
}

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let mut module = Module { path: "lab".to_owned(), ..Module::default() };
    let mut pool = Pool::default();
    let expected = match name.as_str() {
        "fib" => {
            fib(&mut module);
            Value::int(832_040)
        }
        "loop" => {
            counting(&mut module);
            Value::int((0..10_000_000i64).fold(0, |t, i| (t + i * 3) % 1_000_003))
        }
        "rec" => {
            record(&mut module, &mut pool);
            Value::int(30_000_000)
        }
        "push" => {
            push(&mut module);
            Value::int(5_000_000)
        }
        "sieve" => {
            sieve(&mut module);
            Value::int(78_498)
        }
        "words" => {
            words(&mut module, &mut pool);
            Value::int(100)
        }
        "alloc" => {
            alloc(&mut module, &mut pool);
            Value::int((0..3_000_000i64).sum())
        }
        _ => {
            eprintln!("fib | loop | rec | push | sieve | words | alloc");
            return;
        }
    };
    let mut vm = Vm::new(Rc::new(Registry::new()), Limits::default());
    if let Err(refusal) = vm.load(module) {
        eprintln!("{refusal}");
        return;
    }
    let Ok(mut fiber) = vm.program("lab", Entry::Function("main"), Vec::new()) else { return };
    loop {
        match vm.step(&mut fiber, 20_000) {
            Exit::OutOfFuel => {}
            Exit::Done(value) => {
                if value != expected {
                    eprintln!("wrong: {value:?}, expected {expected:?}");
                    std::process::exit(1);
                }
                return;
            }
            Exit::Failed(error) => {
                eprintln!("{error}");
                std::process::exit(1);
            }
            _ => return,
        }
    }
}
