//! The four kinds of requests.

/// What is asked of a person (spec 08 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `ask_user`.
    Question,
    /// `request_approval`.
    Approval,
    /// `dual_control`.
    DualControl,
    /// `escalate_to`.
    Escalation,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Question, Kind::Approval, Kind::DualControl, Kind::Escalation];

    /// The name in ids, records and errors.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Question => "question",
            Kind::Approval => "approval",
            Kind::DualControl => "dual_control",
            Kind::Escalation => "escalation",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind that the prefix of a request id names.
    pub fn of_id(id: &str) -> Option<Kind> {
        let rest = id.strip_prefix("hitl_")?;
        Kind::ALL
            .into_iter()
            .find(|kind| rest.strip_prefix(kind.name()).is_some_and(|r| r.len() > 1 && r.starts_with('_')))
    }

    /// Where its requests and answers are.
    pub fn topic(self) -> &'static str {
        match self {
            Kind::Question => "hitl.questions",
            Kind::Approval => "hitl.approvals",
            Kind::DualControl => "hitl.dual_control",
            Kind::Escalation => "hitl.escalations",
        }
    }

    /// The event kind of a request.
    pub fn request_event(self) -> &'static str {
        match self {
            Kind::Question => "hitl.question_asked",
            Kind::Approval => "hitl.approval_requested",
            Kind::DualControl => "hitl.dual_control_requested",
            Kind::Escalation => "hitl.escalation_issued",
        }
    }

    /// The event kinds of a quorum reached and of a denial; approvals and dual control only.
    pub fn decision_events(self) -> Option<(&'static str, &'static str)> {
        match self {
            Kind::Approval => Some(("hitl.approval_approved", "hitl.approval_denied")),
            Kind::DualControl => Some(("hitl.dual_control_approved", "hitl.dual_control_denied")),
            Kind::Question | Kind::Escalation => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_their_kind() {
        assert_eq!(Kind::of_id("hitl_dual_control_x"), Some(Kind::DualControl));
        assert_eq!(Kind::of_id("hitl_approval_trigger_evt_1_2"), Some(Kind::Approval));
        for bad in ["approval_x", "hitl_vote_x", "hitl_approval", "hitl_approval_", ""] {
            assert_eq!(Kind::of_id(bad), None, "{bad}");
        }
    }
}
