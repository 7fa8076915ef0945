//! harn-runtime
