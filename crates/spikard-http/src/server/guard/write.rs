//! What hyper writes.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper::rt::Write;
use spikard_core::{Error, ErrorCode};

use super::{Guard, Wire};

impl<W: Wire> Write for Guard<W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        if guard.awaits_call() {
            guard.replace_refusal(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut guard.wire).poll_write(cx, bytes);
        guard.note_write(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let guard = self.get_mut();
        if guard.awaits_call() {
            guard.replace_refusal(slices.first().map_or(&[], |slice| slice));
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let written = Pin::new(&mut guard.wire).poll_write_vectored(cx, slices);
        guard.note_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    /// hyper flushes at the end of every poll of a connection: the moment to look after the client.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        ready!(Pin::new(&mut guard.wire).poll_flush(cx))?;
        guard.unflushed = false;
        if std::mem::take(&mut guard.deferred) {
            cx.waker().wake_by_ref();
        }
        if guard.busy && !guard.link.is_answered() && !guard.link.is_raw() {
            guard.look_ahead(cx)?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_close(cx)
    }
}

impl<W: Wire> Guard<W> {
    fn note_write(&mut self, cx: &Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(_) => {
                self.unflushed = true;
                self.link.progress();
            }
            Poll::Pending => {
                // After an upgrade another task writes.
                self.link.register(cx.waker());
                if self.link.stall() || self.link.settles() {
                    self.unsent = self.wire.unsent();
                } else if self.link.stalled() && !self.is_taken() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        written
    }

    /// Whether the client takes bytes, though so slowly that the socket has no room yet: it has when a third of what it
    /// holds is gone, which may be megabytes.
    fn is_taken(&mut self) -> bool {
        let before = std::mem::replace(&mut self.unsent, self.wire.unsent());
        let is_taken = before.zip(self.unsent).is_some_and(|(before, now)| now < before);
        if is_taken {
            self.link.progress();
            self.link.stall();
        }
        is_taken
    }

    /// hyper answers a head that it does not take with a bare status line: the same as a problem document.
    fn replace_refusal(&mut self, answer: &[u8]) {
        if self.refused.is_none() {
            let error = match answer.get(b"HTTP/1.1 ".len()..b"HTTP/1.1 400".len()) {
                Some(b"414") => Error::new(ErrorCode::UriTooLong),
                Some(b"431") => Error::new(ErrorCode::HeaderFieldsTooLarge),
                _ => Error::malformed("the request head is malformed"),
            };
            self.stopped = true;
            self.refused = Some(error);
        }
    }
}
