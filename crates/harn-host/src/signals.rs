//! SIGINT and SIGTERM: the first becomes an event, the second ends the process at once.

use crate::completions::Completions;
use harn_effect::HostEvent;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The exit code of a run that a signal ended (spec 02 section 15.3).
const STOPPED: i32 = 124;

/// Starts to listen. Failing to do so leaves the system's default, which ends the process: no reason not to run.
pub fn listen(completions: Completions) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    let _ = std::thread::Builder::new().name("signals".into()).spawn(move || {
        for (count, signal) in signals.forever().enumerate() {
            if count > 0 {
                std::process::exit(STOPPED);
            }
            completions.event(HostEvent::Signal(signal));
        }
    });
}

/// As [`listen`], for a process that outlives what it is asked to stop: every SIGINT becomes an event, and SIGTERM
/// ends the process as it always does.
pub fn listen_for_interrupts(completions: Completions) {
    let Ok(mut signals) = Signals::new([SIGINT]) else { return };
    let _ = std::thread::Builder::new().name("signals".into()).spawn(move || {
        signals.forever().for_each(|signal| completions.event(HostEvent::Signal(signal)));
    });
}
