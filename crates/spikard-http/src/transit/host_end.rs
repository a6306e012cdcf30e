//! The work's end of a line, on the host's side.

use std::{
    future::{Future, poll_fn},
    path::PathBuf,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use spikard_core::{Error, Reason, Request, RequestId, Response, Sent};
use spikard_ffi::{Answer, Call, Reply};

use super::{
    Beside, Home, Line, Transit,
    line::{BODY_BUFFER, COMPLETE, DECODED, DEPARTED, FAILED, GONE, GRACE_OVER, TIMED_OUT},
};
use crate::{
    notice,
    singletons::{Singletons, Turn},
};

/// Why a request does not go on.
pub(crate) enum Fault {
    /// An error, to be answered.
    Error(Error),
    /// The open call, if there was one, has been answered: clean up.
    Cancelled(Reason),
    /// The open call was not answered within the grace: nothing of this request may be touched any more.
    GivenUp,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Dropped: the work has ended, one way or another, and is no longer in flight.
pub(crate) struct HostEnd {
    line: Arc<Line>,
    answered: bool,
}

impl HostEnd {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self { line, answered: false }
    }

    /// Sends the head home.
    pub(crate) fn answer(&mut self, made: Result<Response, Error>, tail: bool) {
        self.answered = true;
        self.send(Home::Head { made, tail });
    }

    fn send(&self, home: Home) {
        self.line.transit.send(self.line.clone(), home);
    }

    /// One call that departure and timeout cancel. Cancelled before it: the call is not made.
    pub(crate) fn ask<T>(&self, make: impl FnOnce(Reply<T>) -> Call) -> Asking<'_, T> {
        Asking::new(&self.line, &self.line.work, make)
    }

    /// Calls that run side by side.
    pub(crate) fn beside<T: Send + 'static>(&self, count: usize) -> Arc<Beside<T>> {
        Beside::new(self.line.clone(), count)
    }

    /// Waits for the right to make a singleton, as long as anybody wants the request.
    pub(crate) fn turn<'a>(
        &self,
        singletons: &'a Singletons,
        place: usize,
    ) -> impl Future<Output = Result<Turn<'a>, Fault>> {
        poll_fn(move |cx| {
            self.line.work.register(cx.waker());
            match self.line.reason() {
                Some(reason) => Poll::Ready(Err(Fault::Cancelled(reason))),
                None => singletons.poll_turn(place, cx).map(Ok),
            }
        })
    }

    /// Cancelled while the last call was answered all the same: what was made is for nobody.
    pub(crate) fn still_wanted(&self) -> Result<(), Fault> {
        self.line.reason().map_or(Ok(()), |reason| Err(Fault::Cancelled(reason)))
    }

    /// Reads and validates the body on the I/O side. Whoever leaves meanwhile takes the body along.
    pub(crate) async fn on_io(&self, request: Request) -> Result<Request, Fault> {
        self.send(Home::Decode(request));
        self.wait(DECODED | TIMED_OUT | DEPARTED).await;
        match self.line.desk(|desk| desk.decoded.take()) {
            Some(decoded) => (*decoded).map_err(Fault::Error),
            None => Err(Fault::Cancelled(self.line.reason().unwrap_or(Reason::Departed))),
        }
    }

    /// Opens a file for the I/O side, in place of one before; there, if that takes waiting.
    pub(crate) async fn open(&self, path: PathBuf) -> Result<(), Fault> {
        if let Some(file) = self.line.transit.platform.open_now(&path) {
            self.line.desk(|desk| desk.file = Some(file));
            return Ok(());
        }
        self.send(Home::Open(path));
        let opened = poll_fn(|cx| {
            self.line.work.register(cx.waker());
            let opened = self.line.desk(|desk| desk.opened.take());
            let left = self.line.signals() & (TIMED_OUT | DEPARTED) != 0;
            if opened.is_some() || left { Poll::Ready(opened) } else { Poll::Pending }
        });
        match opened.await {
            Some(opened) => opened.map_err(Fault::Error),
            None => Err(Fault::Cancelled(self.line.reason().unwrap_or(Reason::Departed))),
        }
    }

    /// Waits until the client has read enough. False: nobody reads any more.
    pub(crate) fn room(&self) -> impl Future<Output = bool> {
        poll_fn(|cx| {
            self.line.work.register(cx.waker());
            let over = self.line.signals() & (COMPLETE | GONE | FAILED) != 0;
            let free = self.line.unread.load(Ordering::Acquire) < BODY_BUFFER;
            if over || free { Poll::Ready(!over) } else { Poll::Pending }
        })
    }

    /// Sends a piece of the stream.
    pub(crate) fn chunk(&self, chunk: Bytes) {
        self.line.unread.fetch_add(chunk.len(), Ordering::AcqRel);
        self.send(Home::Chunk(chunk));
    }

    /// Ends the stream.
    pub(crate) fn end(&self, well: bool) {
        self.send(Home::End(well));
    }

    /// Waits for what becomes of the body.
    pub(crate) async fn sent(&self) -> Sent {
        match self.wait(COMPLETE | GONE | FAILED).await {
            signals if signals & COMPLETE != 0 => Sent::Complete,
            signals if signals & FAILED != 0 => Sent::Failed,
            _ => Sent::Gone,
        }
    }

    fn wait(&self, bits: u8) -> impl Future<Output = u8> {
        poll_fn(move |cx| {
            self.line.work.register(cx.waker());
            let signals = self.line.signals();
            if signals & bits != 0 { Poll::Ready(signals) } else { Poll::Pending }
        })
    }

    pub(crate) fn bodiless(&self) -> bool {
        self.line.terms.bodiless
    }

    pub(crate) fn request_id(&self) -> Option<RequestId> {
        self.line.terms.request_id.clone()
    }

    pub(crate) fn transit(&self) -> &Arc<Transit> {
        &self.line.transit
    }

    /// Counts user code that ignored its cancellation, and tells the log of it.
    pub(crate) fn give_up(&self, route: &Arc<str>) {
        let transit = &self.line.transit;
        transit.given_up.fetch_add(1, Ordering::AcqRel);
        let grace = transit.limits.cancel_grace.as_secs_f64();
        let what = format!("its code was cancelled, went on for `cancel_grace` ({grace} s) and is given up");
        notice::tell(transit, route, self.request_id(), &what);
    }
}

