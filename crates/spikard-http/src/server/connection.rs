//! One connection: hyper between the guard and the service. What must be refused is refused here, above hyper and
//! before any code of the app runs.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request::Parts};
use http_body::Body;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use pin_project_lite::pin_project;
use spikard_core::RequestId;

use super::{
    Handle, RequestBody, Wire,
    clock::{Clock, Entered, Open},
    guard::Guard,
    head::examine,
    link::{Link, Owed},
    refuse::{adopt_authority, refuse},
};
use crate::Departure;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Serves one connection until it ends, its timeouts included: the door for streams that no listener accepted.
pub async fn serve_connection<H: Handle, W: Wire>(handle: H, wire: W) {
    let open = Open::new(Clock::new(handle.config()));
    let connection = run(handle, wire, open.enter(None));
    tokio::select! {
        () = connection => {}
        () = open.sweep() => {}
    }
}

/// Serves one connection of a listener that sweeps.
pub(super) fn run<H: Handle, W: Wire>(handle: H, wire: W, entered: Entered) -> impl Future<Output = ()> + Send {
    let link = Arc::clone(&entered.link);
    let guard = Guard::new(wire, entered, handle.config().enable_request_id);
    let service = {
        let link = Arc::clone(&link);
        service_fn(move |request| answer(&handle, &link, request))
    };
    // `pipeline_flush` stays off: with it hyper buffers a streamed response without limit, and holds back a finished one
    // until the next is ready. The guard hands over one message at a time, so there would be nothing for it to gather.
    let mut connection =
        Box::pin(http1::Builder::new().half_close(true).serve_connection(guard, service).with_upgrades());
    let mut told = false;
    poll_fn(move |cx| {
        link.register(cx.waker());
        loop {
            if link.is_draining() {
                if link.is_cut() {
                    return Poll::Ready(());
                }
                // A head that has begun to arrive is a request in flight.
                if !told && link.owed() != Owed::Head {
                    connection.as_mut().graceful_shutdown();
                    told = true;
                }
            }
            link.poll_leftover(cx);
            // How a connection failed is of no use to anybody: its client has gone or got the answer.
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if told || !link.is_draining() || link.owed() == Owed::Head {
                return Poll::Pending;
            }
        }
    })
}

fn answer<H: Handle>(
    handle: &H,
    link: &Arc<Link>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<H::Body>, Infallible>> + Send + 'static + use<H> {
    link.begin_call();
    let (mut head, body) = request.into_parts();
    let version = head.version;
    if let Some(error) = refuse(&head) {
        let mut response = named(handle, &head, Some(link.departure()), handle.refusal(error));
        last(&mut response, version);
        return Answering::made(response);
    }
    adopt_authority(&mut head);
    if head.method == Method::OPTIONS && link.asks_for_server() {
        head.uri = Uri::from_static("*");
    }
    let body = RequestBody::new(body, Arc::clone(link), head.headers.contains_key(header::EXPECT));
    if head.uri.path() == "*" {
        drop(body);
        let mut response = named(handle, &head, Some(link.departure()), handle.presence());
        conclude(link, &mut response, version);
        return Answering::made(response);
    }
    let (link, answer) = (Arc::clone(link), handle.call(Request::from_parts(head, body)));
    Answering::Called { answer, link, version }
}

pin_project! {
    /// One future and not a chain of combinators, each of which would move the response once more.
    #[project = Step]
    enum Answering<F, B> {
        Made { response: Option<Response<B>> },
        Called { #[pin] answer: F, link: Arc<Link>, version: Version },
    }
}

impl<F, B> Answering<F, B> {
    fn made(response: Response<B>) -> Self {
        Self::Made { response: Some(response) }
    }
}

impl<F: Future<Output = Response<B>>, B: Body> Future for Answering<F, B> {
    type Output = Result<Response<B>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (answer, link, version) = match self.project() {
            Step::Made { response } => return Poll::Ready(Ok(response.take().expect("it is not polled again"))),
            Step::Called { answer, link, version } => (answer, link, version),
        };
        let mut response = ready!(answer.poll(cx));
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => link.set_raw(),
            // What the client did not send in time is not waited for once more.
            StatusCode::REQUEST_TIMEOUT => link.forsake(),
            _ if response.body().size_hint().exact().is_some() => link.set_answered(),
            _ => {}
        }
        conclude(link, &mut response, *version);
        Poll::Ready(Ok(response))
    }
}

/// Where no other request can follow, hyper closes the connection and does not always say so.
fn conclude<B>(link: &Link, response: &mut Response<B>, version: Version) {
    if link.is_ending() || link.is_draining() {
        last(response, version);
    }
}

/// What a connection answers without asking the service, for a door that has none: to a head that it would refuse, and
/// to `OPTIONS *`.
pub(crate) fn unasked<H: Handle>(handle: &H, head: &Parts) -> Option<Response<H::Body>> {
    let answer = match examine(head).err().or_else(|| refuse(head)) {
        Some(error) => handle.refusal(error),
        None if head.uri.path() == "*" => handle.presence(),
        None => return None,
    };
    Some(named(handle, head, None, answer))
}

/// Names the request in an answer that the service did not give, and notes it.
fn named<H: Handle>(
    handle: &H,
    head: &Parts,
    departure: Option<&Departure>,
    mut response: Response<H::Body>,
) -> Response<H::Body> {
    if handle.config().enable_request_id {
        let id = head.headers.get(X_REQUEST_ID).and_then(RequestId::given).unwrap_or_else(random_id);
        response.headers_mut().insert(X_REQUEST_ID, id.to_header());
    }
    handle.note(head, departure, &mut response);
    response
}

/// The id of a request that has none of its own.
pub(super) fn random_id() -> RequestId {
    RequestId::random(fastrand::u128(..))
}

/// Tells the client that nothing follows.
fn last<B>(response: &mut Response<B>, version: Version) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    // To a request of HTTP/1.0 that asked for it, hyper adds `keep-alive` unless the answer has its version.
    *response.version_mut() = version;
}
