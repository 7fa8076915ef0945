//! What the cache of compiled code gives back, and when it does not.

use harn_runtime::code_cache::CodeCache;
use harn_runtime::program::{self, Options, Program};
use harn_types::graph::{InMemory, SourceLoader};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A cache in memory that counts what was found.
#[derive(Debug, Default)]
struct Memory {
    files: RefCell<HashMap<String, Vec<u8>>>,
    writes: RefCell<usize>,
}

impl CodeCache for Memory {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.files.borrow().get(key).cloned()
    }
    fn put(&self, key: &str, bytes: &[u8]) {
        *self.writes.borrow_mut() += 1;
        self.files.borrow_mut().insert(key.to_owned(), bytes.to_vec());
    }
}

/// The program and a library whose function returns `number`.
fn files(number: i32) -> InMemory {
    let library = format!("pub fn helper() {{ return {number} }}");
    InMemory::new(harn_stdlib::std_module).with("main.harn", main_text()).with("lib.harn", library)
}

fn load(files: &mut InMemory, cache: &Rc<Memory>) -> Program {
    let text = files.read("main.harn").unwrap();
    let options = Options { cache: Some(cache.clone()), ..Options::default() };
    match program::load("main.harn", text, files, options) {
        Ok(program) => program,
        Err(_) => panic!("the program does not load"),
    }
}

/// Long enough to be kept; a warning at the call of `len`; one import.
fn main_text() -> String {
    format!(
        "import \"lib\"\n{}fn f() {{ return len(1, 2) }}\nhelper()\n",
        "// a line that makes it long\n".repeat(200)
    )
}

#[test]
fn a_second_load_takes_the_code_and_the_warnings_of_the_first() {
    let cache = Rc::new(Memory::default());
    let mut files = files(1);
    let first = load(&mut files, &cache);
    let writes = *cache.writes.borrow();
    let second = load(&mut files, &cache);
    assert_eq!((writes, *cache.writes.borrow()), (1, 1));
    assert!(!first.warnings.is_empty());
    assert_eq!(first.warnings, second.warnings);
    assert_eq!(first.vm.module("/memory/main.harn").unwrap(), second.vm.module("/memory/main.harn").unwrap());
    assert_eq!(first.vm.module("/memory/lib.harn").unwrap(), second.vm.module("/memory/lib.harn").unwrap());
    // Reports need the sources, in the same places.
    let sources = |program: &Program| {
        let modules = program.graph.modules.iter();
        modules.map(|m| (m.key.to_string(), m.source.text().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(sources(&first), sources(&second));
    assert_eq!(first.graph.entry, second.graph.entry);
}

#[test]
fn a_changed_import_is_compiled_anew() {
    let cache = Rc::new(Memory::default());
    load(&mut files(1), &cache);
    let second = load(&mut files(2), &cache);
    assert_eq!(*cache.writes.borrow(), 2);
    let code = harn_bytecode::disassemble(&second.vm.module("/memory/lib.harn").unwrap());
    assert!(code.contains("Int            r1 2"), "{code}");
}

#[test]
fn bytes_that_were_changed_are_not_used() {
    let cache = Rc::new(Memory::default());
    let mut files = files(1);
    let first = load(&mut files, &cache);
    for at in [0, 70, 200] {
        for bytes in cache.files.borrow_mut().values_mut() {
            bytes[at] ^= 1;
        }
        let again = load(&mut files, &cache);
        assert_eq!(
            first.vm.module("/memory/lib.harn").unwrap(),
            again.vm.module("/memory/lib.harn").unwrap()
        );
    }
    assert_eq!(*cache.writes.borrow(), 4);
}

#[test]
fn a_program_with_errors_is_not_kept() {
    let cache = Rc::new(Memory::default());
    let text = format!("{}let n: int = \"three\"\n", "// a line that makes it long\n".repeat(200));
    for _ in 0..2 {
        let options = Options { cache: Some(cache.clone()), ..Options::default() };
        let refused =
            program::load("main.harn", text.clone(), &mut InMemory::new(harn_stdlib::std_module), options);
        assert!(matches!(refused, Err(program::Refusal::Static(..))));
    }
    assert_eq!(*cache.writes.borrow(), 0);
}
