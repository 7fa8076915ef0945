//! harn-host
