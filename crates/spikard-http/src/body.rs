//! The body of a response as the connection reads it. It tells the tail of the work what became of it.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use spikard_core::Sent;

use crate::{access::Entry, file::Reading, keeper::Serving, platform::Task, transit::Line};

/// A stream that has had nothing to send for so long since its client closed its sending side is read by nobody.
const PATIENCE: Duration = Duration::from_secs(1);

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
    /// Bytes of a stream that says its own length, until it is complete.
    left: Option<u64>,
    /// A stream that nobody asked for: its length is not known.
    untold: bool,
    sent: Sent,
    /// It has failed; its error ends the connection.
    broken: bool,
    client: Client,
    /// The request's body, for a stream that reads it.
    request: Option<Box<dyn Serving>>,
    /// Its line of the access log.
    entry: Option<Box<Entry>>,
}

/// Whether a stream's client is still there, though nothing is written to it.
enum Client {
    /// Only writing tells: a client that closed its sending side before the answer began waits for it.
    Reads,
    /// It has not closed its sending side.
    Stays(Task),
    /// It has, while the answer was on its way: it may have left.
    Leaves(Option<Task>),
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

    /// `file` goes before `body`; `line` is that of a work that waits for what becomes of it; `left` is the length that a
    /// stream says of itself.
    pub(crate) fn with_rest(
        body: spikard_core::Body,
        file: Option<Reading>,
        line: Option<Arc<Line>>,
        left: Option<u64>,
    ) -> Self {
        let file = file.filter(|file| file.left() > 0);
        let is_stream = matches!(body, spikard_core::Body::Stream(_));
        let streams = is_stream && line.as_ref().is_some_and(|line| !line.terms.bodiless);
        let whole = match body {
            spikard_core::Body::Whole(whole) => Some(whole).filter(|whole| !whole.is_empty()),
            spikard_core::Body::Stream(_) | spikard_core::Body::File(_) => None,
        };
        if file.is_none() && line.is_none() {
            return Self { whole, rest: None };
        }
        let nothing_to_read = whole.is_none() && file.is_none() && !streams;
        let sent = if nothing_to_read || left == Some(0) { Sent::Complete } else { Sent::Gone };
        let departure = line.as_ref().and_then(|line| line.terms.departure.as_ref());
        let watched = departure.filter(|departure| streams && !departure.has_departed());
        let client = watched.map_or(Client::Reads, |departure| Client::Stays(departure.watch()));
        let request = line.as_ref().and_then(|line| line.take_request());
        let untold = is_stream && !streams;
        let rest = Rest { file, line, streams, left, untold, sent, broken: false, client, request, entry: None };
        Self { whole, rest: Some(Box::new(rest)) }
    }

    /// Writes this line when the body is dropped.
    pub(crate) fn log(&mut self, entry: Box<Entry>) {
        self.rest.get_or_insert_with(|| Box::new(Rest::nothing())).entry = Some(entry);
    }

    /// Whether its length is not known though nothing of it is sent.
    pub(crate) fn is_untold(&self) -> bool {
        self.rest.as_deref().is_some_and(|rest| rest.untold)
    }

    /// Takes the content away: the answer to HEAD is complete unread. Its length, where it has one.
    pub(crate) fn strip(&mut self) -> Option<u64> {
        let length = self.whole.take().map_or(0, |whole| whole.len() as u64);
        match &mut self.rest {
            Some(rest) if rest.streams || rest.untold => None,
            Some(rest) => {
                rest.sent = Sent::Complete;
                Some(rest.file.take().map_or(length, |file| file.left()))
            }
            None => Some(length),
        }
    }
}

impl Rest {
    fn nothing() -> Self {
        let client = Client::Reads;
        Self {
            file: None,
            line: None,
            streams: false,
            left: None,
            untold: false,
            sent: Sent::Complete,
            broken: false,
            client,
            request: None,
            entry: None,
        }
    }

    fn poll(&mut self, whole: Option<Bytes>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.broken {
            self.broken = false;
            return Poll::Ready(Some(Err(Broken)));
        }
        if self.streams {
            return self.poll_stream(cx);
        }
        if self.file.is_some() {
            return self.poll_file(cx);
        }
        if whole.is_some() {
            self.sent = Sent::Complete;
        }
        Poll::Ready(whole.map(|whole| Ok(Frame::data(whole))))
    }

    fn poll_file(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(file) = &mut self.file else { return Poll::Ready(None) };
        let piece = match ready!(file.poll_piece(cx)) {
            Some(Ok(piece)) => Some(Ok(Frame::data(piece))),
            Some(Err(_)) => return self.break_off(cx),
            None => None,
        };
        if file.left() == 0 {
            (self.sent, self.file) = (Sent::Complete, None);
        }
        Poll::Ready(piece)
    }

    fn poll_stream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if let Some(request) = &mut self.request {
            request.serve(cx);
        }
        let Some(line) = &self.line else { return Poll::Ready(None) };
        match line.poll_chunk(cx) {
            Poll::Ready(Ok(chunk)) => {
                if let Client::Leaves(patience) = &mut self.client {
                    *patience = None;
                }
                if let Some(left) = &mut self.left {
                    *left = left.saturating_sub(chunk.len() as u64);
                    // The connection asks for no more.
                    self.sent = if *left == 0 { Sent::Complete } else { self.sent };
                }
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Poll::Ready(Err(true)) => {
                (self.streams, self.sent) = (false, Sent::Complete);
                Poll::Ready(None)
            }
            Poll::Ready(Err(false)) => self.break_off(cx),
            Poll::Pending => {
                ready!(self.client.poll_gone(cx, line));
                self.streams = false;
                Poll::Ready(Some(Err(Broken)))
            }
        }
    }

    /// The error ends the connection at once, so what was sent before, the head at least, has to be on its way: it is
    /// flushed when nothing more comes for now.
    fn break_off(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        (self.streams, self.file, self.sent, self.broken) = (false, None, Sent::Failed, true);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Client {
    /// Asked when there is nothing to send.
    fn poll_gone(&mut self, cx: &mut Context<'_>, line: &Line) -> Poll<()> {
        if let Self::Stays(departed) = self {
            ready!(departed.as_mut().poll(cx));
            *self = Self::Leaves(None);
        }
        match self {
            Self::Leaves(patience) => {
                patience.get_or_insert_with(|| line.transit.platform.sleep(PATIENCE)).as_mut().poll(cx)
            }
            Self::Reads | Self::Stays(_) => Poll::Pending,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let whole = self.whole.take();
        let Some(rest) = &mut self.rest else { return Poll::Ready(whole.map(|whole| Ok(Frame::data(whole)))) };
        let piece = rest.poll(whole, cx);
        if let (Some(entry), Poll::Ready(Some(Ok(frame)))) = (&mut rest.entry, &piece) {
            entry.sent(frame.data_ref().map_or(0, Bytes::len));
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        let over = |rest: &Rest| !rest.streams && !rest.broken && rest.file.is_none();
        self.whole.is_none() && self.rest.as_deref().is_none_or(over)
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
            if rest.left == Some(0) {
                line.linger();
            }
        }
    }
}
