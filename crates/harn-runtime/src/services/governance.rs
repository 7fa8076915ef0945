//! What the governance services share: projections of the log, fresh ids, transactions.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use harn_effect::Raised;
use harn_eventlog::store::again;
use harn_eventlog::{Durability, LogError, Mark, Tx, provenance};
use harn_govern::autonomy::{Declared, Ledger, Spender};
use harn_govern::identity::Identity;
use harn_govern::people::Book;
use harn_govern::rules::Rules;
use harn_govern::trust::Anchor;
use harn_govern::waitpoint::named::Reports;
use harn_govern::{Moment, trust};

use crate::service::ServiceCx;

/// The name of the note that holds the last trust record known to exist.
pub const HEAD_NOTE: &str = "trust_graph_head";

/// Projections, each as of the last time it was looked at.
#[derive(Debug, Default)]
pub struct Projections {
    /// What every key has decided.
    pub ledger: Ledger,
    /// Every request to a person.
    pub book: Book,
    /// How waits ended.
    pub reports: Reports,
}

impl Projections {
    /// Forgets what was read of the log; the next look reads it again.
    fn forget(&mut self) {
        self.ledger = Ledger::default();
        self.reports = Reports::default();
        self.book.forget();
    }
}

/// Who signs anchors for the installation, and where they are kept besides the log (spec 08 section 11.1 G6).
pub struct Signing {
    /// The key; asked for once, at the first transaction.
    pub identity: Box<dyn Fn() -> Option<Identity>>,
    /// Writes an anchor to `HARN_TRUST_ANCHOR_FILE`, when that is set.
    pub mirror: Box<dyn Fn(&Anchor) -> Result<(), String>>,
}

/// The state that the governance services of one run share.
#[derive(Default)]
pub struct Governance {
    projections: RefCell<Projections>,
    drawn: Cell<u64>,
    commits: Cell<u64>,
    declared: Vec<Declared>,
    /// The decisions of this run that are under way.
    under_way: RefCell<BTreeMap<String, Spender>>,
    signing: Option<Signing>,
    signer: OnceCell<Option<Identity>>,
}

/// One handle for each service.
pub type Shared = Rc<Governance>;

/// The error a program sees.
pub fn log_error(error: &LogError) -> Raised {
    Raised::runtime(format!("event_log: {error}"))
}

impl Governance {
    /// The state of a run under the rules of its project.
    pub fn under(rules: Rules) -> Governance {
        let projections = Projections { book: Book::with_keyring(rules.keyring), ..Projections::default() };
        Governance {
            projections: RefCell::new(projections),
            declared: rules.budgets,
            ..Governance::default()
        }
    }

    /// Anchors the chain with a key of the installation.
    #[must_use]
    pub fn signing(mut self, signing: Option<Signing>) -> Governance {
        self.signing = signing;
        self
    }

    /// Who signs, when there is a key.
    fn signer(&self) -> Option<&Identity> {
        let ask = || self.signing.as_ref().and_then(|signing| (signing.identity)());
        self.signer.get_or_init(ask).as_ref()
    }

    /// The budgets that the operator declared.
    pub fn declared(&self) -> &[Declared] {
        &self.declared
    }

    /// The decisions of this run that are under way.
    pub fn under_way(&self) -> &RefCell<BTreeMap<String, Spender>> {
        &self.under_way
    }

    /// Who pays for what is done in these decisions. One that is not known would pay nothing: an error.
    pub fn spenders(&self, decisions: &[String]) -> Result<Rc<[Spender]>, Raised> {
        let under_way = self.under_way.borrow();
        let unknown = |id: &String| Raised::runtime(format!("autonomy: decision '{id}' is not under way"));
        decisions.iter().map(|id| under_way.get(id).cloned().ok_or_else(|| unknown(id))).collect()
    }

