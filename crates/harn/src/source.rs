//! Reading the file that a command was given, with words for what can be wrong with it.

use crate::modules::{DiskModules, Unreadable};

/// The text of the file at `path`, or a line about why there is none (spec 01 section 8).
pub fn read(path: &str) -> Result<String, String> {
    let mut disk = DiskModules::new();
    let why = match disk.text(path) {
        Ok(text) => return Ok(text),
        Err(_) if disk.is_dir(path) => "is a directory, not a program".to_owned(),
        Err(Unreadable::System(text)) => text,
        Err(Unreadable::NotText(at)) => format!("not valid UTF-8 (first bad byte at offset {at})"),
    };
    Err(format!("Error reading {path}: {why}"))
}
