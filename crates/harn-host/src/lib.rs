//! harn-host

pub mod store;
