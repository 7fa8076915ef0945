//! YAML, TOML and CSV (spec 05 section 5.5).

use std::collections::BTreeSet;

use harn_vm::{NativeResult, Value, View, display};
use serde::de::DeserializeSeed;
use serde::ser::{SerializeMap, SerializeSeq};

use crate::arguments::{Body, done, entry, get, text, text_of, thrown};
use crate::json::Seed;

/// The bodies.
pub const BODIES: &[Body] = &[
    ("yaml_parse", |_, a| {
        let source = text(a, 0);
        if source.trim().is_empty() {
            return done(Value::NIL);
        }
        match Seed.deserialize(serde_yaml_ng::Deserializer::from_str(&source)) {
            Ok(value) => done(value),
            // A list or mapping as key: well formed, but there is no text for it.
            Err(e) if e.to_string().contains("expected a key") => thrown(format!("yaml_parse: {e}")),
            Err(e) => thrown(format!("YAML parse error: {e}")),
        }
    }),
    ("yaml_stringify", |_, a| match serde_yaml_ng::to_string(&Written(get(a, 0), 0)) {
        Ok(text) => done(text),
        Err(e) => thrown(format!("yaml_stringify: {e}")),
    }),
    ("toml_parse", |_, a| {
        let parsed = toml::Deserializer::parse(&text(a, 0)).and_then(|reader| Seed.deserialize(reader));
        match parsed {
            Ok(value) => done(value),
            Err(e) => thrown(format!("TOML parse error: {e}")),
        }
    }),
    ("toml_stringify", |_, a| match toml::to_string(&Written(get(a, 0), 0)) {
        Ok(text) => done(text),
        Err(e) => thrown(format!("toml_stringify: {e}")),
    }),
    ("csv_parse", |_, a| csv_parse(&text(a, 0), get(a, 1))),
    ("csv_stringify", |_, a| csv_stringify(get(a, 0), get(a, 1))),
];

/// Nesting beyond this is refused.
const MAX_DEPTH: usize = 200;

/// A value as serde sees it, at a depth.
struct Written<'a>(&'a Value, usize);

impl serde::Serialize for Written<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Written(value, depth) = *self;
        if depth > MAX_DEPTH {
            return Err(serde::ser::Error::custom("value nests too deeply"));
        }
        match value.view() {
            View::Nil => to.serialize_unit(),
            View::Bool(b) => to.serialize_bool(b),
            View::Int(n) => to.serialize_i64(n),
            View::Float(x) => to.serialize_f64(x),
            View::Str(text) => to.serialize_str(text),
            View::List(list) => sequence(to, list.as_slice().iter(), depth),
            View::Set(set) => sequence(to, set.iter(), depth),
            View::Dict(dict) => mapping(to, dict.iter(), depth),
            View::Struct(fields) => mapping(to, fields.fields(), depth),
            _ => to.serialize_str(&display(value)),
        }
    }
}

fn sequence<'a, S: serde::Serializer>(
    to: S,
    items: impl Iterator<Item = &'a Value>,
    depth: usize,
) -> Result<S::Ok, S::Error> {
    let mut out = to.serialize_seq(None)?;
    for item in items {
        out.serialize_element(&Written(item, depth + 1))?;
    }
    out.end()
}

fn mapping<'a, S: serde::Serializer>(
    to: S,
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
    depth: usize,
) -> Result<S::Ok, S::Error> {
    let mut out = to.serialize_map(None)?;
    for (key, value) in entries {
        out.serialize_entry(key, &Written(value, depth + 1))?;
    }
    out.end()
}

/// The options of the CSV builtins.
fn csv_options(name: &str, options: &Value) -> Result<(bool, u8), String> {
    let headers = entry(options, "headers").is_some_and(|v| v.truthy());
    let delimiter = match entry(options, "delimiter").filter(|v| !v.is_nil()) {
        None => b',',
        Some(given) => match text_of(&given).as_bytes() {
            [one] => *one,
            _ => return Err(format!("{name}: delimiter must be one ASCII character")),
        },
    };
    Ok((headers, delimiter))
}

fn csv_parse(text: &str, options: &Value) -> NativeResult {
    let (headers, delimiter) = match csv_options("csv_parse", options) {
        Ok(options) => options,
        Err(error) => return thrown(error),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut rows: Vec<csv::StringRecord> = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => rows.push(record),
            Err(e) => return thrown(format!("csv_parse: {e}")),
        }
    }
    let mut rows = rows.into_iter();
    if !headers {
        return done(Value::list(rows.map(|r| Value::list(r.iter().map(Value::str).collect())).collect()));
    }
    let Some(names) = rows.next() else { return done(Value::list(Vec::new())) };
    let as_dict = |row: csv::StringRecord| {
        let cell = |(i, name)| (name, Value::str(row.get(i).unwrap_or("")));
        Value::dict(names.iter().enumerate().map(cell))
    };
    done(Value::list(rows.map(as_dict).collect()))
}

fn csv_stringify(rows: &Value, options: &Value) -> NativeResult {
    let (headers, delimiter) = match csv_options("csv_stringify", options) {
        Ok(options) => options,
        Err(error) => return thrown(error),
    };
    let View::List(list) = rows.view() else { return thrown("csv_stringify: expected a list of rows") };
    let rows = list.as_slice();
    let by_name = rows.first().is_some_and(Value::is_dict);
    let cells = |row: &Value| match row.view() {
        View::List(cells) => Some(cells.as_slice().iter().map(display).collect::<Vec<_>>()),
        _ => None,
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    if by_name {
        if !rows.iter().all(Value::is_dict) {
            return thrown("csv_stringify: mixed list/dict rows are not supported");
        }
        let columns: BTreeSet<String> = rows.iter().flat_map(keys).collect();
        if headers {
            lines.push(columns.iter().cloned().collect());
        }
        let cell = |row: &Value, key: &String| entry(row, key).map(|v| display(&v)).unwrap_or_default();
        lines.extend(rows.iter().map(|row| columns.iter().map(|key| cell(row, key)).collect()));
    } else {
        for row in rows {
            match cells(row) {
                Some(line) => lines.push(line),
                None if row.is_dict() => {
                    return thrown("csv_stringify: mixed list/dict rows are not supported");
                }
                None => {
                    return thrown("csv_stringify: each row must be a list of cells (or use dict rows)");
                }
            }
        }
    }
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    for line in lines {
        if let Err(e) = writer.write_record(&line) {
            return thrown(format!("csv_stringify: {e}"));
        }
    }
    match writer.into_inner() {
        Ok(bytes) => done(&*String::from_utf8_lossy(&bytes)),
        Err(e) => thrown(format!("csv_stringify: {e}")),
    }
}

fn keys(row: &Value) -> Vec<String> {
    match row.view() {
        View::Dict(dict) => dict.iter().map(|(key, _)| key.to_owned()).collect(),
        _ => Vec::new(),
    }
}