impl Drop for HostEnd {
    fn drop(&mut self) {
        drop(self.line.work.take()); // or the line would keep the waker for as long as the client reads
        if !self.answered {
            let lost = match self.line.reason() {
                Some(Reason::Departed) => Error::malformed("the client closed its side, which cancels this request"),
                _ => Error::internal("the host dropped the request"),
            };
            self.answer(Err(lost), false);
        }
        self.line.transit.leave_flight();
    }
}

/// The answer of one call, as long as anybody wants it.
pub(crate) struct Asking<'a, T> {
    answer: Option<Answer<T>>,
    line: &'a Line,
    /// What wakes the work that asks.
    work: &'a AtomicWaker,
    told: bool,
}

impl<'a, T> Asking<'a, T> {
    pub(super) fn new(line: &'a Line, work: &'a AtomicWaker, make: impl FnOnce(Reply<T>) -> Call) -> Self {
        let answer = line.reason().is_none().then(|| spikard_ffi::call(make));
        Self { answer, line, work, told: false }
    }
}

impl<T> Future for Asking<'_, T> {
    type Output = Result<T, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let line = self.line;
        let answered = match &mut self.answer {
            Some(answer) => Pin::new(answer).poll(cx),
            None => {
                return Poll::Ready(Err(Fault::Cancelled(line.reason().expect("the reason why it was not made"))));
            }
        };
        match answered {
            // An answer that is there counts, or a generator would be lost; the next call is not made.
            Poll::Ready(Ok(value)) => return Poll::Ready(Ok(value)),
            Poll::Ready(Err(error)) => {
                return Poll::Ready(Err(line.reason().map_or(Fault::Error(error), Fault::Cancelled)));
            }
            Poll::Pending => self.work.register(cx.waker()),
        }
        match line.reason() {
            Some(_) if line.signals() & GRACE_OVER != 0 => Poll::Ready(Err(Fault::GivenUp)),
            Some(reason) if !std::mem::replace(&mut self.told, true) => {
                spikard_ffi::cancel(reason);
                Poll::Pending
            }
            _ => Poll::Pending,
        }
    }
}
