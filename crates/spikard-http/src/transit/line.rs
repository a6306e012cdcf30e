//! One request's line: signals to the work, and a desk on the I/O side for what comes home.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use spikard_core::{Error, Reason, Request, Sent};

use super::{Home, Terms, Transit};
use crate::{keeper::Serving, platform::File};

/// A stream is held back while this much of its body waits for the client. Pieces of 64 KiB, which are usual, then leave four
/// in a write, and user code is suspended once for four.
pub(super) const BODY_BUFFER: usize = 256 * 1024;

/// Both ends of one request hold it: one allocation for each crossing.
pub(crate) struct Line {
    pub(crate) transit: Arc<Transit>,
    pub terms: Terms,
    /// To the work: bits that are only ever set.
    signals: AtomicU8,
    pub(super) work: AtomicWaker,
    /// Bytes of the body that the client has not read yet.
    pub(super) unread: AtomicUsize,
    desk: Mutex<Desk>,
}

/// What has come home, and what goes back: `decoded`. Taken on the I/O side only.
#[derive(Default)]
pub(super) struct Desk {
    waiter: Option<Waker>,
    /// A head, or a request to be decoded.
    pub(super) next: Option<Home>,
    chunks: VecDeque<Bytes>,
    end: Option<bool>,
    pub(super) left: bool,
    pub(super) decoded: Option<Box<Result<Request, Error>>>,
    pub(super) opened: Option<Result<(), Error>>,
    /// What the answer sends.
    pub(super) file: Option<Box<dyn File>>,
    /// The request's body, for a stream that reads it.
    pub(super) request: Option<Box<dyn Serving>>,
}

pub(super) const TIMED_OUT: u8 = 1;
pub(super) const DEPARTED: u8 = 2;
pub(super) const GRACE_OVER: u8 = 4;
pub(super) const DECODED: u8 = 8;
pub(super) const COMPLETE: u8 = 16;
pub(super) const GONE: u8 = 32;
pub(super) const FAILED: u8 = 64;

impl Line {
    pub(super) fn new(transit: Arc<Transit>, terms: Terms) -> Arc<Self> {
        Arc::new(Self {
            transit,
            terms,
            signals: AtomicU8::new(0),
            work: AtomicWaker::new(),
            unread: AtomicUsize::new(0),
            desk: Mutex::default(),
        })
    }

    pub(super) fn signals(&self) -> u8 {
        self.signals.load(Ordering::Acquire)
    }

    pub(super) fn post(&self, bits: u8) {
        self.signals.fetch_or(bits, Ordering::AcqRel);
        self.work.wake();
    }

    /// What cancels an open call, if anything does.
    pub(super) fn reason(&self) -> Option<Reason> {
        let signals = self.signals();
        let departed = GONE | if self.terms.departure_cancels { DEPARTED } else { 0 };
        match signals {
            _ if signals & TIMED_OUT != 0 => Some(Reason::TimedOut),
            _ if signals & departed != 0 => Some(Reason::Departed),
            _ => None,
        }
    }

    /// From the I/O side. If the work is to be cancelled, the grace begins.
    pub(super) fn leave(self: &Arc<Self>, bits: u8) {
        self.post(bits);
        if self.reason().is_some() {
            self.after(self.transit.limits.cancel_grace, |line| line.post(GRACE_OVER));
        }
    }

    /// From the I/O side: nobody waits for the head any more. Work that goes on all the same has what is left of its time.
    pub(super) fn part(self: &Arc<Self>) {
        let left = self.terms.deadline.map(|deadline| deadline.saturating_sub(self.transit.platform.now()));
        if left.is_some_and(|left| left.is_zero()) {
            return self.leave(TIMED_OUT);
        }
        self.leave(DEPARTED);
        if let Some(left) = left.filter(|_| self.reason().is_none()) {
            let overdue = |line: &Arc<Self>| {
                if line.reason().is_none() {
                    line.leave(TIMED_OUT);
                }
            };
            self.after(left, overdue);
        }
    }

