//! The body of a response as the connection reads it. It tells the tail of the work what became of it.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use spikard_core::Sent;

use crate::{departure::Departure, platform::Task, transit::Line};

/// The body of a response.
#[derive(Default)]
pub struct Body {
    whole: Option<Bytes>,
    tail: Option<Box<Tail>>,
}

/// A body that a work waits for.
struct Tail {
    line: Arc<Line>,
    streams: bool,
    sent: Sent,
    /// A stream ends when its client leaves, though nothing has been written to it since.
    departed: Option<Task>,
}

/// A stream failed after the head had been sent: the connection must not end the body as if it were complete.
#[derive(Debug)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream broke off")
    }
}

impl std::error::Error for Broken {}

impl Body {
    /// A body that is there.
    pub fn whole(bytes: Bytes) -> Self {
        Self { whole: Some(bytes).filter(|bytes| !bytes.is_empty()), tail: None }
    }

    /// `line`: of a work that waits for what becomes of the body.
    pub(crate) fn with_tail(body: spikard_core::Body, line: Arc<Line>) -> Self {
        let (whole, streams) = match body {
            spikard_core::Body::Whole(whole) => (Some(whole).filter(|whole| !whole.is_empty()), false),
            spikard_core::Body::Stream(_) => (None, !line.terms.bodiless),
        };
        let nothing_to_read = whole.is_none() && !streams;
        let sent = if nothing_to_read { Sent::Complete } else { Sent::Gone };
        let departed = line.terms.departure.as_ref().filter(|_| streams).map(Departure::watch);
        Self { whole, tail: Some(Box::new(Tail { line, streams, sent, departed })) }
    }

    /// Takes the content away: the answer to HEAD is complete unread. Its length, where it has one.
    pub(crate) fn strip(&mut self) -> Option<usize> {
        let length = self.whole.take().map(|whole| whole.len());
        match &mut self.tail {
            Some(tail) if tail.streams => None,
            Some(tail) => {
                tail.sent = Sent::Complete;
                length.or(Some(0))
            }
            None => length.or(Some(0)),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let whole = self.whole.take();
        let Some(tail) = &mut self.tail else { return Poll::Ready(whole.map(|whole| Ok(Frame::data(whole)))) };
        if !tail.streams {
            tail.sent = Sent::Complete;
            return Poll::Ready(whole.map(|whole| Ok(Frame::data(whole))));
        }
        if tail.departed.as_mut().is_some_and(|departed| departed.as_mut().poll(cx).is_ready()) {
            (tail.departed, tail.streams) = (None, false);
            return Poll::Ready(Some(Err(Broken)));
        }
        tail.line.poll_chunk(cx).map(|chunk| match chunk {
            Ok(chunk) => Some(Ok(Frame::data(chunk))),
            Err(well) => {
                tail.streams = false;
                tail.sent = if well { Sent::Complete } else { Sent::Failed };
                (!well).then_some(Err(Broken))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.whole.is_none() && self.tail.as_ref().is_none_or(|tail| !tail.streams)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.tail {
            Some(tail) if tail.streams => SizeHint::default(),
            _ => SizeHint::with_exact(self.whole.as_ref().map_or(0, |whole| whole.len() as u64)),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(tail) = &self.tail {
            tail.line.sent(tail.sent);
        }
    }
}
