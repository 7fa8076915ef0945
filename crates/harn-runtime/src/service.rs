//! Effects that the runtime itself performs: the event log, autonomy, trust, people, models, host calls.
//!
//! A [`Service`] owns the [`Op`]s it names. The drive loop hands it a request that the gate has allowed; the service
//! answers at once, asks the host to do a part of it, or keeps the ticket and answers from [`Service::poll`].

use crate::host_mock::HostMocks;
use crate::log_slot::LogSlot;
use crate::progress::Progress;
use harn_effect::{Data, Op, Outcome, Request, Ticket};
use harn_eventlog::{LogError, Tx};

/// How far a service got with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    /// It is done: this is the outcome.
    Done(Outcome),
    /// It waits; [`Service::poll`] will report the ticket.
    Pending,
    /// The host shall do this under the same ticket; [`Service::host_done`] gets what it came to.
    Forward(Request),
}

/// A request that can be waited for elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What the service needs to wait for it again.
    pub data: Data,
    /// The id of the request, waitpoint or topic, as a person is told.
    pub waits_for: String,
}

/// What a run is, for services that write it down.
#[derive(Clone, Debug, Default)]
pub struct RunInfo {
    /// Unique id of this run.
    pub run_id: String,
    /// The entry file as given to the run; empty for `-e`.
    pub script: String,
    /// Where state lives: the nearest directory with a `harn.toml` above the script, else the script's directory.
    pub base_dir: String,
    /// Whether this run is a test (`harn test`).
    pub test: bool,
    /// Whether a person can be asked on this terminal (standard input and standard error both are one).
    pub interactive: bool,
    /// Whether the active event log outlives this process.
    pub durable_log: bool,
}

/// The task on whose behalf a request is performed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskInfo {
    /// The task's id, `task_root` for the root.
    pub task_id: String,
    /// Its task-local context values that services look at: `agent_session_id`, `tenant_id`, `trace_id`, ...
    pub context: Data,
    /// The budgeted decisions it is in, from the outermost: known while a model or tool call starts.
    pub decisions: Vec<String>,
    /// The dispatch of a trigger that it is in.
    pub dispatch: Option<Dispatch>,
}

/// The dispatch of a trigger (spec 08 section 6.4), as the gate and the services see it. A program cannot change it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dispatch {
    /// The trigger: the agent in records.
    pub agent: String,
    /// `<provider>.<kind>` of the event.
    pub action: String,
    /// The trace of the event.
    pub trace_id: String,
    /// The tier in force.
    pub tier: String,
    /// The event; of a replay the original one.
    pub event_id: String,
    /// Whether this is a replay.
    pub replay_of: Option<String>,
}

impl TaskInfo {
    /// The trace that what the task does belongs to: the dispatch's, else the one in its context.
    pub fn trace_id(&self) -> Option<&str> {
        match &self.dispatch {
            Some(dispatch) => Some(&dispatch.trace_id),
            None => self.context.field("trace_id").as_str(),
        }
    }
}

/// What a service may use while it works.
pub struct ServiceCx<'a> {
    /// The run.
    pub run: &'a RunInfo,
    /// The task that asked. In [`Service::poll`]: the root task.
    pub task: &'a TaskInfo,
    /// Wall clock, Unix milliseconds: the real one, which no clock mock of a script moves (spec 08 section 1.3).
    pub now_ms: i64,
    /// The clock that never steps back.
    pub monotonic_ms: i64,
    /// The wall clock as the program sees it (`mock_time`), for time stamps that programs compare.
    pub program_now_ms: i64,
    /// Who watches.
    pub progress: &'a mut dyn Progress,
    /// The active event log, opened when it is first asked for.
    pub log: &'a LogSlot,
    /// Scripted answers of the host.
    pub mocks: &'a mut HostMocks,
    /// The environment variable of this name.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// Performs some effects inside the runtime. One file for each in `services/`.
pub trait Service {
    /// The effects it performs. No two services share one.
    fn ops(&self) -> &'static [Op];

    /// Starts an allowed and recorded request.
    fn start(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, request: Request) -> Started;

    /// Looks at what waits. Called when the log has changed, when [`Service::next_poll_ms`] is due, and before the
    /// run would block. Each result is [`Started::Done`] or [`Started::Forward`].
    fn poll(&mut self, _cx: &mut ServiceCx<'_>) -> Vec<(Ticket, Started)> {
        Vec::new()
    }

    /// When the service wants to be polled at the latest, on the monotonic clock; `None`: nothing waits for time.
    fn next_poll_ms(&self) -> Option<i64> {
        None
    }

    /// The host finished what [`Started::Forward`] asked for.
    fn host_done(&mut self, _cx: &mut ServiceCx<'_>, _ticket: Ticket, outcome: Outcome) -> Started {
        Started::Done(outcome)
    }

    /// A piece of a streamed answer of a forwarded request.
    fn host_chunk(&mut self, _cx: &mut ServiceCx<'_>, _ticket: Ticket, _text: &str) {}

    /// The task no longer waits for this ticket (cancelled, past its deadline). Nothing is to be reported for it.
    fn cancel(&mut self, _cx: &mut ServiceCx<'_>, _ticket: Ticket) {}

    /// Its name in a snapshot.
    fn name(&self) -> &'static str {
        self.ops().first().map_or("", |op| op.name())
    }

    /// Whether the request behind a ticket may be waited for by another process, and what that one must know. `None`:
    /// it is under way here (a model call, a socket), so the run cannot be suspended now.
    fn standing(&self, _ticket: Ticket) -> Option<Standing> {
        None
    }

    /// Waits again for what [`Service::standing`] described, under the same ticket. Times in it are of a monotonic clock
    /// that `shift_ms` must be added to. False: it cannot.
    fn stand(&mut self, _cx: &mut ServiceCx<'_>, _ticket: Ticket, _data: &Data, _shift_ms: i64) -> bool {
        false
    }

    /// What it keeps for the program between requests, for a snapshot; nothing by default. An error names what cannot
    /// be written.
    fn save(&self) -> Result<Data, String> {
        Ok(Data::Nil)
    }

    /// Takes back what [`Service::save`] gave.
    fn load(&mut self, _saved: &Data, _shift_ms: i64) -> Result<(), String> {
        Ok(())
    }

    /// The run goes on from a suspension: what the service writes in the transaction that says so. A reason keeps the run
    /// suspended, and the transaction is given up.
    fn go_on(
        &mut self,
        _tx: &mut dyn Tx,
        _log: &LogSlot,
        _now_ms: i64,
    ) -> Result<Result<(), String>, LogError> {
        Ok(Ok(()))
    }

    /// The run is ending: last chance to write.
    fn finish(&mut self, _cx: &mut ServiceCx<'_>) {}
}
