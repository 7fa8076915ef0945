//! `harn hitl`: what waits for a person, and answering it (spec 08 section 4.5).

use super::Command;
use crate::{output, project_log};
use clap::{Arg, ArgAction, ArgMatches};
use harn_eventlog::{Json, Store};
use harn_govern::people::{self, Book, Delivery, Filters, Kind, Request};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "hitl",
    aliases: &[],
    about: "Lists and answers requests to people",
    args: |command| {
        let id = || Arg::new("id").value_name("ID").required(true).help("The request");
        let json = || Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints JSON");
        let reviewer =
            || Arg::new("reviewer").long("reviewer").value_name("NAME").help("Who answers; you by default");
        let reason = || Arg::new("reason").long("reason").value_name("TEXT").help("Why");
        let sub = |name: &'static str, about: &'static str| clap::Command::new(name).about(about);
        command
            .subcommand_required(true)
            .subcommand(sub("list", "Lists what nobody has answered yet").arg(json()))
            .subcommand(sub("show", "Shows a request and what became of it").arg(id()).arg(json()))
            .subcommand(
                sub("approve", "Approves, or accepts an escalation").arg(id()).arg(reviewer()).arg(reason()),
            )
            .subcommand(sub("deny", "Denies").arg(id()).arg(reviewer()).arg(reason()))
            .subcommand(
                sub("answer", "Answers a question")
                    .arg(id())
                    .arg(Arg::new("value").value_name("VALUE").required(true).help("JSON, or plain text"))
                    .arg(reviewer()),
            )
    },
    run: |matches| match run(matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            output::error(&text);
            ExitCode::FAILURE
        }
    },
};

fn run(matches: &ArgMatches) -> Result<(), String> {
    let Some((name, given)) = matches.subcommand() else { return Ok(()) };
    let mut store = project_log::open()?;
    let mut book = Book::default();
    book.refresh(&mut *store).map_err(|e| format!("event_log: {e}"))?;
    let text = |field: &str| given.try_get_one::<String>(field).ok().flatten().cloned();
    let id = text("id").unwrap_or_default();
    match name {
        "list" => list(&book, given.get_flag("json")),
        "show" => show(find(&book, &id)?, given.get_flag("json")),
        _ => {
            let request = find(&book, &id)?;
            let reviewer = text("reviewer").unwrap_or_else(|| reviewer_for(request));
            let mut response = Json::object([
                ("request_id", Json::from(request.id.as_str())),
                ("reviewer", reviewer.as_str().into()),
                ("reason", text("reason").into()),
                ("metadata", Json::object([("os_user", Json::from(project_log::os_user()))])),
            ]);
            match (name, request.kind) {
                ("answer", Kind::Question) => {
                    let value = text("value").unwrap_or_default();
                    response.set("answer", Json::parse(&value).unwrap_or(Json::Str(value)));
                }
                ("answer", kind) => {
                    return Err(format!("'{id}' is no question but a request of kind {}", kind.name()));
                }
                (_, Kind::Question) => return Err(format!("'{id}' is a question: use `harn hitl answer`")),
                (_, Kind::Escalation) => response.set("accepted", Json::Bool(name == "approve")),
                _ => response.set("approved", Json::Bool(name == "approve")),
            }
            answer(&mut *store, &mut Book::default(), &response, &reviewer)
        }
    }
}

fn find<'b>(book: &'b Book, id: &str) -> Result<&'b Request, String> {
    book.get(id).ok_or_else(|| format!("unknown HITL request id '{id}'"))
}

/// Who answers when nobody is named: the user, or the operator when only that role may answer.
fn reviewer_for(request: &Request) -> String {
    let user = project_log::os_user().unwrap_or_else(|| "operator".to_owned());
    let allowed = request.reviewers();
    if !allowed.contains(&user) && allowed.iter().any(|name| name == "operator") {
        "operator".to_owned()
    } else {
        user
    }
}

fn answer(store: &mut dyn Store, book: &mut Book, response: &Json, reviewer: &str) -> Result<(), String> {
    let id = response.text("request_id").to_owned();
    let delivery =
        project_log::transact(store, |tx, moment| people::deliver(tx, book, response, "cli", moment))?;
    match delivery {
        Delivery::Rejected(text) => Err(text),
        Delivery::Taken { settled: true } => {
            output::outln(&format!("settled {id} as {reviewer}"));
            Ok(())
        }
        Delivery::Taken { settled: false } => {
            book.refresh(store).map_err(|e| format!("event_log: {e}"))?;
            let request = find(book, &id)?;
            let allowed = request.reviewers();
            if !allowed.is_empty() && !allowed.iter().any(|name| name == reviewer) {
                return Err(format!("'{reviewer}' is not a reviewer of {id}: {}", allowed.join(", ")));
            }
            output::outln(&format!("recorded for {id} as {reviewer}; still pending"));
            Ok(())
        }
    }
}

fn list(book: &Book, json: bool) -> Result<(), String> {
    let filters = Filters::parse(&harn_effect::Data::Nil)?;
    let rows = people::pending(book, &filters, project_log::now_ms());
    if json {
        output::outln(&Json::Array(rows).canonical());
        return Ok(());
    }
    for row in rows {
        let prompt = row.text("prompt").replace('\n', " ");
        let (id, kind, at) = (row.text("request_id"), row.text("request_kind"), row.text("timestamp"));
        output::outln(&format!("{id} {kind} {at} {prompt}"));
    }
    Ok(())
}

fn show(request: &Request, json: bool) -> Result<(), String> {
    let state = match &request.settled {
        None if request.is_late(project_log::now_ms()) => "expired",
        None => "pending",
        Some(people::Settled::Answered { .. }) => "answered",
        Some(people::Settled::Approved { .. }) if request.consumed_by.is_some() => "used",
        Some(people::Settled::Approved { .. }) => "approved",
        Some(people::Settled::Denied { .. }) => "denied",
        Some(people::Settled::Accepted { .. }) => "accepted",
        Some(people::Settled::TimedOut) => "timed out",
    };
    if json {
        let shown = Json::object([
            ("request_id", Json::from(request.id.as_str())),
            ("kind", request.kind.name().into()),
            ("status", state.into()),
            ("agent", request.agent.as_str().into()),
            ("trace_id", request.trace_id.as_str().into()),
            ("requested_at", request.requested_at.as_str().into()),
            ("consumed_by", request.consumed_by.clone().into()),
            ("payload", request.payload.clone()),
        ]);
        output::outln(&shown.canonical());
        return Ok(());
    }
    output::outln(&format!("{} ({}): {state}", request.id, request.kind.name()));
    output::outln(&format!("asked {} in {}", request.requested_at, request.trace_id));
    if let Json::Object(fields) = &request.payload {
        for (name, value) in
            fields.iter().filter(|(name, value)| *name != "approval_request" && !value.is_null())
        {
            output::outln(&format!("  {name}: {}", value.canonical()));
        }
    }
    Ok(())
}
