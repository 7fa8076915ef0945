//! The thread of the network: runs what waits for sockets, reports on the completion queue, gives up on request.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

use harn_effect::{Outcome, Raised, Ticket};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

/// Work that ends by reporting its outcome itself.
type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The beginning of every HTTP client: the crypto provider in place, no redirect followed by itself.
pub fn client() -> reqwest::ClientBuilder {
    // Installing it twice is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        // A redirect would carry secrets to an address nobody chose.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("harn/", env!("CARGO_PKG_VERSION")))
}

enum Job {
    Run(Ticket, Work),
    Cancel(Ticket),
}

/// The way to the thread, which starts with the first job.
#[derive(Default)]
pub struct Network {
    jobs: Option<UnboundedSender<Job>>,
}

impl Network {
    /// Runs `work`. `Some` when it cannot even be started.
    pub fn run(
        &mut self,
        ticket: Ticket,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Option<Outcome> {
        let jobs = match self.jobs() {
            Ok(jobs) => jobs,
            Err(error) => {
                return Some(Err(Raised::runtime(format!("the network could not be started: {error}"))));
            }
        };
        match jobs.send(Job::Run(ticket, Box::pin(work))) {
            Ok(()) => None,
            Err(_) => Some(Err(Raised::runtime("the thread of the network has ended"))),
        }
    }

    /// Gives work up: its connection is closed and nothing is reported.
    pub fn cancel(&mut self, ticket: Ticket) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(Job::Cancel(ticket));
        }
    }

    fn jobs(&mut self) -> std::io::Result<&UnboundedSender<Job>> {
        if self.jobs.is_none() {
            let (sender, receiver) = unbounded_channel();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            std::thread::Builder::new()
                .name("harn-network".to_owned())
                .spawn(move || runtime.block_on(serve(receiver)))?;
            self.jobs = Some(sender);
        }
        self.jobs.as_ref().ok_or_else(|| std::io::Error::other("no queue"))
    }
}

/// Runs jobs until the host is gone.
async fn serve(mut jobs: UnboundedReceiver<Job>) {
    let mut running: HashMap<Ticket, AbortHandle> = HashMap::new();
    while let Some(job) = jobs.recv().await {
        running.retain(|_, task| !task.is_finished());
        match job {
            Job::Run(ticket, work) => {
                running.insert(ticket, tokio::spawn(work).abort_handle());
            }
            Job::Cancel(ticket) => {
                if let Some(task) = running.remove(&ticket) {
                    task.abort();
                }
            }
        }
    }
}
