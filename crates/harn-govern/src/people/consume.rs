//! Using an approval once (spec 08 section 11.1 G3).

use harn_eventlog::{Event, Json, LogError, Tx, provenance};

use super::book::{Request, Settled};
use super::{Book, Kind};
use crate::Moment;

/// The topic of used approvals.
pub const CONSUMPTIONS: &str = "hitl.consumptions";
/// The event kind.
pub const CONSUMED: &str = "hitl.approval_consumed";

/// What an approval is bound to: the hash of action, arguments and principal.
pub fn digest(action: &str, args: &Json, principal: &str) -> String {
    let bound = Json::object([
        ("action", Json::from(action)),
        ("args", args.clone()),
        ("principal", principal.into()),
    ]);
    provenance::sha256(&bound.canonical())
}

/// The digest of what a request asks for.
pub fn digest_of(request: &Request) -> String {
    digest(request.payload.text("action"), request.payload.field("args"), request.principal())
}

/// Records the use of a request's approval, in the transaction of what it authorises.
pub(crate) fn append(
    tx: &mut dyn Tx,
    request: &Request,
    by: &str,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    let payload = Json::object([
        ("request_id", Json::from(request.id.as_str())),
        ("consumed_by", by.into()),
        ("action_digest", digest_of(request).into()),
        ("consumed_at", moment.timestamp().into()),
    ]);
    let event = Event::new(CONSUMED, payload, moment.now_ms).header("request_id", request.id.as_str());
    tx.append(CONSUMPTIONS, event)?;
    Ok(())
}

/// What a use of an approval comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Use {
    /// Go on, once the transaction is committed.
    Granted,
    /// A `dual_control` ran before and returned this.
    Recorded(Json),
    /// It may not be used; the text of a runtime error.
    Refused(String),
}

/// Uses the approval `id` for what has this digest, on behalf of the decision or dispatch `by`.
pub fn consume(
    tx: &mut dyn Tx,
    book: &mut Book,
    id: &str,
    digest: &str,
    by: &str,
    moment: &Moment<'_>,
) -> Result<Use, LogError> {
    book.refresh(tx)?;
    let Some(request) = book.get(id) else {
        return Ok(Use::Refused(format!("unknown HITL request id '{id}'")));
    };
    if !matches!(request.settled, Some(Settled::Approved { .. })) {
        return Ok(Use::Refused(format!("approval '{id}' was not given")));
    }
    if digest_of(request) != digest {
        return Ok(Use::Refused(format!("approval '{id}' was given for something else")));
    }
    if request.consumed_by.is_some() {
        return Ok(match (&request.executed, request.kind) {
            (Some(result), Kind::DualControl) => Use::Recorded(result.clone()),
            (None, Kind::DualControl) => Use::Refused(format!(
                "dual_control: execution of '{id}' was interrupted; request a new approval"
            )),
            _ => Use::Refused(format!("approval '{id}' was already used")),
        });
    }
    append(tx, request, by, moment)?;
    Ok(Use::Granted)
}

/// Records what the closure of a `dual_control` returned.
pub fn executed(
    tx: &mut dyn Tx,
    book: &mut Book,
    id: &str,
    result: Json,
    moment: &Moment<'_>,
) -> Result<(), LogError> {
    book.refresh(tx)?;
    let trace_id = book.get(id).map(|r| r.trace_id.clone()).unwrap_or_default();
    let payload = Json::object([("request_id", Json::from(id)), ("result", result)]);
    let event = Event::new("hitl.dual_control_executed", payload, moment.now_ms)
        .header("request_id", id)
        .header("trace_id", trace_id);
    tx.append(Kind::DualControl.topic(), event)?;
    Ok(())
}
