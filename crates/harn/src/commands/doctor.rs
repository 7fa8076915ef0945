//! `harn doctor`: what is set up here, and how to mend what is not (spec 09 section 2.8). Values of keys are never shown.

use super::Command;
use crate::modules::DiskModules;
use crate::{output, session, targets};
use clap::{Arg, ArgAction, ArgMatches};
use harn_eventlog::{Durability, LogError, Store};
use harn_host::RealHost;
use harn_host::store::{Backend, LogConfig, PostgresStore, Target};
use harn_llm::catalog::Catalog;
use harn_llm::environment::Environment;
use serde_json::json;
use std::process::ExitCode;

/// The row of the command table.
pub const COMMAND: Command = Command {
    name: "doctor",
    aliases: &[],
    about: "Looks at what is set up here and says how to mend what is not",
    args: |command| {
        command
            .arg(
                Arg::new("no-network")
                    .long("no-network")
                    .action(ArgAction::SetTrue)
                    .help("Does not try to reach the model provider"),
            )
            .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Prints the findings as JSON"))
    },
    run,
};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Ok,
    Warn,
    Fail,
    Skip,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::Warn => "WARN",
            Status::Fail => "FAIL",
            Status::Skip => "SKIP",
        }
    }
}

/// One row.
struct Row {
    status: Status,
    label: &'static str,
    detail: String,
    /// What to do about it.
    mend: Option<String>,
}

fn row(status: Status, label: &'static str, detail: impl Into<String>) -> Row {
    Row { status, label, detail: detail.into(), mend: None }
}

impl Row {
    fn mend(mut self, text: impl Into<String>) -> Row {
        self.mend = Some(text.into());
        self
    }
}

