//! `harn trust`: reads, proves, exports and steers the trust graph (spec 08 section 3.8).

use super::Command;
use crate::{output, project_log};
use clap::{Arg, ArgAction, ArgMatches};
use harn_effect::Data;
use harn_eventlog::{Json, Store};
use harn_govern::trust::{self, Draft, Filters, HeadMark, Outcome, Record, Report, Tier, export};
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "trust",
    aliases: &["trust-graph"],
    about: "Reads, proves and steers the trust graph",
    args: |command| {
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        let option =
            |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("X").help(help);
        let json = || flag("json", "Prints JSON");
        let sub = |name: &'static str, about: &'static str| clap::Command::new(name).about(about);
        let agent = || Arg::new("agent").value_name("AGENT").required(true);
        command
            .subcommand_required(true)
            .subcommand(
                sub("query", "Prints records")
                    .arg(option("agent", "Of this agent"))
                    .arg(option("action", "With this action"))
                    .arg(option("since", "Not before this time"))
                    .arg(option("until", "Not after this time"))
                    .arg(option("tier", "At this tier"))
                    .arg(option("outcome", "With this outcome"))
                    .arg(option("limit", "The newest so many"))
                    .arg(flag("grouped-by-trace", "Grouped by trace"))
                    .arg(flag("summary", "One line per agent"))
                    .arg(json()),
            )
            .subcommand(
                sub("verify-chain", "Proves the hash chain of the log, or of an exported file")
                    .arg(Arg::new("file").value_name("FILE"))
                    .arg(json()),
            )
            .subcommand(
                sub("promote", "Raises the tier of an agent")
                    .arg(agent())
                    .arg(option("to", "The tier").required(true)),
            )
            .subcommand(
                sub("demote", "Lowers the tier of an agent")
                    .arg(agent())
                    .arg(option("to", "The tier").required(true))
                    .arg(option("reason", "Why").required(true)),
            )
            .subcommand(
                sub("export", "Writes the chain as one document")
                    .arg(option("output", "Into this file").short('o')),
            )
            .subcommand(
                sub("explain", "Prints the events behind a request or a trace")
                    .arg(Arg::new("id").value_name("ID").required(true))
                    .arg(json()),
            )
    },
    run: |matches| match run(matches) {
        Ok(code) => code,
        Err(text) => {
            output::error(&text);
            ExitCode::FAILURE
        }
    },
};

fn run(matches: &ArgMatches) -> Result<ExitCode, String> {
    let Some((name, given)) = matches.subcommand() else { return Ok(ExitCode::FAILURE) };
    match name {
        "query" => query(given),
        "verify-chain" => verify(given),
        "promote" | "demote" => steer(name, given),
        "export" => write_export(given),
        _ => explain(given),
    }
}

fn text(given: &ArgMatches, name: &str) -> Option<String> {
    given.get_one::<String>(name).cloned()
}

fn log_error(error: harn_eventlog::LogError) -> String {
    format!("event_log: {error}")
}

/// Tiers are written with hyphens on the command line; the form with underscores is accepted too.
fn tier(name: &str) -> Result<Tier, String> {
    Tier::from_name(&name.replace('-', "_")).ok_or_else(|| {
        format!("unsupported tier '{name}', expected shadow|suggest|act-with-approval|act-auto")
    })
}

fn query(given: &ArgMatches) -> Result<ExitCode, String> {
    let (grouped, summary) = (given.get_flag("grouped-by-trace"), given.get_flag("summary"));
    if grouped && summary {
        return Err("--grouped-by-trace cannot be combined with --summary".into());
    }
    let time = |name: &str| {
        text(given, name)
            .map(|t| {
                harn_govern::moment::parse_filter_time(&t).ok_or_else(|| {
                    format!("invalid timestamp '{t}': expected RFC3339 or unix seconds/milliseconds")
                })
            })
            .transpose()
    };
    let outcome = text(given, "outcome").map(|o| trust::parse_outcome("harn trust query", &Data::Str(o)));
    let limit = text(given, "limit").map(|n| n.parse().map_err(|_| format!("invalid limit '{n}'")));
    let filters = Filters {
        agent: text(given, "agent"),
        action: text(given, "action"),
        since: time("since")?,
        until: time("until")?,
        tier: text(given, "tier").map(|t| tier(&t)).transpose()?,
        outcome: outcome.transpose()?,
        limit: limit.transpose()?,
        grouped_by_trace: grouped,
    };
    let mut store = project_log::open()?;
    let records = trust::query(&mut *store, &filters).map_err(log_error)?;
    if given.get_flag("json") {
        output::outln(&query_json(&records, grouped, summary).canonical());
    } else if summary {
        trust::summarise(&records).iter().for_each(print_summary);
    } else if grouped {
        for (trace_id, group) in trust::group_by_trace(&records) {
            output::outln(&format!("trace_id={trace_id} count={}", group.len()));
            group.iter().for_each(|record| output::outln(&format!("  {}", line(record, false))));
        }
    } else {
        records.iter().for_each(|record| output::outln(&line(record, true)));
    }
    Ok(ExitCode::SUCCESS)
}

