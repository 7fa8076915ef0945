//! Environment variables and facts about the machine (spec 06 section 4).

use harn_effect::{Data, Outcome};
use std::io::IsTerminal;

/// `env.get`.
pub fn get(args: &Data) -> Outcome {
    let name = args.field("name").as_str().unwrap_or("");
    Ok(variable(name).into())
}

/// The environment variable `name`; bytes that are not UTF-8 are replaced.
pub fn variable(name: &str) -> Option<String> {
    // The standard library panics on none of these, but such names never exist.
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// `host.info`.
pub fn info() -> Outcome {
    let cwd = std::env::current_dir().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Data::dict([
        ("cwd", Data::from(cwd)),
        ("temp_dir", std::env::temp_dir().to_string_lossy().into_owned().into()),
        ("home", first_variable(&["HOME", "USERPROFILE"]).into()),
        ("username", first_variable(&["USER", "USERNAME"]).into()),
        ("hostname", hostname().into()),
        ("platform", (if std::env::consts::OS == "macos" { "darwin" } else { std::env::consts::OS }).into()),
        ("arch", std::env::consts::ARCH.into()),
        ("pid", i64::from(std::process::id()).into()),
        ("stdin_tty", std::io::stdin().is_terminal().into()),
        ("stdout_tty", std::io::stdout().is_terminal().into()),
        ("stderr_tty", std::io::stderr().is_terminal().into()),
    ]))
}

fn first_variable(names: &[&str]) -> String {
    names.iter().find_map(|name| variable(name)).unwrap_or_default()
}

fn hostname() -> String {
    let set = first_variable(&["HOSTNAME", "COMPUTERNAME"]);
    if set.is_empty() { rustix::system::uname().nodename().to_string_lossy().into_owned() } else { set }
}
