//! A directory of its own for each test, and the binary run in it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A fresh directory in which commands are run.
pub struct Place {
    /// The directory.
    pub dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    /// Writes a file.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The binary with arguments, standard input closed and no `HARN_` variables.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harn"));
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null()).env("NO_COLOR", "1");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("HARN_")) {
            command.env_remove(name);
        }
        command
    }

    /// Runs the binary.
    pub fn harn(&self, args: &[&str]) -> Done {
        Done(self.command(args).output().unwrap())
    }

    /// Runs a program given as text.
    pub fn run(&self, text: &str) -> Done {
        self.file("main.harn", text);
        self.harn(&["run", "main.harn"])
    }
}

/// What a command left behind.
pub struct Done(pub Output);

impl Done {
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }
}