fn query_json(records: &[Record], grouped: bool, summary: bool) -> Json {
    let all = |records: &[Record]| Json::Array(records.iter().map(|r| r.json().clone()).collect());
    if summary {
        return Json::Array(trust::summarise(records).iter().map(trust::Summary::to_json).collect());
    }
    if !grouped {
        return all(records);
    }
    let groups = trust::group_by_trace(records).into_iter().map(|(trace_id, group)| {
        Json::object([("trace_id", Json::from(trace_id)), ("records", all(&group))])
    });
    Json::Array(groups.collect())
}

fn line(record: &Record, with_trace: bool) -> String {
    let field = |name: &str| record.text(name);
    let trace = if with_trace { format!(" trace_id={}", field("trace_id")) } else { String::new() };
    format!(
        "{} agent={} action={} outcome={} tier={}{trace} approver={}",
        field("timestamp"),
        field("agent"),
        field("action"),
        field("outcome"),
        field("autonomy_tier"),
        record.approver().unwrap_or("-")
    )
}

fn print_summary(summary: &trust::Summary) {
    let counts = |of: &std::collections::BTreeMap<String, usize>| {
        of.iter().map(|(name, n)| format!("{name}={n}")).collect::<Vec<_>>().join(",")
    };
    let cost = summary.mean_cost_usd.map_or("n/a".to_owned(), |cost| format!("{cost:.4}"));
    output::outln(&format!(
        "{} total={} success_rate={:.2}% mean_cost_usd={cost} tiers={} outcomes={}",
        summary.agent,
        summary.total,
        summary.success_rate() * 100.0,
        counts(&summary.tiers),
        counts(&summary.outcomes)
    ));
}

fn head_mark(store: &mut dyn Store) -> Result<Option<HeadMark>, String> {
    let note = store.read_note("trust_graph_head").map_err(log_error)?;
    Ok(note.and_then(|text| HeadMark::parse(&text)))
}

fn verify(given: &ArgMatches) -> Result<ExitCode, String> {
    if let Some(file) = text(given, "file") {
        return verify_file(&file, given.get_flag("json"));
    }
    let mut store = project_log::open()?;
    let mark = head_mark(&mut *store)?;
    let report = trust::verify(&mut *store, trust::GLOBAL, mark.as_ref()).map_err(log_error)?;
    if given.get_flag("json") {
        output::outln(&report.to_json().canonical());
    } else {
        print_report(&report);
    }
    if report.verified {
        return Ok(ExitCode::SUCCESS);
    }
    output::error("trust graph chain verification failed");
    Ok(ExitCode::FAILURE)
}

fn print_report(report: &Report) {
    let Report { topic, total, .. } = report;
    if report.verified {
        let root = report.root_hash.as_deref().unwrap_or("-");
        output::outln(&format!("verified topic={topic} records={total} root_hash={root}"));
        return;
    }
    let broken = report.broken_at_event_id.map_or("-".to_owned(), |id| id.to_string());
    output::outln(&format!("failed topic={topic} records={total} broken_at_event_id={broken}"));
    report.errors.iter().for_each(|error| output::outln(&format!("  {error}")));
}

fn verify_file(path: &str, json: bool) -> Result<ExitCode, String> {
    #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let document = Json::parse(&text).map_err(|error| format!("{path}: {error}"))?;
    let report = export::verify_document(&document);
    let verified = report.errors.is_empty();
    if json {
        let shown = Json::object([
            ("total", Json::Int(report.total as i64)),
            ("verified", verified.into()),
            ("errors", report.errors.into()),
            ("warnings", report.warnings.into()),
        ]);
        output::outln(&shown.canonical());
    } else {
        let word = if verified { "verified" } else { "failed" };
        output::outln(&format!("{word} file={path} records={}", report.total));
        report.errors.iter().chain(&report.warnings).for_each(|text| output::outln(&format!("  {text}")));
    }
    if verified {
        return Ok(ExitCode::SUCCESS);
    }
    output::error("trust graph chain verification failed");
    Ok(ExitCode::FAILURE)
}

