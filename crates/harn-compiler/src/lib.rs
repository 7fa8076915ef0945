//! harn-compiler
