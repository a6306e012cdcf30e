//! The end of a connection: the last words, if any, the end of our side, then, where the client may still be sending,
//! reading on for a while, for a reset would take from it what it has not yet read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{Closing, Guard, Wire, poll_write_all};
use crate::server::{connection::random_id, last_words::last_words, link::Owed};

/// What a client that was refused may still send before it is cut off.
const MAX_DISCARDED: usize = 1024 * 1024;

impl<W: Wire> Guard<W> {
    /// Is ready when nothing of the connection is left to do.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.closing {
                Closing::No => {
                    let id = self.request_ids.then(random_id);
                    let words = self.refused.as_ref().map(|error| last_words(error, id)).unwrap_or_default();
                    self.closing = Closing::Words(words);
                }
                Closing::Words(words) => {
                    let written = poll_write_all(&mut self.wire, cx, words);
                    if written.is_pending() {
                        self.link.stall();
                        if self.link.stalled() {
                            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                        }
                    }
                    ready!(written)?;
                    self.link.progress();
                    self.closing = Closing::Shut;
                }
                Closing::Shut => {
                    ready!(Pin::new(&mut self.wire).poll_shutdown(cx))?;
                    self.closing = self.after_shut(cx);
                }
                Closing::Linger(discarded) => {
                    let discarded = *discarded;
                    self.closing = ready!(self.poll_discard(cx, discarded));
                }
                Closing::Done => return Poll::Ready(Ok(())),
            }
        }
    }

    fn after_shut(&mut self, cx: &mut Context<'_>) -> Closing {
        let unread = || self.refused.is_some() || self.is_in_body() || !self.held.is_empty();
        let may_send = !self.ended && (unread() || self.has_unread_input(cx));
        if !may_send {
            return Closing::Done;
        }
        self.link.owes(Owed::Close);
        Closing::Linger(0)
    }

    fn has_unread_input(&mut self, cx: &mut Context<'_>) -> bool {
        matches!(self.wire.poll_readable(cx), Poll::Ready(Ok(())))
            && matches!(self.poll_fill(cx), Poll::Ready(Ok(())))
            && !self.ended
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>, mut discarded: usize) -> Poll<Closing> {
        while !self.ended && discarded < MAX_DISCARDED {
            discarded += self.held.len();
            self.held.clear();
            match self.poll_fill(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => break,
                Poll::Pending if self.link.overdue() => break,
                Poll::Pending => {
                    self.closing = Closing::Linger(discarded);
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Closing::Done)
    }
}
