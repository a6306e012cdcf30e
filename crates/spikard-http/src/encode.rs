//! Writes responses: the one exit, for errors too.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode, header};
use httpdate::parse_http_date;
use spikard_core::{Body as CoreBody, Error, Response, sabotage};

use crate::{body::Body, file::Reading, transit::Line};

/// The problem document of an error.
pub fn encode_error(error: &Error) -> http::Response<Body> {
    let mut response = error.problem();
    let body = std::mem::replace(&mut response.body, CoreBody::Whole(bytes::Bytes::new()));
    let CoreBody::Whole(whole) = body else { unreachable!("a problem document is whole") };
    head(response, Body::whole(whole), false)
}

/// A response without a tail.
pub(crate) fn encode_response(response: Response) -> http::Response<Body> {
    encode_with(response, false, None, None)
}

/// `bodiless`: the answer to HEAD, which may say the length of what GET would send. `tail`: the line of a work that
/// waits for what becomes of the body. `file`: what is read in place of the body.
pub(crate) fn encode_with(
    mut response: Response,
    bodiless: bool,
    mut file: Option<Reading>,
    tail: Option<Arc<Line>>,
) -> http::Response<Body> {
    if sabotage::takes_out("responses") {
        response = Response::new(StatusCode::IM_A_TEAPOT, "sabotage");
    }
    let mut body = std::mem::replace(&mut response.body, CoreBody::Whole(bytes::Bytes::new()));
    let status = response.status;
    if status.is_informational() || is_contentless(status) {
        (body, file) = (CoreBody::Whole(bytes::Bytes::new()), None);
    }
    if status == StatusCode::NO_CONTENT {
        response.headers.retain(|(name, _)| *name != header::CONTENT_TYPE);
    }
    let length = if let CoreBody::Stream(_) = body { own_length(&response).ok().flatten() } else { None };
    head(response, Body::with_rest(body, file, tail, length), bodiless)
}

/// Whether the head may name the length of content. A 204 has none, and that of a 304 would be the length which another
/// answer has (RFC 9110, section 8.6).
pub(crate) fn may_name_length(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5: these never have content.
pub(crate) fn is_contentless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Takes the content off a response that must not have any, and says so for the log if there was some.
pub(crate) fn drop_content(response: &mut Response) -> Option<String> {
    if !is_contentless(response.status) {
        return None;
    }
    let what = match &mut response.body {
        CoreBody::Whole(whole) if whole.is_empty() => return None,
        CoreBody::Whole(whole) => format!("{} bytes were", std::mem::take(whole).len()),
        // It stays, to be closed unread.
        CoreBody::Stream(_) => "its stream was".to_owned(),
        file @ CoreBody::File(_) => {
            *file = CoreBody::Whole(bytes::Bytes::new());
            "its file was".to_owned()
        }
    };
    Some(format!("an answer of {} has no content: {what} not sent", response.status.as_u16()))
}

/// What a stream says of its own length.
pub(crate) fn own_length(response: &Response) -> Result<Option<u64>, Error> {
    let mut said = None;
    for (_, value) in response.headers.iter().filter(|(name, _)| *name == header::CONTENT_LENGTH) {
        let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let length: Option<u64> = digits.and_then(|digits| digits.parse().ok());
        if length.is_none() || said.is_some_and(|before| Some(before) != length) {
            let text = String::from_utf8_lossy(value.as_bytes());
            return Err(Error::internal(format!("the stream has the content-length \"{}\"", text.escape_debug())));
        }
        said = length;
    }
    Ok(said)
}

/// Takes the content off the answer to HEAD; its length stays in the head (RFC 9110, section 9.3.2).
pub(crate) fn strip_content(response: &mut http::Response<Body>) {
    if let Some(length) = response.body_mut().strip()
        && may_name_length(response.status())
        && !response.headers().contains_key(header::CONTENT_LENGTH)
    {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// Refuses what a connection could not write as it stands: an interim status, which only the server sends, more fields
/// than a head holds, or a stream whose length is no number.
pub(crate) fn sound(response: Response) -> Result<Response, Error> {
    if response.status.is_informational() {
        return Err(Error::internal(format!("the response has the interim status {}", response.status.as_u16())));
    }
    if response.headers.len() > MAX_HEADERS {
        return Err(Error::internal(format!("the response has {} header fields", response.headers.len())));
    }
    if let CoreBody::Stream(_) = response.body {
        own_length(&response)?;
    }
    Ok(response)
}

/// Header fields of one response at most.
const MAX_HEADERS: usize = 1024;

/// What holds for one connection only is said by the connection alone (RFC 9110, section 7.6.1): a field of user code that
/// frames the message otherwise would make the client read the rest as another response. User code may end the
/// connection, and send the date that another server gave, once.
fn is_refused(http: &http::Response<Body>, name: &HeaderName, value: &HeaderValue) -> bool {
    match name.as_str() {
        "connection" => !value.as_bytes().eq_ignore_ascii_case(b"close"),
        "keep-alive" | "proxy-connection" | "te" | "trailer" | "transfer-encoding" => true,
        "upgrade" => http.status() != StatusCode::UPGRADE_REQUIRED,
        "date" => http.headers().contains_key(name) || !value.to_str().is_ok_and(|date| parse_http_date(date).is_ok()),
        _ => false,
    }
}

fn head(response: Response, body: Body, bodiless: bool) -> http::Response<Body> {
    let length = http_body::Body::size_hint(&body).exact();
    let measured = length.is_some_and(|length| length > 0 || !bodiless);
    let mut http = http::Response::new(body);
    *http.status_mut() = response.status;
    for (name, value) in response.headers {
        if is_refused(&http, &name, &value) || measured && name == header::CONTENT_LENGTH {
            continue;
        }
        http.headers_mut().append(name, value);
    }
    http
}
