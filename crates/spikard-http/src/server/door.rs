//! Where connections come from, and on which thread they are accepted and run.

use std::{future::Future, io};

use futures_util::FutureExt as _;
use tokio::net::{TcpListener, TcpStream};

use super::Wire;
use crate::Peer;

/// Where connections come from.
pub trait Listener: Send + Sync + Sized + 'static {
    /// A connection.
    type Wire: Wire;

    /// Waits for the next connection, and says who is at its other end. Dropping the future loses none.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Wire, Option<Peer>)>> + Send;

    /// The next connection that the system has let in already, if there is one: for a server that leaves, whose clients are
    /// reset when the socket is closed.
    fn pending(&self) -> Option<(Self::Wire, Option<Peer>)> {
        self.accept().now_or_never().and_then(Result::ok)
    }

    /// Where connections are accepted: on the thread of the server, unless it says otherwise. Dropping the future ends
    /// that.
    fn run<F>(self, accepting: impl FnOnce(Self) -> F) -> impl Future<Output = ()> + Send
    where
        F: Future<Output = ()> + Send + 'static,
    {
        accepting(self)
    }

    /// Has a connection run: on the runtime of the server, unless it says otherwise.
    fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(connection));
    }
}

impl Listener for TcpListener {
    type Wire = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Option<Peer>)> {
        let (stream, address) = Self::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok((stream, Some(Peer::Address(address))))
    }
}
