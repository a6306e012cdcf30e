//! The handle that ends a server, and what it says when it has ended.

use std::sync::Arc;

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Serving,
    Leaving,
    Draining,
    Aborted,
}

/// Ends a server: clones are handles to the same one.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<watch::Sender<Stage>>);

impl Shutdown {
    /// A handle for one call of [`serve`](super::serve).
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves the place to a successor: nothing new is accepted, each answer says that it is the connection's last, and
    /// idle clients have a while to ask once more, so that none asks a connection that has just been closed. The drain
    /// follows.
    pub fn leave(&self) {
        self.raise(Stage::Leaving);
    }

    /// Begins the drain: nothing new is accepted, requests in flight are finished, and so is what an idle client has sent
    /// already; then idle connections close.
    pub fn begin(&self) {
        self.raise(Stage::Draining);
    }

    /// Ends the server now, whatever is in flight.
    pub fn abort(&self) {
        self.raise(Stage::Aborted);
    }

    /// Has a drain begun?
    pub fn has_begun(&self) -> bool {
        *self.0.borrow() >= Stage::Draining
    }

    /// Was it told to leave no time?
    pub fn is_aborted(&self) -> bool {
        *self.0.borrow() == Stage::Aborted
    }

    /// Waits until nothing new is to be accepted.
    pub(super) async fn left(&self) {
        self.reached(Stage::Leaving).await;
    }

    /// Waits for the drain to begin.
    pub async fn begun(&self) {
        self.reached(Stage::Draining).await;
    }

    /// Waits for the end that leaves no time.
    pub(super) async fn aborted(&self) {
        self.reached(Stage::Aborted).await;
    }

    fn raise(&self, stage: Stage) {
        self.0.send_if_modified(|current| {
            let later = stage > *current;
            if later {
                *current = stage;
            }
            later
        });
    }

    async fn reached(&self, stage: Stage) {
        // The sender is `self`, so it cannot have gone.
        let _ = self.0.subscribe().wait_for(|current| *current >= stage).await;
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut off.
    pub connections: usize,
    /// Requests, clean-up included, and background tasks that were still in flight.
    pub in_flight: usize,
}

impl Drained {
    /// Did everything finish in time?
    pub fn is_complete(&self) -> bool {
        self.connections == 0 && self.in_flight == 0
    }
}
