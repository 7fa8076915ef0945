//! A program run twice: by the product and by the oracle.

use harn_runtime::program::{self, Options, Refusal};
use harn_runtime::run::Ending as Ended;
use harn_syntax::Source;
use harn_vm::Limits;

use crate::compose::{SPIN, SPIN_LONG};
use crate::oracle::{self, Answer, Ending};
use crate::trial::aging_world;

/// What came of a comparison.
#[derive(Debug)]
pub enum Verdict {
    /// Both say the same.
    Same,
    /// The product does not start it: the first diagnostic.
    Refused(String),
    /// The compiler made code that the verifier refuses.
    Broken(String),
    /// One of them cannot tell.
    Unsure,
    /// They differ.
    Different { product: Answer, oracle: Answer },
    /// The product says one thing with all tasks at home and another with tasks on other threads.
    Moved { home: Answer, away: Answer },
}

/// Compares the two.
pub fn compare(text: &str) -> Verdict {
    // First the one that gives up early where a program grows without bounds.
    let oracle = self::oracle(text);
    if oracle.ending == Ending::Unsure {
        return Verdict::Unsure;
    }
    let product = match product(text) {
        Ok(answer) => answer,
        Err(why) if why.contains("invalid code") => return Verdict::Broken(why),
        Err(why) => return Verdict::Refused(why),
    };
    if product.ending == Ending::Unsure {
        return Verdict::Unsure;
    }
    if product == oracle { Verdict::Same } else { Verdict::Different { product, oracle } }
}

/// Threads of a run that may place tasks.
pub const THREADS: usize = 3;

/// Compares a composed program whose tasks take long with all of them at home and with some on other threads.
pub fn compare_placements(text: &str) -> Verdict {
    let text = text.replacen(SPIN, SPIN_LONG, 1);
    let (home, away) = match (product_on(&text, 1), product_on(&text, THREADS)) {
        (Ok(home), Ok(away)) => (home, away),
        (Err(why), _) | (_, Err(why)) => return Verdict::Refused(why),
    };
    if home.ending == Ending::Unsure || away.ending == Ending::Unsure {
        return Verdict::Unsure;
    }
    if home == away { Verdict::Same } else { Verdict::Moved { home, away } }
}

/// What the oracle says.
pub fn oracle(text: &str) -> Answer {
    let parsed = harn_syntax::parse(&Source::new("fuzz.harn", text.to_owned()));
    if parsed.has_errors() {
        return Answer { output: String::new(), ending: Ending::Unsure };
    }
    oracle::run(parsed.ast)
}

/// What the product says, or why it does not start the program.
pub fn product(text: &str) -> Result<Answer, String> {
    product_on(text, 1)
}

/// What it says with tasks on so many threads.
pub fn product_on(text: &str, threads: usize) -> Result<Answer, String> {
    let limits = Limits { heap_bytes: 512 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let program = match program::load("fuzz.harn", text.to_owned(), &mut harn_sim::library(), options) {
        Ok(program) => program,
        Err(Refusal::Static(_, found) | Refusal::Compile(_, found)) => {
            let errors = found.into_iter().map(|(_, diagnostic)| diagnostic);
            let worst = errors.min_by_key(|d| d.severity != harn_syntax::Severity::Error);
            return Err(worst.map(|d| d.message).unwrap_or_default());
        }
        Err(Refusal::Unreadable(text)) => return Err(text),
        Err(Refusal::Start(_, error)) => return Err(error.raw_message()),
    };
    let world = aging_world();
    if text.contains(SPIN_LONG) {
        // Computes for long, but comes to an end by itself.
        world.borrow_mut().patience_ms = Some(harn_sim::LOOK_MS * 100_000);
    }
    let mut run = harn_sim::start(program.vm, program.root, &world);
    run.use_threads(threads);
    let ending = match run.drive() {
        Ended::Value(_) if program.is_script => Ending::Value("nil".to_owned()),
        Ended::Value(value) => Ending::Value(harn_vm::display(&value)),
        Ended::Failed(error) => Ending::Failed(error.raw_message()),
        _ => Ending::Unsure,
    };
    let output = std::mem::take(&mut world.borrow_mut().stdout);
    Ok(Answer { output, ending })
}

impl Verdict {
    /// Whether somebody has to mend something.
    pub fn is_finding(&self) -> bool {
        matches!(self, Verdict::Different { .. } | Verdict::Moved { .. } | Verdict::Broken(_))
    }
}

/// A verdict in words; for a difference, the first line that differs.
pub fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Same => "same".to_owned(),
        Verdict::Refused(why) => format!("refused: {why}"),
        Verdict::Broken(why) => format!("broken: {why}"),
        Verdict::Unsure => "unsure".to_owned(),
        Verdict::Moved { home, away } => {
            format!("depends on placement, at home first: {}", difference(home, away))
        }
        Verdict::Different { product, oracle } => format!("different: {}", difference(product, oracle)),
    }
}

/// Where two answers part.
fn difference(product: &Answer, oracle: &Answer) -> String {
    let lines = product.output.lines().zip(oracle.output.lines()).enumerate();
    let different = lines.into_iter().find(|(_, (p, o))| p != o);
    match different {
        Some((at, (p, o))) => format!("line {}\n  product: {p}\n  oracle:  {o}", at + 1),
        None => format!(
            "{} and {} lines, then\n  product: {:?}\n  oracle:  {:?}",
            product.output.lines().count(),
            oracle.output.lines().count(),
            product.ending,
            oracle.ending
        ),
    }
}