fn steer(verb: &str, given: &ArgMatches) -> Result<ExitCode, String> {
    let agent = text(given, "agent").unwrap_or_default();
    if agent.is_empty() {
        return Err(format!("harn trust {verb}: the agent's name is empty"));
    }
    let to = tier(&text(given, "to").unwrap_or_default())?;
    let mut store = project_log::open()?;
    // The tier is read and the record is written in one transaction: two operators cannot cross each other.
    let ruled = project_log::transact(&mut *store, |tx, moment| {
        let now = trust::effective_tier(&trust::records(tx, Some(&agent))?, Tier::ActAuto);
        let wrong = match verb {
            "promote" if to <= now => Some("above"),
            "demote" if to >= now => Some("below"),
            _ => None,
        };
        if let Some(word) = wrong {
            let (to, now) = (to.name(), now.name());
            return Ok(Err(format!("harn trust {verb}: '{to}' is not {word} the current tier '{now}'")));
        }
        let mut metadata = Json::object([
            ("control", Json::Bool(true)),
            ("from_tier", now.name().into()),
            ("to_tier", to.name().into()),
        ]);
        if let Some(reason) = given.try_get_one::<String>("reason").ok().flatten() {
            metadata.set("reason", reason.as_str().into());
        }
        let draft = Draft {
            agent: agent.clone(),
            action: format!("trust.{verb}"),
            approver: project_log::os_user(),
            outcome: Outcome::Success,
            trace_id: format!("trustctl-{}", moment.uuid7()),
            tier: to,
            cost_usd: None,
            metadata,
        };
        trust::append(tx, &draft, moment).map(Ok)
    })?;
    let record = ruled?;
    store.write_note("trust_graph_head", &HeadMark::of(&record).text()).map_err(log_error)?;
    output::outln(&format!("{verb}d {agent} -> {}", to.name()));
    Ok(ExitCode::SUCCESS)
}

fn write_export(given: &ArgMatches) -> Result<ExitCode, String> {
    let mut store = project_log::open()?;
    let mark = head_mark(&mut *store)?;
    let now = harn_govern::moment::timestamp(project_log::now_ms());
    let document =
        export::export(&mut *store, mark.as_ref(), &now, env!("CARGO_PKG_VERSION")).map_err(log_error)?;
    let mut text_out = document.canonical();
    text_out.push('\n');
    match text(given, "output") {
        None => output::out(&text_out),
        Some(path) => {
            #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
            std::fs::write(&path, text_out).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Where the events of a decision are.
const EXPLAINED: [&str; 8] = [
    "autonomy.decisions",
    "triggers.lifecycle",
    "hitl.questions",
    "hitl.approvals",
    "hitl.dual_control",
    "hitl.escalations",
    "hitl.consumptions",
    "trust_graph",
];

fn explain(given: &ArgMatches) -> Result<ExitCode, String> {
    let id = text(given, "id").unwrap_or_default();
    let mut store = project_log::open()?;
    let mut events = Vec::new();
    for topic in EXPLAINED {
        for stored in store.read_range(topic, None, usize::MAX).map_err(log_error)? {
            events.push((topic, stored));
        }
    }
    // A request names its trace and a trace its requests: both belong to the story.
    let mut names = vec![id.clone()];
    let mut told = vec![false; events.len()];
    loop {
        let mut grown = false;
        for ((_, stored), told) in events.iter().zip(&mut told) {
            let payload = &stored.event.payload;
            let own = [
                payload.text("request_id"),
                payload.text("trace_id"),
                payload.text("approval_id"),
                payload.text("decision_id"),
                payload.text("consumed_by"),
                payload.field("metadata").text("request_id"),
            ];
            if *told || !own.iter().any(|name| !name.is_empty() && names.iter().any(|known| known == name)) {
                continue;
            }
            *told = true;
            grown = true;
            for name in own.into_iter().filter(|name| !name.is_empty()) {
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
        if !grown {
            break;
        }
    }
    let mut story: Vec<_> =
        events.into_iter().zip(told).filter(|(_, told)| *told).map(|(event, _)| event).collect();
    if story.is_empty() {
        return Err(format!("nothing on the log names '{id}'"));
    }
    story.sort_by_key(|(_, stored)| stored.event.occurred_at_ms);
    if given.get_flag("json") {
        let rows = story.iter().map(|(topic, stored)| {
            Json::object([
                ("topic", Json::from(*topic)),
                ("id", Json::Int(stored.id as i64)),
                ("kind", stored.event.kind.as_str().into()),
                ("occurred_at_ms", stored.event.occurred_at_ms.into()),
                ("payload", stored.event.payload.clone()),
            ])
        });
        output::outln(&Json::Array(rows.collect()).canonical());
        return Ok(ExitCode::SUCCESS);
    }
    for (topic, stored) in story {
        let payload = &stored.event.payload;
        let known = [
            "key",
            "agent",
            "agent_key",
            "action",
            "outcome",
            "reviewer",
            "reason",
            "request_id",
            "decision_id",
        ];
        let mut facts: Vec<String> = known
            .iter()
            .filter(|name| !payload.text(name).is_empty())
            .map(|name| format!("{name}={}", payload.text(name)))
            .collect();
        if let Some(approved) = payload.field("approved").as_bool() {
            facts.push(format!("approved={approved}"));
        }
        let at = harn_govern::moment::timestamp(stored.event.occurred_at_ms);
        output::outln(&format!("{at} {topic}#{} {} {}", stored.id, stored.event.kind, facts.join(" ")));
    }
    Ok(ExitCode::SUCCESS)
}
