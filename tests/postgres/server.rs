//! A PostgreSQL server of a test: in a temporary directory, on a socket there, gone with the test.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    dead_code,
    reason = "tests set up the real world"
)]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// A running server.
pub struct Server {
    directory: tempfile::TempDir,
    process: Option<Child>,
}

/// Where PostgreSQL's programs are: Debian keeps them by version, out of the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| PathBuf::from(name))
}

/// Runs a program, not as root: PostgreSQL refuses that.
fn unprivileged() -> Command {
    let owner = std::fs::metadata("/proc/self").unwrap();
    if std::os::unix::fs::MetadataExt::uid(&owner) != 0 {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command
}

impl Server {
    /// A server that tests share which do it no harm, there as long as one of them uses it.
    pub fn shared() -> Arc<Server> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Server::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// Makes a server and starts it.
    pub fn start() -> Server {
        let directory = tempfile::Builder::new().prefix("harn-pg").tempdir().unwrap();
        // Without the right to it the directory is ours already.
        let _ = std::os::unix::fs::chown(directory.path(), Some(65534), Some(65534));
        let mut server = Server { directory, process: None };
        let made = unprivileged()
            .arg(program("initdb"))
            .args([
                "--no-sync",
                "--auth=trust",
                "--username=harn",
                "--encoding=UTF8",
                "--locale=C",
                "-D",
                "data",
            ])
            .current_dir(server.directory.path())
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "initdb: {} (scripts/test-setup installs it)",
            String::from_utf8_lossy(&made.stderr)
        );
        server.up();
        server
    }

    /// Starts the server again.
    pub fn up(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).unwrap();
        // The server ends with its standard input, so it does not outlive the test, however that ends. QUIT: without a
        // checkpoint, as a crash would.
        let process = unprivileged()
            .args(["sh", "-c", "\"$@\" & read -r line; kill -QUIT $!; wait", "sh"])
            .arg(program("postgres"))
            .args(["-D", "data", "-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(self.directory.path())
            .current_dir(self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.process = Some(process);
        for _ in 0..600 {
            let ready =
                Command::new(program("pg_isready")).args(["-q", "-h"]).arg(self.directory.path()).status();
            if ready.unwrap().success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{}", std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default());
    }

    /// Ends the server as a crash would: whatever is under way is cut off.
    pub fn crash(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        drop(process.stdin.take());
        process.wait().unwrap();
    }

    /// The URL of a database of its own.
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("d{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        let directory = self.directory.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://harn:secret@{directory}/{name}")
    }

    /// Runs SQL in a database, given by name or URL, with another client.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let database = name(database);
        let output = Command::new(program("psql"))
            .args(["-qAt", "-U", "harn", "-d", database, "-c", sql, "-h"])
            .arg(self.directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Breaks every connection to a database.
    pub fn cut(&self, url: &str) {
        let name = name(url);
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = ";
        self.sql("postgres", &format!("{cut}'{name}'"));
    }
}

/// The name of the database in a URL.
fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.crash();
    }
}
