//! A client that says little and waits for answers.

use harn_lsp::{Files, Settings, run};
use harn_types::graph::SourceLoader;
use lsp_server::{Connection, Message, Notification, Request, RequestId, Response};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::thread::JoinHandle;

/// A disk that is a table.
pub struct Table(pub BTreeMap<String, String>);

impl SourceLoader for Table {
    fn read(&mut self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "not found".to_owned())
    }
    fn canonical(&mut self, path: &str) -> Option<String> {
        self.0.contains_key(path).then(|| path.to_owned())
    }
    fn is_file(&mut self, path: &str) -> bool {
        self.0.contains_key(path)
    }
    fn exists(&mut self, path: &str) -> bool {
        self.0.contains_key(path)
    }
    fn std_module(&self, _: &str) -> Option<&'static str> {
        None
    }
}

impl Files for Table {
    fn programs(&mut self, directory: &str) -> Vec<String> {
        self.0.keys().filter(|k| k.starts_with(directory)).cloned().collect()
    }
    fn library(&self) -> Vec<&'static str> {
        Vec::new()
    }
    fn settings(&mut self, _: &str) -> Settings {
        Settings::default()
    }
}

/// One editor with its server.
pub struct Editor {
    pub client: Connection,
    server: Option<JoinHandle<u8>>,
    next: i32,
}

impl Editor {
    /// A server on a disk with these files, in the folder `/w`.
    pub fn start(files: &[(&str, &str)]) -> Editor {
        let mut editor = Editor::silent(files);
        let folders = json!([{"uri": "file:///w", "name": "w"}]);
        editor.ask("initialize", json!({"capabilities": {}, "workspaceFolders": folders})).unwrap();
        editor.tell("initialized", json!({}));
        editor
    }

    /// A server that has not been initialized.
    pub fn silent(files: &[(&str, &str)]) -> Editor {
        let table = Table(files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect());
        let (client, server) = Connection::memory();
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        let server = thread.spawn(move || run(server, Box::new(table))).unwrap();
        Editor { client, server: Some(server), next: 0 }
    }

    pub fn tell(&self, method: &str, params: Json) {
        self.client.sender.send(Notification { method: method.to_owned(), params }.into()).unwrap();
    }

    /// Sends a request without waiting.
    pub fn request(&mut self, method: &str, params: Json) -> RequestId {
        self.next += 1;
        let id = RequestId::from(self.next);
        self.client
            .sender
            .send(Request { id: id.clone(), method: method.to_owned(), params }.into())
            .unwrap();
        id
    }

    /// The answer to a request; what else comes is passed over.
    pub fn answer(&self, id: &RequestId) -> Response {
        loop {
            match self.client.receiver.recv().unwrap() {
                Message::Response(response) if response.id == *id => return response,
                _ => {}
            }
        }
    }

    pub fn ask(&mut self, method: &str, params: Json) -> Result<Json, String> {
        let id = self.request(method, params);
        self.answer(&id).response_result.map_err(|e| e.message)
    }

    pub fn open(&self, path: &str, text: &str) {
        let document =
            json!({"uri": format!("file://{path}"), "languageId": "harn", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
    }

    pub fn change(&self, path: &str, version: i32, changes: Json) {
        let document = json!({"uri": format!("file://{path}"), "version": version});
        self.tell("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// The next diagnostics of a document in this version.
    pub fn diagnostics(&self, path: &str, version: i32) -> Json {
        let uri = format!("file://{path}");
        loop {
            if let Message::Notification(n) = self.client.receiver.recv().unwrap()
                && n.method == "textDocument/publishDiagnostics"
                && n.params["uri"] == uri.as_str()
                && n.params["version"] == version
            {
                return n.params["diagnostics"].clone();
            }
        }
    }

    /// Ends the server in order; what it exits with.
    pub fn stop(mut self) -> u8 {
        let _ = self.ask("shutdown", Json::Null);
        self.tell("exit", Json::Null);
        self.server.take().unwrap().join().unwrap()
    }
}
