//! The body of a request until somebody has read it: the route itself, or user code that was shown the head and asks for
//! it, under the same limits.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body_util::Full;
use spikard_core::{
    Error, Head, Received, RequestBody, Wanted,
    plan::{Bound, Media},
};

use crate::{
    BodyError,
    conduct::Conduct,
    decode::{Collect, broken, collect, form, too_large},
    transit::{Home, IoEnd},
};

pub(crate) enum Kept<B> {
    /// Only the route can want it.
    ForRoute(Option<B>),
    /// User code may ask, for as long as it has not answered.
    ForAll(Box<Keeper<B>>),
}

pub(crate) struct Keeper<B> {
    body: Option<B>,
    reading: Option<Pin<Box<Collect<B>>>>,
    /// It is read piece by piece, of which so many bytes have been told.
    pieces: Option<(Pin<Box<B>>, u64)>,
    handle: Arc<RequestBody>,
    limit: Option<u64>,
}

/// Reads a request's body for whoever asks while the answer is sent.
pub(crate) trait Serving: Send {
    /// Reads for who asks now, and wakes for who asks later.
    fn serve(&mut self, cx: &mut Context<'_>);
}

impl<B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send> Serving for Keeper<B> {
    fn serve(&mut self, cx: &mut Context<'_>) {
        Keeper::serve(self, cx);
    }
}

impl<B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static> Kept<B> {
    /// Waits for what the work sends, and reads the body for whoever asks meanwhile. A stream may go on asking while it is
    /// sent.
    pub(crate) async fn arrival(&mut self, end: &mut IoEnd) -> Home {
        let home = {
            let mut arrival = pin!(end.arrival());
            poll_fn(|cx| {
                if let Self::ForAll(keeper) = self {
                    keeper.serve(cx);
                }
                arrival.as_mut().poll(cx)
            })
            .await
        };
        if home.is_stream()
            && let Self::ForAll(keeper) = std::mem::replace(self, Self::ForRoute(None))
        {
            end.keep(keeper);
        }
        home
    }
}

impl<B: http_body::Body<Data = Bytes, Error: Into<BodyError>>> Kept<B> {
    /// For whoever is shown the head, if anybody is, and for the route where it `reads`.
    pub(crate) fn new(body: B, head: Option<&Head>, reads: bool, limit: Option<u64>) -> Self {
        match head {
            Some(Head { body: handle, .. }) => {
                let handle = handle.clone();
                Self::ForAll(Box::new(Keeper { body: Some(body), reading: None, pieces: None, handle, limit }))
            }
            None => Self::ForRoute(reads.then_some(body)),
        }
    }

    /// A hook has put another body in its place.
    pub(crate) fn is_replaced(&self) -> bool {
        match self {
            Self::ForRoute(_) => false,
            Self::ForAll(keeper) => keeper.handle.whole().is_some_and(|whole| !whole.is_empty()),
        }
    }

    /// The body for the route, as it reads it.
    pub(crate) async fn received(&mut self, bound: &Bound, conduct: &Conduct) -> Result<Option<Received>, Error> {
        match bound.media() {
            Some(Media::Multipart) => Box::pin(self.form(bound.boundary(), conduct)).await.map(Some),
            Some(_) => self.whole(conduct.max_body_size).await.map(|whole| whole.map(Received::Whole)),
            None => Ok(None),
        }
    }

    async fn whole(&mut self, limit: Option<u64>) -> Result<Option<Bytes>, Error> {
        match self {
            Self::ForRoute(body) => match body.take() {
                Some(body) => collect(body, limit).await.map(Some),
                None => Ok(None),
            },
            Self::ForAll(keeper) => Box::pin(keeper.whole()).await.map(Some),
        }
    }

    /// Taken apart while it comes in, unless somebody has read it before.
    async fn form(&mut self, boundary: &str, conduct: &Conduct) -> Result<Received, Error> {
        let Conduct { max_body_size: limit, form_limits: limits, transit, .. } = conduct;
        let platform = &transit.platform;
        let whole = match self {
            Self::ForRoute(body) => match body.take() {
                Some(body) => return form::read(body, boundary, *limit, limits, platform).await,
                None => Bytes::new(),
            },
            Self::ForAll(keeper) => match keeper.untouched() {
                Some(body) => return form::read(body, boundary, *limit, limits, platform).await,
                None => keeper.whole().await?,
            },
        };
        form::read(Full::new(whole), boundary, *limit, limits, platform).await
    }

    /// What only the route could want is let go.
    pub(crate) fn let_go(&mut self) {
        if let Self::ForRoute(body) = self {
            *body = None;
        }
    }
}

impl<B: http_body::Body<Data = Bytes, Error: Into<BodyError>>> Keeper<B> {
    fn serve(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(wanted) = self.handle.poll_asked(cx) {
            let told = match wanted {
                Wanted::Whole => self.poll_whole(cx).map(|read| self.handle.tell(&read)),
                Wanted::Piece => self.poll_piece(cx).map(|read| self.handle.tell_piece(read)),
            };
            if told.is_pending() {
                return;
            }
        }
    }

    fn poll_whole(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        if let Some(body) = self.body.take() {
            self.reading = Some(Box::pin(collect(body, self.limit)));
        }
        let read = match &mut self.reading {
            Some(reading) => ready!(reading.as_mut().poll(cx)),
            None => Err(gone()),
        };
        self.reading = None;
        Poll::Ready(read)
    }

    /// Nothing is read ahead of who asks. An empty piece is the end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Error>> {
        let limit = self.limit.unwrap_or(u64::MAX);
        if let Some(body) = self.body.take() {
            if body.size_hint().lower() > limit {
                return Poll::Ready(Err(too_large(limit)));
            }
            self.pieces = Some((Box::pin(body), 0));
        }
        let Some((body, told)) = &mut self.pieces else { return Poll::Ready(Err(gone())) };
        while let Some(frame) = ready!(body.as_mut().poll_frame(cx)) {
            let data = match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) if !data.is_empty() => data,
                Ok(_) => continue,
                Err(error) => return Poll::Ready(Err(broken(error.into()))),
            };
            *told += data.len() as u64;
            return Poll::Ready(if *told > limit { Err(too_large(limit)) } else { Ok(data) });
        }
        self.pieces = None;
        Poll::Ready(Ok(Bytes::new()))
    }

    /// The body if nobody has begun to read it.
    fn untouched(&mut self) -> Option<B> {
        self.body.take_if(|_| self.handle.whole().is_none())
    }

    async fn whole(&mut self) -> Result<Bytes, Error> {
        if let Some(known) = self.handle.whole() {
            return Ok(known);
        }
        let read = match (self.reading.take(), self.body.take()) {
            (Some(reading), _) => reading.await,
            (None, Some(body)) => collect(body, self.limit).await,
            (None, None) => Err(self.handle.failure().unwrap_or_else(streamed)),
        };
        self.handle.tell(&read);
        read
    }
}

/// Whose fault it is: a hook has taken what the route needs.
fn streamed() -> Error {
    Error::internal("a hook has streamed the body that the route reads (`body()` keeps it)")
}

fn gone() -> Error {
    Error::malformed("the body is gone")
}

impl<B> Drop for Keeper<B> {
    fn drop(&mut self) {
        self.handle.close();
    }
}
