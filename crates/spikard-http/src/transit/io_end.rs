//! The waiting end of a line, on the I/O side.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
};

use http::{HeaderValue, header};
use spikard_core::{Error, ErrorCode, Request, Sent};

use crate::{departure::Departure, keeper::Serving, platform::File};

use super::{
    Home, Line,
    line::{DECODED, DEPARTED},
};

/// Dropped before the head has come: the client left, or the request timed out.
pub(crate) struct IoEnd(Option<Arc<Line>>);

impl IoEnd {
    pub(super) fn of(line: Arc<Line>) -> Self {
        Self(Some(line))
    }

    /// Nothing was begun.
    pub(super) fn full() -> Self {
        Self(None)
    }

    /// What the work sends first: its head, or a request to be decoded.
    pub(crate) fn arrival(&mut self) -> impl Future<Output = Home> {
        let cancels = self.0.as_ref().filter(|line| line.terms.departure_cancels);
        let mut departed = cancels.and_then(|line| line.terms.departure.as_ref()).map(Departure::watch);
        poll_fn(move |cx| match &self.0 {
            Some(line) => {
                if departed.as_mut().is_some_and(|departed| departed.as_mut().poll(cx).is_ready()) {
                    departed = None;
                    line.leave(DEPARTED);
                }
                line.poll_next(cx)
            }
            None => Poll::Ready(Home::Head { made: Err(overloaded()), tail: false }),
        })
    }

    /// The request that was asked for, decoded.
    pub(crate) fn give(self, decoded: Result<Request, Error>) -> Self {
        if let Some(line) = &self.0 {
            line.desk(|desk| desk.decoded = Some(Box::new(decoded)));
            line.post(DECODED);
        }
        self
    }

    /// The file that was asked for, or why there is none.
    pub(crate) fn tell(self, opened: Result<Box<dyn File>, Error>) -> Self {
        if let Some(line) = &self.0 {
            line.desk(|desk| match opened {
                Ok(file) => (desk.file, desk.opened) = (Some(file), Some(Ok(()))),
                Err(error) => desk.opened = Some(Err(error)),
            });
            line.work.wake();
        }
        self
    }

    /// Leaves the request's body to the answer.
    pub(crate) fn keep(&self, request: Box<dyn Serving>) {
        if let Some(line) = &self.0 {
            line.desk(|desk| desk.request = Some(request));
        }
    }

    /// The head has come: from here on only its body can tell that the client left.
    pub(crate) fn into_line(mut self) -> Option<Arc<Line>> {
        self.0.take()
    }
}

fn overloaded() -> Error {
    let busy = "there are as many requests in flight as the server takes";
    let error = Error::new(ErrorCode::ServiceUnavailable).with_detail(busy);
    error.with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

impl Drop for IoEnd {
    fn drop(&mut self) {
        let Some(line) = self.0.take() else { return };
        let next = line.desk(|desk| {
            desk.left = true;
            desk.next.take()
        });
        line.part();
        if let Some(Home::Head { tail: true, .. }) = next {
            line.sent(Sent::Gone);
        }
    }
}
