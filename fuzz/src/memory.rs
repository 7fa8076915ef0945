//! How much memory is in use: what is alive by count, and what the process holds.

use std::alloc::System;

use cap::Cap;

/// The allocator of whatever links this crate: the system's, with a count.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Bytes allocated and not freed.
pub fn live_bytes() -> u64 {
    ALLOCATOR.allocated() as u64
}

/// Resident memory of this process; 0 where there is no `/proc`.
pub fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Settings of the C library's allocator under which resident memory follows what is alive. Left alone, it gives each
/// thread an arena with free memory of its own, and keeps more free memory the larger a block it has once been given back.
const SETTINGS: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_TRIM_THRESHOLD_", "131072"), ("MALLOC_MMAP_THRESHOLD_", "131072")];

/// Begins this process anew with an allocator whose resident memory can be watched, unless it has one.
pub fn watchable() -> std::io::Result<()> {
    let wanted = |(name, value): &(&str, &str)| std::env::var(name).is_ok_and(|is| is == *value);
    if SETTINGS.iter().all(wanted) {
        return Ok(());
    }
    let mut again = std::process::Command::new(std::env::current_exe()?);
    again.args(std::env::args_os().skip(1)).envs(SETTINGS);
    Err(replace(&mut again))
}

#[cfg(unix)]
fn replace(by: &mut std::process::Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(by)
}

#[cfg(not(unix))]
fn replace(_: &mut std::process::Command) -> std::io::Error {
    std::io::ErrorKind::Unsupported.into()
}
