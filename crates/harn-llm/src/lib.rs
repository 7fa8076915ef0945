//! Models as pure functions: what is asked, what goes over the wire, what came back, what it cost.
//!
//! The way through: [`options::read`] turns the arguments of `llm_call` into a [`call::Plan`]; [`call::Call`] is the
//! state machine of one call (attempts, retries, schema retries, repair) and hands out [`call::Step`]s; an attempt
//! that goes to a real provider is encoded by [`wire::encode`] into an [`wire::HttpPlan`], which the host sends, and
//! whose answer a [`wire::StreamDecoder`] or [`wire::decode_body`] turns into a [`reply::Reply`]. The mock provider of
//! [`mock`] answers the same request without leaving the process. Nothing here reads a clock, a file, the environment
//! or a secret: the names of the variables that hold keys travel, never the keys.

pub mod budget;
pub mod call;
pub mod capability;
pub mod catalog;
pub mod content;
pub mod environment;
pub mod error;
pub mod extract;
pub mod fixture;
pub mod info;
pub mod meter;
pub mod mock;
pub mod nudge;
pub mod options;
pub mod pricing;
pub mod reply;
pub mod request;
pub mod result;
pub mod route;
pub mod schema;
pub mod session;
pub mod structured;
pub mod tape;
pub mod text_protocol;
pub mod thinking;
pub mod tools;
pub mod transcript;
pub mod wire;

pub use error::{Category, ModelError, Reason};
pub use reply::{Reply, ToolCall, Usage};
pub use request::ModelRequest;
