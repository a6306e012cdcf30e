//! A stream whose readiness a reactor tells.

use std::{
    io::{self, IoSlice, Write},
    net::Shutdown,
    os::fd::AsFd,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use mio::{
    event::Source,
    net::{TcpStream, UnixStream},
};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Remote, deregister, of_a_stream, readiness::Readiness, register};
use crate::server::{Wire, guard::unsent};

/// What a connection can run on.
pub(in crate::server) trait Stream: Source + AsFd + Write + Unpin + Send + 'static {
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        TcpStream::shutdown(self, how)
    }
}

impl Stream for UnixStream {
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        UnixStream::shutdown(self, how)
    }
}

/// A stream on a reactor.
pub(in crate::server) struct Socket<S: Stream> {
    stream: S,
    key: usize,
    readiness: Arc<Readiness>,
    remote: Arc<Remote>,
}

impl<S: Stream> Socket<S> {
    /// The stream must not block.
    pub(in crate::server) fn new(remote: &Arc<Remote>, mut stream: S) -> io::Result<Self> {
        let (key, readiness) = register(remote, &mut stream, of_a_stream())?;
        Ok(Self { stream, key, readiness, remote: Arc::clone(remote) })
    }
}

impl<S: Stream> Drop for Socket<S> {
    fn drop(&mut self) {
        deregister(&self.remote, self.key, &mut self.stream);
    }
}

impl<S: Stream> AsyncRead for Socket<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, readiness, .. } = self.get_mut();
        // SAFETY: nothing but what `recv` fills is read, and it takes no byte back.
        let room = unsafe { buffer.unfilled_mut() };
        let read = readiness.read.transfer(cx, room.len(), || SockRef::from(&*stream).recv(room));
        read.map_ok(|read| {
            // SAFETY: `recv` has filled so many.
            unsafe { buffer.assume_init(read) };
            buffer.advance(read);
        })
    }
}

impl<S: Stream> AsyncWrite for Socket<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, readiness, .. } = self.get_mut();
        readiness.write.transfer(cx, bytes.len(), || stream.write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, readiness, .. } = self.get_mut();
        let asked = pieces.iter().map(|piece| piece.len()).sum();
        readiness.write.transfer(cx, asked, || stream.write_vectored(pieces))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.stream.shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        })
    }
}

impl<S: Stream> Wire for Socket<S> {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.readiness.read.poll(cx).map(Ok)
    }

    fn poll_lost(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.readiness.poll_lost(cx)
    }

    fn unsent(&self) -> Option<usize> {
        unsent(&self.stream)
    }
}
