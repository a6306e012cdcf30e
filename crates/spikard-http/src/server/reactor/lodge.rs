//! A listener whose connections a reactor accepts and runs.

use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{AbortHandle, abortable};
use tokio::{runtime::Handle, sync::oneshot};

use super::{Remote, deregister, readiness::Readiness, register, socket::Socket};
use crate::{
    Peer,
    server::{Listener, ear::Ear, listen::Made, supervisor::Balance},
};

/// Registered with the reactor, so that a thread which does not turn accepts nothing.
pub(in crate::server) struct Hosted<E: Ear> {
    ear: E,
    key: usize,
    readiness: Arc<Readiness>,
    remote: Arc<Remote>,
    balance: Option<Arc<Balance>>,
    _made: Option<Made>,
}

impl<E: Ear> Hosted<E> {
    pub(in crate::server) fn new(
        mut ear: E,
        (made, balance): (Option<Made>, Option<Arc<Balance>>),
        remote: Arc<Remote>,
    ) -> io::Result<Self> {
        let (key, readiness) = register(&remote, &mut ear, mio::Interest::READABLE)?;
        Ok(Self { ear, key, readiness, remote, balance, _made: made })
    }
}

impl<E: Ear> Drop for Hosted<E> {
    fn drop(&mut self) {
        deregister(&self.remote, self.key, &mut self.ear);
    }
}

impl<E: Ear> Listener for Hosted<E> {
    type Wire = Socket<E::Stream>;

    async fn accept(&self) -> io::Result<(Self::Wire, Option<Peer>)> {
        loop {
            poll_fn(|cx| self.readiness.read.poll(cx)).await;
            let accept = || self.readiness.read.once(|| self.ear.accept());
            let accepted = match &self.balance {
                Some(balance) => balance.accept(accept).await,
                None => accept(),
            };
            if let Some(accepted) = accepted {
                let (stream, peer) = accepted?;
                return Ok((Socket::new(&self.remote, stream)?, peer));
            }
        }
    }

    fn pending(&self) -> Option<(Self::Wire, Option<Peer>)> {
        let (stream, peer) = self.ear.accept().ok()?;
        Some((Socket::new(&self.remote, stream).ok()?, peer))
    }

    fn run<F>(self, accepting: impl FnOnce(Self) -> F) -> impl Future<Output = ()> + Send
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let remote = Arc::clone(&self.remote);
        let (accepting, abort) = abortable(accepting(self));
        let (gone, ended) = oneshot::channel();
        // Its pauses are the runtime's.
        let (runtime, mut accepting) = (Handle::current(), Box::pin(accepting));
        remote.spawn(Box::pin(async move {
            let within = |cx: &mut Context<'_>| {
                let _within = runtime.enter();
                accepting.as_mut().poll(cx)
            };
            let _ = poll_fn(within).await;
            drop(accepting);
            drop::<oneshot::Sender<()>>(gone);
        }));
        Guest { abort, ended }
    }

    fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        self.remote.spawn(Box::pin(connection));
    }
}

/// Ends when what it stands for does; dropped, it cuts that off.
struct Guest {
    abort: AbortHandle,
    ended: oneshot::Receiver<()>,
}

impl Future for Guest {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.ended).poll(cx).map(drop)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.abort.abort();
    }
}
