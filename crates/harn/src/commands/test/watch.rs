//! `--watch`: runs again whenever a program or a snapshot below the working directory changes.

use crate::{output, session};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// Works until the process is ended.
pub fn run(mut work: impl FnMut() -> ExitCode) -> ExitCode {
    loop {
        let before = stamps(Path::new("."));
        work();
        output::outln("\nWatching for changes; Ctrl-C ends.");
        loop {
            session::pause(Duration::from_millis(250));
            let now = stamps(Path::new("."));
            if now != before {
                break;
            }
        }
        output::outln("");
    }
}

/// When each program below a directory was last written.
pub fn stamps(directory: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_path_buf()];
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
                && let Ok(written) = entry.metadata().and_then(|m| m.modified())
            {
                found.insert(path, written);
            }
        }
    }
    found
}
