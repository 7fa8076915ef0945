//! The model server of this folder as one process for a whole test binary; included by the tests that call models.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    dead_code,
    reason = "tests set up the real world, each with the parts it needs"
)]

use serde_json::Value as Json;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

/// A variable that is set in every test run, so that the host finds a key without the tests touching the environment.
pub const KEY_VARIABLE: &str = "CARGO_MANIFEST_DIR";

/// The key of the server.
pub fn key() -> String {
    std::env::var(KEY_VARIABLE).unwrap()
}

struct Server {
    port: u16,
    // The server ends when its standard input is closed with this process.
    _child: Child,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), PathBuf::from);
    let python = target.join("model_server_venv/bin/python");
    assert!(
        target.join("model_server_venv/requirements.txt").exists(),
        "{} is missing: run tests/model_server/setup.sh first",
        python.display()
    );
    let mut child = Command::new(python)
        .arg(root.join("tests/model_server/server.py"))
        .env("MODEL_SERVER_KEY", key())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    eprintln!("model server: {}", line.trim());
    let port = line.split(' ').nth(1).unwrap().parse().unwrap();
    Server { port, _child: child }
});

/// The base URL of a scenario for a provider.
pub fn base_url(scenario: &str, provider: &str) -> String {
    let version = if provider == "ollama" { "" } else { "/v1" };
    format!("http://127.0.0.1:{}/{scenario}/{provider}{version}", SERVER.port)
}

/// The requests that a scenario has received.
pub fn seen(scenario: &str) -> Json {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", SERVER.port)).unwrap();
    write!(stream, "GET /{scenario} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap()
}
