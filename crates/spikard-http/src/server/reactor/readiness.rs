//! What is known of one socket without asking the system: a notice arrives once, when something changes.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;

/// Both directions of a socket.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    pub(super) read: Direction,
    pub(super) write: Direction,
}

/// One direction of a socket.
#[derive(Debug, Default)]
pub(super) struct Direction {
    ready: AtomicBool,
    /// Nothing changes any more, so no notice will come either.
    closed: AtomicBool,
    /// An urgent byte has come: a read ends before it, whatever follows.
    urgent: AtomicBool,
    waiting: AtomicWaker,
}

/// What the system says of one direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notice {
    pub(super) ready: bool,
    pub(super) closed: bool,
    pub(super) urgent: bool,
}

impl Readiness {
    /// The system's notice.
    pub(super) fn arise(&self, read: Notice, write: Notice) {
        self.read.arise(read);
        self.write.arise(write);
    }

    /// Is ready when nothing can be written any more. The notice of it reaches whoever reads, too.
    pub(super) fn poll_lost(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.read.waiting.register(cx.waker());
        if self.write.closed.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Direction {
    fn arise(&self, notice: Notice) {
        if notice.closed {
            self.closed.store(true, Ordering::Release);
        }
        if notice.urgent {
            self.urgent.store(true, Ordering::Release);
        }
        if notice.ready || notice.closed {
            self.ready.store(true, Ordering::Release);
            self.waiting.wake();
        }
    }

    /// Waits for a notice.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ready.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        self.waiting.register(cx.waker());
        // Looked at again: it may have come before the waker was there.
        if self.ready.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The system had no more.
    fn exhausted(&self) {
        self.ready.store(false, Ordering::Release);
    }

    /// Does what the system may refuse for now, as often as there is a notice.
    pub(super) fn attempt<T>(
        &self,
        cx: &mut Context<'_>,
        mut act: impl FnMut() -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            std::task::ready!(self.poll(cx));
            if let Some(done) = self.once(&mut act) {
                return Poll::Ready(done);
            }
        }
    }

    /// Does what the system may refuse for now. None: it did, and the next notice is to be waited for.
    pub(super) fn once<T>(&self, mut act: impl FnMut() -> io::Result<T>) -> Option<io::Result<T>> {
        loop {
            match act() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.exhausted();
                    return None;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Some(done),
            }
        }
    }

    /// Moves at most `asked` bytes: fewer say that there is no more, which saves asking once more.
    pub(super) fn transfer(
        &self,
        cx: &mut Context<'_>,
        asked: usize,
        act: impl FnMut() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let done = std::task::ready!(self.attempt(cx, act));
        // The notice of a stream's end may have come together with its last bytes.
        let may_hide_more = || self.closed.load(Ordering::Acquire) || self.urgent.load(Ordering::Acquire);
        if done.as_ref().is_ok_and(|done| (1..asked).contains(done)) && !may_hide_more() {
            self.exhausted();
        }
        Poll::Ready(done)
    }
}
