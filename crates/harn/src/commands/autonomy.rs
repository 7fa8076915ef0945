//! `harn autonomy`: what each key has decided, what it waits for, and what other budgets would have refused.

use super::Command;
use crate::{output, project_log};
use clap::{Arg, ArgAction, ArgMatches};
use harn_eventlog::Json;
use harn_govern::autonomy::ledger::{Taken, amount_json};
use harn_govern::autonomy::{Ledger, Limits, Resource, Window, simulate};
use harn_govern::moment::{parse_filter_time, timestamp};
use harn_govern::people::Book;
use harn_govern::rules::Rules;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "autonomy",
    aliases: &[],
    about: "Shows what agents decided on their own, and tries other budgets",
    args: |command| {
        let json = || Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints JSON");
        let sub = |name: &'static str, about: &'static str| clap::Command::new(name).about(about);
        command
            .subcommand_required(true)
            .subcommand(sub("status", "Keys, their windows and use, waiting requests").arg(json()))
            .subcommand(
                sub("simulate", "Replays recorded decisions against other budgets")
                    .arg(
                        Arg::new("budget")
                            .long("budget")
                            .value_name("FILE")
                            .required(true)
                            .help("A file with [[autonomy.budgets]]"),
                    )
                    .arg(
                        Arg::new("since")
                            .long("since")
                            .value_name("T")
                            .help("Not before this time, or a duration ago (24h, 7d)"),
                    )
                    .arg(json()),
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
    match matches.subcommand() {
        Some(("status", given)) => status(given.get_flag("json")),
        Some((_, given)) => what_if(given),
        None => Ok(()),
    }
}

fn log_error(error: harn_eventlog::LogError) -> String {
    format!("event_log: {error}")
}

fn status(json: bool) -> Result<(), String> {
    let rules = project_log::rules()?;
    let mut store = project_log::look()?;
    let now_ms = project_log::now_ms();
    let mut ledger = Ledger::default();
    ledger.refresh(&mut *store).map_err(log_error)?;
    let mut book = Book::with_keyring(rules.keyring.clone());
    book.refresh(&mut *store).map_err(log_error)?;
    let now = Window::at(now_ms);
    let waiting: Vec<_> = book.requests().filter(|r| r.settled.is_none() && !r.is_late(now_ms)).collect();
    let processes = project_log::processes()?;
    let mut rows = Vec::new();
    let mut keys: Vec<(String, Taken)> =
        ledger.keys(now).map(|(key, taken)| (key.to_owned(), taken)).collect();
    // A key may wait without ever having decided.
    for request in &waiting {
        let key = request.principal();
        if !key.is_empty() && !keys.iter().any(|(known, ..)| known == key) {
            keys.push((key.to_owned(), Taken::default()));
        }
    }
    for (key, taken) in keys {
        let living = ledger.running(&key).filter(|(_, holder)| !processes.is_dead(holder)).count() as i64;
        let mut row = Json::object([
            ("key", Json::from(key.as_str())),
            ("decisions_hour", taken.hour.into()),
            ("decisions_day", taken.day.into()),
            ("spent_hour", Json::object(amount_json(taken.spent_hour))),
            ("spent_day", Json::object(amount_json(taken.spent_day))),
            ("under_way", living.into()),
        ]);
        let mut declared = Vec::new();
        for budget in rules.budgets.iter().filter(|budget| budget.binds(&key)) {
            let limits = budget.limits;
            let mut entry = Json::object([
                ("pattern", Json::from(budget.pattern.as_str())),
                ("per_hour", limits.per_hour.into()),
                ("per_day", limits.per_day.into()),
            ]);
            if let Some(rolling) = limits.rolling {
                let at = ledger.at(now_ms);
                let used = ledger.rolling(&mut *store, &key, rolling.window_ms, at).map_err(log_error)?;
                let fields =
                    [("decisions", rolling.decisions), ("window_ms", rolling.window_ms), ("used", used)];
                entry.set("rolling", Json::object(fields.map(|(name, n)| (name, Json::Int(n)))));
            }
            for resource in Resource::ALL {
                let caps = limits.on(resource);
                if !caps.is_empty() {
                    let windows = [("per_hour", caps.per_hour), ("per_day", caps.per_day)];
                    let shown = windows.map(|(name, cap)| (name, cap.map(|cap| resource.json(cap)).into()));
                    entry.set(resource.name(), Json::object(shown));
                }
            }
            if let Some(most) = limits.max_concurrent {
                entry.set("max_concurrent", most.into());
            }
            let words = in_words(&limits, taken);
            entry.set("spending", words.into());
            declared.push(entry);
        }
        row.set("declared", Json::Array(declared));
        let own = waiting.iter().filter(|r| r.principal() == key);
        row.set("waiting", own.map(|r| r.id.clone()).collect::<Vec<_>>().into());
        rows.push(row);
    }
    rows.sort_by(|a, b| a.text("key").cmp(b.text("key")));
    let ends = [("hour", (now.hour + 1) * 3_600_000), ("day", (now.day + 1) * 86_400_000)];
    if json {
        let windows =
            Json::object(ends.map(|(name, end)| (format!("{name}_ends_at"), timestamp(end).into())));
        let shown = Json::object([("windows", windows), ("keys", Json::Array(rows))]);
        output::outln(&shown.canonical());
        return Ok(());
    }
    if rows.is_empty() {
        output::outln("no agent has decided anything yet");
        return Ok(());
    }
    let [(_, hour), (_, day)] = ends;
    output::outln(&format!("this hour ends {}, this day {}", timestamp(hour), timestamp(day)));
    for row in &rows {
        print_row(row);
    }
    Ok(())
}

/// What is spent of each limit on spending.
fn in_words(limits: &Limits, taken: Taken) -> Vec<String> {
    let mut words = Vec::new();
    for resource in Resource::ALL {
        let caps = limits.on(resource);
        let windows =
            [("this hour", caps.per_hour, taken.spent_hour), ("this day", caps.per_day, taken.spent_day)];
        for (window, cap, spent) in windows {
            if let Some(cap) = cap {
                let (used, cap) = (resource.shown(spent.of(resource)), resource.shown(cap));
                words.push(format!("{} {used} of {cap} {window}", resource.name()));
            }
        }
    }
    words
}

fn print_row(row: &Json) {
    let count = |name: &str| row.field(name).as_int().unwrap_or(0);
    let (hour, day) = (count("decisions_hour"), count("decisions_day"));
    output::outln(&format!("{}: {hour} decisions this hour, {day} this day", row.text("key")));
    let spent = row.field("spent_day");
    if spent.field("tokens").as_int() != Some(0) || spent.field("tool_calls").as_int() != Some(0) {
        output::outln(&format!(
            "  spent this day: {} tokens, ${:.6}, {} tool calls",
            spent.field("tokens").as_int().unwrap_or(0),
            spent.field("cost_usd").as_f64().unwrap_or(0.0),
            spent.field("tool_calls").as_int().unwrap_or(0)
        ));
    }
    for budget in row.field("declared").as_array().unwrap_or_default() {
        let mut parts = Vec::new();
        for (name, word) in [("per_hour", "an hour"), ("per_day", "a day")] {
            if let Some(cap) = budget.field(name).as_int() {
                parts.push(format!("at most {cap} {word}"));
            }
        }
        let rolling = budget.field("rolling");
        if let (Some(cap), Some(ms), Some(used)) = (
            rolling.field("decisions").as_int(),
            rolling.field("window_ms").as_int(),
            rolling.field("used").as_int(),
        ) {
            parts.push(format!("{used} of {cap} in the last {} s", ms / 1000));
        }
        parts.extend(budget.field("spending").strings());
        if let Some(most) = budget.field("max_concurrent").as_int() {
            let under_way = row.field("under_way").as_int().unwrap_or(0);
            parts.push(format!("{under_way} of {most} under way"));
        }
        output::outln(&format!("  declared for '{}': {}", budget.text("pattern"), parts.join(", ")));
    }
    for id in row.field("waiting").strings() {
        output::outln(&format!("  waits: {id}"));
    }
}

fn what_if(given: &ArgMatches) -> Result<(), String> {
    let path = given.get_one::<String>("budget").cloned().unwrap_or_default();
    #[allow(clippy::disallowed_methods, reason = "a command is its own host")]
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let rules = Rules::parse(&text).map_err(|error| format!("{path}: {error}"))?;
    if rules.budgets.is_empty() {
        return Err(format!("{path}: there is no [[autonomy.budgets]] to try"));
    }
    let since_ms = match given.get_one::<String>("since") {
        None => i64::MIN,
        Some(text) => since(text)?,
    };
    let mut store = project_log::require()?;
    let found = simulate::replay(&mut *store, &rules.budgets, since_ms).map_err(log_error)?;
    if given.get_flag("json") {
        output::outln(&found.to_json().canonical());
        return Ok(());
    }
    output::outln(&format!(
        "{} decisions replayed, {} would have been refused",
        found.replayed,
        found.refused.len()
    ));
    for refused in &found.refused {
        let at = timestamp(refused.at_ms);
        let by = if refused.limiting == refused.key {
            String::new()
        } else {
            format!(" of '{}'", refused.limiting)
        };
        let what = if refused.what == "decision" { String::new() } else { format!("{} of ", refused.what) };
        output::outln(&format!(
            "  {at} {} {}{by} {what}{}",
            refused.key, refused.reason, refused.decision_id
        ));
    }
    Ok(())
}

/// A time, or how long ago.
fn since(text: &str) -> Result<i64, String> {
    if let Some(ago) = harn_govern::autonomy::limits::parse_duration(text) {
        return Ok(project_log::now_ms().saturating_sub(ago));
    }
    let nanos = parse_filter_time(text).ok_or_else(|| {
        format!("invalid time '{text}': expected RFC3339, unix seconds/milliseconds or a duration like 24h")
    })?;
    Ok(i64::try_from(nanos.div_euclid(1_000_000)).unwrap_or(i64::MAX))
}
