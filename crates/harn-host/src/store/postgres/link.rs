//! One connection to the server, made when it is needed and made again when it breaks.

use std::collections::HashMap;
use std::error::Error as _;
use std::io;
use std::time::{Duration, Instant};

use harn_eventlog::LogError;
use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::target::Target;
use super::tls::Tls;

/// How long a server that has answered before may be away: a restart.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one that has never answered is tried: a name that is wrong should be told soon.
const FIRST_PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(200);

/// Settings of every connection: who waits for a lock longer is told so, and a client that hangs inside a transaction is
/// thrown out, so that it does not keep everybody waiting.
const SETTINGS: &str = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '20s'; \
     SET client_min_messages = warning";

pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The connection is gone, and with it the transaction.
    Lost(String),
    /// The server said no.
    Refused(LogError),
}

/// A connection, or the place of one.
pub(super) struct Link {
    target: Target,
    tls: Tls,
    runtime: Option<Runtime>,
    client: Option<Client>,
    statements: HashMap<&'static str, Statement>,
    /// Whether the server has answered before.
    was_up: bool,
    patience: Option<Duration>,
}

impl Link {
    pub(super) fn new(target: Target) -> Link {
        Link {
            tls: Tls::new(target.roots.clone()),
            target,
            runtime: None,
            client: None,
            statements: HashMap::new(),
            was_up: false,
            patience: None,
        }
    }

    /// Sets how long a server that does not answer is tried again.
    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.patience = Some(patience);
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn place(&self) -> &str {
        self.target.place()
    }

    /// The runtime that the connection lives on. It runs only while a call waits for it.
    fn runtime(&mut self) -> Result<&Runtime, LogError> {
        if self.runtime.is_none() {
            let made = tokio::runtime::Builder::new_current_thread().enable_all().build();
            self.runtime = Some(made.map_err(|error| LogError::Storage(error.to_string()))?);
        }
        self.runtime.as_ref().ok_or(LogError::Busy)
    }

    /// Makes a connection when there is none, again and again while the server cannot be reached.
    pub(super) fn connect(&mut self) -> Result<(), LogError> {
        let patience = self.patience.unwrap_or(if self.was_up { PATIENCE } else { FIRST_PATIENCE });
        self.connect_within(patience)
    }

    /// Makes a connection when there is none; tries for so long.
    pub(super) fn connect_within(&mut self, patience: Duration) -> Result<(), LogError> {
        if self.client.as_ref().is_some_and(|client| !client.is_closed()) {
            return Ok(());
        }
        self.lose();
        let began = Instant::now();
        loop {
            let (config, tls) = (self.target.config.clone(), self.tls.clone());
            let attempt = self.runtime()?.block_on(async {
                let (client, connection) = config.connect(tls).await?;
                // A connection that breaks ends its task; the client then says that it is closed.
                tokio::spawn(async move {
                    let _ = connection.await;
                });
                client.batch_execute(SETTINGS).await?;
                Ok::<_, Error>(client)
            });
            match attempt {
                Ok(client) => {
                    self.client = Some(client);
                    self.was_up = true;
                    return Ok(());
                }
                Err(error) if !is_lost(&error) => return Err(self.refused(&error)),
                Err(error) if began.elapsed() + PAUSE > patience => {
                    return Err(LogError::Unreachable(format!("{}: {}", self.place(), text_of(&error))));
                }
                // A timer is made inside of its runtime.
                Err(_) => self.runtime()?.block_on(async { tokio::time::sleep(PAUSE).await }),
            }
        }
    }

    /// Gives the connection up.
    pub(super) fn lose(&mut self) {
        self.client = None;
        self.statements.clear();
    }

    /// Runs a statement on the present connection.
    pub(super) fn query(&mut self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, Trouble> {
        let (Some(runtime), Some(client)) = (&self.runtime, &self.client) else { return Err(self.gone()) };
        let statements = &mut self.statements;
        let result = runtime.block_on(async {
            let statement = match statements.get(sql) {
                Some(statement) => statement.clone(),
                None => {
                    let made = client.prepare(sql).await?;
                    statements.insert(sql, made.clone());
                    made
                }
            };
            client.query(&statement, params).await
        });
        result.map_err(|error| self.trouble(&error))
    }

    /// Runs statements that give no rows and take no values on the present connection.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Trouble> {
        let (Some(runtime), Some(client)) = (&self.runtime, &self.client) else { return Err(self.gone()) };
        let result = runtime.block_on(client.batch_execute(sql));
        result.map_err(|error| self.trouble(&error))
    }

    fn gone(&self) -> Trouble {
        Trouble::Lost("connection closed".to_owned())
    }

    fn trouble(&mut self, error: &Error) -> Trouble {
        if is_lost(error) {
            self.lose();
            return Trouble::Lost(text_of(error));
        }
        Trouble::Refused(self.refused(error))
    }

    /// The log's words for what the server, or the driver, said.
    fn refused(&self, error: &Error) -> LogError {
        let place = self.place();
        match error.code() {
            Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE => LogError::Busy,
            Some(code) if *code == SqlState::DISK_FULL => LogError::Full,
            Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => {
                LogError::ReadOnly(place.to_owned())
            }
            Some(code) if *code == SqlState::CHARACTER_NOT_IN_REPERTOIRE => {
                LogError::Refused(format!("{place} cannot hold this text: it has a NUL character"))
            }
            _ => LogError::Storage(format!("{place}: {}", text_of(error))),
        }
    }
}

/// What went wrong with its causes. None of it quotes the password.
fn text_of(error: &Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_owned();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whether the connection is gone, or the server does not take any yet.
fn is_lost(error: &Error) -> bool {
    if let Some(code) = error.code() {
        let going = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            SqlState::IDLE_SESSION_TIMEOUT,
        ];
        return code.code().starts_with("08") || going.contains(code);
    }
    // Without a code it is no answer of the server: the way there has failed, or what came is no answer at all.
    let io = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    match io {
        // A certificate that is not trusted will not be trusted in a moment either.
        Some(io) => io.kind() != io::ErrorKind::InvalidData,
        None => error.is_closed() || error.to_string().contains("timeout"),
    }
}
