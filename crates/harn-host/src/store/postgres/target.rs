//! Which database, and how to reach it: the URL of a PostgreSQL store.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use harn_eventlog::LogError;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A database: a URL that was understood. What is shown of it is host, port and database, never a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) config: Config,
    /// A file of root certificates (`sslrootcert`) instead of those of the system.
    pub(super) roots: Option<PathBuf>,
    place: String,
}

impl Target {
    /// Whether a text is meant as the URL of a PostgreSQL database.
    pub fn is_url(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Reads `postgres://user:password@host:port/database?option=value`; `password` is used when the URL has none. The
    /// error does not show the URL.
    pub fn parse(url: &str, password: Option<String>) -> Result<Target, LogError> {
        let (url, roots) = tls_options(url.trim());
        let mut config: Config = url.parse().map_err(|error| refused(&error))?;
        if config.get_password().is_none()
            && let Some(password) = password
        {
            config.password(password);
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        // A machine that vanished without a word is noticed in half a minute.
        config.keepalives_idle(Duration::from_secs(10));
        config.keepalives_interval(Duration::from_secs(5));
        config.keepalives_retries(4);
        config.tcp_user_timeout(Duration::from_secs(30));
        config.application_name("harn");
        let Some(host) = config.get_hosts().first() else {
            return Err(LogError::Refused("HARN_STORE names no host".to_owned()));
        };
        let (host, near) = match host {
            Host::Tcp(host) => (host.clone(), matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1")),
            Host::Unix(directory) => (directory.to_string_lossy().replace('/', "%2F"), true),
        };
        // On the same machine nobody listens in, and Debian's server has a certificate that nobody signed.
        if near && config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Disable);
        }
        let port = config.get_ports().first().map_or(5432, |port| *port);
        let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
        let place = format!("postgres://{host}:{port}/{database}");
        Ok(Target { config, roots, place })
    }

    /// Host, port and database, as a URL: what may be shown.
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place)
    }
}

/// The URL without the options of TLS that the driver does not know: certificates are always verified here, so
/// `verify-full` asks for nothing more than `require`.
fn tls_options(url: &str) -> (String, Option<PathBuf>) {
    // A password may have a question mark too.
    let credentials = url.find('@').unwrap_or(0);
    let Some(mark) = url.get(credentials..).and_then(|rest| rest.find('?')).map(|at| credentials + at) else {
        return (url.to_owned(), None);
    };
    let (start, query) = url.split_at(mark);
    let query = query.strip_prefix('?').unwrap_or(query);
    let mut roots = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslrootcert", path)) => roots = Some(PathBuf::from(path.replace("%2F", "/"))),
            Some(("sslmode", "verify-full")) => kept.push("sslmode=require"),
            _ => kept.push(pair),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    (format!("{start}{query}"), roots)
}

/// The driver names the option that it does not like; anything else it says may quote a part of the password.
fn refused(error: &tokio_postgres::Error) -> LogError {
    let detail =
        error.source().map(ToString::to_string).filter(|text| text.starts_with("invalid value for option"));
    let text = "HARN_STORE is not a valid URL: postgres://user:password@host:port/database";
    LogError::Refused(detail.map_or_else(|| text.to_owned(), |detail| format!("{text} ({detail})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_host_port_and_database() {
        let shown = |url: &str| format!("{:?}", Target::parse(url, Some("secret".into())).unwrap());
        assert_eq!(shown("postgres://ann:secret@db:5433/agents"), "postgres://db:5433/agents");
        assert_eq!(shown("postgresql://ann@db"), "postgres://db:5432/ann");
        assert_eq!(shown("postgres://ann@%2Fvar%2Frun/agents"), "postgres://%2Fvar%2Frun:5432/agents");
    }

    #[test]
    fn an_error_shows_nothing_of_the_url_but_the_option_it_dislikes() {
        let said = |url: &str| Target::parse(url, None).unwrap_err().to_string();
        for url in ["postgres://ann:secret@db:port/x", "postgres://ann@db/x?pa=secret", "postgres://:secret@"]
        {
            assert!(!said(url).contains("secret"), "{}", said(url));
        }
        assert!(said("postgres://ann:secret@db:port/x").contains("`port`"));
    }

    #[test]
    fn a_password_may_come_from_elsewhere() {
        let password = |url: &str| {
            let target = Target::parse(url, Some("other".into())).unwrap();
            target.config.get_password().map(<[u8]>::to_vec)
        };
        assert_eq!(password("postgres://ann@db/x").unwrap(), b"other");
        assert_eq!(password("postgres://ann:own@db/x").unwrap(), b"own");
    }

    #[test]
    fn encryption_is_asked_for_unless_the_server_is_near() {
        let mode = |url: &str| Target::parse(url, None).unwrap().config.get_ssl_mode();
        assert_eq!(mode("postgres://ann@localhost/x"), SslMode::Disable);
        assert_eq!(mode("postgres://ann@%2Ftmp/x"), SslMode::Disable);
        assert_eq!(mode("postgres://ann@db/x"), SslMode::Prefer);
        assert_eq!(mode("postgres://ann@localhost/x?sslmode=require"), SslMode::Require);
        let target =
            Target::parse("postgres://ann@db/x?sslmode=verify-full&sslrootcert=%2Fca.pem", None).unwrap();
        assert_eq!(target.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(target.roots, Some(PathBuf::from("/ca.pem")));
    }
}
