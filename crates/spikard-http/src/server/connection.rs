//! One connection: hyper between the guard and the service. What must be refused is refused here, above hyper and
//! before any code of the app runs.

use std::{
    convert::Infallible,
    future::{Future, poll_fn, ready},
    sync::Arc,
    task::Poll,
};

use futures_util::{FutureExt, future::Either};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version, header, request::Parts};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use spikard_core::RequestId;

use super::{
    Handle, RequestBody, Wire,
    clock::{Clock, Entered, Open},
    guard::Guard,
    link::{Link, Owed},
    refuse::{adopt_authority, refuse},
};

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
        service_fn(move |request| answer(&handle, &link, request).map(Ok::<_, Infallible>))
    };
    // `pipeline_flush` stays off: with it hyper buffers a streamed response without limit, and holds back a finished one
    // until the next is ready. The guard hands over one message at a time, so there would be nothing for it to gather.
    let mut connection =
        Box::pin(http1::Builder::new().half_close(true).serve_connection(guard, service).with_upgrades());
    let mut told = false;
    poll_fn(move |cx| {
        link.register(cx.waker());
        loop {
            // A head that has begun to arrive is a request in flight.
            if !told && link.is_draining() && link.owed() != Owed::Head {
                connection.as_mut().graceful_shutdown();
                told = true;
            }
            link.poll_leftover(cx);
            // How a connection failed is of no use to anybody: its client has gone or got the answer.
            if connection.poll_unpin(cx).is_ready() {
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
) -> impl Future<Output = Response<H::Body>> + Send + 'static + use<H> {
    link.set_called(true);
    let (mut head, body) = request.into_parts();
    let version = head.version;
    if let Some(error) = refuse(&head) {
        let response = last(handle.refusal(error), version);
        return Either::Left(ready(with_request_id(handle, &head, response)));
    }
    adopt_authority(&mut head);
    head.extensions.insert(link.departure().clone());
    let body = RequestBody::new(body, Arc::clone(link), head.headers.contains_key(header::EXPECT));
    if head.uri.path() == "*" {
        drop(body);
        let response = with_request_id(handle, &head, handle.presence());
        return Either::Left(ready(conclude(link, response, version)));
    }
    let link = Arc::clone(link);
    Either::Right(handle.call(Request::from_parts(head, body)).map(move |response| {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            link.set_raw();
        }
        // What the client did not send in time is not waited for once more.
        if response.status() == StatusCode::REQUEST_TIMEOUT {
            link.forsake();
        }
        conclude(&link, response, version)
    }))
}

/// Where no other request can follow, hyper closes the connection and does not always say so.
fn conclude<B>(link: &Link, response: Response<B>, version: Version) -> Response<B> {
    if link.is_ending() || link.is_draining() { last(response, version) } else { response }
}

/// Names the request in an answer that the service did not give.
fn with_request_id<H: Handle>(handle: &H, head: &Parts, mut response: Response<H::Body>) -> Response<H::Body> {
    if handle.config().enable_request_id {
        let id = head.headers.get(X_REQUEST_ID).and_then(RequestId::given).unwrap_or_else(random_id);
        response.headers_mut().insert(X_REQUEST_ID, id.to_header());
    }
    response
}

/// The id of a request that has none of its own.
pub(super) fn random_id() -> RequestId {
    RequestId::random(fastrand::u128(..))
}

/// Tells the client that nothing follows.
fn last<B>(mut response: Response<B>, version: Version) -> Response<B> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    // To a request of HTTP/1.0 that asked for it, hyper adds `keep-alive` unless the answer has its version.
    *response.version_mut() = version;
    response
}
