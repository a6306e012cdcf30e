//! The in-memory door of a test client: a whole request goes in, a whole answer comes out.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};

use crate::{Service, exchange::enter};

/// Sends a request and reads the whole answer. A stream that breaks off gives none.
pub async fn send(service: &Service, request: http::Request<Bytes>) -> Option<http::Response<Bytes>> {
    let (head, body) = enter(service, request.map(Full::new)).await.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    Some(http::Response::from_parts(head, body))
}
