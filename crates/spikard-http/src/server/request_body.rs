//! The body of a request on its way from hyper to the service: the reason of a fault is put in place of hyper's error,
//! and what the service leaves unread is drained, so that the connection can go on.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use spikard_core::Error;

use super::link::Link;
use crate::Departure;

/// What is read of a body that nobody wants; beyond it the connection closes after the response.
const MAX_DRAINED: u64 = 64 * 1024;

/// The body of a request. Its error says what the client is to be told: 400 for a body that breaks off or is malformed,
/// 408 for one that stops arriving.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Option<Incoming>,
    link: Arc<Link>,
    /// The client waits for `100 Continue`, which is sent with the first poll.
    held_back: bool,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, link: Arc<Link>, expects_continue: bool) -> Self {
        let incoming = Some(incoming).filter(|incoming| !incoming.is_end_stream());
        Self { incoming, link, held_back: expects_continue }
    }

    /// The client of the connection.
    pub fn departure(&self) -> &Departure {
        self.link.departure()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let body = &mut *self;
        let Some(incoming) = &mut body.incoming else { return Poll::Ready(None) };
        body.held_back = false;
        let frame = ready!(Pin::new(&mut *incoming).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || incoming.is_end_stream() {
            body.incoming = None;
        }
        let fault = |error: hyper::Error| {
            let known = body.link.take_fault();
            known.unwrap_or_else(|| Error::malformed("the request body ended early").with_source(error.to_string()))
        };
        Poll::Ready(frame.map(|frame| frame.map_err(fault)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take() else { return };
        // A client that was not told to continue may never send the body; one that sends too much is cut off. Without a
        // reader hyper closes the connection after the response.
        if !self.held_back && incoming.size_hint().lower() <= MAX_DRAINED {
            self.link.leave(incoming);
        } else {
            self.link.end();
        }
    }
}

/// The rest of a body that the service did not read.
#[derive(Debug)]
pub(super) struct Leftover {
    incoming: Incoming,
    left: u64,
    /// The tick at which it was left.
    pub(super) since: u32,
}

impl Leftover {
    pub(super) fn new(incoming: Incoming, since: u32) -> Self {
        Self { incoming, left: MAX_DRAINED, since }
    }

    /// Is ready when the body has ended or is too long to be read.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(Ok(frame)) = ready!(Pin::new(&mut self.incoming).poll_frame(cx)) {
            let read = frame.data_ref().map_or(0, |data| data.len() as u64);
            let Some(left) = self.left.checked_sub(read) else { break };
            self.left = left;
        }
        Poll::Ready(())
    }
}
