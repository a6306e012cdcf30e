//! A response as user code makes it, and the words in which both sides of a request talk about how it went.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

use crate::HostId;

/// What user code answers.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// In the order in which they are written; several of one name are kept.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Body,
    /// Background tasks, begun when the response has been sent and the generators are finished.
    pub tasks: Vec<HostId>,
}

impl Response {
    /// A response with a whole body and no headers yet.
    pub fn new(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: Body::Whole(body.into()), tasks: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// The body of a response.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Bytes),
    /// A host's stream, pulled while the client reads.
    Stream(HostId),
}

/// A phase of hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// On the head, for every request.
    OnRequest,
    /// On the head, before the body is read.
    PreValidation,
    /// After binding.
    PreHandler,
    /// For a response of 500 and above that was made from an exception.
    OnError,
    /// For every response.
    OnResponse,
}

/// What a hook says.
#[derive(Debug)]
pub enum Flow<T> {
    /// Go on with this.
    Continue(T),
    /// Stop here and answer this.
    Respond(Response),
}

/// What became of a response, as far as the connection can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The connection took all of it.
    Complete,
    /// The client left, or the connection broke.
    Gone,
    /// The stream itself failed after its head had been sent.
    Failed,
}

/// Why a request is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The client left.
    Departed,
    /// The request took longer than its timeout.
    TimedOut,
}

/// How the request of a generator ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A response was made, and this became of it.
    Sent(Sent),
    /// The exception to be thrown in; none if the core itself failed the request.
    Raised(Option<HostId>),
    /// The request was cancelled.
    Cancelled(Reason),
}
