//! A listening socket that is only asked when the system says that somebody has come.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use mio::{
    event::Source,
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};

use super::{Wire, reactor::Stream};
use crate::Peer;

/// Accepts without waiting.
pub(super) trait Ear: Source + AsRawFd + Send + Sync + 'static {
    /// A connection.
    type Stream: Stream;
    /// The same, on a runtime.
    type Wire: Wire;

    fn accept(&self) -> io::Result<(Self::Stream, Option<Peer>)>;

    fn wire(stream: Self::Stream) -> io::Result<Self::Wire>;
}

impl Ear for TcpListener {
    type Stream = TcpStream;
    type Wire = tokio::net::TcpStream;

    fn accept(&self) -> io::Result<(TcpStream, Option<Peer>)> {
        let (stream, address) = Self::accept(self)?;
        stream.set_nodelay(true)?;
        Ok((stream, Some(Peer::Address(address))))
    }

    fn wire(stream: TcpStream) -> io::Result<tokio::net::TcpStream> {
        tokio::net::TcpStream::from_std(OwnedFd::from(stream).into())
    }
}

impl Ear for UnixListener {
    type Stream = UnixStream;
    type Wire = tokio::net::UnixStream;

    fn accept(&self) -> io::Result<(UnixStream, Option<Peer>)> {
        let (stream, _) = Self::accept(self)?;
        Ok((stream, Some(Peer::Local)))
    }

    fn wire(stream: UnixStream) -> io::Result<tokio::net::UnixStream> {
        tokio::net::UnixStream::from_std(OwnedFd::from(stream).into())
    }
}
