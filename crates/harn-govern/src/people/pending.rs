//! The list of unanswered requests (spec 08 section 4.4).

use harn_effect::Data;
use harn_eventlog::Json;

use super::{Book, Kind};
use crate::moment::{parse_filter_time, parse_timestamp};

/// Which requests are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    since: Option<i128>,
    until: Option<i128>,
    kinds: Option<Vec<Kind>>,
    agent: Option<String>,
    limit: usize,
}

impl Filters {
    /// Reads the filters of `hitl_pending`; the error is the text of the runtime error.
    pub fn parse(filters: &Data) -> Result<Filters, String> {
        let mut wanted = Filters { limit: 500, ..Filters::default() };
        let fields = match filters {
            Data::Nil => return Ok(wanted),
            Data::Dict(fields) => fields,
            _ => return Err("hitl_pending: filters must be a dict or nil".into()),
        };
        let text = |name: &str| match fields.get(name) {
            None => Ok(None),
            Some(Data::Str(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(format!("hitl_pending: {name} must be a string")),
        };
        let time = |name: &str| {
            text(name)?
                .map(|t| {
                    parse_filter_time(&t).ok_or_else(|| {
                        format!("hitl_pending: invalid {name}: '{t}' is not an RFC 3339 timestamp")
                    })
                })
                .transpose()
        };
        wanted.since = time("since")?;
        wanted.until = time("until")?;
        wanted.agent = text("agent")?;
        match fields.get("limit") {
            None => {}
            Some(Data::Int(n)) if *n > 0 => {
                wanted.limit = usize::try_from(*n).unwrap_or(usize::MAX).min(5000)
            }
            Some(_) => return Err("hitl_pending: limit must be a positive int".into()),
        }
        if let Some(kinds) = fields.get("kinds") {
            let names = kinds.as_list().and_then(|l| l.iter().map(Data::as_str).collect::<Option<Vec<_>>>());
            let names = names.ok_or("hitl_pending: kinds must be a list<string>")?;
            let kinds = names.into_iter().map(|name| {
                Kind::from_name(name).ok_or_else(|| format!("hitl_pending: unsupported kind '{name}'"))
            });
            wanted.kinds = Some(kinds.collect::<Result<_, _>>()?);
        }
        Ok(wanted)
    }
}

/// The rows, newest first. Requests past their deadline at `now_ms` are not pending any more.
pub fn pending(book: &Book, filters: &Filters, now_ms: i64) -> Vec<Json> {
    let mut found: Vec<(i128, u64, Json)> = book
        .requests()
        .filter(|r| r.settled.is_none() && !r.is_late(now_ms))
        .filter(|r| filters.kinds.as_ref().is_none_or(|kinds| kinds.contains(&r.kind)))
        .filter(|r| filters.agent.as_ref().is_none_or(|agent| *agent == r.agent))
        .filter_map(|r| {
            let at = parse_timestamp(&r.requested_at).unwrap_or(i128::from(r.requested_ms) * 1_000_000);
            if filters.since.is_some_and(|since| at < since) || filters.until.is_some_and(|until| at > until)
            {
                return None;
            }
            let first = |names: &[&str]| {
                names.iter().find_map(|n| r.payload.get(n).filter(|v| !v.is_null()).cloned())
            };
            let row = Json::object([
                ("request_id", Json::from(r.id.as_str())),
                ("request_kind", r.kind.name().into()),
                ("agent", r.agent.as_str().into()),
                ("prompt", first(&["prompt", "action", "reason"]).unwrap_or(Json::Null)),
                ("trace_id", r.trace_id.as_str().into()),
                ("timestamp", r.requested_at.as_str().into()),
                ("approvers", first(&["approvers", "reviewers"]).unwrap_or(Json::Array(Vec::new()))),
                ("metadata", r.payload.clone()),
            ]);
            Some((at, r.event_id, row))
        })
        .collect();
    found.sort_by_key(|row| std::cmp::Reverse((row.0, row.1)));
    found.into_iter().take(filters.limit).map(|(_, _, row)| row).collect()
}
