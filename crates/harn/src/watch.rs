//! Files that are watched: work that is done again whenever a program, a snapshot or a manifest changes.

use crate::{output, session};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// How long between two looks.
pub const PAUSE: Duration = Duration::from_millis(250);

/// What is watched, and how it was when it was last looked at.
pub struct Watch {
    roots: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Stamp>,
}

/// When a file was last written, and how long it was.
type Stamp = (SystemTime, u64);

impl Watch {
    /// Watches what is below the directories of these targets; of a file, what is below the directory it is in.
    pub fn of(targets: &[String]) -> Watch {
        let root = |target: &String| {
            let path = Path::new(target);
            if path.is_dir() {
                return path.to_path_buf();
            }
            match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
                _ => PathBuf::from("."),
            }
        };
        let mut roots: Vec<PathBuf> = targets.iter().map(root).collect();
        if roots.is_empty() {
            roots.push(PathBuf::from("."));
        }
        roots.sort();
        roots.dedup();
        let seen = stamps(&roots);
        Watch { roots, seen }
    }

    /// Whether anything came, went or changed since the last look.
    pub fn changed(&mut self) -> bool {
        let now = stamps(&self.roots);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }

    /// Does `work` now and after every change, until the process is ended. What changes meanwhile counts.
    pub fn work(mut self, mut work: impl FnMut() -> ExitCode) -> ExitCode {
        loop {
            work();
            output::outln("\nWatching for changes; Ctrl-C ends.");
            while !self.changed() {
                session::pause(PAUSE);
            }
            output::outln("");
        }
    }
}

/// The stamps of the watched files below directories.
fn stamps(roots: &[PathBuf]) -> BTreeMap<PathBuf, Stamp> {
    let mut found = BTreeMap::new();
    let mut open = roots.to_vec();
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Ok(kind) = entry.file_type() else { continue };
            let name = name.to_string_lossy();
            if kind.is_dir() {
                if !name.starts_with('.') && !matches!(&*name, "target" | "node_modules") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "harn" || e == "snap" || e == "toml")
                && let Ok(about) = entry.metadata()
                && let Ok(written) = about.modified()
            {
                found.insert(path, (written, about.len()));
            }
        }
    }
    found
}
