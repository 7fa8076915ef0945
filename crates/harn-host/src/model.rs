//! Model providers over HTTP: a plan goes to the network, its reply comes back on the completion queue. Clients are made
//! when the first call leaves.

mod exchange;

use std::collections::HashMap;
use std::time::Duration;

use harn_effect::{Data, Outcome, Raised, Ticket};
use harn_llm::wire::HttpPlan;
use reqwest::Client;

use crate::completions::Completions;
use crate::network::{self, Network};

/// What exchanges with providers share.
#[derive(Default)]
pub struct Models {
    clients: Clients,
}

impl Models {
    /// Starts an exchange; its outcome arrives on `completions`. `Some` when it cannot even be started.
    pub fn start(
        &mut self,
        network: &mut Network,
        ticket: Ticket,
        args: &Data,
        completions: &Completions,
    ) -> Option<Outcome> {
        let Some(plan) = HttpPlan::from_data(args) else {
            return Some(Err(Raised::runtime("llm.send: malformed request")));
        };
        let client = match self.clients.for_plan(&plan) {
            Ok(client) => client,
            Err(error) => {
                return Some(Err(Raised::runtime(format!("the HTTP client could not be made: {error}"))));
            }
        };
        let completions = completions.clone();
        network.run(ticket, async move {
            let chunks = completions.clone();
            let outcome =
                exchange::run(&client, &plan, &mut |text| chunks.chunk(ticket, text.to_owned())).await;
            completions.done(ticket, outcome.map(|reply| reply.to_data()).map_err(|error| error.raise()));
        })
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
        let mut builder = network::client().connect_timeout(millis(plan.timeouts.connect_ms));
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
