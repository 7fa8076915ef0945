//! What a program may know of its own run: its id and where its state belongs (spec 06 section 1.1).

use crate::service::{Service, ServiceCx, Started};
use harn_effect::{Data, Op, Request, Ticket};
use std::path::Path;

/// Answers `run.info`.
#[derive(Debug, Default)]
pub struct RunInfoService;

impl Service for RunInfoService {
    fn ops(&self) -> &'static [Op] {
        &[Op::RunInfo]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, _ticket: Ticket, _request: Request) -> Started {
        let state_root = state_root(&cx.run.base_dir, (cx.env)("HARN_STATE_DIR"));
        Started::Done(Ok(Data::dict([
            ("run_id", Data::from(cx.run.run_id.as_str())),
            ("version", Data::from(env!("CARGO_PKG_VERSION"))),
            ("script", Data::from(cx.run.script.as_str())),
            ("base_dir", Data::from(cx.run.base_dir.as_str())),
            ("state_root", Data::Str(state_root)),
        ])))
    }
}

/// `HARN_STATE_DIR` joined to the base, or `.harn` in it; a blank variable counts as unset.
pub(crate) fn state_root(base: &str, variable: Option<String>) -> String {
    let named = variable.filter(|value| !value.trim().is_empty()).unwrap_or_else(|| ".harn".to_owned());
    Path::new(base).join(named).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::state_root;

    #[test]
    fn a_relative_state_directory_is_joined_to_the_base() {
        assert_eq!(state_root("/p", None), "/p/.harn");
        assert_eq!(state_root("/p", Some(" ".to_owned())), "/p/.harn");
        assert_eq!(state_root("/p", Some("s".to_owned())), "/p/s");
        assert_eq!(state_root("/p", Some("/s".to_owned())), "/s");
    }
}