    /// Runs `work` in one durable transaction; again when the connection to the store was lost before its commit. An error
    /// leaves no trace, neither on the log nor in the projections, and denies whatever was asked.
    pub fn transact<T>(
        &self,
        cx: &ServiceCx<'_>,
        work: impl FnMut(&mut dyn Tx, &mut Projections, &mut Moment<'_>) -> Result<T, LogError>,
    ) -> Result<T, Raised> {
        self.transact_at(cx, Durability::Synced, work)
    }

    /// Runs `work` in one transaction that is as durable as asked for.
    pub fn transact_at<T>(
        &self,
        cx: &ServiceCx<'_>,
        durability: Durability,
        mut work: impl FnMut(&mut dyn Tx, &mut Projections, &mut Moment<'_>) -> Result<T, LogError>,
    ) -> Result<T, Raised> {
        let store = cx.log.get()?;
        let mut store = store.borrow_mut();
        let mut entropy = || self.random(cx);
        let mut moment = Moment::new(cx.now_ms, &mut entropy).signed_by(self.signer());
        let done = again(|| {
            moment.anchored = None;
            let mut projections = self.projections.borrow_mut();
            let mut tx = store.begin(durability)?;
            let result = work(&mut *tx, &mut projections, &mut moment).and_then(|result| {
                tx.commit()?;
                Ok(result)
            });
            if result.is_err() {
                // What was folded inside the transaction may have gone with it.
                projections.forget();
            }
            result
        });
        let result = done.map_err(|error| log_error(&error))?;
        self.commits.set(self.commits.get() + 1);
        if let (Some(anchor), Some(signing)) = (&moment.anchored, &self.signing) {
            (signing.mirror)(anchor).map_err(Raised::runtime)?;
        }
        Ok(result)
    }

    /// Runs `work` in a transaction of somebody else, who may give it up: what it reads is forgotten afterwards.
    pub fn within<T>(&self, work: impl FnOnce(&mut Projections) -> T) -> T {
        let mut projections = self.projections.borrow_mut();
        let done = work(&mut projections);
        projections.forget();
        done
    }

    /// Runs `work` on the log without a transaction.
    pub fn read<T>(
        &self,
        cx: &ServiceCx<'_>,
        work: impl FnOnce(&mut dyn harn_eventlog::Store, &mut Projections) -> Result<T, LogError>,
    ) -> Result<T, Raised> {
        let store = cx.log.get()?;
        let mut store = store.borrow_mut();
        work(&mut *store, &mut self.projections.borrow_mut()).map_err(|e| log_error(&e))
    }

    /// Notes the end of the trust chain outside of the log, so that a chain cut short shows.
    pub fn note_head(&self, cx: &ServiceCx<'_>, record: &trust::Record) -> Result<(), Raised> {
        let mark = trust::HeadMark::of(record);
        self.read(cx, |store, _| {
            let known = store.read_note(HEAD_NOTE)?.and_then(|text| trust::HeadMark::parse(&text));
            // Another process may have noted a later record already.
            if known.is_none_or(|known| known.chain_index < mark.chain_index) {
                // The record itself is stored: that the note could not be written must not undo it.
                let _ = store.write_note(HEAD_NOTE, &mark.text());
            }
            Ok(())
        })
    }

    /// Ten bytes that no other draw of any run gives: the run's id is unique, the count is within the run.
    fn random(&self, cx: &ServiceCx<'_>) -> [u8; 10] {
        let count = self.drawn.get();
        self.drawn.set(count + 1);
        let seed = format!("{}\n{count}\n{}\n{}", cx.run.run_id, cx.now_ms, cx.monotonic_ms);
        let hex = provenance::sha256(&seed);
        let mut bytes = [0; 10];
        for (i, byte) in bytes.iter_mut().enumerate() {
            let digits = hex.get(7 + 2 * i..9 + 2 * i).unwrap_or("00");
            *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
        }
        bytes
    }

    /// A fresh id of version 7.
    pub fn uuid7(&self, cx: &ServiceCx<'_>) -> String {
        harn_govern::moment::uuid7(cx.now_ms, self.random(cx))
    }
}

/// Tells a service with waiting tickets when to look at the log again.
#[derive(Debug, Default)]
pub struct Watch {
    mark: Option<Mark>,
    commits: u64,
    due: Option<i64>,
}

impl Watch {
    /// Whether the log may have changed since the last call; sets when to look again.
    pub fn changed(&mut self, cx: &ServiceCx<'_>, shared: &Governance) -> Result<bool, Raised> {
        let store = cx.log.get()?;
        let mark = store.borrow_mut().mark();
        self.due = Some(cx.monotonic_ms + store.borrow().rest_ms());
        let mark = match mark {
            Ok(mark) => mark,
            // Who waits for days does not care about a server that is away for a while.
            Err(LogError::Unreachable(_) | LogError::Lost(_)) => return Ok(false),
            Err(error) => return Err(log_error(&error)),
        };
        let changed = self.mark != Some(mark) || self.commits != shared.commits.get();
        self.mark = Some(mark);
        self.commits = shared.commits.get();
        Ok(changed)
    }

    /// The next look: at once after a commit of this run, else in a while.
    pub fn due(&self, shared: &Governance) -> Option<i64> {
        if self.commits == shared.commits.get() { self.due } else { Some(0) }
    }

    /// Nothing waits any more.
    pub fn rest(&mut self) {
        self.due = None;
    }

    /// Something waits from now on.
    pub fn begin(&mut self, cx: &ServiceCx<'_>) {
        self.due = Some(cx.monotonic_ms);
        self.mark = None;
    }
}

/// A commit by the event log service, which writes without a transaction of its own.
pub fn note_commit(shared: &Governance) {
    shared.commits.set(shared.commits.get() + 1);
}
