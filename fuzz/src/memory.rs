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
