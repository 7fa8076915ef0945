//! The services of a run, one file each.

pub mod host_call;
pub mod progress;

use crate::service::Service;

/// Every service that a run has, freshly made.
pub fn all() -> Vec<Box<dyn Service>> {
    vec![Box::new(progress::ProgressService), Box::new(host_call::HostCallService)]
}
