//! Appends to several files of the file store as one: written down first, so that a crash in the middle is finished by
//! whoever holds the lock next.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use harn_eventlog::{Json, LogError};

use super::io_error;

/// Bytes that belong at the end of one topic's file.
pub(super) struct Tail {
    /// The topic.
    pub topic: String,
    /// Where the bytes begin; what is after is not part of the log.
    pub offset: u64,
    /// Whole lines.
    pub data: String,
}

/// The file of a topic.
pub(super) fn topic_path(root: &Path, topic: &str) -> PathBuf {
    root.join("topics").join(format!("{topic}.jsonl"))
}

fn journal_path(root: &Path) -> PathBuf {
    root.join("journal.json")
}

/// Whether a commit was interrupted, or is under way in another process.
pub(super) fn is_pending(root: &Path) -> bool {
    journal_path(root).exists()
}

/// Stores the tails, all or none. The caller holds the lock.
pub(super) fn commit(root: &Path, tails: &[Tail], sync: bool) -> Result<(), LogError> {
    let journaled = tails.len() > 1;
    if journaled {
        write_journal(root, tails, sync)?;
    }
    if let Err(error) = tails.iter().try_for_each(|tail| write_tail(root, tail, sync)) {
        for tail in tails {
            if let Ok(file) = OpenOptions::new().write(true).open(topic_path(root, &tail.topic)) {
                let _ = file.set_len(tail.offset);
            }
        }
        if journaled {
            let _ = std::fs::remove_file(journal_path(root));
        }
        return Err(error);
    }
    if journaled {
        remove_journal(root)?;
    }
    Ok(())
}

/// Finishes an interrupted commit. The caller holds the lock.
pub(super) fn recover(root: &Path) -> Result<(), LogError> {
    let path = journal_path(root);
    let text = match read_text(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(&path, &error)),
    };
    let journal = Json::parse(&text).map_err(|e| LogError::Corrupt(format!("{}: {e}", path.display())))?;
    for entry in journal.as_array().unwrap_or_default() {
        let tail = Tail {
            topic: entry.text("topic").to_owned(),
            offset: u64::try_from(entry.field("offset").as_int().unwrap_or(0)).unwrap_or(0),
            data: entry.text("data").to_owned(),
        };
        if !holds(root, &tail)? {
            write_tail(root, &tail, true)?;
        }
    }
    remove_journal(root)
}

/// Whether the topic's file already has the tail: a journal whose removal was lost must not cut off later appends.
fn holds(root: &Path, tail: &Tail) -> Result<bool, LogError> {
    let path = topic_path(root, &tail.topic);
    let failed = |error: std::io::Error| io_error(&path, &error);
    #[allow(clippy::disallowed_methods, reason = "the host's own store")]
    let Ok(mut file) = File::open(&path) else { return Ok(false) };
    if file.metadata().map_err(failed)?.len() < tail.offset + tail.data.len() as u64 {
        return Ok(false);
    }
    let mut found = vec![0; tail.data.len()];
    file.seek(SeekFrom::Start(tail.offset)).map_err(failed)?;
    file.read_exact(&mut found).map_err(failed)?;
    Ok(found == tail.data.as_bytes())
}

fn write_tail(root: &Path, tail: &Tail, sync: bool) -> Result<(), LogError> {
    let path = topic_path(root, &tail.topic);
    let failed = |error: std::io::Error| io_error(&path, &error);
    let created = !path.exists();
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    file.set_len(tail.offset).map_err(failed)?;
    file.seek(SeekFrom::Start(tail.offset)).map_err(failed)?;
    file.write_all(tail.data.as_bytes()).map_err(failed)?;
    if sync {
        file.sync_data().map_err(failed)?;
        if created {
            sync_directory(&root.join("topics"))?;
        }
    }
    Ok(())
}

fn write_journal(root: &Path, tails: &[Tail], sync: bool) -> Result<(), LogError> {
    let entries = tails.iter().map(|tail| {
        Json::object([
            ("topic", Json::from(tail.topic.as_str())),
            ("offset", Json::Int(tail.offset as i64)),
            ("data", Json::from(tail.data.as_str())),
        ])
    });
    replace(&journal_path(root), &Json::Array(entries.collect()).canonical(), sync)
}

fn remove_journal(root: &Path) -> Result<(), LogError> {
    let path = journal_path(root);
    std::fs::remove_file(&path).map_err(|error| io_error(&path, &error))
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> std::io::Result<String> {
    #[allow(clippy::disallowed_methods, reason = "the host's own store")]
    std::fs::read_to_string(path)
}

/// Replaces a file by a temporary one and a rename: readers see the old text or the new.
pub(super) fn replace(path: &Path, text: &str, sync: bool) -> Result<(), LogError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| io_error(path, &error);
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    if sync {
        file.as_file().sync_data().map_err(failed)?;
    }
    file.persist(path).map_err(|error| io_error(path, &error.error))?;
    if sync { sync_directory(parent) } else { Ok(()) }
}

/// Makes names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<(), LogError> {
    #[allow(clippy::disallowed_methods, reason = "the host's own store")]
    File::open(path).and_then(|d| d.sync_all()).map_err(|error| io_error(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_commit_is_finished_and_a_finished_one_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::create_dir_all(root.join("topics")).unwrap();
        let tail = |topic: &str, data: &str| Tail { topic: topic.into(), offset: 0, data: data.into() };
        write_journal(root, &[tail("a", "one\n"), tail("b", "two\n")], false).unwrap();
        write_tail(root, &tail("a", "on"), false).unwrap();
        recover(root).unwrap();
        assert_eq!(read_text(&topic_path(root, "a")).unwrap(), "one\n");
        assert_eq!(read_text(&topic_path(root, "b")).unwrap(), "two\n");
        // The removal of the journal was lost, and more was appended since.
        write_journal(root, &[tail("a", "one\n"), tail("b", "two\n")], false).unwrap();
        write_tail(root, &Tail { topic: "a".into(), offset: 4, data: "three\n".into() }, false).unwrap();
        recover(root).unwrap();
        assert_eq!(read_text(&topic_path(root, "a")).unwrap(), "one\nthree\n");
        assert!(!is_pending(root));
    }
}
