//! The end of a client, seen while its request is still being answered.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use spikard_core::Head;
use tokio::sync::Notify;

use crate::Peer;

/// Tells whether the client has closed its sending side. A request of a connection has it with its body, and a head that
/// user code may look at in its extensions.
///
/// That is not yet a client who has left: one that shuts its sending side and waits for the answer looks the same. A
/// stream or a socket may end for it; a plain handler should go on. A client whose connection is reset needs no handle:
/// the connection, and with it the future of the service, is dropped.
///
/// It carries the connection's [`Peer`] along: one handle for both costs a request one count.
#[derive(Clone, Debug, Default)]
pub struct Departure(Arc<State>);

#[derive(Debug, Default)]
struct State {
    departed: AtomicBool,
    waiting: Notify,
    peer: Option<Peer>,
}

impl Departure {
    /// The client of a connection that is still there.
    pub(crate) fn of(peer: Option<Peer>) -> Self {
        Self(Arc::new(State { peer, ..State::default() }))
    }

    /// Who is at the other end, where that is known.
    pub fn peer(&self) -> Option<Peer> {
        self.0.peer
    }

    /// Notes that the client has left and wakes everybody who waits for it.
    pub fn depart(&self) {
        if !self.0.departed.swap(true, SeqCst) {
            self.0.waiting.notify_waiters();
        }
    }

    /// Has the client left whose request has this head?
    pub fn is_over(head: &Head) -> bool {
        head.body.is_closed() || head.parts.extensions.get::<Self>().is_some_and(Self::has_departed)
    }

    /// Has the client left?
    pub fn has_departed(&self) -> bool {
        self.0.departed.load(SeqCst)
    }

    /// Ends when the client has left; for whoever has to be polled.
    pub(crate) fn watch(&self) -> crate::Task {
        let departure = self.clone();
        Box::pin(async move { departure.departed().await })
    }

    /// Waits until the client has left.
    pub async fn departed(&self) {
        let notified = self.0.waiting.notified();
        tokio::pin!(notified);
        // Registered before the look at the flag: a departure in between is not missed.
        notified.as_mut().enable();
        if !self.has_departed() {
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_woken_and_nobody_waits_afterwards() {
        let departure = Departure::default();
        let [first, second] = [departure.clone(), departure.clone()];
        let both = tokio::spawn(async move { tokio::join!(first.departed(), second.departed()) });
        tokio::task::yield_now().await;
        assert!(!departure.has_departed());
        departure.depart();
        both.await.unwrap();
        departure.departed().await;
        assert!(departure.has_departed());
    }
}
