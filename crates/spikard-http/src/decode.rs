//! Reads the body of a request under its limits, counted while it is read: whole, or as a form.

mod disposition;
pub(crate) mod form;
mod multipart;
mod spool;
#[cfg(test)]
mod tests;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::Body;
use pin_project_lite::pin_project;
use spikard_core::{Error, ErrorCode};

use crate::BodyError;

pin_project! {
    /// The whole body. One that comes in one piece is not copied.
    pub(crate) struct Collect<B> {
        #[pin]
        body: B,
        limit: u64,
        first: Bytes,
        rest: BytesMut,
    }
}

/// So much room is made for what was only declared.
const MAX_RESERVED: usize = 1024 * 1024;

/// Collects a body of at most `limit` bytes; a declared length above it is refused unread.
pub(crate) fn collect<B>(body: B, limit: Option<u64>) -> Collect<B> {
    Collect { body, limit: limit.unwrap_or(u64::MAX), first: Bytes::new(), rest: BytesMut::new() }
}

impl<B: Body<Data = Bytes, Error: Into<BodyError>>> Future for Collect<B> {
    type Output = Result<Bytes, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.body.size_hint().lower() > *this.limit {
            return Poll::Ready(Err(too_large(*this.limit)));
        }
        while let Some(frame) = ready!(this.body.as_mut().poll_frame(cx)) {
            let data = match frame.map(http_body::Frame::into_data) {
                Ok(Ok(data)) => data,
                Ok(Err(_trailers)) => continue,
                Err(error) => return Poll::Ready(Err(broken(error.into()))),
            };
            let read = this.first.len() + this.rest.len() + data.len();
            if read as u64 > *this.limit {
                return Poll::Ready(Err(too_large(*this.limit)));
            }
            if this.first.is_empty() && this.rest.is_empty() {
                *this.first = data;
                continue;
            }
            let first = std::mem::take(this.first);
            if this.rest.is_empty() {
                let declared = usize::try_from(this.body.size_hint().lower()).unwrap_or(MAX_RESERVED);
                this.rest.reserve(first.len() + data.len() + declared.min(MAX_RESERVED));
            }
            this.rest.extend_from_slice(&first);
            this.rest.extend_from_slice(&data);
        }
        let whole = if this.rest.is_empty() { std::mem::take(this.first) } else { this.rest.split().freeze() };
        Poll::Ready(Ok(whole))
    }
}

pub(crate) fn too_large(limit: u64) -> Error {
    Error::new(ErrorCode::ContentTooLarge).with_detail(format!("the body is larger than {limit} bytes"))
}

/// The connection says what is wrong where it knows (a timer); else the body broke off.
pub(crate) fn broken(error: BodyError) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(known) => *known,
        Err(_) => Error::malformed("the body broke off"),
    };
    error.with_header(http::header::CONNECTION, http::HeaderValue::from_static("close"))
}
