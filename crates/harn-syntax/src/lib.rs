//! harn-syntax
