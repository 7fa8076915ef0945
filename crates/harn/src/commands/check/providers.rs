//! `harn check --provider-matrix`: what the models that Harn knows can do (spec 09 section 2.2, 07 section 17).

use crate::commands;
use crate::findings::{Format, format};
use crate::output;
use clap::ArgMatches;
use harn_effect::Data;
use harn_llm::capability;
use harn_llm::catalog::Catalog;
use serde_json::Value as Json;
use std::fmt::Write;
use std::process::ExitCode;

/// Fields of a row that say which model it is, and not what it can do.
const NAMES: &[&str] = &["provider", "model"];

/// Prints the table, of the rows that have the feature of `--filter`.
pub fn matrix(matches: &ArgMatches) -> ExitCode {
    let mut rows: Vec<Data> = Catalog::builtin()
        .candidates()
        .iter()
        .map(|(model, provider)| capability::lookup(provider, model).to_data(provider, model))
        .collect();
    if let Some(feature) = matches.get_one::<String>("filter") {
        let known = features(&rows);
        if !known.contains(&feature.as_str()) {
            let near = harn_types::spelling::nearest(feature, known.iter().copied(), 3);
            let hint = near.map_or_else(
                || format!(", expected one of {}", known.join(", ")),
                |near| format!(", did you mean `{near}`?"),
            );
            return commands::misuse("check", &format!("no feature is called `{feature}`{hint}"));
        }
        rows.retain(|row| has(row.field(feature)));
    }
    match format(matches) {
        Format::Json => {
            let list: Vec<Json> = rows.iter().map(Data::to_json).collect();
            output::outln(&format!("{:#}", Json::from(list)));
        }
        Format::Text => output::out(&table(&rows)),
        Format::Short | Format::Sarif => {
            return commands::misuse("check", "--provider-matrix is printed as text or json");
        }
    }
    ExitCode::SUCCESS
}

/// What some model of the table can do.
fn features(rows: &[Data]) -> Vec<&str> {
    let fields = rows.first().and_then(Data::as_dict);
    let names = fields.into_iter().flatten().map(|(name, _)| name.as_str());
    names.filter(|name| !NAMES.contains(name)).collect()
}

fn has(value: &Data) -> bool {
    match value {
        Data::Nil | Data::Bool(false) => false,
        Data::List(list) => !list.is_empty(),
        Data::Str(text) => !text.is_empty(),
        _ => true,
    }
}

/// One line for each model: its provider, its name, and what it can do.
fn table(rows: &[Data]) -> String {
    let text = |row: &Data, key: &str| row.field(key).as_str().unwrap_or_default().to_owned();
    let width = |key: &str| rows.iter().map(|row| text(row, key).len()).max().unwrap_or(0).max(key.len());
    let (providers, models) = (width("provider"), width("model"));
    let mut out = format!("{:providers$}  {:models$}  features\n", "provider", "model");
    for row in rows {
        let shown: Vec<String> = features(std::slice::from_ref(row))
            .into_iter()
            .filter(|name| has(row.field(name)))
            .map(|name| match row.field(name) {
                Data::Bool(_) => name.to_owned(),
                Data::List(list) => {
                    let parts: Vec<&str> = list.iter().filter_map(Data::as_str).collect();
                    format!("{name}={}", parts.join("|"))
                }
                Data::Str(text) => format!("{name}={text}"),
                other => format!("{name}={}", other.to_json()),
            })
            .collect();
        let (provider, model) = (text(row, "provider"), text(row, "model"));
        let _ = writeln!(out, "{provider:providers$}  {model:models$}  {}", shown.join(", "));
    }
    out
}
