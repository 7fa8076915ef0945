//! The keys of the person at this machine: one file for each name, readable by its owner alone (spec 08 section 11.1 G4).

#![allow(clippy::disallowed_methods, reason = "a command is its own host")]

use harn_govern::identity::{Identity, check_name};
use harn_host::RealHost;
use std::io::Write;
use std::path::PathBuf;

/// Where identities are: `HARN_CONFIG_DIR`, else `harn` in the user's configuration directory.
pub fn directory() -> Result<PathBuf, String> {
    let set = |name: &str| RealHost::env(name).filter(|value| !value.trim().is_empty()).map(PathBuf::from);
    let config = set("HARN_CONFIG_DIR")
        .or_else(|| set("XDG_CONFIG_HOME").map(|dir| dir.join("harn")))
        .or_else(|| set("HOME").map(|home| home.join(".config/harn")));
    config
        .map(|dir| dir.join("identities"))
        .ok_or_else(|| "no place for identities: set HARN_CONFIG_DIR".into())
}

fn file_of(name: &str) -> Result<PathBuf, String> {
    check_name(name)?;
    Ok(directory()?.join(format!("{name}.key")))
}

/// Makes a fresh identity; one that exists is never overwritten.
pub fn create(name: &str, created_at: &str) -> Result<Identity, String> {
    let path = file_of(name)?;
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => format!("identity '{name}' exists already: {shown}"),
        _ => format!("{shown}: {error}"),
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| format!("no randomness for a key: {error}"))?;
    let identity = Identity::new(name, seed, created_at);
    let directory = directory()?;
    std::fs::create_dir_all(&directory).map_err(failed)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    let mut file = options.open(&path).map_err(failed)?;
    file.write_all(identity.file_text().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(identity)
}

/// The identity of this name; none when there is no such file. A file that others can read is refused.
pub fn find(name: &str) -> Result<Option<Identity>, String> {
    let Ok(path) = file_of(name) else { return Ok(None) };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).map(|found| found.permissions().mode()).unwrap_or(0o777);
        if mode & 0o077 != 0 {
            let shown = path.display();
            return Err(format!("{shown} can be read by others: chmod 600 {shown}"));
        }
    }
    let identity = Identity::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if identity.name() != name {
        return Err(format!("{} holds the identity '{}'", path.display(), identity.name()));
    }
    Ok(Some(identity))
}

/// The names of all identities, sorted.
pub fn names() -> Result<Vec<String>, String> {
    let directory = directory()?;
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{}: {error}", directory.display())),
    };
    let files = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<_> = files.filter_map(|f| f.strip_suffix(".key").map(str::to_owned)).collect();
    names.sort();
    Ok(names)
}

/// The identity that signs for this installation: the one named, else `HARN_IDENTITY`, else the only one there is. The
/// error says what is missing.
pub fn signer(named: Option<&str>) -> Result<Identity, String> {
    let chosen =
        named.map(str::to_owned).or_else(|| RealHost::env("HARN_IDENTITY").filter(|n| !n.is_empty()));
    let name = match (chosen, names()?.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only.clone(),
        (None, []) => return Err("there is no identity to sign with: harn identity new NAME".into()),
        (None, _) => {
            return Err("several identities could sign: choose one with --identity or HARN_IDENTITY".into());
        }
    };
    find(&name)?.ok_or_else(|| format!("unknown identity '{name}': harn identity new {name}"))
}
