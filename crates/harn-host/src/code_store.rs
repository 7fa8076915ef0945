//! Files of compiled code under the user's cache directory: `$HARN_CACHE`, else `$XDG_CACHE_HOME/harn`, else
//! `~/.cache/harn`. `HARN_CACHE=off` keeps none.
use crate::RealHost;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// How directories of builds are named.
const PREFIX: &str = "harn-code-";
/// Files one build keeps; beyond them it starts anew.
const KEPT: usize = 1000;
/// How long the files of a build stay that is not used any more.
const STALE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The directory of one build of the compiler: what another build wrote is never seen.
#[derive(Debug)]
pub struct CodeStore {
    root: PathBuf,
    build: String,
}

impl CodeStore {
    /// The store of the running binary; `None` when it is switched off, or there is no place for it.
    pub fn open(version: &str) -> Option<CodeStore> {
        let root = match RealHost::env("HARN_CACHE") {
            Some(off) if off == "off" => return None,
            Some(place) if !place.is_empty() => PathBuf::from(place),
            _ => match RealHost::env("XDG_CACHE_HOME").filter(|place| !place.is_empty()) {
                Some(place) => PathBuf::from(place).join("harn"),
                None => {
                    PathBuf::from(RealHost::env("HOME").filter(|home| !home.is_empty())?).join(".cache/harn")
                }
            },
        };
        // Two builds of one version differ in size or in time.
        let binary = std::fs::metadata(std::env::current_exe().ok()?).ok()?;
        let age = binary.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(CodeStore { root, build: format!("{PREFIX}{version}-{:x}-{:x}", binary.len(), age.as_nanos()) })
    }

    /// The bytes under a key.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.root.join(&self.build).join(key)).ok()
    }

    /// Keeps bytes under a key: written beside and renamed, so that a reader sees all or nothing.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        let directory = self.root.join(&self.build);
        if !directory.is_dir()
            && (std::fs::create_dir_all(&directory).is_err() || self.forget_old_builds().is_none())
        {
            return;
        }
        let full = std::fs::read_dir(&directory).is_ok_and(|files| files.count() >= KEPT);
        if full {
            let _ = std::fs::remove_dir_all(&directory);
            let _ = std::fs::create_dir_all(&directory);
        }
        if let Ok(mut file) = tempfile::NamedTempFile::new_in(&directory)
            && file.write_all(bytes).is_ok()
        {
            // A store that cannot be written to is no store: the program runs without.
            let _ = file.persist(directory.join(key));
        }
    }

    /// Removes what builds left that have not written for a while.
    fn forget_old_builds(&self) -> Option<()> {
        let now = SystemTime::now();
        for entry in std::fs::read_dir(&self.root).ok()?.flatten() {
            let ours = entry.file_name().to_str() == Some(&self.build);
            let changed = entry.metadata().and_then(|data| data.modified());
            let old = changed.is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > STALE));
            // Only directories named like a build of ours: the place may be shared.
            let build = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
            if !ours && old && build && entry.path().is_dir() {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        Some(())
    }
}
