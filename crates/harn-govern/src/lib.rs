//! harn-govern
