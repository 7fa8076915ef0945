//! The threads that run tasks of a program beside its own: each has a guest machine, nothing is shared but the queue.

use harn_effect::{Data, Op};
use harn_vm::parcel::{ErrorParcel, Parcel};
use harn_vm::{Blueprint, ErrorKind, Escape, Exit, Registry, Vm, VmError};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::schedule::TaskId;

/// Jumps and calls between two looks at whether the task is still wanted.
const SLICE: u64 = 50_000;
/// What a task that was asked to stop may still run (spec 04 section 4.2, rule 3).
const FLAGGED_FUEL: u64 = 1024;
/// Address space for a thread's stack; library modules are compiled on it.
const STACK: usize = 16 << 20;

/// Makes the registry and the loader that a guest machine needs; called on the guest's thread.
pub(crate) type Outfit = fn() -> (Registry, harn_vm::Loader);

/// What the program has said about a task that is away.
#[derive(Debug, Default)]
pub(crate) struct Order(AtomicU8);

const GO: u8 = 0;
const FLAGGED: u8 = 1;
const STOPPED: u8 = 2;

impl Order {
    /// The task is asked to stop.
    pub fn flag(&self) {
        // A stopped task stays stopped.
        let _ = self.0.compare_exchange(GO, FLAGGED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Nobody wants the task any more.
    pub fn stop(&self) {
        self.0.store(STOPPED, Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A task to run: a call whose callee and arguments have been copied.
pub(crate) struct Job {
    pub id: TaskId,
    pub body: Parcel,
    pub args: Vec<Parcel>,
    pub order: Arc<Order>,
}

/// How a task on a guest ended.
pub(crate) enum Verdict {
    /// With this value.
    Value(Parcel),
    /// With this error.
    Error(ErrorParcel),
    /// It needs something of the home thread and has to run there.
    Escaped(Escape),
}

/// What a guest has to say about a job.
pub(crate) struct Report {
    pub id: TaskId,
    /// What the task printed.
    pub output: String,
    pub verdict: Verdict,
}

#[derive(Default)]
struct Desk {
    jobs: VecDeque<Job>,
    reports: VecDeque<Report>,
    /// Jobs that guests are at.
    busy: usize,
    closed: bool,
    /// Module variables that guests have asked for, in the order they were lent.
    lent: Vec<(String, usize, Parcel)>,
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    /// For guests: there is a job, or the pool is closed.
    work: Condvar,
    /// For the home thread: there is a report.
    done: Condvar,
}

impl Shared {
    /// The desk. A guest that panicked has left it whole: nothing is computed under the lock.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The threads of a run.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    guests: usize,
}

impl Pool {
    /// A pool of up to `guests` threads; nothing when the system gives none.
    pub fn start(guests: usize, blueprint: &Blueprint, outfit: Outfit) -> Option<Pool> {
        let shared = Arc::new(Shared::default());
        let started = (0..guests).filter(|_| {
            let (shared, blueprint) = (shared.clone(), blueprint.clone());
            let thread = std::thread::Builder::new().name("harn-guest".to_owned()).stack_size(STACK);
            thread.spawn(move || serve(&shared, blueprint, outfit)).is_ok()
        });
        match started.count() {
            0 => None,
            guests => Some(Pool { shared, guests }),
        }
    }

    /// How many jobs may be handed over now: some for each guest beyond the one it is at.
    pub fn room(&self) -> usize {
        (self.guests * 16).saturating_sub(self.shared.desk().jobs.len())
    }

    /// Hands jobs over.
    pub fn send(&self, jobs: Vec<Job>) {
        self.shared.desk().jobs.extend(jobs);
        self.shared.work.notify_all();
    }

    /// Takes back the oldest job that no guest has begun.
    pub fn take_back(&self) -> Option<TaskId> {
        self.shared.desk().jobs.pop_front().map(|job| job.id)
    }

    /// Lets guests know a module variable.
    pub fn lend(&self, module: String, index: usize, value: Parcel) {
        let mut desk = self.shared.desk();
        if !desk.lent.iter().any(|(m, i, _)| *m == module && *i == index) {
            desk.lent.push((module, index, value));
        }
    }

    /// The reports that have come in.
    pub fn reports(&self) -> VecDeque<Report> {
        std::mem::take(&mut self.shared.desk().reports)
    }

    /// Waits a moment for a report.
    pub fn wait(&self, time: Duration) {
        let desk = self.shared.desk();
        if desk.reports.is_empty() && desk.busy > 0 {
            drop(self.shared.done.wait_timeout(desk, time).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut desk = self.shared.desk();
        desk.closed = true;
        desk.jobs.clear();
        self.shared.work.notify_all();
    }
}

/// Gives back what a guest is at, also when its thread panics: the task then runs at home.
struct Turn<'a> {
    shared: &'a Shared,
    id: TaskId,
    result: Option<(String, Verdict)>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let (output, verdict) =
            self.result.take().unwrap_or_else(|| (String::new(), Verdict::Escaped(Escape::Home)));
        let mut desk = self.shared.desk();
        desk.busy -= 1;
        desk.reports.push_back(Report { id: self.id, output, verdict });
        self.shared.done.notify_one();
    }
}

/// The life of a guest.
fn serve(shared: &Shared, blueprint: Blueprint, outfit: Outfit) {
    let (registry, loader) = outfit();
    let mut vm = Vm::guest(Rc::new(registry), blueprint);
    vm.set_loader(loader);
    let mut known = 0;
    loop {
        let mut desk = shared.desk();
        let job = loop {
            if desk.closed {
                return;
            }
            if let Some(job) = desk.jobs.pop_front() {
                break job;
            }
            desk = shared.work.wait(desk).unwrap_or_else(PoisonError::into_inner);
        };
        desk.busy += 1;
        let news = desk.lent.get(known..).map(<[_]>::to_vec).unwrap_or_default();
        drop(desk);
        let mut turn = Turn { shared, id: job.id, result: None };
        known += news.len();
        for (module, index, value) in news {
            vm.borrow_global(&module, index, value);
        }
        turn.result = Some(run(&mut vm, job, shared));
    }
}

const HOME: Verdict = Verdict::Escaped(Escape::Home);

/// Runs a job to its end or to the first thing that only the home thread can do.
fn run(vm: &mut Vm, job: Job, shared: &Shared) -> (String, Verdict) {
    let mut output = String::new();
    let args: Result<Vec<_>, _> = job.args.into_iter().map(|arg| vm.unpack(arg)).collect();
    let (Ok(body), Ok(args)) = (vm.unpack(job.body), args) else { return (output, HOME) };
    let mut fiber = vm.call(body, args);
    let mut was_flagged = false;
    loop {
        let fuel = if was_flagged { FLAGGED_FUEL } else { SLICE };
        let exit = vm.step(&mut fiber, fuel);
        if let Some(escape) = vm.take_escape() {
            return (output, Verdict::Escaped(escape));
        }
        match exit {
            Exit::Done(value) => return (output, Parcel::pack(&value).map_or(HOME, Verdict::Value)),
            Exit::Failed(error) => return (output, ErrorParcel::pack(&error).map_or(HOME, Verdict::Error)),
            Exit::Effect(call) if call.request.op == Op::StdoutWrite => {
                output.push_str(call.request.args.field("text").as_str().unwrap_or_default());
                fiber.resume(Ok(Data::Nil));
            }
            Exit::Effect(_) | Exit::Control(_) => return (output, HOME),
            Exit::OutOfFuel => match job.order.get() {
                STOPPED => return (output, HOME),
                FLAGGED if was_flagged => fiber.interrupt(VmError::new(ErrorKind::Cancelled)),
                FLAGGED => was_flagged = true,
                // A run that has ended wants nothing any more.
                _ if shared.desk().closed => return (output, HOME),
                _ => {}
            },
        }
    }
}
