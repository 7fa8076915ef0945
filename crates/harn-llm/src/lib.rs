//! harn-llm
