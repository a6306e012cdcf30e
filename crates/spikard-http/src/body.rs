//! The body of a response as the connection reads it. It tells the tail of the work what became of it.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use spikard_core::Sent;

use crate::{departure::Departure, file::Reading, platform::Task, transit::Line};

/// The body of a response.
#[derive(Default)]
pub struct Body {
    whole: Option<Bytes>,
    rest: Option<Box<Rest>>,
}

/// What is not there yet, and who waits for it to be sent.
struct Rest {
    file: Option<Reading>,
    /// Of a work that waits for what becomes of the body.
    line: Option<Arc<Line>>,
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
        Self { whole: Some(bytes).filter(|bytes| !bytes.is_empty()), rest: None }
    }

    /// `file` goes before `body`; `line` is that of a work that waits for what becomes of it.
    pub(crate) fn with_rest(body: spikard_core::Body, file: Option<Reading>, line: Option<Arc<Line>>) -> Self {
        let file = file.filter(|file| file.left() > 0);
        let (whole, streams) = match body {
            spikard_core::Body::Whole(whole) => (Some(whole).filter(|whole| !whole.is_empty()), false),
            spikard_core::Body::Stream(_) => (None, line.as_ref().is_some_and(|line| !line.terms.bodiless)),
            spikard_core::Body::File(_) => (None, false),
        };
        if file.is_none() && line.is_none() {
            return Self { whole, rest: None };
        }
        let nothing_to_read = whole.is_none() && file.is_none() && !streams;
        let sent = if nothing_to_read { Sent::Complete } else { Sent::Gone };
        let departure = line.as_ref().and_then(|line| line.terms.departure.as_ref());
        let departed = departure.filter(|_| streams).map(Departure::watch);
        Self { whole, rest: Some(Box::new(Rest { file, line, streams, sent, departed })) }
    }

    /// Takes the content away: the answer to HEAD is complete unread. Its length, where it has one.
    pub(crate) fn strip(&mut self) -> Option<u64> {
        let length = self.whole.take().map_or(0, |whole| whole.len() as u64);
        match &mut self.rest {
            Some(rest) if rest.streams => None,
            Some(rest) => {
                rest.sent = Sent::Complete;
                Some(rest.file.take().map_or(length, |file| file.left()))
            }
            None => Some(length),
        }
    }
}

impl Rest {
    fn poll_file(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(file) = &mut self.file else { return Poll::Ready(None) };
        let piece = ready!(file.poll_piece(cx));
        let over = !matches!(piece, Some(Ok(_))) || file.left() == 0;
        if over {
            self.sent = if matches!(piece, Some(Err(_))) { Sent::Failed } else { Sent::Complete };
            self.file = None;
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data).map_err(|_| Broken)))
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.departed.as_mut().is_some_and(|departed| departed.as_mut().poll(cx).is_ready()) {
            (self.departed, self.streams) = (None, false);
            return Poll::Ready(Some(Err(Broken)));
        }
        let Some(line) = &self.line else { return Poll::Ready(None) };
        line.poll_chunk(cx).map(|chunk| match chunk {
            Ok(chunk) => Some(Ok(Frame::data(chunk))),
            Err(well) => {
                self.streams = false;
                self.sent = if well { Sent::Complete } else { Sent::Failed };
                (!well).then_some(Err(Broken))
            }
        })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let whole = self.whole.take();
        let Some(rest) = &mut self.rest else { return Poll::Ready(whole.map(|whole| Ok(Frame::data(whole)))) };
        if rest.streams {
            return rest.poll_stream(cx);
        }
        if rest.file.is_some() {
            return rest.poll_file(cx);
        }
        if whole.is_some() {
            rest.sent = Sent::Complete;
        }
        Poll::Ready(whole.map(|whole| Ok(Frame::data(whole))))
    }

    fn is_end_stream(&self) -> bool {
        self.whole.is_none() && self.rest.as_ref().is_none_or(|rest| !rest.streams && rest.file.is_none())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Some(rest) if rest.streams => SizeHint::default(),
            Some(rest) if rest.file.is_some() => SizeHint::with_exact(rest.file.as_ref().map_or(0, Reading::left)),
            _ => SizeHint::with_exact(self.whole.as_ref().map_or(0, |whole| whole.len() as u64)),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(rest) = &self.rest
            && let Some(line) = &rest.line
        {
            line.sent(rest.sent);
        }
    }
}
