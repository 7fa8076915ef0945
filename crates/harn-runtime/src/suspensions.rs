//! Suspended runs on the event log (spec 08 section 4.6): who waits, with which state, and who goes on with it.
//!
//! The life of a run is the topic `run.lifecycle`: `run_suspended` with the number of its state, `run_resumed` by the
//! one process that goes on from it, `run_ended`. The states are events of `run.state.<run id>`, of which the newest
//! counts. A state and the record that names it are appended in one transaction, and so is the look at whether somebody
//! has resumed already with the record that it is this process: whatever is killed when, a suspension is resumed at most
//! once, and until it is, it can be.

use data_encoding::BASE64;
use harn_eventlog::{Event, Json, LogError, Read, Store, Stored, Tx, provenance, topic};

/// The topic of the lives of runs.
pub const LIFECYCLE: &str = "run.lifecycle";

const SUSPENDED: &str = "run_suspended";
const RESUMED: &str = "run_resumed";
const ENDED: &str = "run_ended";

/// Events read at a time.
const BATCH: usize = 1000;

/// What it takes to run the program of a suspended run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launch {
    /// The entry file as given; `<code>` for `harn run -e`.
    pub script: String,
    /// Its absolute path, unless the code was given on the command line.
    pub path: Option<String>,
    /// The code of `harn run -e`.
    pub code: Option<String>,
    /// `argv`.
    pub args: Vec<String>,
    /// Whether it runs with `--strict`.
    pub strict: bool,
    /// `--max-depth`.
    pub max_depth: Option<u32>,
    /// `--max-memory`, in bytes.
    pub max_memory: Option<u64>,
    /// Builtins it may not use.
    pub denied: Vec<String>,
    /// Options that forbid classes of effects (`deny-net`, ...).
    pub forbidden: Vec<String>,
    /// Whether its value is printed.
    pub print: bool,
}

/// A run that was suspended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The id of its record on [`LIFECYCLE`].
    pub id: u64,
    /// The run.
    pub run_id: String,
    /// How to run its program.
    pub launch: Launch,
    /// Ids of the requests, waitpoints and topics it waits for.
    pub waits_for: Vec<String>,
    /// When it was written, Unix milliseconds.
    pub saved_at_ms: i64,
    /// The monotonic clock of the process that wrote it.
    pub monotonic_ms: i64,
    /// The number of its state.
    pub state_id: u64,
    /// The digest of its state.
    digest: String,
    /// Who went on from it: none yet, or process and time.
    pub resumed_by: Option<String>,
    /// The id of the record by which that process went on.
    pub resumed_id: Option<u64>,
    /// The name of that process among those that share the log, by which it can be told whether it lives.
    pub holder: Option<String>,
}

/// A state to be written.
pub struct Writing<'a> {
    /// The run.
    pub run_id: &'a str,
    /// How to run its program.
    pub launch: &'a Launch,
    /// What it waits for.
    pub waits_for: &'a [String],
    /// The wall clock, Unix milliseconds.
    pub now_ms: i64,
    /// The monotonic clock.
    pub monotonic_ms: i64,
    /// The snapshot.
    pub state: &'a [u8],
}

fn state_topic(run_id: &str) -> String {
    format!("run.state.{}", topic::sanitise(run_id))
}

/// Writes a suspension; its id.
pub fn write(tx: &mut dyn Tx, writing: &Writing<'_>) -> Result<u64, LogError> {
    let data = BASE64.encode(writing.state);
    let digest = provenance::sha256(&data);
    let payload = Json::object([("run_id", Json::from(writing.run_id)), ("state", data.as_str().into())]);
    let state_topic = state_topic(writing.run_id);
    let state_id = tx.append(&state_topic, Event::new("run_state", payload, writing.now_ms))?;
    let Launch { script, path, code, args, strict, max_depth, max_memory, denied, forbidden, print } =
        writing.launch;
    let strings = |list: &[String]| Json::Array(list.iter().map(|text| Json::from(text.as_str())).collect());
    let payload = Json::object([
        ("run_id", Json::from(writing.run_id)),
        ("script", script.as_str().into()),
        ("path", path.clone().into()),
        ("code", code.clone().into()),
        ("args", strings(args)),
        ("strict", Json::Bool(*strict)),
        ("max_depth", max_depth.map_or(Json::Null, |depth| Json::Int(i64::from(depth)))),
        ("max_memory", max_memory.map_or(Json::Null, |bytes| Json::Int(bytes.cast_signed()))),
        ("denied", strings(denied)),
        ("forbidden", strings(forbidden)),
        ("print", Json::Bool(*print)),
        ("waits_for", strings(writing.waits_for)),
        ("saved_at_ms", Json::Int(writing.now_ms)),
        ("monotonic_ms", Json::Int(writing.monotonic_ms)),
        ("state_id", Json::Int(state_id.cast_signed())),
        ("digest", digest.as_str().into()),
    ]);
    tx.append(LIFECYCLE, Event::new(SUSPENDED, payload, writing.now_ms).header("run_id", writing.run_id))
}

