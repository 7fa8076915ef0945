//! harn-effect
