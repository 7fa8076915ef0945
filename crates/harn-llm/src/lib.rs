//! Provider-neutral model calls: messages, tool schemas, structured output, wire formats, the mock provider.

pub mod text_protocol;
