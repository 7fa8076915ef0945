//! harn-agent
