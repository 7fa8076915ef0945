//! News of other machines' commits: a connection of its own that waits for notifications, on a thread of its own.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_postgres::AsyncMessage;

use super::target::Target;
use super::tls::Tls;
use crate::store::Wake;

/// The channel that every commit is told on.
pub(super) const CHANNEL: &str = "harn_log";

/// How long it waits before it connects again.
const PAUSE: Duration = Duration::from_secs(1);

/// A thread that listens. It ends when this is dropped.
pub(super) struct Listener {
    live: Arc<AtomicBool>,
    /// Closed by being dropped.
    _stop: oneshot::Sender<()>,
}

impl Listener {
    /// Listens on a database; `wake` is called soon after each commit of anybody, and whenever some may have been missed.
    pub(super) fn start(target: Target, wake: Wake) -> std::io::Result<Listener> {
        let live = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = oneshot::channel();
        let flag = live.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("store news".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = listen_for_ever(&target, &flag, &wake) => {}
                }
            });
        })?;
        Ok(Listener { live, _stop: stop })
    }

    /// Whether commits are told at present.
    pub(super) fn is_live(&self) -> bool {
        self.live.load(Ordering::Relaxed)
    }
}

async fn listen_for_ever(target: &Target, live: &AtomicBool, wake: &Wake) {
    let tls = Tls::new(target.roots.clone());
    loop {
        // Whatever ended it: the store itself meets the same trouble and tells it; here there is nobody to tell.
        let _ = listen(target, tls.clone(), live, wake).await;
        if live.swap(false, Ordering::Relaxed) {
            wake();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Listens until the connection breaks.
async fn listen(
    target: &Target,
    tls: Tls,
    live: &AtomicBool,
    wake: &Wake,
) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = target.config.connect(tls).await?;
    let command = format!("LISTEN {CHANNEL}");
    let mut listening = std::pin::pin!(client.batch_execute(&command));
    let mut is_listening = false;
    loop {
        tokio::select! {
            done = &mut listening, if !is_listening => {
                done?;
                is_listening = true;
                live.store(true, Ordering::Relaxed);
                // What was committed before is not told.
                wake();
            }
            message = poll_fn(|cx| connection.poll_message(cx)) => match message {
                Some(Ok(AsyncMessage::Notification(_))) => wake(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Ok(()),
            }
        }
    }
}
