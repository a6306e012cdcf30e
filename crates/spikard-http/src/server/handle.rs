//! What a listener serves: the seam between the connections and the rest of the crate.

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use spikard_core::{Error, config::Config};

use super::RequestBody;
use crate::{Body, Departure, Service, encode::encode_response, encode_error};

/// Answers requests, whatever connection they come from.
pub trait Handle: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Body: http_body::Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static;

    /// Answers one request. Its client's departure and peer are with the body.
    fn call(
        &self,
        request: Request<RequestBody>,
    ) -> impl Future<Output = Response<Self::Body>> + Send + 'static + use<Self>;

    /// The answer to a request that is refused before it is called for.
    fn refusal(&self, error: Error) -> Response<Self::Body>;

    /// The answer to `OPTIONS *`, which asks for the server and no resource of it (RFC 9110, section 9.3.7).
    fn presence(&self) -> Response<Self::Body>;

    /// A request was answered without a call: a line for the access log.
    fn note(&self, _head: &Parts, _departure: Option<&Departure>, _response: &mut Response<Self::Body>) {}

    /// Requests that are not finished, clean-up included, and background tasks.
    fn in_flight(&self) -> usize;

    /// Ends when nothing is in flight.
    fn idle(&self) -> impl Future<Output = ()> + Send;

    /// Ends when the thread that runs user code looks at what is new: at once where there is none.
    fn attended(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Ends background tasks that still wait or run.
    fn end_background(&self) {}

    /// What was logged is out, or a moment is over.
    fn flush_log(&self) {}

    /// What applies to its connections.
    fn config(&self) -> &Config;
}

impl Handle for Service {
    type Body = Body;

    fn call(&self, request: Request<RequestBody>) -> impl Future<Output = Response<Body>> + Send + 'static + use<> {
        let departure = request.body().departure().clone();
        self.answer(request, Some(departure))
    }

    fn refusal(&self, error: Error) -> Response<Body> {
        encode_error(&error)
    }

    fn presence(&self) -> Response<Body> {
        encode_response(spikard_core::Response::new(StatusCode::NO_CONTENT, Bytes::new()))
    }

    fn note(&self, head: &Parts, departure: Option<&Departure>, response: &mut Response<Body>) {
        self.note(head, departure, response);
    }

    fn in_flight(&self) -> usize {
        self.in_flight()
    }

    fn idle(&self) -> impl Future<Output = ()> + Send {
        self.idle()
    }

    fn attended(&self) -> impl Future<Output = ()> + Send {
        self.attended()
    }

    fn end_background(&self) {
        self.background().end();
    }

    fn flush_log(&self) {
        self.flush_log();
    }

    fn config(&self) -> &Config {
        self.config()
    }
}