fn run(matches: &ArgMatches) -> ExitCode {
    let network = !matches.get_flag("no-network");
    let catalog = Catalog::builtin();
    let env = Environment::read(&catalog, RealHost::env);
    let mut rows = vec![toolchain()];
    rows.push(provider(&catalog, &env));
    rows.extend(keys(&catalog, &env));
    rows.extend(manifest());
    rows.push(event_log());
    rows.push(health(&catalog, &env, network));
    if matches.get_flag("json") {
        let list: Vec<_> = rows
            .iter()
            .map(|r| json!({"status": r.status.word(), "label": r.label, "detail": r.detail, "mend": r.mend}))
            .collect();
        output::outln(&json!(list).to_string());
    } else {
        output::outln("Harn doctor\n");
        for row in &rows {
            output::outln(&format!("{:>4}  {}  {}", row.status.word(), row.label, row.detail));
            if let Some(mend) = &row.mend {
                output::outln(&format!("      mend: {mend}"));
            }
        }
    }
    if rows.iter().any(|r| r.status == Status::Fail) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn toolchain() -> Row {
    let binary = std::env::current_exe().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    row(Status::Ok, "harn", format!("v{} at {binary}", env!("CARGO_PKG_VERSION")))
}

/// The provider that a program without a choice of its own gets.
fn provider(catalog: &Catalog, env: &Environment) -> Row {
    let name = RealHost::env("HARN_LLM_PROVIDER")
        .filter(|name| !name.eq_ignore_ascii_case("auto"))
        .unwrap_or_else(|| catalog.default_provider(env));
    if name == "mock" {
        return row(Status::Ok, "provider", "mock: model calls are answered by the mock");
    }
    if !catalog.providers.contains_key(&name) {
        let all: Vec<&str> = catalog.providers.keys().map(String::as_str).collect();
        return row(
            Status::Fail,
            "provider",
            format!("HARN_LLM_PROVIDER names `{name}`, which is not known"),
        )
        .mend(format!("use one of: {}", all.join(", ")));
    }
    if catalog.available(env, &name) {
        return row(Status::Ok, "provider", name);
    }
    let variables = catalog.providers.get(&name).map(|p| p.auth_env.join(" or ")).unwrap_or_default();
    row(Status::Warn, "provider", format!("{name}, but no key for it is set"))
        .mend(format!("set {variables}; or HARN_LLM_PROVIDER=mock to work without a model"))
}

/// Which keys are set, by the names of their variables.
fn keys(catalog: &Catalog, env: &Environment) -> Vec<Row> {
    let mut rows: Vec<Row> = catalog
        .providers
        .iter()
        .filter(|(_, provider)| !provider.auth_env.is_empty())
        .filter_map(|(name, provider)| {
            let set = provider.auth_env.iter().find(|variable| env.has_secret(variable))?;
            Some(row(Status::Ok, "key", format!("{set} is set ({name})")))
        })
        .collect();
    for (name, provider) in &catalog.providers {
        for variable in &provider.auth_env {
            let blank = RealHost::env(variable).is_some_and(|value| value.trim().is_empty());
            if blank {
                let detail = format!("{variable} is set but empty ({name})");
                rows.push(row(Status::Warn, "key", detail).mend(format!("unset it: env -u {variable}")));
            }
        }
    }
    if rows.is_empty() {
        rows.push(row(Status::Skip, "key", "no model key is set; programs can use the mock").mend(
            "for real models: export ANTHROPIC_API_KEY=... or OPENAI_API_KEY=... (keys are read from the environment only)",
        ));
    }
    rows
}

/// The nearest `harn.toml`.
fn manifest() -> Vec<Row> {
    let mut disk = DiskModules::new();
    let project = targets::project("./harn.toml", &mut disk);
    let project = if project.directory.is_none() { targets::project(".", &mut disk) } else { project };
    if let Some(problem) = project.problem {
        return vec![
            row(Status::Fail, "manifest", problem)
                .mend("correct the line that is named; the rest is TOML 1.0"),
        ];
    }
    let Some(directory) = project.directory else {
        return vec![
            row(Status::Skip, "manifest", "no harn.toml here or above")
                .mend("harn init writes one; without one, state is kept beside each script"),
        ];
    };
    let mut rows = vec![row(Status::Ok, "manifest", format!("{directory}/harn.toml"))];
    for (key, known) in project.manifest.unknown_keys() {
        let mut found = row(Status::Warn, "manifest", format!("unknown key `{key}`"));
        if let Some(known) = known {
            found = found.mend(format!("did you mean `{known}`?"));
        }
        rows.push(found);
    }
    rows
}

/// Whether the event log can be opened and read, and a new one be written.
fn event_log() -> Row {
    let here = std::env::current_dir().unwrap_or_default();
    let base = session::base_dir(&here.join("main.harn").to_string_lossy());
    let config = match LogConfig::resolve(std::path::Path::new(&base), &RealHost::env) {
        Ok(config) => config,
        Err(error) => {
            let mend = match error.to_string().contains("HARN_STORE") {
                true => "unset HARN_STORE to keep the log in a file; docs/stores.md describes both",
                false => "set HARN_EVENT_LOG_BACKEND to sqlite, file or memory, or HARN_STORE to a database",
            };
            return row(Status::Fail, "event log", error.to_string()).mend(mend);
        }
    };
    if let Backend::Postgres(target) = config.backend {
        return database(*target);
    }
    if !config.is_durable() {
        return row(Status::Warn, "event log", "in memory: budgets and approvals end with the process")
            .mend("unset HARN_EVENT_LOG_BACKEND to keep it in a file");
    }
    let place = config.state_root.to_string_lossy().into_owned();
    if config.state_root.exists() {
        let mut store = config.open();
        return match store.topics() {
            Ok(topics) => row(Status::Ok, "event log", format!("{place}, {} topics", topics.len())),
            Err(error) => row(Status::Fail, "event log", format!("{place}: {error}"))
                .mend(format!("check that you own {place} and that its disk is not full")),
        };
    }
    let parent = config.state_root.ancestors().find(|dir| dir.is_dir()).unwrap_or(&here);
    match tempfile::Builder::new().prefix(".harn-doctor").tempfile_in(parent) {
        Ok(_) => row(Status::Ok, "event log", format!("{place}, created on first use")),
        Err(error) => row(Status::Fail, "event log", format!("{place} cannot be created: {error}"))
            .mend(format!("make {} writable, or set HARN_STATE_DIR", parent.to_string_lossy())),
    }
}

/// Whether the database can be reached, read and written; nothing is left in it.
fn database(target: Target) -> Row {
    let place = target.place().to_owned();
    let mut store = PostgresStore::new(target, None);
    store.set_patience(std::time::Duration::ZERO);
    let found = store.topics().and_then(|topics| {
        // Begins what an append begins with, which makes the tables where there are none, and takes it back.
        drop(store.begin(Durability::Synced)?);
        Ok(topics.len())
    });
    let label = "event log";
    match found {
        Ok(count) => row(Status::Ok, label, format!("PostgreSQL {place}, {count} topics, writable")),
        Err(LogError::Unreachable(text)) => row(Status::Fail, label, format!("PostgreSQL {text}")).mend(
            "start the server, or correct host and port in HARN_STORE; unset it to keep the log in a file",
        ),
        Err(error) => {
            let text = format!("PostgreSQL: {error}");
            let mend = if text.contains("TLS") {
                "name the server's certificate authority in ?sslrootcert=FILE or SSL_CERT_FILE, or, where nobody listens \
                 in, say ?sslmode=disable"
            } else if text.contains("no encryption") {
                "add ?sslmode=require to HARN_STORE"
            } else {
                "correct user, password (PGPASSWORD is read too) and database in HARN_STORE; the user needs the right \
                 to create tables once"
            };
            row(Status::Fail, label, text).mend(mend)
        }
    }
}

/// Whether the provider's machine answers at all; no key is sent.
fn health(catalog: &Catalog, env: &Environment, network: bool) -> Row {
    let label = "provider health";
    if !network {
        return row(Status::Skip, label, "--no-network");
    }
    let name = catalog.default_provider(env);
    let Some(provider) = catalog.providers.get(&name).filter(|_| catalog.available(env, &name)) else {
        return row(Status::Skip, label, "no provider with a key");
    };
    let base = provider.base(env);
    let Some((host, port)) = address(&base) else { return row(Status::Skip, label, "no address") };
    match reach(&host, port) {
        Ok(()) => row(Status::Ok, label, format!("{name}: {host}:{port} answers")),
        Err(error) => row(Status::Warn, label, format!("{name}: {host}:{port}: {error}"))
            .mend("check the network, a proxy, or the base URL of the provider"),
    }
}

/// Host and port of a base URL.
fn address(base: &str) -> Option<(String, u16)> {
    let (scheme, rest) = base.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let default = if scheme == "https" { 443 } else { 80 };
    match authority.rsplit_once(':') {
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((authority.to_owned(), default)),
    }
}

fn reach(host: &str, port: u16) -> Result<(), String> {
    use std::net::{TcpStream, ToSocketAddrs};
    let addresses = (host, port).to_socket_addrs().map_err(|error| error.to_string())?;
    let mut last = "no address".to_owned();
    for address in addresses.take(4) {
        match TcpStream::connect_timeout(&address, std::time::Duration::from_secs(3)) {
            Ok(_) => return Ok(()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_from_a_base_url() {
        assert_eq!(address("https://api.x.com/v1"), Some(("api.x.com".to_owned(), 443)));
        assert_eq!(address("http://localhost:11434"), Some(("localhost".to_owned(), 11434)));
        assert_eq!(address("nonsense"), None);
    }
}
