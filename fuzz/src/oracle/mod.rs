//! The oracle: what a program means, written once more, as naively as possible.
//!
//! A walk over the syntax tree with values that are copied at every change, scopes that are copied at every capture,
//! and methods written from the chapters. It shares nothing with the compiler, the VM or the library but the tree; where
//! a chapter leaves a choice, or the construct is not a matter of evaluation (tasks, effects), it says
//! [`Ending::Unsure`] and the comparison is dropped. Source: spec 02.

mod access;
mod builtins;
mod call;
mod check;
mod compare;
mod coroutine;
mod evaluate;
mod execute;
mod iterate;
mod lists;
mod operate;
mod pattern;
mod scope;
mod tasks;
mod texts;
mod value;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use harn_syntax::ast::{Ast, Block, DeclKind, Names, StmtKind, TypeExpr};

use coroutine::Port;
use scope::{Register, Scope};
use value::{Code, Value, lock};

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The value of the program, displayed; `nil` for a script that does not return.
    Value(String),
    /// The raw message of an uncaught error.
    Failed(String),
    /// The oracle cannot tell.
    Unsure,
}

/// What a program printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Standard output.
    pub output: String,
    /// How it ended.
    pub ending: Ending,
}

/// Why a statement did not simply go on.
pub enum Flow {
    /// An error: what `catch` binds.
    Error(Value),
    /// `return`, or an `Err` that `?` hands on.
    Return(Value),
    Break,
    Continue,
    /// Nobody wants the rest of this generator.
    Abandoned,
    /// The oracle cannot tell.
    Unsure,
}

/// Stack of the threads that walk: address space, touched only where a program recurses.
const STACK: usize = 256 << 20;

/// Steps after which a program is taken to be endless.
const PATIENCE: u64 = 2_000_000;

/// Bytes of a text, or items of a list, that count as one step.
const STEP: u64 = 64;

/// Calls inside each other that the stack surely has room for.
const DEEPEST: u64 = 800;

/// The most that a program may print.
const LONGEST_OUTPUT: usize = 1 << 20;

fn thrown(text: impl AsRef<str>) -> Flow {
    Flow::Error(Value::str(text))
}

fn type_error(text: impl AsRef<str>) -> Flow {
    thrown(format!("Type error: {}", text.as_ref()))
}

fn runtime_error(text: impl AsRef<str>) -> Flow {
    thrown(format!("Runtime error: {}", text.as_ref()))
}

/// A program and what it has done so far.
pub struct Oracle {
    names: Names,
    output: Mutex<String>,
    steps: AtomicU64,
    /// Calls inside each other, at most.
    depth: AtomicU64,
    scopes: Register,
    /// Functions by the address of their body in the tree.
    codes: Mutex<HashMap<usize, Arc<Code>>>,
    enums: Vec<String>,
    /// Structs with their declared fields.
    structs: HashMap<String, Vec<String>>,
    /// Methods by struct or enum and name.
    methods: HashMap<(String, String), Value>,
    aliases: HashMap<String, TypeExpr>,
    interfaces: Vec<String>,
}

/// A function at work: where its `yield` goes.
#[derive(Clone)]
struct Activation {
    oracle: Arc<Oracle>,
    port: Option<Rc<Port>>,
}

/// Runs a program that parsed.
pub fn run(ast: Ast) -> Answer {
    let walk = std::thread::Builder::new().stack_size(STACK).spawn(move || whole(&ast));
    let answer = walk.ok().and_then(|thread| thread.join().ok());
    answer.unwrap_or_else(|| Answer { output: String::new(), ending: Ending::Unsure })
}

fn whole(ast: &Ast) -> Answer {
    let mut oracle = Oracle::new(ast);
    let top = oracle.scopes.make(None, None, true);
    oracle.declare_types(ast, &top);
    let oracle = Arc::new(oracle);
    let activation = Activation { oracle: oracle.clone(), port: None };
    let (outcome, script) = activation.program(ast, &top);
    oracle.scopes.let_go();
    let output = std::mem::take(&mut *lock(&oracle.output));
    let ending = match outcome {
        Ok(_) if script => Ending::Value("nil".to_owned()),
        Ok(value) | Err(Flow::Return(value)) => Ending::Value(value.display()),
        Err(Flow::Error(error)) => Ending::Failed(error.display()),
        Err(_) => Ending::Unsure,
    };
    Answer { output, ending }
}