    /// Posted by the body of a stream that has sent all of its own length: its end is waited for no longer than the grace.
    pub(crate) fn linger(self: &Arc<Self>) {
        self.after(self.transit.limits.cancel_grace, |line| line.leave(GONE));
    }

    /// Does something for a work that has not ended by then.
    fn after(self: &Arc<Self>, time: Duration, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        if Arc::strong_count(self) == 1 {
            return;
        }
        let time = self.transit.platform.sleep(time);
        let line = Arc::downgrade(self);
        self.transit.platform.spawn(Box::pin(async move {
            time.await;
            if let Some(line) = line.upgrade() {
                then(&line);
            }
        }));
    }

    pub(super) fn desk<R>(&self, with: impl FnOnce(&mut Desk) -> R) -> R {
        with(&mut self.desk.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The file whose name the answer has for a body.
    pub(crate) fn take_file(&self) -> Option<Box<dyn File>> {
        self.desk(|desk| desk.file.take())
    }

    /// The request's body, where it was left to the answer.
    pub(crate) fn take_request(&self) -> Option<Box<dyn Serving>> {
        self.desk(|desk| desk.request.take())
    }

    /// From the host's side: whoever waits for it is woken by [`Line::arrive`].
    pub(super) fn lay_down(&self, home: Home) {
        self.desk(|desk| match home {
            Home::Chunk(chunk) => desk.chunks.push_back(chunk),
            Home::End(well) => desk.end = Some(well),
            home => desk.next = Some(home),
        });
    }

    /// On the I/O side: something was laid down. The reader may have found it already.
    pub(super) fn arrive(self: &Arc<Self>) {
        let (waiter, head, chunks) = self.desk(|desk| {
            if desk.left {
                return (None, desk.next.take(), std::mem::take(&mut desk.chunks));
            }
            let found = desk.next.is_some() || !desk.chunks.is_empty() || desk.end.is_some();
            (desk.waiter.take_if(|_| found), None, VecDeque::new())
        });
        if let Some(waiter) = waiter {
            waiter.wake();
        }
        drop(chunks);
        if let Some(Home::Head { tail: true, .. }) = head {
            self.sent(Sent::Gone); // nobody waits for it any more
        }
    }

    pub(super) fn poll_next(&self, cx: &Context<'_>) -> Poll<Home> {
        self.desk(|desk| {
            let chunk = |desk: &mut Desk| desk.chunks.pop_front().map(Home::Chunk);
            let found = desk.next.take().or_else(|| chunk(desk)).or_else(|| desk.end.take().map(Home::End));
            found.map_or_else(
                || {
                    desk.waiter = Some(cx.waker().clone());
                    Poll::Pending
                },
                Poll::Ready,
            )
        })
    }

    /// The body's reader: a chunk, or whether it ended well.
    pub(crate) fn poll_chunk(&self, cx: &Context<'_>) -> Poll<Result<Bytes, bool>> {
        self.poll_next(cx).map(|home| match home {
            Home::Chunk(chunk) => {
                let before = self.unread.fetch_sub(chunk.len(), Ordering::AcqRel);
                if before >= BODY_BUFFER && before - chunk.len() < BODY_BUFFER {
                    self.work.wake();
                }
                Ok(chunk)
            }
            Home::End(well) => Err(well),
            Home::Head { .. } | Home::Decode(_) | Home::Open(_) => Err(false),
        })
    }

    /// Posted once, by the body when the connection drops it.
    pub(crate) fn sent(self: &Arc<Self>, sent: Sent) {
        let unread = self.desk(|desk| {
            desk.left = true;
            std::mem::take(&mut desk.chunks)
        });
        drop(unread);
        match sent {
            Sent::Complete => self.post(COMPLETE),
            Sent::Failed => self.post(FAILED),
            Sent::Gone => self.leave(GONE),
        }
    }
}
