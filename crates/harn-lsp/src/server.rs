//! The loop: messages in the order of their arrival, cancelled requests answered as such, panics caught, diagnostics
//! when nothing is waiting.

use crate::features::{self, legend};
use crate::files::Files;
use crate::text::Encoding;
use crate::uri;
use crate::workspace::Workspace;
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::*;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Serves one editor on standard input and output. Gives what the process should exit with: 0 after an orderly
/// shutdown, 1 otherwise.
pub fn serve(files: Box<dyn Files>) -> u8 {
    let (connection, threads) = Connection::stdio();
    let code = run(connection, files);
    // A client that closed its end first is no fault.
    let _ = threads.join();
    code
}

/// Serves one editor on a connection.
pub fn run(connection: Connection, files: Box<dyn Files>) -> u8 {
    let Ok((id, params)) = connection.initialize_start() else { return 1 };
    let params: InitializeParams = serde_json::from_value(params).unwrap_or_default();
    let encoding = encoding(&params);
    let watches = params
        .capabilities
        .workspace
        .as_ref()
        .and_then(|w| w.did_change_watched_files)
        .is_some_and(|w| w.dynamic_registration == Some(true));
    let result = json!({
        "capabilities": capabilities(encoding),
        "serverInfo": {"name": "harn-lsp", "version": env!("CARGO_PKG_VERSION")},
    });
    if connection.initialize_finish(id, result).is_err() {
        return 1;
    }
    let mut server = Server {
        workspace: Workspace::new(files, roots(&params), encoding),
        connection,
        waiting: VecDeque::new(),
        cancelled: HashSet::new(),
        published: HashSet::new(),
        shut_down: false,
    };
    if watches {
        server.watch();
    }
    server.run()
}

fn read<T: DeserializeOwned>(params: Json) -> Option<T> {
    serde_json::from_value(params).ok()
}

fn encoding(params: &InitializeParams) -> Encoding {
    let offered = params.capabilities.general.as_ref().and_then(|g| g.position_encodings.as_ref());
    let utf8 = offered.is_some_and(|e| e.contains(&PositionEncodingKind::UTF8));
    if utf8 { Encoding::Utf8 } else { Encoding::Utf16 }
}

#[allow(deprecated, reason = "older editors send a root instead of folders")]
fn roots(params: &InitializeParams) -> Vec<String> {
    match (&params.workspace_folders, &params.root_uri) {
        (Some(folders), _) if !folders.is_empty() => folders.iter().map(|f| uri::to_path(&f.uri)).collect(),
        (_, Some(root)) => vec![uri::to_path(root)],
        _ => Vec::new(),
    }
}

fn capabilities(encoding: Encoding) -> Json {
    json!({
        "positionEncoding": if encoding == Encoding::Utf8 { "utf-8" } else { "utf-16" },
        "textDocumentSync": {"openClose": true, "change": 2, "save": true},
        "hoverProvider": true,
        "completionProvider": {"triggerCharacters": [".", "\"", "/"]},
        "signatureHelpProvider": {"triggerCharacters": ["(", ","], "retriggerCharacters": [")"]},
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "documentSymbolProvider": true,
        "workspaceSymbolProvider": true,
        "documentLinkProvider": {},
        "codeActionProvider": {"codeActionKinds": ["quickfix", "source.fixAll", "source.fixAll.harn"]},
        "documentFormattingProvider": true,
        "renameProvider": {"prepareProvider": true},
        "foldingRangeProvider": true,
        "inlayHintProvider": true,
        "semanticTokensProvider": {"legend": legend(), "full": true},
        "workspace": {"workspaceFolders": {"supported": true, "changeNotifications": true}},
    })
}

/// Why a request has no result.
pub struct Refused {
    /// Of the protocol.
    pub code: ErrorCode,
    /// For a person.
    pub message: String,
}

impl Refused {
    /// The request cannot be done, for a reason the user should read.
    pub fn because(message: impl Into<String>) -> Refused {
        Refused { code: ErrorCode::RequestFailed, message: message.into() }
    }
}

struct Server {
    workspace: Workspace,
    connection: Connection,
    waiting: VecDeque<Message>,
    /// Requests that wait and are not wanted any more.
    cancelled: HashSet<RequestId>,
    /// Documents for which the editor shows diagnostics.
    published: HashSet<String>,
    shut_down: bool,
}

impl Server {
    fn run(&mut self) -> u8 {
        loop {
            if self.waiting.is_empty() && self.connection.receiver.is_empty() {
                self.publish();
            }
            if self.waiting.is_empty() {
                match self.connection.receiver.recv() {
                    Ok(message) => self.arrived(message),
                    Err(_) => return u8::from(!self.shut_down),
                }
            }
            while let Ok(message) = self.connection.receiver.try_recv() {
                self.arrived(message);
            }
            match self.waiting.pop_front() {
                Some(Message::Notification(n)) if n.method == "exit" => return u8::from(!self.shut_down),
                Some(Message::Notification(n)) => self.notified(n),
                Some(Message::Request(r)) => self.requested(r),
                Some(Message::Response(_)) | None => {}
            }
        }
    }

