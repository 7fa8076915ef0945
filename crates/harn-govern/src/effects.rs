//! What an agent does to the world, decided before it happens and noted after (architecture, law 4; spec 08 section 11.1
//! G2, G5 and G11).
//!
//! Each ruling on a governed effect (a model call, a tool call, a process, network traffic, a write) is one event of
//! [`EFFECTS`], durable before the effect starts; how it came out is a second event. Arguments are kept as a digest and a
//! subject of a few words: they may hold secrets.

use harn_effect::{Data, Op};
use harn_eventlog::{Event, Json, LogError, Tx, provenance};

use crate::Moment;

/// The topic of rulings on effects.
pub const EFFECTS: &str = "run.effects";
/// Kind of a ruling.
pub const DECIDED: &str = "effect.decided";
/// Kind of an outcome.
pub const DONE: &str = "effect.done";

/// What was ruled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may happen.
    Allow,
    /// Somebody is asked first.
    Ask,
    /// It may not.
    Deny,
}

impl Verdict {
    /// The name in events.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Allow => "allow",
            Verdict::Ask => "ask",
            Verdict::Deny => "deny",
        }
    }

    /// The verdict with this name.
    pub fn from_name(name: &str) -> Option<Verdict> {
        [Verdict::Allow, Verdict::Ask, Verdict::Deny].into_iter().find(|v| v.name() == name)
    }
}

/// A ruling on one effect of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<'a> {
    /// The effect.
    pub op: Op,
    /// Its arguments.
    pub args: &'a Data,
    /// The ruling.
    pub verdict: Verdict,
    /// Why, in words; none when nothing spoke against it.
    pub reason: Option<String>,
    /// The agent session on whose behalf, empty outside of agents.
    pub session_id: &'a str,
    /// The tool call in which it is asked for.
    pub tool: Option<&'a str>,
    /// The task.
    pub task_id: &'a str,
    /// The run.
    pub run_id: &'a str,
    /// The trace of the dispatch.
    pub trace_id: Option<&'a str>,
}

/// Whether rulings on this effect are recorded one by one. Effects that are appends themselves (requests to people, trust
/// records, events) are their own record; a tool call comes with its ruling.
pub fn is_recorded(op: Op) -> bool {
    use harn_effect::EffectClass::{Model, Network, Process, Write};
    matches!(op.class(), Model | Network | Process | Write) && op != Op::EventAppend
}

/// Appends a ruling and gives its id. The caller commits, and only then acts.
pub fn decide(tx: &mut dyn Tx, decision: &Decision<'_>, moment: &mut Moment<'_>) -> Result<String, LogError> {
    let id = moment.uuid7();
    let mut payload = Json::object([
        ("decision_id", Json::from(id.as_str())),
        ("op", decision.op.name().into()),
        ("class", format!("{:?}", decision.op.class()).to_lowercase().into()),
        ("ruling", decision.verdict.name().into()),
        ("subject", subject(decision.op, decision.args).into()),
        ("args_digest", provenance::sha256(&Json::from(decision.args).canonical()).into()),
        ("session_id", decision.session_id.into()),
        ("task_id", decision.task_id.into()),
        ("run_id", decision.run_id.into()),
    ]);
    let optional =
        [("reason", decision.reason.as_deref()), ("tool", decision.tool), ("trace_id", decision.trace_id)];
    for (name, value) in optional {
        if let Some(text) = value.filter(|text| !text.is_empty()) {
            payload.set(name, text.into());
        }
    }
    tx.append(EFFECTS, Event::new(DECIDED, payload, moment.now_ms).header("run_id", decision.run_id))?;
    Ok(id)
}

/// Appends how the effect of a ruling came out; `error` is the category or the beginning of the error.
pub fn done(
    tx: &mut dyn Tx,
    decision_id: &str,
    error: Option<&str>,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    let payload = Json::object([
        ("decision_id", Json::from(decision_id)),
        ("ok", error.is_none().into()),
        ("error", error.map(|text| text.chars().take(200).collect::<String>()).into()),
    ]);
    tx.append(EFFECTS, Event::new(DONE, payload, moment.now_ms))?;
    Ok(())
}

/// What the effect is about, in a few words without secrets: a path, a program, a host, a model, a tool.
pub fn subject(op: Op, args: &Data) -> String {
    let text = |name: &str| args.field(name).as_str().unwrap_or_default();
    let found = match op {
        Op::ToolCall => text("tool").to_owned(),
        Op::LlmCall | Op::LlmStreamOpen => {
            let options = args.field("options");
            let of = |name: &str| options.field(name).as_str().unwrap_or("default");
            format!("{}/{}", of("provider"), of("model"))
        }
        Op::ProcessExec | Op::ChildOpen => args
            .field("argv")
            .as_list()
            .and_then(|a| a.first())
            .and_then(Data::as_str)
            .unwrap_or("")
            .to_owned(),
        Op::HostCall => format!("{}.{}", text("capability"), text("operation")),
        Op::FileRename | Op::FileCopy => format!("{} -> {}", text("from"), text("to")),
        _ if !text("url").is_empty() => bare_url(text("url")),
        _ => text("path").to_owned(),
    };
    found.chars().take(200).collect()
}

/// A URL without user, query and fragment: those carry keys.
fn bare_url(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_holds_no_secrets() {
        let args = Data::dict([("url", Data::from("https://ada:pw@api.example/v1?key=s3cret#x"))]);
        assert_eq!(subject(Op::HttpSend, &args), "https://api.example/v1");
        let argv = Data::List(vec!["curl".into(), "-H".into(), "Authorization: s3cret".into()]);
        assert_eq!(subject(Op::ProcessExec, &Data::dict([("argv", argv)])), "curl");
    }

    #[test]
    fn effects_that_are_appends_are_their_own_record() {
        for op in Op::ALL.iter().copied() {
            let own = matches!(op, Op::EventAppend);
            assert!(!(own && is_recorded(op)), "{}", op.name());
        }
        assert!(is_recorded(Op::ProcessExec) && is_recorded(Op::LlmCall) && is_recorded(Op::FileWrite));
        assert!(!is_recorded(Op::TrustRecord) && !is_recorded(Op::FileRead));
    }
}
