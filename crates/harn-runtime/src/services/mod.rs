//! The services of a run, one file each.

pub mod autonomy;
pub mod event_log;
pub mod governance;
pub mod hitl;
pub mod host_call;
pub mod http;
pub mod llm;
pub mod progress;
pub mod run_info;
pub mod spending;
pub mod triggers;
pub mod trust;
pub mod waitpoint;

use crate::service::Service;
use harn_govern::rules::Rules;

/// What the services of a run are made for.
#[derive(Default)]
pub struct Setup {
    /// How model calls are answered.
    pub models: llm::LlmSetup,
    /// The rules of the project.
    pub rules: Rules,
    /// Who anchors the trust chain.
    pub signing: Option<governance::Signing>,
    /// What the program that embeds the runtime can be asked.
    pub bridge: Option<host_call::Bridge>,
}

/// Every service that a run has, freshly made.
pub fn all(setup: Setup) -> Vec<Box<dyn Service>> {
    let governance = governance::Governance::under(setup.rules).signing(setup.signing);
    let shared = governance::Shared::new(governance);
    vec![
        Box::new(event_log::EventLog::new(shared.clone())),
        Box::new(autonomy::Autonomy::new(shared.clone())),
        Box::new(trust::Trust::new(shared.clone())),
        Box::new(hitl::Hitl::new(shared.clone())),
        Box::new(triggers::Triggers::new(shared.clone())),
        Box::new(waitpoint::Waitpoints::new(shared.clone())),
        Box::new(progress::ProgressService),
        Box::new(run_info::RunInfoService),
        Box::new(host_call::HostCallService::new(setup.bridge)),
        Box::new(http::HttpService::default()),
        Box::new(llm::LlmService::new(setup.models, shared)),
    ]
}
