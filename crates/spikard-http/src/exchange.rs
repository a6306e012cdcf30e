//! The door for somebody else's server: a request whose body is fed, an answer that is pulled, piece by piece. Behind it
//! is the very same service; what a connection of ours refuses is refused here too.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue, Request, Response, header, request::Parts, response::Parts as Head};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use spikard_core::said::Fault;
use tokio::sync::{Mutex, mpsc};

use crate::{Body, BodyError, Broken, Departure, Service, encode::may_name_length};

/// A `Uri` holds no more, and is refused for its length all the same.
const LONGEST_TARGET: usize = 60_000;

/// The head of a request that comes by no connection. It may be refused later on for what it says.
pub fn head(
    method: &str,
    target: &str,
    fields: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Result<Request<()>, Fault> {
    let target = target.get(..LONGEST_TARGET).unwrap_or(target);
    let made = Request::builder().method(method).uri(target).body(());
    let mut request = made.map_err(|fault| Fault::new(format!("{method} {target}: {fault}")))?;
    for (name, value) in fields {
        request.headers_mut().try_append(name, value).map_err(Fault::new)?;
    }
    Ok(request)
}

/// Answers a request that came by no connection. The length of a body stands in the head, where a connection would put
/// it.
pub(crate) async fn enter<B>(service: &Service, request: Request<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    let (head, body) = request.into_parts();
    #[cfg(feature = "server")]
    let answered = crate::server::unasked(service, &head);
    #[cfg(not(feature = "server"))]
    let answered = None;
    let mut answer = match answered {
        Some(answer) => answer,
        None => service.call(Request::from_parts(head, body)).await,
    };
    if let Some(length) =
        answer.size_hint().exact().filter(|_| may_name_length(answer.status()) && !answer.body().is_untold())
    {
        answer.headers_mut().entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    answer
}

/// One request and its answer. Dropping it is the client's departure.
pub struct Exchange {
    feed: mpsc::Sender<Fed>,
    departure: Departure,
    answer: Mutex<Option<Body>>,
}

/// A piece of an answer.
#[derive(Debug, Default)]
pub struct Piece {
    /// What there is so far.
    pub bytes: Bytes,
    /// Whether another one follows.
    pub more: bool,
}

impl Exchange {
    /// Of a request with this head. `length` is that of its body, where it is known.
    pub fn new(mut head: Parts, length: Option<u64>) -> (Self, Request<FedBody>) {
        let (feed, fed) = mpsc::channel(1);
        let departure = Departure::default();
        head.extensions.insert(departure.clone());
        let body = FedBody { fed, left: length, ended: length == Some(0) };
        (Self { feed, departure, answer: Mutex::new(None) }, Request::from_parts(head, body))
    }

    /// Feeds a piece of the request's body, an empty one where nothing follows; waits while the one before it has not
    /// been taken. False: nobody reads any more.
    pub async fn feed(&self, piece: Bytes, more: bool) -> bool {
        if !piece.is_empty() && self.feed.send(Fed::Piece(piece)).await.is_err() {
            return false;
        }
        more || self.feed.send(Fed::End).await.is_ok()
    }

    /// The head of the answer, and of its body what is there already. None: the client has left.
    pub async fn answer(&self, service: &Service, request: Request<FedBody>) -> Option<(Head, Piece)> {
        // The departure first: what the service says then is for nobody.
        let answer = match select(pin!(self.departure.departed()), pin!(enter(service, request))).await {
            Either::Left(_) => return None,
            Either::Right((answer, _)) => answer,
        };
        let (head, body) = answer.into_parts();
        let (there, more) = (body.size_hint().exact().is_some(), !body.is_end_stream());
        *self.answer.lock().await = Some(body).filter(|_| more);
        let piece = if there { self.piece().await.ok()? } else { Piece { bytes: Bytes::new(), more } };
        Some((head, piece))
    }

    /// The next piece of the answer's body. It breaks off with the client's departure, be that between two pieces.
    pub async fn piece(&self) -> Result<Piece, Broken> {
        let mut answer = self.answer.lock().await;
        let read = match &mut *answer {
            Some(body) => read(body).await,
            None if self.departure.has_departed() => Err(Broken),
            None => Ok(Piece::default()),
        };
        if !read.as_ref().is_ok_and(|piece| piece.more) || self.departure.has_departed() {
            *answer = None;
        }
        read
    }

    /// The client has left.
    pub fn leave(&self) {
        self.departure.depart();
        if let Ok(mut answer) = self.answer.try_lock() {
            *answer = None;
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.leave();
    }
}

async fn read(body: &mut Body) -> Result<Piece, Broken> {
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame?.into_data() {
            return Ok(Piece { bytes, more: !body.is_end_stream() });
        }
    }
    Ok(Piece::default())
}

#[derive(Debug)]
enum Fed {
    Piece(Bytes),
    End,
}

/// The body of a request that is fed: it breaks off with its exchange.
#[derive(Debug)]
pub struct FedBody {
    fed: mpsc::Receiver<Fed>,
    left: Option<u64>,
    ended: bool,
}

impl http_body::Body for FedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let fed = ready!(self.fed.poll_recv(cx));
        self.ended = !matches!(fed, Some(Fed::Piece(_)));
        Poll::Ready(match fed {
            Some(Fed::Piece(piece)) => {
                self.left = self.left.map(|left| left.saturating_sub(piece.len() as u64));
                Some(Ok(Frame::data(piece)))
            }
            Some(Fed::End) => None,
            None => Some(Err("the body broke off".into())),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
