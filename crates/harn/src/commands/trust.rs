//! `harn trust`: reads, proves, exports and steers the trust graph (spec 08 section 3.8).

mod proof;
mod story;

use super::Command;
use crate::{anchoring, identities, output, project_log};
use clap::{Arg, ArgAction, ArgMatches};
use harn_effect::Data;
use harn_eventlog::{Json, Store};
use harn_govern::trust::{self, Draft, Filters, HeadMark, Outcome, Outside, Record, Report, Tier, export};
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
                sub("anchor", "Signs the end of the chain")
                    .arg(option("identity", "Who signs; the only identity by default"))
                    .arg(json()),
            )
            .subcommand(
                sub("prove", "Writes the proof that one record is in the chain")
                    .arg(
                        Arg::new("record")
                            .value_name("RECORD")
                            .required(true)
                            .help("Record id or chain index"),
                    )
                    .arg(option("output", "Into this file").short('o')),
            )
            .subcommand(
                sub("check-proof", "Checks such a proof, without the log")
                    .arg(Arg::new("file").value_name("FILE").required(true))
                    .arg(option("key", "The public key that must have signed"))
                    .arg(json()),
            )
            .subcommand(
                sub("explain", "Tells the story of a decision, a request or a trace")
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
        "anchor" => proof::anchor(given),
        "prove" => proof::prove(given),
        "check-proof" => proof::check(given),
        _ => story::explain(given),
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
    let mut store = project_log::look()?;
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
    let mut store = project_log::require()?;
    let mark = head_mark(&mut *store)?;
    let keyring = project_log::rules()?.keyring;
    let known = |key: &str| proof::is_known(&keyring, key);
    let anchors = anchoring::mirrored()?;
    let outside = Outside { mark: mark.as_ref(), anchors: &anchors, trusted: Some(&known) };
    let report = trust::verify_with(&mut *store, trust::GLOBAL, &outside).map_err(log_error)?;
    if given.get_flag("json") {
        let anchors = Json::Int(i64::try_from(report.anchors).unwrap_or(i64::MAX));
        let shown = report.to_json().with("anchors", anchors).with("anchored_up_to", report.anchored_up_to);
        output::outln(&shown.canonical());
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
        if report.anchored {
            output::outln("  anchored by a known key");
        }
        if let Some(index) = report.anchored_up_to {
            let anchors = report.anchors;
            output::outln(&format!("  {anchors} anchors checked, the last one at index {index}"));
        }
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
            ("anchored_by", report.anchored_by.into()),
            ("anchors", Json::Int(i64::try_from(report.anchors).unwrap_or(i64::MAX))),
        ]);
        output::outln(&shown.canonical());
    } else {
        let word = if verified { "verified" } else { "failed" };
        output::outln(&format!("{word} file={path} records={}", report.total));
        report.errors.iter().chain(&report.warnings).for_each(|text| output::outln(&format!("  {text}")));
        report
            .anchored_by
            .iter()
            .filter(|_| verified)
            .for_each(|key| output::outln(&format!("  anchored by {key}")));
        if verified && report.anchors > 0 {
            output::outln(&format!("  {} anchors checked", report.anchors));
        }
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
    // Each control action is anchored where there is a key to sign with (spec 08 section 11.1 G6).
    if let Ok(identity) = identities::signer(None) {
        proof::sign_end(&mut *store, &identity)?;
    }
    output::outln(&format!("{verb}d {agent} -> {}", to.name()));
    Ok(ExitCode::SUCCESS)
}

fn write_export(given: &ArgMatches) -> Result<ExitCode, String> {
    let mut store = project_log::require()?;
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
