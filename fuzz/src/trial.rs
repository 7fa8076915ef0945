//! One input through every stage.

use harn_fmt::{Options as FmtOptions, Refusal as FmtRefusal};
use harn_runtime::program::{self, Options, Refusal};
use harn_syntax::{Source, dump_ast, render};
use harn_types::graph::load_text;
use harn_types::lint::{LintOptions, lint};
use harn_vm::Limits;

use harn_sim::World;
use std::cell::RefCell;
use std::rc::Rc;

/// The name of the input.
const PATH: &str = "fuzz.harn";

/// Tries an input: how far it came, or what it found. A panic is the caller's to see.
pub fn run(text: &str) -> Result<&'static str, String> {
    front_end(text)?;
    let limits = Limits { depth: 2_000, heap_bytes: 64 << 20, ..Limits::default() };
    let program = match program::load(
        PATH,
        text.to_owned(),
        &mut harn_sim::library(),
        Options { limits, ..Options::default() },
    ) {
        Ok(program) => program,
        Err(Refusal::Static(..)) => return Ok("refused"),
        Err(Refusal::Compile(..)) => return Ok("uncompiled"),
        Err(Refusal::Unreadable(_)) => return Ok("unreadable"),
        Err(Refusal::Start(_, error)) => {
            let message = error.raw_message();
            return match message.contains("invalid code") {
                true => Err(format!("FINDING the verifier refuses compiled code: {message}")),
                false => Ok("unstarted"),
            };
        }
    };
    harn_sim::start(program.vm, program.root, &aging_world()).drive();
    Ok("ran")
}

/// A world in which a program that does not end by itself is told to, after three looks outside.
pub fn aging_world() -> Rc<RefCell<World>> {
    Rc::new(RefCell::new(World { patience_ms: Some(3 * harn_sim::LOOK_MS), ..World::default() }))
}

/// Everything before the run: parser, renderer, formatter, checker, lints.
pub fn front_end(text: &str) -> Result<(), String> {
    let source = Source::new(PATH, text.to_owned());
    let parsed = harn_syntax::parse(&source);
    for diagnostic in &parsed.diagnostics {
        render(diagnostic, &source, false);
    }
    let dump = dump_ast(&parsed.ast);
    if !parsed.has_errors() {
        let indented = |line: &str| line.len() - line.trim_start().len();
        let height = dump.lines().map(indented).max().unwrap_or(0);
        formatter_laws(&source, height < MODERATE)?;
    }
    let graph = load_text(PATH, text.to_owned(), &mut harn_sim::library());
    harn_types::check(&graph);
    lint(&graph, graph.entry, &LintOptions::default());
    Ok(())
}

/// Blanks before the innermost line of a dumped tree that is not near the parser's limit of depth: what the formatter
/// adds in parentheses cannot break that limit.
const MODERATE: usize = 200;

/// Formatted text is the same program, and formatting it again changes nothing (spec 01).
fn formatter_laws(source: &Source, moderate: bool) -> Result<(), String> {
    let once = match harn_fmt::format(source, FmtOptions::default()) {
        Ok(once) => once,
        // Also what becomes of a panic on the formatter's own thread.
        Err(FmtRefusal::Unfaithful) if moderate => {
            return Err("FINDING formatting is not faithful".to_owned());
        }
        Err(_) => return Ok(()),
    };
    match harn_fmt::format(&Source::new(PATH, once.clone()), FmtOptions::default()) {
        Ok(twice) if twice == once => Ok(()),
        Ok(_) => Err("FINDING formatting twice differs from formatting once".to_owned()),
        Err(_) => Err("FINDING formatted text is no program".to_owned()),
    }
}
