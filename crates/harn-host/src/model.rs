//! Model providers over HTTP. The runtime of the network and the clients are made when the first call leaves.
//!
//! One thread runs every exchange; [`Models::start`] hands it a plan, outcomes come back on the completion queue.

mod exchange;

use std::collections::HashMap;
use std::time::Duration;

use harn_effect::{Data, Outcome, Raised, Ticket};
use harn_llm::wire::HttpPlan;
use reqwest::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use crate::completions::Completions;

/// The exchanges in flight.
#[derive(Default)]
pub struct Models {
    jobs: Option<UnboundedSender<Job>>,
}

enum Job {
    Send(Ticket, Box<HttpPlan>, Completions),
    Cancel(Ticket),
}

impl Models {
    /// Starts an exchange; its outcome arrives on `completions`. `Some` when it cannot even be started.
    pub fn start(&mut self, ticket: Ticket, args: &Data, completions: &Completions) -> Option<Outcome> {
        let Some(plan) = HttpPlan::from_data(args) else {
            return Some(Err(Raised::runtime("llm.send: malformed request")));
        };
        let jobs = match self.jobs() {
            Ok(jobs) => jobs,
            Err(error) => {
                return Some(Err(Raised::runtime(format!("the network could not be started: {error}"))));
            }
        };
        match jobs.send(Job::Send(ticket, Box::new(plan), completions.clone())) {
            Ok(()) => None,
            Err(_) => Some(Err(Raised::runtime("the thread of the network has ended"))),
        }
    }

    /// Gives an exchange up: its connection is closed and nothing is reported.
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
                .name("harn-models".to_owned())
                .spawn(move || runtime.block_on(serve(receiver)))?;
            self.jobs = Some(sender);
        }
        self.jobs.as_ref().ok_or_else(|| std::io::Error::other("no queue"))
    }
}

/// Runs exchanges until the host is gone.
async fn serve(mut jobs: UnboundedReceiver<Job>) {
    let mut clients = Clients::default();
    let mut running: HashMap<Ticket, AbortHandle> = HashMap::new();
    while let Some(job) = jobs.recv().await {
        running.retain(|_, task| !task.is_finished());
        match job {
            Job::Send(ticket, plan, completions) => {
                let client = clients.for_plan(&plan);
                let task = tokio::spawn(async move {
                    let outcome = match client {
                        Ok(client) => exchange::run(&client, &plan, &mut |text| {
                            completions.chunk(ticket, text.to_owned());
                        })
                        .await
                        .map(|reply| reply.to_data())
                        .map_err(|error| error.raise()),
                        Err(error) => {
                            Err(Raised::runtime(format!("the HTTP client could not be made: {error}")))
                        }
                    };
                    completions.done(ticket, outcome);
                });
                running.insert(ticket, task.abort_handle());
            }
            Job::Cancel(ticket) => {
                if let Some(task) = running.remove(&ticket) {
                    task.abort();
                }
            }
        }
    }
}

/// One client for each connection timeout, so that connections are reused.
#[derive(Default)]
struct Clients(HashMap<(i64, bool), Client>);

impl Clients {
    fn for_plan(&mut self, plan: &HttpPlan) -> reqwest::Result<Client> {
        // A proxy of the environment cannot reach this machine's own servers.
        let local = reqwest::Url::parse(&plan.url)
            .is_ok_and(|url| matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")));
        let key = (plan.timeouts.connect_ms, local);
        if let Some(client) = self.0.get(&key) {
            return Ok(client.clone());
        }
        // Installing it twice is refused and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .connect_timeout(millis(plan.timeouts.connect_ms))
            // A redirect would carry the key to an address nobody chose.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("harn/", env!("CARGO_PKG_VERSION")));
        if local {
            builder = builder.no_proxy();
        }
        let client = builder.build()?;
        self.0.insert(key, client.clone());
        Ok(client)
    }
}

/// A duration of that many milliseconds, none for a negative number.
fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
