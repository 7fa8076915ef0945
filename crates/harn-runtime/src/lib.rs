//! Runs Harn programs: steps their tasks, rules on every effect, records, performs, resumes.
//!
//! The way through: a program is loaded, its root task becomes a fiber, and the drive loop steps fibers until each
//! needs something. An effect passes the gate, is written down when it is governed, and is then performed by a
//! [`service::Service`] of the runtime or by the [`harn_effect::Host`]. Nothing here touches the world itself.

mod ceiling;
pub mod clock;
pub mod code_cache;
pub mod confinement;
pub mod dialogue;
pub mod gate;
pub mod host_mock;
pub mod log_slot;
mod natives;
pub mod output;
pub mod program;
pub mod progress;
pub mod recorder;
pub mod run;
mod schedule;
pub mod service;
pub mod services;
pub mod suspensions;
