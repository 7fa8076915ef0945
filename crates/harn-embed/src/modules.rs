//! Where `harn` finds the modules that programs import: files through the host, library modules in the binary.

use harn_effect::{Data, Host, Op, Request, Ticket};
use harn_host::RealHost;
use harn_types::graph::SourceLoader;

/// Reads modules from disk.
pub struct DiskModules {
    host: RealHost,
}

/// Why a file has no text.
pub enum Unreadable {
    /// The operating system's words.
    System(String),
    /// It is not UTF-8: where the first bad byte is.
    NotText(usize),
}

impl Default for DiskModules {
    fn default() -> Self {
        Self::new()
    }
}

impl DiskModules {
    /// A loader.
    pub fn new() -> Self {
        DiskModules { host: RealHost::new() }
    }

    /// The text of a file.
    pub fn text(&mut self, path: &str) -> Result<String, Unreadable> {
        match self.ask(Op::FileRead, path).map_err(Unreadable::System)? {
            Data::Bytes(bytes) => String::from_utf8(bytes)
                .map_err(|error| Unreadable::NotText(error.utf8_error().valid_up_to())),
            _ => Err(Unreadable::System("no bytes".to_owned())),
        }
    }

    fn ask(&mut self, op: Op, path: &str) -> Result<Data, String> {
        let args = Data::dict([("path", Data::from(path))]);
        match self.host.start(Ticket(0), Request { op, args }) {
            Some(Ok(data)) => Ok(data),
            Some(Err(harn_effect::Raised::Runtime(text))) => Err(text),
            _ => Err("unreadable".to_owned()),
        }
    }

    /// The names in a directory; nothing for anything else.
    pub fn list(&mut self, path: &str) -> Option<Vec<String>> {
        let names = self.ask(Op::FileList, path).ok()?;
        Some(names.as_list()?.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect())
    }

    /// Replaces the text of a file: written beside and renamed.
    pub fn write(&mut self, path: &str, text: &str) -> Result<(), String> {
        let args = Data::dict([
            ("path", Data::from(path)),
            ("bytes", Data::from(text)),
            ("append", Data::Bool(false)),
        ]);
        match self.host.start(Ticket(0), Request { op: Op::FileWrite, args }) {
            Some(Ok(_)) => Ok(()),
            Some(Err(harn_effect::Raised::Runtime(text))) => Err(text),
            _ => Err("not writable".to_owned()),
        }
    }

    /// Creates a directory and its parents.
    pub fn create_dir(&mut self, path: &str) -> Result<(), String> {
        self.ask(Op::DirCreate, path).map(|_| ())
    }

    /// Whether `path` is a directory.
    pub fn is_dir(&mut self, path: &str) -> bool {
        self.kind(path).as_deref() == Some("dir")
    }

    fn kind(&mut self, path: &str) -> Option<String> {
        self.ask(Op::FileStat, path).ok()?.field("kind").as_str().map(str::to_owned)
    }
}

impl SourceLoader for DiskModules {
    fn read(&mut self, path: &str) -> Result<String, String> {
        self.text(path).map_err(|why| match why {
            Unreadable::System(text) => text,
            Unreadable::NotText(_) => "stream did not contain valid UTF-8".to_owned(),
        })
    }

    fn canonical(&mut self, path: &str) -> Option<String> {
        self.ask(Op::FileCanonical, path).ok()?.as_str().map(str::to_owned)
    }

    fn is_file(&mut self, path: &str) -> bool {
        self.kind(path).as_deref() == Some("file")
    }

    fn exists(&mut self, path: &str) -> bool {
        self.kind(path).is_some()
    }

    fn std_module(&self, name: &str) -> Option<&'static str> {
        harn_stdlib::std_module(name)
    }
}