/// How an attempt to go on ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This process goes on, and no other will.
    Ours,
    /// Another one does.
    Taken,
}

/// A process that takes a suspension.
#[derive(Clone, Copy, Debug)]
pub struct Claimant<'a> {
    /// As people read it.
    pub process: &'a str,
    /// Its name among those that share the log, when it has one.
    pub holder: Option<&'a str>,
}

/// Takes a suspension for a process. `again`: in the place of one that went on by this record and is known to be dead; not of
/// another one that did so since.
pub fn claim(
    tx: &mut dyn Tx,
    run_id: &str,
    suspension: u64,
    by: Claimant<'_>,
    again: Option<u64>,
    now_ms: i64,
) -> Result<Claim, LogError> {
    let later = all(tx, Some(suspension))?;
    let own = later.iter().filter(|stored| stored.event.payload.text("run_id") == run_id);
    for stored in own {
        if stored.event.kind != RESUMED || Some(stored.id) > again {
            return Ok(Claim::Taken);
        }
    }
    let payload = Json::object([
        ("run_id", Json::from(run_id)),
        ("suspension", Json::Int(suspension.cast_signed())),
        ("process", by.process.into()),
        ("holder", by.holder.map(str::to_owned).into()),
        ("again", Json::Bool(again.is_some())),
    ]);
    tx.append(LIFECYCLE, Event::new(RESUMED, payload, now_ms).header("run_id", run_id))?;
    Ok(Claim::Ours)
}

/// Writes that a run which had been suspended is over.
pub fn end(store: &mut dyn Store, run_id: &str, outcome: &str, now_ms: i64) -> Result<(), LogError> {
    let payload = Json::object([("run_id", Json::from(run_id)), ("outcome", outcome.into())]);
    store.append(LIFECYCLE, Event::new(ENDED, payload, now_ms).header("run_id", run_id))?;
    drop_states(store, run_id, u64::MAX)
}

/// Drops the states of a run before `keep`: they hold what the program held, and nobody needs them.
pub fn drop_states(store: &mut dyn Store, run_id: &str, keep: u64) -> Result<(), LogError> {
    store.compact(&state_topic(run_id), keep.saturating_sub(1)).map(|_| ())
}

fn all(store: &mut (impl Read + ?Sized), from: Option<u64>) -> Result<Vec<Stored>, LogError> {
    let mut events = Vec::new();
    let mut from = from;
    loop {
        let batch = store.read_range(LIFECYCLE, from, BATCH)?;
        let Some(last) = batch.last() else { return Ok(events) };
        from = Some(last.id);
        events.extend(batch);
    }
}

/// Every run that has been suspended and has not ended, in the order of their last suspension.
pub fn list(store: &mut dyn Store) -> Result<Vec<Suspension>, LogError> {
    let mut found: Vec<Suspension> = Vec::new();
    for stored in all(store, None)? {
        let payload = &stored.event.payload;
        let run_id = payload.text("run_id");
        match stored.event.kind.as_str() {
            SUSPENDED => {
                found.retain(|known| known.run_id != run_id);
                found.push(read(&stored));
            }
            RESUMED => {
                let at = harn_govern::moment::timestamp(stored.event.occurred_at_ms);
                if let Some(known) = found.iter_mut().find(|known| known.run_id == run_id) {
                    known.resumed_by = Some(format!("{} at {at}", payload.text("process")));
                    known.resumed_id = Some(stored.id);
                    known.holder = payload.field("holder").as_str().map(str::to_owned);
                }
            }
            ENDED => found.retain(|known| known.run_id != run_id),
            _ => {}
        }
    }
    Ok(found)
}

