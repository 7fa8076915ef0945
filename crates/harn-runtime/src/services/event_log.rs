//! The event log as programs use it (spec 08 sections 2.2 and 2.3).

use harn_effect::{Data, Op, Outcome, Raised, Request, Ticket};
use harn_eventlog::{Event, Json, LogError, Stored, topic};

use super::governance::{Shared, Watch, log_error, note_commit};
use crate::service::{Service, ServiceCx, Standing, Started};

/// Appends, reads, and waits for what is appended.
pub struct EventLog {
    shared: Shared,
    waiting: Vec<Waiting>,
    watch: Watch,
}

struct Waiting {
    ticket: Ticket,
    topic: String,
    from: u64,
}

impl EventLog {
    /// A service on the active log.
    pub fn new(shared: Shared) -> EventLog {
        EventLog { shared, waiting: Vec::new(), watch: Watch::default() }
    }

    fn append(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let name = args.field("topic").as_str().unwrap_or_default();
        // The prelude marks its own records of scans; a program cannot: its calls carry no such field.
        let own = args.field("by_runtime").as_bool() == Some(true) && name == "audit.secret_scan";
        if topic::is_reserved(name) && !own {
            return Err(Raised::runtime(format!("event_log: topic '{name}' is reserved for the runtime")));
        }
        let kind = args.field("kind").as_str().unwrap_or_default();
        let mut event = Event::new(kind, Json::from(args.field("payload")), cx.now_ms);
        for (header, value) in args.field("headers").as_dict().into_iter().flatten() {
            event = event.header(header, value.as_str().unwrap_or_default());
        }
        // Checked before anything is opened or created.
        topic::check(name).map_err(|e| log_error(&e))?;
        let id = cx.log.get()?.borrow_mut().append(name, event).map_err(|e| log_error(&e))?;
        note_commit(&self.shared);
        Ok(Data::Int(id as i64))
    }

    fn read(&self, cx: &ServiceCx<'_>, args: &Data) -> Outcome {
        let name = args.field("topic").as_str().unwrap_or_default();
        let limit = args.field("limit").as_int().and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let events = self.shared.read(cx, |store, _| store.read_range(name, cursor(args), limit))?;
        Ok(Data::List(events.iter().map(|stored| event_data(name, stored)).collect()))
    }

    fn next(&self, cx: &ServiceCx<'_>, topic: &str, from: u64) -> Result<Option<Data>, Raised> {
        let events = self.shared.read(cx, |store, _| store.read_range(topic, Some(from), 1))?;
        Ok(events.first().map(|stored| event_data(topic, stored)))
    }
}

fn cursor(args: &Data) -> Option<u64> {
    args.field("from").as_int().and_then(|n| u64::try_from(n).ok())
}

/// An event as a program sees it.
fn event_data(topic: &str, stored: &Stored) -> Data {
    let Stored { id, event } = stored;
    let headers = event.headers.iter().map(|(name, value)| (name.clone(), Data::from(value.as_str())));
    Data::dict([
        ("id", Data::Int(*id as i64)),
        ("cursor", Data::Int(*id as i64)),
        ("topic", topic.into()),
        ("kind", event.kind.as_str().into()),
        ("payload", event.payload.to_data()),
        ("headers", Data::dict(headers)),
        ("occurred_at_ms", event.occurred_at_ms.into()),
    ])
}

impl Service for EventLog {
    fn ops(&self) -> &'static [Op] {
        &[Op::EventAppend, Op::EventLatest, Op::EventRead, Op::EventNext]
    }

    fn start(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, request: Request) -> Started {
        let args = &request.args;
        let name = args.field("topic").as_str().unwrap_or_default();
        Started::Done(match request.op {
            Op::EventAppend => self.append(cx, args),
            Op::EventRead => self.read(cx, args),
            Op::EventLatest => {
                let latest = self.shared.read(cx, |store, _| store.latest(name));
                latest.map(|id| id.map_or(Data::Nil, |id| Data::Int(id as i64)))
            }
            _ => {
                let from = cursor(args).unwrap_or(0);
                match self.next(cx, name, from) {
                    Ok(Some(event)) => Ok(event),
                    Ok(None) => {
                        self.waiting.push(Waiting { ticket, topic: name.to_owned(), from });
                        self.watch.begin(cx);
                        return Started::Pending;
                    }
                    Err(raised) => Err(raised),
                }
            }
        })
    }

    fn poll(&mut self, cx: &mut ServiceCx<'_>) -> Vec<(Ticket, Started)> {
        if self.waiting.is_empty() {
            self.watch.rest();
            return Vec::new();
        }
        let changed = self.watch.changed(cx, &self.shared);
        if changed == Ok(false) {
            return Vec::new();
        }
        let mut done = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            let found = changed.clone().and_then(|_| self.next(cx, &waiting.topic, waiting.from));
            match found {
                Ok(Some(event)) => done.push((waiting.ticket, Started::Done(Ok(event)))),
                Ok(None) => self.waiting.push(waiting),
                Err(raised) => done.push((waiting.ticket, Started::Done(Err(raised)))),
            }
        }
        done
    }

    fn next_poll_ms(&self) -> Option<i64> {
        if self.waiting.is_empty() { None } else { self.watch.due(&self.shared) }
    }

    fn standing(&self, ticket: Ticket) -> Option<Standing> {
        let waiting = self.waiting.iter().find(|waiting| waiting.ticket == ticket)?;
        let data = Data::dict([
            ("topic", Data::from(waiting.topic.as_str())),
            ("from", Data::Int(waiting.from.cast_signed())),
        ]);
        Some(Standing { data, waits_for: format!("topic {}", waiting.topic) })
    }

    fn stand(&mut self, cx: &mut ServiceCx<'_>, ticket: Ticket, data: &Data, _shift_ms: i64) -> bool {
        let Some(topic) = data.field("topic").as_str().map(str::to_owned) else { return false };
        self.waiting.push(Waiting { ticket, topic, from: cursor(data).unwrap_or(0) });
        self.watch.begin(cx);
        true
    }

    fn cancel(&mut self, _: &mut ServiceCx<'_>, ticket: Ticket) {
        self.waiting.retain(|w| w.ticket != ticket);
    }

    fn finish(&mut self, cx: &mut ServiceCx<'_>) {
        // What was appended without a sync of its own shall not depend on the operating system's mood.
        if let Some(store) = cx.log.opened() {
            let _: Result<(), LogError> = store.borrow_mut().flush();
        }
    }
}
