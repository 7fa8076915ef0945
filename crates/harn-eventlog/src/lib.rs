//! harn-eventlog
