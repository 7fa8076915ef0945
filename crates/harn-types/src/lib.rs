//! harn-types
