//! `harn profile`: where the time of a program goes, by function and by line, and as a flame graph.
//!
//! The run is looked at after every few hundred jumps and calls and around every effect; the time since the last look
//! belongs to the place where the program is found. In a loop without calls that is the line where the loop begins.

use super::Command;
use crate::modules::DiskModules;
use crate::quiet::Quiet;
use crate::session::{self, Session};
use crate::{output, report, source};
use clap::{Arg, ArgMatches};
use harn_runtime::program::{self, Options};
use harn_runtime::run::{Ending, Run, Sampler};
use harn_vm::TraceFrame;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "profile",
    aliases: &[],
    about: "Shows where the time of a program goes, by function and line; its output is discarded",
    args: |command| {
        command
            .arg(Arg::new("file").value_name("FILE").required(true).help("The program"))
            .arg(Arg::new("flame").long("flame").value_name("OUT.svg").help("Writes a flame graph"))
            .arg(
                Arg::new("top")
                    .long("top")
                    .value_name("N")
                    .value_parser(clap::value_parser!(u32))
                    .default_value("15")
                    .help("Rows of each table"),
            )
            .arg(Arg::new("args").value_name("ARGS").num_args(0..).last(true).help("The program's `argv`"))
    },
    run,
};

/// Nanoseconds by stack, outermost frame first, and by line.
#[derive(Default)]
struct Profile {
    stacks: BTreeMap<Vec<String>, u64>,
    lines: BTreeMap<(String, u32), u64>,
}

struct Looking {
    last: Instant,
    /// Where the program was found last.
    seen: Vec<TraceFrame>,
    profile: Rc<RefCell<Profile>>,
}

/// Jumps and calls between two looks: often enough for short functions, seldom enough not to be the cost itself. A prime,
/// so that it does not beat with loops.
const FUEL: u64 = 211;

impl Sampler for Looking {
    fn fuel(&self) -> u64 {
        FUEL
    }

    fn sample(&mut self, trace: Vec<TraceFrame>) {
        // A task that has just ended is nowhere any more.
        let trace = if trace.is_empty() { std::mem::take(&mut self.seen) } else { trace };
        let spent = u64::try_from(self.last.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let mut profile = self.profile.borrow_mut();
        if let Some(top) = trace.first() {
            *profile.lines.entry((top.path.clone(), top.line)).or_default() += spent;
        }
        let stack: Vec<String> = trace.iter().rev().map(name).collect();
        *profile.stacks.entry(stack).or_default() += spent;
        drop(profile);
        self.seen = trace;
        // What looking costs belongs to nobody.
        self.last = session::instant();
    }
}

fn name(frame: &TraceFrame) -> String {
    if frame.function.is_empty() {
        format!("(closure or body) {}", frame.path)
    } else {
        frame.function.clone()
    }
}

fn run(matches: &ArgMatches) -> ExitCode {
    let Some(path) = matches.get_one::<String>("file") else { return ExitCode::from(super::USAGE) };
    let text = match source::read(path) {
        Ok(text) => text,
        Err(problem) => {
            output::err(&format!("{problem}\n"));
            return ExitCode::FAILURE;
        }
    };
    let args = matches.get_many::<String>("args").map(|args| args.cloned().collect()).unwrap_or_default();
    let limits = match session::limits(path) {
        Ok(limits) => limits,
        Err(problem) => {
            output::error(&problem);
            return ExitCode::FAILURE;
        }
    };
    let options = Options { args, limits, ..Options::default() };
    let program = match program::load(path, text, &mut DiskModules::new(), options) {
        Ok(program) => program,
        Err(refusal) => {
            output::err(&report::refusal(&refusal));
            return ExitCode::FAILURE;
        }
    };
    let graph = program.graph.clone();
    let profile = Rc::new(RefCell::new(Profile::default()));
    let session = Session::new(path, Box::new(Quiet::new()));
    let surroundings = match session.surroundings() {
        Ok(surroundings) => surroundings,
        Err(problem) => {
            output::error(&problem);
            return ExitCode::FAILURE;
        }
    };
    let mut run = Run::new(program.vm, program.root, surroundings);
    run.sample_with(Box::new(Looking {
        last: session::instant(),
        seen: Vec::new(),
        profile: profile.clone(),
    }));
    let ending = run.drive();
    let profile = profile.borrow();
    let top = matches.get_one::<u32>("top").copied().unwrap_or(15) as usize;
    output::out(&tables(&profile, top));
    if let Some(file) = matches.get_one::<String>("flame") {
        if let Err(problem) = DiskModules::new().write(file, &flame(&profile.stacks)) {
            output::error(&format!("cannot write {file}: {problem}"));
            return ExitCode::FAILURE;
        }
        output::outln(&format!("flame graph written to {file}"));
    }
    match ending {
        Ending::Failed(error) => {
            output::err(&report::uncaught(&error, &graph));
            ExitCode::FAILURE
        }
        Ending::Suspended { .. } | Ending::Elsewhere | Ending::Held { .. } => {
            output::error("the program paused to wait for a person; this is the time until then");
            ExitCode::FAILURE
        }
        Ending::Value(_) | Ending::Exit(_) | Ending::Signal(_) => ExitCode::SUCCESS,
    }
}

fn tables(profile: &Profile, top: usize) -> String {
    let total: u64 = profile.stacks.values().sum();
    let mut own: BTreeMap<&str, u64> = BTreeMap::new();
    let mut within: BTreeMap<&str, u64> = BTreeMap::new();
    for (stack, spent) in &profile.stacks {
        if let Some(last) = stack.last() {
            *own.entry(last).or_default() += spent;
        }
        // A function that calls itself counts once.
        let mut names: Vec<&str> = stack.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            *within.entry(name).or_default() += spent;
        }
    }
    let ms = |nanos: u64| nanos as f64 / 1e6;
    let share = |nanos: u64| if total == 0 { 0.0 } else { nanos as f64 * 100.0 / total as f64 };
    let mut out = format!("{:.1} ms in all\n\n  own %    own ms  with calls ms  function\n", ms(total));
    let mut rows: Vec<_> =
        within.iter().map(|(name, all)| (own.get(name).copied().unwrap_or(0), *all, *name)).collect();
    rows.sort_by_key(|(own, all, _)| std::cmp::Reverse((*own, *all)));
    for (own, all, name) in rows.into_iter().take(top) {
        let _ = writeln!(out, "  {:5.1}  {:8.1}  {:13.1}  {name}", share(own), ms(own), ms(all));
    }
    out.push_str("\n  own %    own ms  line\n");
    let mut lines: Vec<_> = profile.lines.iter().collect();
    lines.sort_by_key(|(_, spent)| std::cmp::Reverse(**spent));
    for ((path, line), spent) in lines.into_iter().take(top) {
        let _ = writeln!(out, "  {:5.1}  {:8.1}  {path}:{line}", share(*spent), ms(*spent));
    }
    out
}

