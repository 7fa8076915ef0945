//! harn-stdlib
