//! What memory the machine has, and what this process holds of it.

use std::fs;

/// Bytes that the process holds (its resident set); 0 where the system does not say.
pub fn in_use() -> u64 {
    let status = fs::read_to_string("/proc/self/status").ok();
    let line = status.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("VmRSS:")));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}

/// Bytes that a process can hope for: those of the machine, or fewer when its control group says so. `None` where the system
/// does not say.
pub fn of_machine() -> Option<u64> {
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let bound = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    groups.into_iter().filter_map(bound).chain(physical()).min()
}

#[cfg(target_os = "linux")]
fn physical() -> Option<u64> {
    let info = rustix::system::sysinfo();
    Some((info.totalram as u64).saturating_mul(u64::from(info.mem_unit)))
}

#[cfg(not(target_os = "linux"))]
fn physical() -> Option<u64> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_holds_something_and_less_than_the_machine_has() {
        let block = vec![1u8; 32 << 20];
        assert!(in_use() > block.len() as u64, "{}", in_use());
        assert!(of_machine().is_some_and(|all| all > in_use()));
    }
}
