//! Locks on directories: one holder at a time among all tasks and processes of the machine (spec 06 section 9.1).
//!
//! The directory itself is locked, so a lock leaves no file behind; the operating system takes it back from a process that
//! dies.

use crate::completions::Completions;
use harn_effect::{Data, Op, Outcome, Raised, Ticket};
use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The locks that are held and waited for.
#[derive(Default)]
pub struct Locks {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    held: HashMap<i64, (Ticket, File)>,
    waiting: HashSet<Ticket>,
    last: i64,
}

impl State {
    fn hold(&mut self, ticket: Ticket, file: File) -> Outcome {
        self.last += 1;
        self.held.insert(self.last, (ticket, file));
        Ok(Data::dict([("lock", Data::Int(self.last))]))
    }
}

fn enter(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Locks {
    /// `file.lock` and `file.unlock`.
    pub fn start(&mut self, ticket: Ticket, op: Op, args: &Data, report: &Completions) -> Option<Outcome> {
        if op == Op::FileUnlock {
            let id = args.field("lock").as_int().unwrap_or(0);
            // The lock goes with the open file.
            enter(&self.state).held.remove(&id);
            return Some(Ok(Data::Nil));
        }
        let failed = |error: std::io::Error| Some(Err(Raised::runtime(error.to_string())));
        let file = match File::open(args.field("path").as_str().unwrap_or_default()) {
            Ok(file) => file,
            Err(error) => return failed(error),
        };
        match file.try_lock() {
            Ok(()) => return Some(enter(&self.state).hold(ticket, file)),
            Err(TryLockError::Error(error)) => return failed(error),
            Err(TryLockError::WouldBlock) => {}
        }
        enter(&self.state).waiting.insert(ticket);
        let (state, report) = (self.state.clone(), report.clone());
        let wait = move || {
            let locked = file.lock();
            let mut state = enter(&state);
            // Given up meanwhile: the lock goes with the file.
            if !state.waiting.remove(&ticket) {
                return;
            }
            let outcome = match locked {
                Ok(()) => state.hold(ticket, file),
                Err(error) => Err(Raised::runtime(error.to_string())),
            };
            drop(state);
            report.done(ticket, outcome);
        };
        match std::thread::Builder::new().name("lock".into()).spawn(wait) {
            Ok(_) => None,
            Err(error) => {
                enter(&self.state).waiting.remove(&ticket);
                failed(error)
            }
        }
    }

    /// Gives up a lock that is waited for, or that nobody will ask to give back.
    pub fn cancel(&mut self, ticket: Ticket) {
        let mut state = enter(&self.state);
        state.waiting.remove(&ticket);
        state.held.retain(|_, (holder, _)| *holder != ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use harn_effect::HostEvent;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    struct Setting {
        directory: tempfile::TempDir,
        report: Completions,
        events: Receiver<HostEvent>,
    }

    impl Setting {
        fn new() -> Setting {
            let (sender, events) = channel();
            Setting { directory: tempfile::tempdir().unwrap(), report: Completions::new(sender), events }
        }

        fn lock(&self, locks: &mut Locks, ticket: u64) -> Option<i64> {
            let path = self.directory.path().to_string_lossy().into_owned();
            let args = Data::dict([("path", Data::from(path))]);
            locks.start(Ticket(ticket), Op::FileLock, &args, &self.report).map(|outcome| id_of(&outcome))
        }

        fn unlock(&self, locks: &mut Locks, id: i64) {
            let args = Data::dict([("lock", Data::Int(id))]);
            locks.start(Ticket(0), Op::FileUnlock, &args, &self.report);
        }
    }

    fn id_of(outcome: &Outcome) -> i64 {
        outcome.as_ref().unwrap().field("lock").as_int().unwrap()
    }

    #[test]
    fn whoever_comes_second_gets_the_lock_when_it_is_given_back() {
        let (setting, mut locks) = (Setting::new(), Locks::default());
        let first = setting.lock(&mut locks, 1).unwrap();
        assert_eq!(setting.lock(&mut locks, 2), None);
        assert!(setting.events.try_recv().is_err());
        setting.unlock(&mut locks, first);
        let event = setting.events.recv_timeout(Duration::from_secs(20)).unwrap();
        let HostEvent::Done(Ticket(2), outcome) = event else { panic!("{event:?}") };
        setting.unlock(&mut locks, id_of(&outcome));
        assert!(setting.lock(&mut locks, 3).is_some());
    }

    #[test]
    fn a_wait_that_was_given_up_keeps_nobody_out() {
        let (setting, mut locks, mut others) = (Setting::new(), Locks::default(), Locks::default());
        let first = setting.lock(&mut others, 1).unwrap();
        assert_eq!(setting.lock(&mut locks, 2), None);
        locks.cancel(Ticket(2));
        setting.unlock(&mut others, first);
        // The thread may hold it for a moment before it sees that nobody wants it.
        if setting.lock(&mut others, 3).is_none() {
            assert!(setting.events.recv_timeout(Duration::from_secs(20)).is_ok());
        }
    }
}
