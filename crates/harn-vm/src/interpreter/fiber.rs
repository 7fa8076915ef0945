//! Fibers: a running program, task or callback as plain data.

use std::collections::VecDeque;

use harn_effect::Outcome;

use super::Exit;
use crate::builtin::BuiltinId;
use crate::error::{ErrorKind, TraceFrame, VmError};
use crate::native::{TaskState, ThenFn};
use crate::value::Value;
use crate::value::strand::{Frame, Strand};

/// A unit of execution: it holds all its state between two calls of `Vm::step`.
pub struct Fiber {
    pub(super) strand: Box<Strand>,
    /// Consumers that wait for the generator that runs in `strand`, outermost first.
    pub(super) pulls: Vec<Pull>,
    pub(super) waiting: Option<Waiting>,
    pub(super) answer: Option<Answer>,
    /// Ends of the armed deadlines, outermost first, in milliseconds of the monotonic clock.
    pub(super) deadlines: Vec<i64>,
    pub(super) interrupt: Option<Box<VmError>>,
    pub(super) task: TaskState,
    /// Calls still to be made, in order: module initialisation, then the program.
    pub(super) queue: VecDeque<Value>,
    /// Arguments of the last call of the queue.
    pub(super) last_args: Vec<Value>,
    pub(super) started: bool,
    /// Why the step ended.
    pub(super) exit: Option<Exit>,
    /// The VM it belongs to.
    pub(super) vm: u64,
}

/// A consumer of a generator.
pub(super) struct Pull {
    pub strand: Box<Strand>,
    pub generator: Value,
    pub delivery: Delivery,
}

/// Where an item goes.
#[derive(Clone, Copy)]
pub(super) enum Delivery {
    /// To the register with this index in the strand.
    Register(usize),
    /// To the `IterLoop` instruction that asked.
    Loop,
    /// As `{done, value}` to the register; the receiver stands in the next one.
    Next(usize),
    /// Index and value of a `select`, to this register and the next.
    Select(usize),
}

/// What the fiber waits for.
pub(super) enum Waiting {
    Effect { dst: usize, then: Option<ThenFn>, builtin: Option<BuiltinId> },
    Control { delivery: Delivery },
}

/// What it was given.
pub(super) enum Answer {
    Outcome(Outcome),
    Value(Value),
    Error(Box<VmError>),
    End,
}

impl Fiber {
    pub(super) fn new(vm: u64, queue: VecDeque<Value>, last_args: Vec<Value>, bottom: Frame) -> Fiber {
        // Registers come with the first call, as many as it needs: of a million tasks most are small.
        let strand = Box::new(Strand { registers: Vec::new(), frames: vec![bottom; 2], top: 0, base: 0 });
        Fiber {
            strand,
            pulls: Vec::new(),
            waiting: None,
            answer: None,
            deadlines: Vec::new(),
            interrupt: None,
            task: TaskState::default(),
            queue,
            last_args,
            started: false,
            exit: None,
            vm,
        }
    }

    /// Answers an effect with its outcome; the fiber goes on at the next step.
    pub fn resume(&mut self, outcome: Outcome) {
        self.answer = Some(Answer::Outcome(outcome));
    }

    /// Answers a control request with its result.
    pub fn resume_value(&mut self, value: Value) {
        self.answer = Some(Answer::Value(value));
    }

    /// Answers any wait with an error, raised where the fiber waits.
    pub fn resume_error(&mut self, error: Box<VmError>) {
        self.answer = Some(Answer::Error(error));
    }

    /// Answers `ControlOp::IterNext`: there is no further value.
    pub fn resume_end(&mut self) {
        self.answer = Some(Answer::End);
    }

    /// Whether it waits for an answer that it has not been given.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some() && self.answer.is_none()
    }

    /// Where it is, between two steps: the frames of the program, innermost first.
    pub fn trace(&self) -> Vec<TraceFrame> {
        super::unwind::trace(self)
    }

    /// The builtin that the program is calling, between two steps, or the library function it is in; `None` in the
    /// program's own code.
    pub fn library_call(&self) -> Option<String> {
        super::unwind::library_call(self)
    }

    /// Has `error` raised in running code at the next look at fuel. A waiting fiber is answered with `resume_error`.
    pub fn interrupt(&mut self, error: Box<VmError>) {
        self.interrupt = Some(error);
    }

    /// The state of natives for this task.
    pub fn task_state(&mut self) -> &mut TaskState {
        &mut self.task
    }

    /// Gives a child task copies of its parent's task state and deadlines.
    pub fn inherit(&mut self, parent: &Fiber) {
        self.task = parent.task.clone();
        self.deadlines = parent.deadlines.clone();
    }

    /// The earliest armed deadline, in milliseconds of the monotonic clock.
    pub fn deadline(&self) -> Option<i64> {
        self.deadlines.iter().copied().min().filter(|end| *end < i64::MAX)
    }

    /// Moves every armed deadline by so many milliseconds: the clock they are measured by has changed.
    pub fn shift_deadlines(&mut self, ms: i64) {
        for end in self.deadlines.iter_mut().filter(|end| **end < i64::MAX) {
            *end = end.saturating_add(ms);
        }
    }

    /// How many deadlines are armed; tasks spawned at this depth or deeper belong to the innermost block.
    pub fn deadline_depth(&self) -> usize {
        self.deadlines.len()
    }

    /// The error of the outermost deadline that has passed; it is raised once.
    pub fn expire(&mut self, now_ms: i64) -> Option<Box<VmError>> {
        let level = self.deadlines.iter().position(|end| *end <= now_ms)?;
        if let Some(end) = self.deadlines.get_mut(level) {
            *end = i64::MAX;
        }
        Some(VmError::new(ErrorKind::Deadline { level }))
    }
}
