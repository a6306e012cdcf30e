//! Connections that a listener accepts and a reactor runs.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::future::{AbortHandle, abortable};
use tokio::{
    net::{TcpStream, UnixStream},
    sync::oneshot,
};

use super::{
    Remote,
    socket::{Socket, Stream},
};
use crate::{Peer, server::Listener};

/// A listener whose connections run on a reactor.
pub(in crate::server) struct Hosted<L> {
    pub(in crate::server) listener: L,
    pub(in crate::server) remote: Arc<Remote>,
}

/// A stream of the listener's runtime that can leave it.
pub(in crate::server) trait Leaves {
    type Into: Stream;

    fn leave(self) -> io::Result<Self::Into>;
}

impl Leaves for TcpStream {
    type Into = mio::net::TcpStream;

    fn leave(self) -> io::Result<mio::net::TcpStream> {
        Ok(mio::net::TcpStream::from_std(self.into_std()?))
    }
}

impl Leaves for UnixStream {
    type Into = mio::net::UnixStream;

    fn leave(self) -> io::Result<mio::net::UnixStream> {
        Ok(mio::net::UnixStream::from_std(self.into_std()?))
    }
}

impl<L: Listener + Sync> Listener for Hosted<L>
where
    L::Wire: Leaves,
{
    type Wire = Socket<<L::Wire as Leaves>::Into>;

    async fn accept(&self) -> io::Result<(Self::Wire, Option<Peer>)> {
        let (stream, peer) = self.listener.accept().await?;
        Ok((Socket::new(&self.remote, stream.leave()?)?, peer))
    }

    fn run(&self, connection: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
        let (connection, abort) = abortable(connection);
        let (gone, ended) = oneshot::channel();
        self.remote.spawn(Box::pin(async move {
            let _ = connection.await;
            drop::<oneshot::Sender<()>>(gone);
        }));
        Guest { abort, ended }
    }
}

/// Ends when the connection does; dropped, it cuts the connection off.
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