impl Oracle {
    fn new(ast: &Ast) -> Oracle {
        Oracle {
            names: ast.names.clone(),
            output: Mutex::default(),
            steps: AtomicU64::new(0),
            depth: AtomicU64::new(0),
            scopes: Register::default(),
            codes: Mutex::default(),
            enums: vec!["Result".to_owned()],
            structs: HashMap::new(),
            methods: HashMap::new(),
            aliases: HashMap::new(),
            interfaces: Vec::new(),
        }
    }

    /// Types and methods belong to the file, whatever their place (spec 02 section 12).
    fn declare_types(&mut self, ast: &Ast, top: &Scope) {
        let names = &ast.names;
        for stmt in &ast.items {
            let StmtKind::Decl(decl) = &stmt.kind else { continue };
            match &decl.kind {
                DeclKind::Enum { name, .. } => self.enums.push(names.text(name.name).to_owned()),
                DeclKind::Struct { name, fields, .. } => {
                    let fields = fields.iter().map(|f| names.text(f.name.name).to_owned()).collect();
                    self.structs.insert(names.text(name.name).to_owned(), fields);
                }
                DeclKind::TypeAlias { name, ty, .. } => {
                    self.aliases.insert(names.text(name.name).to_owned(), ty.clone());
                }
                DeclKind::Interface(interface) => {
                    self.interfaces.push(names.text(interface.name.name).to_owned());
                }
                DeclKind::Impl { target, methods } => {
                    for method in methods {
                        let code = self.code_of_fn(&method.function);
                        let key = (
                            names.text(target.name).to_owned(),
                            names.text(method.function.name.name).to_owned(),
                        );
                        let value = self.scopes.close(code, top);
                        self.methods.insert(key, value);
                    }
                }
                _ => {}
            }
        }
    }

    fn print(&self, text: &str) -> Result<(), Flow> {
        let mut output = lock(&self.output);
        output.push_str(text);
        if output.len() > LONGEST_OUTPUT { Err(Flow::Unsure) } else { Ok(()) }
    }

    fn step(&self) -> Result<(), Flow> {
        self.steps(1)
    }

    fn steps(&self, count: u64) -> Result<(), Flow> {
        match self.steps.fetch_add(count, Ordering::Relaxed) {
            steps if steps > PATIENCE => Err(Flow::Unsure),
            _ => Ok(()),
        }
    }

    /// Counts a text or list that is made or worked through: a program that doubles one ends soon.
    fn weigh(&self, value: &Value) -> Result<(), Flow> {
        match operate::size(value) {
            size if size > operate::LARGE => Err(Flow::Unsure),
            size => self.steps(size as u64 / STEP),
        }
    }
}

impl Activation {
    /// The entry (spec 02 sections 8.3 and 15.1), and whether it is a script.
    fn program(&self, ast: &Ast, top: &Scope) -> (Result<Value, Flow>, bool) {
        let pipelines = || {
            ast.items.iter().filter_map(|stmt| match &stmt.kind {
                StmtKind::Decl(decl) => match &decl.kind {
                    DeclKind::Pipeline(pipeline) => Some(pipeline),
                    _ => None,
                },
                _ => None,
            })
        };
        let named = |wanted: &str| pipelines().find(|p| self.oracle.names.text(p.name.name) == wanted);
        let Some(entry) = named("default").or_else(|| pipelines().next()) else {
            let body = Block { stmts: ast.items.clone(), span: Default::default() };
            return (self.block(&body, top), true);
        };
        if entry.parent.is_some() {
            return (Err(Flow::Unsure), false);
        }
        self.hoist(&ast.items, top);
        for stmt in ast.items.iter().filter(|stmt| matches!(stmt.kind, StmtKind::Let(_))) {
            if let Err(flow) = self.statement(stmt, top, &mut Vec::new()) {
                return (Err(flow), false);
            }
        }
        let scope = self.oracle.scopes.inside(top);
        for param in &entry.params {
            scope.declare(param.name, Value::Nil, false);
        }
        (self.block(&entry.body, &scope), false)
    }
}
