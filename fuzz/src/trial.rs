//! One input through every stage.

use harn_fmt::{Options as FmtOptions, Refusal as FmtRefusal};
use harn_runtime::log_slot::LogSlot;
use harn_runtime::program::{self, Options, Refusal};
use harn_runtime::progress::Silent;
use harn_runtime::run::{Run, Surroundings};
use harn_runtime::service::RunInfo;
use harn_syntax::{Source, dump_ast, render};
use harn_types::graph::{InMemory, load_text};
use harn_types::lint::{LintOptions, lint};
use harn_vm::Limits;

use crate::world::Nowhere;

/// The name of the input.
const PATH: &str = "fuzz.harn";

/// Tries an input: how far it came, or what it found. A panic is the caller's to see.
pub fn run(text: &str) -> Result<&'static str, String> {
    front_end(text)?;
    let limits = Limits { depth: 2_000, heap_bytes: 64 << 20, strict: false };
    let program = match program::load(
        PATH,
        text.to_owned(),
        &mut InMemory::new(harn_stdlib::std_module),
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
    let surroundings = Surroundings {
        host: Box::new(Nowhere::default()),
        services: harn_runtime::services::all(),
        progress: Box::new(Silent),
        log: LogSlot::memory(),
        info: RunInfo::default(),
        env: Box::new(|_| None),
        stdout_is_terminal: false,
    };
    Run::new(program.vm, program.root, surroundings).drive();
    Ok("ran")
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
    let graph = load_text(PATH, text.to_owned(), &mut InMemory::new(harn_stdlib::std_module));
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
