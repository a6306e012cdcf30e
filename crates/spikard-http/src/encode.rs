//! Writes responses: the one exit, for errors too.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};
use spikard_core::{Body as CoreBody, Error, Response, sabotage};

use crate::{body::Body, transit::Line};

/// The problem document of an error.
pub fn encode_error(error: &Error) -> http::Response<Body> {
    let mut response = error.problem();
    let body = std::mem::replace(&mut response.body, CoreBody::Whole(bytes::Bytes::new()));
    let CoreBody::Whole(whole) = body else { unreachable!("a problem document is whole") };
    head(response, Body::whole(whole))
}

/// `tail`: the line of a work that waits for what becomes of the body.
pub(crate) fn encode_response(mut response: Response, tail: Option<Arc<Line>>) -> http::Response<Body> {
    if sabotage::takes_out("responses") {
        response = Response::new(StatusCode::IM_A_TEAPOT, "sabotage");
    }
    let mut body = std::mem::replace(&mut response.body, CoreBody::Whole(bytes::Bytes::new()));
    let status = response.status;
    // RFC 9110, sections 15.3.5 and 15.4.5: these never have content.
    if status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        body = CoreBody::Whole(bytes::Bytes::new());
    }
    if status == StatusCode::NO_CONTENT {
        response.headers.retain(|(name, _)| *name != header::CONTENT_TYPE);
    }
    let body = match (tail, body) {
        (Some(line), body) => Body::with_tail(body, line),
        (None, CoreBody::Whole(whole)) => Body::whole(whole),
        (None, CoreBody::Stream(_)) => Body::default(),
    };
    head(response, body)
}

/// Takes the content off the answer to HEAD; its length stays in the head (RFC 9110, section 9.3.2).
pub(crate) fn strip_content(response: &mut http::Response<Body>) {
    if let Some(length) = response.body_mut().strip()
        && !response.headers().contains_key(header::CONTENT_LENGTH)
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

fn head(response: Response, body: Body) -> http::Response<Body> {
    let mut http = http::Response::new(body);
    *http.status_mut() = response.status;
    for (name, value) in response.headers {
        http.headers_mut().append(name, value);
    }
    http
}
