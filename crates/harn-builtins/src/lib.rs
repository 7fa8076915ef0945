//! harn-builtins
