//! harn-vm
