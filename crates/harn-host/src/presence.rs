//! The processes that share a log on this machine: who of them lives.
//!
//! Each process that others must know of holds a lock on a file of its own as long as it lives; the operating system gives
//! the lock back when it dies, however it dies, so no process is taken for another that got its number later.

#![allow(clippy::disallowed_methods, reason = "the host's own files")]

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The processes around one log. Nothing is created before this process needs a name.
pub struct Processes {
    directory: PathBuf,
    own: Option<Own>,
}

/// This process, as long as the file is open.
struct Own {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

const SUFFIX: &str = ".lock";

impl Processes {
    /// The processes known in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Processes {
        Processes { directory: directory.into(), own: None }
    }

    /// The name of this process; made, with its file, when it is first asked for. Names begin with the id of the directory:
    /// a process that knows another directory (on another machine) cannot judge them.
    pub fn own(&mut self) -> Result<String, String> {
        if let Some(own) = &self.own {
            return Ok(own.name.clone());
        }
        let directory = self.directory.clone();
        let own = enter(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(self.own.insert(own).name.clone())
    }

    /// What is known of the process of that name.
    pub fn life(&self, name: &str) -> Life {
        let Some((place, id)) = name.split_once('/') else { return Life::Unknown };
        let here = std::fs::read_to_string(self.directory.join("id")).is_ok_and(|text| text.trim() == place);
        // Other names than those made here could lead elsewhere.
        if !here || Uuid::parse_str(id).is_err() {
            return Life::Unknown;
        }
        if is_free(&self.directory.join(format!("{id}{SUFFIX}"))) { Life::Dead } else { Life::Alive }
    }

    /// Whether the process of that name has certainly died.
    pub fn is_dead(&self, name: &str) -> bool {
        self.life(name) == Life::Dead
    }
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It holds its name.
    Alive,
    /// It has died.
    Dead,
    /// It was named elsewhere: on another machine, or for another log.
    Unknown,
}

/// Whether nobody holds the file: it is gone, or can be locked.
fn is_free(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => file.try_lock().is_ok(),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

fn enter(directory: &Path) -> std::io::Result<Own> {
    std::fs::create_dir_all(directory)?;
    let place = place(directory)?;
    sweep(directory);
    let id = Uuid::now_v7().to_string();
    let path = directory.join(format!("{id}{SUFFIX}"));
    // Locked before it has its name: whoever sees a file of such a name sees it locked, or its process is dead.
    let unnamed = directory.join(format!("{id}.new"));
    let lock = OpenOptions::new().write(true).create_new(true).open(&unnamed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(error),
        Err(TryLockError::WouldBlock) => return Err(ErrorKind::WouldBlock.into()),
    }
    std::fs::rename(&unnamed, &path)?;
    Ok(Own { name: format!("{place}/{id}"), path, _lock: lock })
}

/// The id of the directory, made by whoever comes first.
fn place(directory: &Path) -> std::io::Result<String> {
    let path = directory.join("id");
    if !path.exists() {
        let mut fresh = tempfile::NamedTempFile::new_in(directory)?;
        fresh.write_all(Uuid::new_v4().to_string().as_bytes())?;
        fresh.as_file().sync_all()?;
        match fresh.persist_noclobber(&path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
        }
    }
    Ok(std::fs::read_to_string(&path)?.trim().to_owned())
}

/// Removes what dead processes have left.
fn sweep(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.to_string_lossy().ends_with(SUFFIX) && is_free(&path) {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_lives_as_long_as_it_holds_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let mut one = Processes::new(directory.path());
        let other = Processes::new(directory.path());
        let name = one.own().unwrap();
        assert_eq!(one.own().unwrap(), name);
        assert!(!one.is_dead(&name) && !other.is_dead(&name));
        drop(one);
        assert!(other.is_dead(&name));
    }

    #[test]
    fn a_killed_process_leaves_a_file_that_nobody_holds() {
        let directory = tempfile::tempdir().unwrap();
        let mut one = Processes::new(directory.path());
        let name = one.own().unwrap();
        let id = name.split_once('/').unwrap().1.to_owned();
        drop(one);
        let path = directory.path().join(format!("{id}.lock"));
        std::fs::write(&path, "").unwrap();
        let mut other = Processes::new(directory.path());
        assert!(other.is_dead(&name));
        other.own().unwrap();
        assert!(!path.exists(), "it is swept");
        assert!(other.is_dead(&name));
    }

    #[test]
    fn nobody_judges_a_process_of_another_place() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut one = Processes::new(here.path());
        one.own().unwrap();
        let mut far = Processes::new(there.path());
        let name = far.own().unwrap();
        drop(far);
        assert!(!one.is_dead(&name) && !one.is_dead("here") && !one.is_dead(""));
    }
}
