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

/// Every service that a run has, freshly made.
pub fn all() -> Vec<Box<dyn Service>> {
    with_models(llm::LlmSetup::default())
}

/// Every service, with model calls answered as `setup` says.
pub fn with_models(setup: llm::LlmSetup) -> Vec<Box<dyn Service>> {
    under_rules(setup, Rules::default(), None)
}

/// Every service, under the rules of a project; `signing` anchors its trust chain.
pub fn under_rules(
    setup: llm::LlmSetup,
    rules: Rules,
    signing: Option<governance::Signing>,
) -> Vec<Box<dyn Service>> {
    let governance = governance::Governance::under(rules).signing(signing);
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
        Box::new(host_call::HostCallService),
        Box::new(http::HttpService::default()),
        Box::new(llm::LlmService::new(setup, shared)),
    ]
}
