//! The answer of a connection that hyper cannot give: a problem document as raw bytes, after which the connection closes.

use std::{fmt::Write as _, time::SystemTime};

use bytes::{BufMut, BytesMut};
use spikard_core::{Body, Error, RequestId};

use super::connection::X_REQUEST_ID;

/// A whole response for this error. `id` names the request, whose own was not read.
pub(super) fn last_words(error: &Error, id: Option<RequestId>) -> BytesMut {
    let response = error.problem();
    let Body::Whole(body) = &response.body else { unreachable!("a problem document is whole") };
    let mut text = BytesMut::with_capacity(512);
    let reason = response.status.canonical_reason().unwrap_or_default();
    let date = httpdate::fmt_http_date(SystemTime::now());
    let _ = write!(text, "HTTP/1.1 {} {reason}\r\n", response.status.as_u16());
    for (name, value) in &response.headers {
        let _ = write!(text, "{name}: ");
        text.put_slice(value.as_bytes());
        text.put_slice(b"\r\n");
    }
    if let Some(id) = id {
        let _ = write!(text, "{X_REQUEST_ID}: {id}\r\n");
    }
    let _ = write!(text, "content-length: {}\r\nconnection: close\r\ndate: {date}\r\n\r\n", body.len());
    text.put_slice(body);
    text
}
