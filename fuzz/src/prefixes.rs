//! Every truncation of every program through everything but the run: somebody who types meets them all.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use crate::corpus::Piece;
use crate::{compose, corpus, trial, watch};

/// What to do.
pub struct Plan {
    /// Programs at a time.
    pub jobs: usize,
    /// Composed programs, from seed 1 on.
    pub generated: u64,
    /// Where findings go.
    pub out: PathBuf,
}

/// How often progress is told: each so many programs.
const EACH: usize = 100;

/// How long a program may stand at one beginning.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of beginnings between two signs of life.
const STRIDE: usize = 1 << 20;

/// Stack of a thread that checks: what a thread of the command line has.
const STACK: usize = 8 << 20;

/// What a thread says.
enum Word {
    /// It begins with program `.1`.
    Begun(usize, usize),
    /// It is still at it.
    Alive(usize),
    /// It has tried so many beginnings of a program.
    Done(usize, u64),
    /// What it found.
    Found(usize, String),
    /// No program is left.
    Ended,
}

/// Tries them: the examples, the composed programs, the library, the programs of the diagnostics.
pub fn run(plan: &Plan) -> ExitCode {
    let composed = (1..=plan.generated)
        .map(|seed| Piece { name: format!("composed program {seed}"), text: compose::program(seed) });
    let pieces: Vec<Piece> = corpus::examples()
        .into_iter()
        .chain(composed)
        .chain(corpus::library())
        .chain(corpus::diagnostics())
        .collect();
    let next = AtomicUsize::new(0);
    let jobs = plan.jobs.max(1);
    let begin = Instant::now();
    let (says, hears) = channel();
    std::thread::scope(|scope| {
        for job in 0..jobs {
            let (mine, pieces, next) = (says.clone(), &pieces, &next);
            let work = move || {
                while let Some((at, piece)) = take(pieces, next) {
                    let _ = mine.send(Word::Begun(job, at));
                    let word = match beginnings(job, &piece.text, &mine) {
                        Ok(tried) => Word::Done(job, tried),
                        Err(found) => Word::Found(job, found),
                    };
                    let _ = mine.send(word);
                }
                let _ = mine.send(Word::Ended);
            };
            if let Err(error) = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work) {
                eprintln!("no thread: {error}");
                let _ = says.send(Word::Ended);
            }
        }
        let mut tally = Tally {
            pieces: &pieces,
            out: &plan.out,
            begin,
            at_work: vec![(None, begin); jobs],
            done: 0,
            tried: 0,
            found: 0,
        };
        tally.listen(&hears);
        let (tried, found) = (tally.tried, tally.found);
        let seconds = begin.elapsed().as_secs_f64();
        println!(
            "{tried} beginnings of {} programs in {seconds:.0} s, {:.0} a second; {found} programs with a finding",
            pieces.len(),
            tried as f64 / seconds
        );
        ExitCode::from(if found == 0 { 0 } else { watch::FINDING })
    })
}

fn take<'p>(pieces: &'p [Piece], next: &AtomicUsize) -> Option<(usize, &'p Piece)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    pieces.get(at).map(|piece| (at, piece))
}

/// All beginnings of one program: how many.
fn beginnings(job: usize, text: &str, says: &Sender<Word>) -> Result<u64, String> {
    let (mut tried, mut since) = (0, 0);
    for (at, _) in text.char_indices() {
        let (beginning, _) = text.split_at(at);
        match catch_unwind(AssertUnwindSafe(|| trial::front_end(beginning))) {
            Ok(Ok(())) => tried += 1,
            Ok(Err(finding)) => return Err(format!("{finding}\n--- the first {at} bytes\n{beginning}")),
            Err(panic) => {
                return Err(format!("panic: {}\n--- the first {at} bytes\n{beginning}", said(&*panic)));
            }
        }
        since += at;
        if since > STRIDE {
            since = 0;
            let _ = says.send(Word::Alive(job));
        }
    }
    Ok(tried)
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("of another kind")
}

/// What has come of it so far.
struct Tally<'p> {
    pieces: &'p [Piece],
    out: &'p Path,
    begin: Instant,
    /// The program each thread is at, and when it last said something.
    at_work: Vec<(Option<usize>, Instant)>,
    done: usize,
    tried: u64,
    found: usize,
}

impl Tally<'_> {
    /// Hears the threads out. What hangs ends the process.
    fn listen(&mut self, hears: &Receiver<Word>) {
        let mut left = self.at_work.len();
        while left > 0 {
            match hears.recv_timeout(PATIENCE / 4) {
                Ok(Word::Begun(job, at)) => self.seen(job, Some(at)),
                Ok(Word::Alive(job)) => self.seen(job, self.at(job)),
                Ok(Word::Done(job, count)) => {
                    self.tried += count;
                    self.seen(job, None);
                    self.counted();
                }
                Ok(Word::Found(job, what)) => {
                    self.found += 1;
                    self.kept(self.at(job), &what);
                    self.seen(job, None);
                    self.counted();
                }
                Ok(Word::Ended) => left -= 1,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            for (at, since) in &self.at_work {
                if let Some(piece) = at.and_then(|at| self.pieces.get(at))
                    && since.elapsed() > PATIENCE
                {
                    println!("{}: no answer within {} s", piece.name, PATIENCE.as_secs());
                    std::process::exit(i32::from(watch::FINDING));
                }
            }
        }
    }

    fn at(&self, job: usize) -> Option<usize> {
        self.at_work.get(job).and_then(|work| work.0)
    }

    fn seen(&mut self, job: usize, at: Option<usize>) {
        if let Some(work) = self.at_work.get_mut(job) {
            *work = (at, Instant::now());
        }
    }

    fn counted(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(EACH) {
            let seconds = self.begin.elapsed().as_secs_f64();
            println!(
                "{} of {} programs, {} beginnings in {seconds:.0} s",
                self.done,
                self.pieces.len(),
                self.tried
            );
        }
    }

    fn kept(&self, at: Option<usize>, what: &str) {
        let Some((at, piece)) = at.and_then(|at| Some((at, self.pieces.get(at)?))) else { return };
        println!("{}: {}", piece.name, what.lines().next().unwrap_or_default());
        keep(self.out, at, &format!("{}: {what}", piece.name));
    }
}

fn keep(out: &Path, number: usize, what: &str) {
    let place = out.join(format!("prefix-{number}.txt"));
    if let Err(error) = std::fs::create_dir_all(out).and_then(|()| std::fs::write(&place, what)) {
        eprintln!("{}: {error}", place.display());
    }
}
