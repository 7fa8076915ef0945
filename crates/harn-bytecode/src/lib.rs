//! harn-bytecode