fn read(stored: &Stored) -> Suspension {
    let payload = &stored.event.payload;
    let int = |name: &str| payload.field(name).as_int().unwrap_or(0);
    let optional = |name: &str| payload.field(name).as_str().map(str::to_owned);
    Suspension {
        id: stored.id,
        run_id: payload.text("run_id").to_owned(),
        launch: Launch {
            script: payload.text("script").to_owned(),
            path: optional("path"),
            code: optional("code"),
            args: payload.field("args").strings(),
            strict: payload.field("strict").as_bool().unwrap_or(false),
            max_depth: payload.field("max_depth").as_int().and_then(|depth| u32::try_from(depth).ok()),
            max_memory: payload.field("max_memory").as_int().and_then(|bytes| u64::try_from(bytes).ok()),
            denied: payload.field("denied").strings(),
            forbidden: payload.field("forbidden").strings(),
            print: payload.field("print").as_bool().unwrap_or(false),
        },
        waits_for: payload.field("waits_for").strings(),
        saved_at_ms: int("saved_at_ms"),
        monotonic_ms: int("monotonic_ms"),
        state_id: int("state_id").cast_unsigned(),
        digest: payload.text("digest").to_owned(),
        resumed_by: None,
        resumed_id: None,
        holder: None,
    }
}

/// The snapshot of a suspension, as it was written.
pub fn state(store: &mut dyn Store, suspension: &Suspension) -> Result<Vec<u8>, LogError> {
    let topic = state_topic(&suspension.run_id);
    let found = store.read_range(&topic, Some(suspension.state_id.saturating_sub(1)), 1)?;
    let missing = || LogError::Corrupt(format!("the state of run {} is not there", suspension.run_id));
    let stored = found.first().filter(|stored| stored.id == suspension.state_id).ok_or_else(missing)?;
    // Topic names of different runs may meet: the payload decides.
    if stored.event.payload.text("run_id") != suspension.run_id {
        return Err(missing());
    }
    let data = stored.event.payload.text("state");
    if provenance::sha256(data) != suspension.digest {
        let text = format!("the state of run {} does not have its digest", suspension.run_id);
        return Err(LogError::Corrupt(text));
    }
    BASE64
        .decode(data.as_bytes())
        .map_err(|error| LogError::Corrupt(format!("the state of run {}: {error}", suspension.run_id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use harn_eventlog::{Durability, MemoryStore};

    fn suspended(store: &mut MemoryStore) -> Suspension {
        let mut tx = store.begin(Durability::Synced).unwrap();
        let writing = Writing {
            run_id: "run_1",
            launch: &Launch { script: "a.harn".to_owned(), ..Launch::default() },
            waits_for: &["hitl_1".to_owned()],
            now_ms: 5,
            monotonic_ms: 1,
            state: b"state",
        };
        write(&mut *tx, &writing).unwrap();
        tx.commit().unwrap();
        list(store).unwrap().pop().unwrap()
    }

    fn try_claim(store: &mut MemoryStore, suspension: &Suspension, again: Option<u64>) -> Claim {
        let mut tx = store.begin(Durability::Synced).unwrap();
        let claimed =
            claim(&mut *tx, "run_1", suspension.id, Claimant { process: "p", holder: None }, again, 9)
                .unwrap();
        tx.commit().unwrap();
        claimed
    }

    #[test]
    fn a_suspension_comes_back_with_its_state() {
        let mut store = MemoryStore::new();
        let suspension = suspended(&mut store);
        assert_eq!(
            (suspension.launch.script.as_str(), &suspension.waits_for[..]),
            ("a.harn", &["hitl_1".to_owned()][..])
        );
        assert_eq!(state(&mut store, &suspension).unwrap(), b"state");
    }

    #[test]
    fn only_one_goes_on_from_a_suspension() {
        let mut store = MemoryStore::new();
        let suspension = suspended(&mut store);
        assert_eq!(try_claim(&mut store, &suspension, None), Claim::Ours);
        assert_eq!(try_claim(&mut store, &suspension, None), Claim::Taken);
        let dead = list(&mut store).unwrap().pop().unwrap().resumed_id;
        assert_eq!(try_claim(&mut store, &suspension, dead), Claim::Ours);
        assert_eq!(try_claim(&mut store, &suspension, dead), Claim::Taken, "somebody has taken its place");
    }

    #[test]
    fn a_run_that_ended_cannot_go_on_and_leaves_no_state() {
        let mut store = MemoryStore::new();
        let suspension = suspended(&mut store);
        end(&mut store, "run_1", "value", 10).unwrap();
        assert_eq!(list(&mut store).unwrap(), []);
        assert_eq!(try_claim(&mut store, &suspension, Some(u64::MAX)), Claim::Taken);
        assert!(state(&mut store, &suspension).is_err());
    }
}
