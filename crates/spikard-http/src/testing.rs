//! The in-memory door: the very same service, without a connection. What a connection refuses is refused here too.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};

use crate::Service;

/// Sends a request and reads the whole answer. A stream that breaks off gives none. The length of a body stands in the
/// head, where a connection would put it.
pub async fn send(service: &Service, request: http::Request<Full<Bytes>>) -> Option<http::Response<Bytes>> {
    let (head, body) = request.into_parts();
    #[cfg(feature = "server")]
    let refused = crate::server::refused(service, &head);
    #[cfg(not(feature = "server"))]
    let refused = None;
    let answer = match refused {
        Some(refused) => refused,
        None => service.call(http::Request::from_parts(head, body)).await,
    };
    let (mut head, body) = answer.into_parts();
    if let Some(length) = body.size_hint().exact().filter(|_| head.status != StatusCode::NO_CONTENT) {
        head.headers.entry(header::CONTENT_LENGTH).or_insert_with(|| HeaderValue::from(length));
    }
    let body = body.collect().await.ok()?.to_bytes();
    Some(http::Response::from_parts(head, body))
}
