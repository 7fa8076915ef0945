//! `harn hitl`: what waits for a person, and answering it (spec 08 section 4.5).

mod grants;

use super::Command;
use crate::{identities, output, project_log};
use clap::{Arg, ArgAction, ArgMatches};
use harn_eventlog::{Json, Store};
use harn_govern::moment::timestamp;
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
                sub("approve", "Approves, or accepts an escalation")
                    .arg(id().required(false).required_unless_present("all"))
                    .arg(
                        Arg::new("all")
                            .long("all")
                            .action(ArgAction::SetTrue)
                            .requires("key")
                            .conflicts_with("id")
                            .help("Approves every waiting request of --key"),
                    )
                    .arg(
                        Arg::new("key")
                            .long("key")
                            .value_name("KEY")
                            .requires("all")
                            .help("The agent's key, with --all"),
                    )
                    .arg(reviewer())
                    .arg(reason()),
            )
            .subcommand(
                sub("grant", "Allows a key further decisions ahead of time")
                    .arg(Arg::new("key").value_name("KEY").required(true).help("The agent's key"))
                    .arg(
                        Arg::new("decisions")
                            .long("decisions")
                            .value_name("N")
                            .value_parser(clap::value_parser!(i64).range(1..))
                            .help("At most so many"),
                    )
                    .arg(Arg::new("for").long("for").value_name("TIME").help("For so long (30m, 2h, 1d)"))
                    .arg(reason().required(true))
                    .arg(
                        reviewer()
                            .help("Who grants; by default whom the declared budget names, else the operator"),
                    ),
            )
            .subcommand(sub("grants", "Lists grants and their use").arg(json()))
            .subcommand(
                sub("revoke", "Ends a grant")
                    .arg(id().help("The grant"))
                    .arg(reviewer().help("Who revokes; you by default"))
                    .arg(reason()),
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
    let mut store = match name {
        // A grant may be the first thing on the log.
        "grant" => project_log::open()?,
        "list" | "grants" => project_log::look()?,
        _ => project_log::require()?,
    };
    let rules = project_log::rules()?;
    let keyring = rules.keyring.clone();
    let mut book = Book::with_keyring(keyring.clone());
    book.refresh(&mut *store).map_err(|e| format!("event_log: {e}"))?;
    let text = |field: &str| given.try_get_one::<String>(field).ok().flatten().cloned();
    let given_flag = |field: &str| given.try_get_one::<bool>(field).ok().flatten().copied().unwrap_or(false);
    let id = text("id").unwrap_or_default();
    match name {
        "list" => list(&book, given.get_flag("json")),
        "grant" => {
            let decisions = given.try_get_one::<i64>("decisions").ok().flatten().copied();
            let key = text("key").unwrap_or_default();
            let reviewer = text("reviewer").unwrap_or_else(|| rules.reviewer_of(&key));
            let terms = grants::Terms {
                key,
                decisions,
                lasts: text("for"),
                reviewer,
                reason: text("reason").unwrap_or_default(),
            };
            grants::give(&mut *store, &book, &terms)
        }
        "grants" => {
            grants::list(&book, given.get_flag("json"));
            Ok(())
        }
        "revoke" => {
            let reviewer =
                text("reviewer").or_else(project_log::os_user).unwrap_or_else(|| "operator".into());
            grants::revoke(&mut *store, &mut book, &id, &reviewer, text("reason").as_deref())
        }
        "show" => show(find(&book, &id)?, given.get_flag("json")),
        _ => {
            let given = Given {
                verb: name,
                reviewer: text("reviewer"),
                reason: text("reason"),
                value: text("value"),
            };
            if name != "approve" || !given_flag("all") {
                let response = response_to(find(&book, &id)?, &given)?;
                return answer(&mut *store, &mut Book::with_keyring(keyring), &response);
            }
            let key = text("key").unwrap_or_default();
            let open =
                people::pending(&book, &Filters::parse(&harn_effect::Data::Nil)?, project_log::now_ms());
            let open = open.iter().filter_map(|row| book.get(row.text("request_id")));
            let open: Vec<_> = open.filter(|r| r.kind == Kind::Approval && r.principal() == key).collect();
            if open.is_empty() {
                return Err(format!("no request of '{key}' is waiting: `harn hitl list` shows what is"));
            }
            for request in open {
                let response = response_to(request, &given)?;
                answer(&mut *store, &mut Book::with_keyring(keyring.clone()), &response)?;
            }
            Ok(())
        }
    }
}

fn find<'b>(book: &'b Book, id: &str) -> Result<&'b Request, String> {
    book.get(id).ok_or_else(|| {
        format!(
            "unknown HITL request id '{id}' in {}: `harn hitl list` shows what waits",
            project_log::place()
        )
    })
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

/// What the command line says of an answer.
struct Given<'a> {
    verb: &'a str,
    reviewer: Option<String>,
    reason: Option<String>,
    value: Option<String>,
}

/// The response to a request, signed when the reviewer has an identity here.
fn response_to(request: &Request, given: &Given<'_>) -> Result<Json, String> {
    let id = request.id.as_str();
    let reviewer = given.reviewer.clone().unwrap_or_else(|| reviewer_for(request));
    let mut response = Json::object([
        ("request_id", Json::from(id)),
        ("reviewer", reviewer.as_str().into()),
        ("reason", given.reason.clone().into()),
        ("metadata", Json::object([("os_user", Json::from(project_log::os_user()))])),
        ("responded_at", timestamp(project_log::now_ms()).into()),
    ]);
    match (given.verb, request.kind) {
        ("answer", Kind::Question) => {
            let value = given.value.clone().unwrap_or_default();
            response.set("answer", Json::parse(&value).unwrap_or(Json::Str(value)));
        }
        ("answer", kind) => {
            return Err(format!("'{id}' is no question but a request of kind {}", kind.name()));
        }
        (_, Kind::Question) => return Err(format!("'{id}' is a question: use `harn hitl answer`")),
        (verb, Kind::Escalation) => response.set("accepted", Json::Bool(verb == "approve")),
        (verb, _) => response.set("approved", Json::Bool(verb == "approve")),
    }
    if let Some(identity) = identities::find(&reviewer)? {
        let signature = identity.sign(&request.signed_text(&response));
        response.set("signature", signature.into());
        let os_user = project_log::os_user();
        let metadata = [("os_user", Json::from(os_user)), ("key_id", identity.key_id().into())];
        response.set("metadata", Json::object(metadata));
    }
    Ok(response)
}

fn answer(store: &mut dyn Store, book: &mut Book, response: &Json) -> Result<(), String> {
    let id = response.text("request_id").to_owned();
    let reviewer = response.text("reviewer");
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
