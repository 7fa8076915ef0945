//! A program that is entered piece by piece (`harn repl`): each piece runs as the root task; what the pieces before it
//! made (tasks they spawned, channels, mocks, policies) is still there.

use super::{Ending, Run, Surroundings};
use crate::schedule::TaskId;
use crate::schedule::task::State;
use harn_effect::HostEvent;
use harn_vm::{Fiber, TaskState, Vm};

impl Run {
    /// A run to which pieces are given with [`Run::enter`].
    pub fn of_entries(vm: Vm, surroundings: Surroundings) -> Run {
        let mut run = Run::without_tasks(vm, surroundings);
        run.entries = Some(TaskState::default());
        run
    }

    /// The machine, between two pieces.
    pub fn vm(&mut self) -> &mut Vm {
        &mut self.vm
    }

    /// Runs one piece to its end; spawned tasks go on meanwhile, and rest when it is over. A signal stops the piece and
    /// every task; variables and the rest of the run stay.
    pub fn enter(&mut self, mut fiber: Fiber) -> Ending {
        self.forget_signals();
        if let Some(state) = &self.entries {
            *fiber.task_state() = state.clone();
        }
        match self.tasks.get_mut(&TaskId::ROOT) {
            Some(root) => {
                root.fiber = Some(Box::new(fiber));
                root.state = State::Ready;
                root.flagged = false;
                self.ready.push_back(TaskId::ROOT);
            }
            None => self.add_root(fiber),
        }
        self.turn_until_ending();
        let ending = self.ending.take().unwrap_or(Ending::Exit(0));
        let Some((number, _)) = self.signal.take() else { return ending };
        // A piece that did not stop in time is left where it is; what was spawned was asked to stop as well.
        self.stop(TaskId::ROOT);
        match ending {
            Ending::Exit(code) => Ending::Exit(code),
            _ => Ending::Signal(number),
        }
    }

    /// Whether the output of the pieces so far ends in the middle of a line. Asked once: whoever asks ends the line.
    pub fn take_mid_line(&mut self) -> bool {
        self.stdout.take_mid_line()
    }

    /// Ends the run: no piece follows.
    pub fn leave(&mut self) {
        self.finish_services();
    }

    /// Whether a task that has ended keeps what it spawned.
    pub(super) fn lives_on(&self, id: TaskId) -> bool {
        id == TaskId::ROOT && self.entries.is_some()
    }

    /// Keeps the natives' state of a piece that has succeeded for the next one.
    pub(super) fn keep_state(&mut self, id: TaskId, fiber: &mut Fiber) {
        if id == TaskId::ROOT
            && let Some(state) = &mut self.entries
        {
            *state = fiber.task_state().clone();
        }
    }

    /// What was signalled while no piece ran was not meant for the next one.
    fn forget_signals(&mut self) {
        loop {
            let event = self.host.borrow_mut().wait(Some(i64::MIN));
            match event {
                HostEvent::TimedOut => return,
                HostEvent::Signal(_) => {}
                event => self.take_event(event),
            }
        }
    }
}