const WIDTH: f64 = 1200.0;
const ROW: usize = 18;
/// Deeper frames are left out of the picture.
const DEPTH: usize = 60;

/// A frame of the picture: name, depth, start and length in nanoseconds.
type Block<'a> = (&'a str, usize, u64, u64);

/// The flame graph: stacks side by side in the order of their names, equal neighbours joined.
fn flame(stacks: &BTreeMap<Vec<String>, u64>) -> String {
    let total: u64 = stacks.values().sum::<u64>().max(1);
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    for (stack, spent) in stacks {
        let names: Vec<&str> = stack.iter().take(DEPTH).map(String::as_str).collect();
        let same = open
            .iter()
            .zip(&names)
            .take_while(|(block, name)| blocks.get(**block).is_some_and(|b| b.0 == **name))
            .count();
        open.truncate(same);
        for (depth, name) in names.iter().enumerate().skip(same) {
            open.push(blocks.len());
            blocks.push((name, depth, at, 0));
        }
        for block in &open {
            if let Some(block) = blocks.get_mut(*block) {
                block.3 += spent;
            }
        }
        at += spent;
    }
    let rows = blocks.iter().map(|b| b.1 + 1).max().unwrap_or(1);
    let height = rows * ROW + 20;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" font-family=\"monospace\" \
         font-size=\"11\">\n"
    );
    for (name, depth, start, length) in blocks {
        let (x, width) = (start as f64 * WIDTH / total as f64, length as f64 * WIDTH / total as f64);
        if width < 0.3 {
            continue;
        }
        let y = height - 10 - (depth + 1) * ROW;
        let hue = name.bytes().fold(7u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b))) % 50;
        let letters: String = name.chars().take((width / 7.0) as usize).collect();
        let (whole, shown) = (escaped(name), escaped(&letters));
        let _ = writeln!(
            out,
            "<g><title>{whole}: {:.1} ms, {:.1} %</title><rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" \
             height=\"{}\" fill=\"hsl({hue},80%,65%)\"/><text x=\"{:.1}\" y=\"{}\">{shown}</text></g>",
            length as f64 / 1e6,
            length as f64 * 100.0 / total as f64,
            ROW - 1,
            x + 2.0,
            y + 13
        );
    }
    out.push_str("</svg>\n");
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn a_function_that_calls_itself_counts_once() {
        let profile = Profile {
            stacks: BTreeMap::from([(stack(&["main", "f", "f"]), 3_000_000), (stack(&["main"]), 1_000_000)]),
            lines: BTreeMap::new(),
        };
        let text = tables(&profile, 5);
        assert!(text.contains("   75.0       3.0            3.0  f\n"), "{text}");
        assert!(text.contains("   25.0       1.0            4.0  main\n"), "{text}");
    }

    #[test]
    fn a_flame_graph_joins_neighbours() {
        let stacks = BTreeMap::from([(stack(&["main"]), 1), (stack(&["main", "a<b>"]), 3)]);
        let svg = flame(&stacks);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("a&lt;b&gt;: 0.0 ms, 75.0 %"), "{svg}");
    }
}
