//! What hyper reads, and what is read while hyper does not.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use hyper::rt::{Read, ReadBufCursor};
use spikard_core::{Error, ErrorCode};
use tokio::io::ReadBuf;

use super::{Guard, Stage, Wire};
use crate::server::link::Owed;

/// So much is read ahead while a request runs: what a client sends beyond it waits, and so does the news of its end.
const LOOK_AHEAD: usize = 64 * 1024;

impl<W: Wire> Read for Guard<W> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut out: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let guard = self.get_mut();
        loop {
            if guard.passed > 0 {
                guard.hand_over(&mut out);
                return Poll::Ready(Ok(()));
            }
            if guard.link.is_raw() {
                return guard.poll_read_raw(cx, &mut out);
            }
            if !guard.may_go_on() {
                return Poll::Pending;
            }
            if !guard.stopped {
                guard.examine();
            }
            if guard.passed > 0 {
                continue;
            }
            if guard.stopped || guard.ended {
                return guard.poll_end(cx);
            }
            let room = out.remaining();
            let read = match guard.stage {
                Stage::Length(left) if guard.held.is_empty() => guard.poll_straight(cx, &mut out, left),
                _ => guard.poll_fill(cx),
            };
            if read?.is_pending() {
                if !guard.is_overdue() {
                    return Poll::Pending;
                }
                guard.time_out();
            } else if guard.is_in_body() || out.remaining() < room {
                guard.link.owes(Owed::Nothing);
            }
            if out.remaining() < room {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<W: Wire> Guard<W> {
    fn hand_over(&mut self, out: &mut ReadBufCursor<'_>) {
        let bytes = self.passed.min(out.remaining());
        out.put_slice(&self.held[..bytes]);
        self.held.advance(bytes);
        self.passed -= bytes;
        self.link.owes(Owed::Nothing);
    }

    /// A body of a known length goes from the wire to where hyper wants it; what follows it stays on the wire.
    fn poll_straight(&mut self, cx: &mut Context<'_>, out: &mut ReadBufCursor<'_>, left: u64) -> Poll<io::Result<()>> {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(out.remaining());
        // SAFETY: `ReadBuf` takes no byte back.
        let mut room = ReadBuf::uninit(unsafe { &mut out.as_mut()[..wanted] });
        ready!(Pin::new(&mut self.wire).poll_read(cx, &mut room))?;
        let read = room.filled().len();
        // SAFETY: so many are filled.
        unsafe { out.advance(read) };
        if read == 0 {
            self.end();
        }
        self.stage = if read as u64 == left { Stage::Head } else { Stage::Length(left - read as u64) };
        Poll::Ready(Ok(()))
    }

    /// Another head only when all that was written for the last one is out: so what hyper writes before it calls the
    /// service is its own refusal and nothing else.
    fn may_go_on(&mut self) -> bool {
        if self.is_in_body() || self.stopped {
            return true;
        }
        if self.awaits_call() {
            // hyper wants more of a head that is whole: it reads it otherwise than the guard.
            self.stop(Error::malformed("the request head is malformed"));
        } else if self.unflushed {
            self.deferred = true;
            return false;
        }
        self.busy = false;
        true
    }

    /// The server begins to wait for the client, or goes on to: a head has one time for all of it, a body a new one
    /// with each of its bytes.
    fn is_overdue(&mut self) -> bool {
        let (idle, owed) = (self.held.is_empty(), self.link.owed());
        if idle && !self.is_in_body() {
            self.held = BytesMut::new();
        }
        let now_owed = match owed {
            _ if self.is_in_body() => Owed::Body,
            _ if !idle => Owed::Head,
            Owed::FirstByte => owed,
            _ => Owed::NextRequest,
        };
        if now_owed != owed {
            self.link.owes(now_owed);
        }
        self.link.overdue()
    }

    /// The client's time is over. An idle one is left without a word.
    fn time_out(&mut self) {
        match self.link.owed() {
            Owed::Head => self.stop(late("the request head took too long")),
            Owed::Body => self.stop(late("the request body took too long")),
            _ => self.stopped = true,
        }
    }

    /// There is nothing more to read. Before a head hyper has nothing to write either: so the connection ends here.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_in_body() {
            if !self.stopped {
                self.stop(Error::malformed("the request body ended early"));
            }
            return Poll::Ready(Ok(()));
        }
        if !self.stopped && !self.held.is_empty() {
            self.stop(Error::malformed("the request head ended early"));
        }
        ready!(self.poll_close(cx))?;
        Poll::Ready(Ok(()))
    }

    fn poll_read_raw(&mut self, cx: &mut Context<'_>, out: &mut ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() && !self.ended {
            ready!(self.poll_fill(cx))?;
        }
        self.passed = self.held.len();
        self.hand_over(out);
        self.passed = 0;
        Poll::Ready(Ok(()))
    }

    /// While a request runs hyper does not read: whoever leaves then is noticed here. A reset is an error.
    pub(super) fn look_ahead(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.ended && self.wire.poll_lost(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        while !self.ended && self.held.len() < LOOK_AHEAD {
            match self.wire.poll_readable(cx)? {
                Poll::Ready(()) if self.poll_fill(cx)?.is_ready() => {}
                _ => break,
            }
        }
        Ok(())
    }
}

fn late(detail: &'static str) -> Error {
    Error::new(ErrorCode::RequestTimeout).with_detail(detail)
}
