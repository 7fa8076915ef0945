//! The rows of global builtins, one file a domain.

use crate::Builtin;

mod agents;
mod autonomy;
mod bytes;
mod collections;
mod concurrency;
mod core;
mod dates;
mod event_log;
mod files;
mod formats;
mod hashes;
mod host;
mod http;
mod http_server;
mod json;
mod llm;
mod numbers;
mod output;
mod people;
mod primitives;
mod records;
mod regex;
mod schemas;
mod skills;
mod state;
mod streams;
mod system;
mod templates;
mod testing;
mod text;
mod triggers;
mod trust;
mod urls;
mod workers;
mod workflows;

/// Every domain: heading and rows. A new domain is one line here and one file beside it.
pub const DOMAINS: &[(&str, &[Builtin])] = &[
    ("Values", core::ROWS),
    ("Output", output::ROWS),
    ("Text", text::ROWS),
    ("Regular expressions", regex::ROWS),
    ("Numbers and randomness", numbers::ROWS),
    ("Collections and sets", collections::ROWS),
    ("JSON", json::ROWS),
    ("YAML, TOML, CSV", formats::ROWS),
    ("Bytes and encodings", bytes::ROWS),
    ("Hashes and signatures", hashes::ROWS),
    ("Dates, durations, ids", dates::ROWS),
    ("Schemas", schemas::ROWS),
    ("Templates", templates::ROWS),
    ("URLs and paths", urls::ROWS),
    ("Testing", testing::ROWS),
    ("Tasks, channels, shared state, time", concurrency::ROWS),
    ("Streams", streams::ROWS),
    ("Files", files::ROWS),
    ("Environment, processes, terminal", system::ROWS),
    ("Host", host::ROWS),
    ("HTTP", http::ROWS),
    ("HTTP servers", http_server::ROWS),
    ("Event log", event_log::ROWS),
    ("Trust", trust::ROWS),
    ("People and waitpoints", people::ROWS),
    ("Autonomy", autonomy::ROWS),
    ("Models", llm::ROWS),
    ("Agents", agents::ROWS),
    ("Skills and tool search", skills::ROWS),
    ("Sub-agents, workers, MCP", workers::ROWS),
    ("State, metadata, scans, commands", state::ROWS),
    ("Triggers", triggers::ROWS),
    ("Workflows, artifacts, run records", workflows::ROWS),
    ("Verdicts, plans, handoffs, friction", records::ROWS),
    ("Primitives of the prelude", primitives::ROWS),
];