    /// Puts a message in line; a cancellation jumps it.
    fn arrived(&mut self, message: Message) {
        if let Message::Notification(n) = &message
            && n.method == "$/cancelRequest"
        {
            let id = n.params.get("id").cloned().map(serde_json::from_value);
            let waits =
                |id: &RequestId| self.waiting.iter().any(|m| matches!(m, Message::Request(r) if r.id == *id));
            if let Some(Ok(id)) = id
                && waits(&id)
            {
                self.cancelled.insert(id);
            }
            return;
        }
        self.waiting.push_back(message);
    }

    fn send(&self, message: impl Into<Message>) {
        // The writer only ends with the connection, which `run` notices.
        let _ = self.connection.sender.send(message.into());
    }

    fn log(&self, text: &str) {
        let params = json!({"type": 1, "message": text});
        self.send(Notification { method: "window/logMessage".into(), params });
    }

    /// Runs a handler; a panic is told to the editor's log and the server lives on.
    fn guarded<T>(&mut self, what: &str, f: impl FnOnce(&mut Workspace) -> T) -> Option<T> {
        let workspace = &mut self.workspace;
        match catch_unwind(AssertUnwindSafe(|| f(workspace))) {
            Ok(value) => Some(value),
            Err(panic) => {
                let words = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
                let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                self.log(&format!("harn-lsp: {what} failed: {words}"));
                None
            }
        }
    }

    fn requested(&mut self, request: Request) {
        let Request { id, method, params } = request;
        let refuse = |code: ErrorCode, text: String| Response::new_err(id.clone(), code as i32, text);
        if self.cancelled.remove(&id) {
            return self.send(refuse(ErrorCode::RequestCanceled, "cancelled".to_owned()));
        }
        if self.shut_down {
            return self.send(refuse(ErrorCode::InvalidRequest, "the server is shutting down".to_owned()));
        }
        if method == "shutdown" {
            self.shut_down = true;
            return self.send(Response::new_ok(id, Json::Null));
        }
        let Some(handler) = features::handler(&method) else {
            let text = format!("Method not found: {method}");
            return self.send(refuse(ErrorCode::MethodNotFound, text));
        };
        let response = match self.guarded(&method, |w| handler(w, params)) {
            Some(Ok(result)) => Response::new_ok(id, result),
            Some(Err(refused)) => refuse(refused.code, refused.message),
            None => refuse(ErrorCode::InternalError, format!("{method} failed; see the server's log")),
        };
        self.send(response);
    }

    fn notified(&mut self, notification: Notification) {
        let Notification { method, params } = notification;
        match method.as_str() {
            "textDocument/didOpen" => {
                let Some(p) = read::<DidOpenTextDocumentParams>(params) else { return };
                let document = p.text_document;
                self.workspace.open(document.uri, document.version, document.text);
            }
            "textDocument/didChange" => {
                let Some(p) = read::<DidChangeTextDocumentParams>(params) else {
                    return self.log("harn-lsp: a change could not be read");
                };
                let document = p.text_document;
                let known = self.workspace.change(&document.uri, document.version, &p.content_changes);
                if known.is_none() {
                    self.log("harn-lsp: a change of a document that is not open");
                }
            }
            "textDocument/didClose" => {
                let Some(p) = read::<DidCloseTextDocumentParams>(params) else { return };
                if let Some(path) = self.workspace.close(&p.text_document.uri) {
                    self.published.remove(&path);
                    let none = json!({"uri": p.text_document.uri, "diagnostics": []});
                    let method = "textDocument/publishDiagnostics".to_owned();
                    self.send(Notification { method, params: none });
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => self.workspace.disk_changed(),
            "workspace/didChangeWorkspaceFolders" => {
                let Some(p) = read::<DidChangeWorkspaceFoldersParams>(params) else { return };
                let paths =
                    |f: &[WorkspaceFolder]| f.iter().map(|f| uri::to_path(&f.uri)).collect::<Vec<_>>();
                self.workspace.change_roots(paths(&p.event.added), &paths(&p.event.removed));
            }
            _ => {}
        }
    }

    /// Diagnostics of every open document that has changed, until a message arrives.
    fn publish(&mut self) {
        for path in self.workspace.stale() {
            let Some(params) = self.guarded("diagnostics", |w| features::diagnostics(w, &path)).flatten()
            else {
                continue;
            };
            self.published.insert(path);
            self.send(Notification { method: "textDocument/publishDiagnostics".to_owned(), params });
            if !self.connection.receiver.is_empty() {
                return;
            }
        }
    }

    /// Asks to be told of programs and manifests that change on disk.
    fn watch(&mut self) {
        let registrations = json!({"registrations": [{
            "id": "harn-files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": {"watchers": [{"globPattern": "**/*.harn"}, {"globPattern": "**/harn.toml"}]},
        }]});
        let id = RequestId::from("harn-watch".to_owned());
        self.send(Request { id, method: "client/registerCapability".to_owned(), params: registrations });
    }
}
