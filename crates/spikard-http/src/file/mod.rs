//! Files as responses (RFC 9110, sections 13 and 14): an opened file and the conditions of a request become a head and
//! what is to be read.

mod conditions;
mod ranges;
mod reading;

use std::{
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use spikard_core::{Body, Error, ErrorCode, FileBody, Response};

use self::{conditions::Verdict, ranges::Wanted};
use crate::platform::{File, Platform};

pub(crate) use reading::Reading;

/// The fields that decide how much of a file is sent. Most requests have none of them.
const CONDITIONS: [HeaderName; 6] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

/// What a request says of a file, kept until there is one.
pub(crate) struct Asked {
    method: Method,
    fields: HeaderMap,
}

impl Asked {
    /// None: no condition and no range.
    pub(crate) fn of(parts: &Parts) -> Option<Box<Self>> {
        if !parts.headers.keys().any(|name| CONDITIONS.contains(name)) {
            return None;
        }
        let fields = parts.headers.iter().filter(|(name, _)| CONDITIONS.contains(name));
        let fields = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
        Some(Box::new(Self { method: parts.method.clone(), fields }))
    }
}

/// Opens a file on the I/O side.
pub(crate) async fn open(platform: &dyn Platform, path: PathBuf) -> Result<Box<dyn File>, Error> {
    let shown = path.display().to_string();
    let opened = platform.open(path).await;
    opened.map_err(|error| Error::internal(format!("the file {shown:?} cannot be sent: {error}")))
}

/// Completes the head of a response whose body is this file. None: there is nothing to read. `boundary` keeps the parts
/// of several ranges apart.
pub(crate) fn complete(
    response: &mut Response,
    file: Box<dyn File>,
    asked: Option<&Asked>,
    boundary: u128,
) -> Option<Reading> {
    let Body::File(named) = std::mem::replace(&mut response.body, Body::Whole(bytes::Bytes::new())) else {
        return None;
    };
    describe(response, &named, &*file);
    if response.status != StatusCode::OK {
        return Some(Reading::whole(file));
    }
    put_missing(response, header::ACCEPT_RANGES, || Some(HeaderValue::from_static("bytes")));
    let Some(asked) = asked else { return Some(Reading::whole(file)) };
    let reads = matches!(asked.method, Method::GET | Method::HEAD);
    match conditions::judge(&asked.fields, response, reads) {
        Verdict::Failed => {
            refuse(response, ErrorCode::PreconditionFailed);
            None
        }
        Verdict::NotModified => {
            response.status = StatusCode::NOT_MODIFIED;
            response.headers.retain(|(name, _)| *name != header::CONTENT_TYPE && *name != header::CONTENT_DISPOSITION);
            None
        }
        Verdict::Holds => ranged(response, file, asked, boundary),
    }
}

fn ranged(response: &mut Response, file: Box<dyn File>, asked: &Asked, boundary: u128) -> Option<Reading> {
    let length = file.length();
    let wanted = match asked.fields.get(header::RANGE) {
        Some(said) if asked.method == Method::GET && conditions::in_range(&asked.fields, response) => {
            ranges::wanted(said, length)
        }
        _ => Wanted::Everything,
    };
    match wanted {
        Wanted::Everything => Some(Reading::whole(file)),
        Wanted::Nothing => {
            refuse(response, ErrorCode::RangeNotSatisfiable);
            response.headers.push((header::CONTENT_RANGE, text(format!("bytes */{length}"))));
            None
        }
        Wanted::One(range) => {
            response.status = StatusCode::PARTIAL_CONTENT;
            response.headers.push((header::CONTENT_RANGE, text(range.content_range(length))));
            Some(Reading::of(file, range))
        }
        Wanted::Several(all) => Some(several(response, file, &all, boundary)),
    }
}

/// Content type, name, validators: what user code said itself stands.
fn describe(response: &mut Response, named: &FileBody, file: &dyn File) {
    put_missing(response, header::CONTENT_TYPE, || Some(HeaderValue::from_static("application/octet-stream")));
    put_missing(response, header::CONTENT_DISPOSITION, || named.disposition());
    let Some(modified) = file.modified() else { return };
    let second = UNIX_EPOCH + Duration::from_secs(modified.as_secs());
    put_missing(response, header::LAST_MODIFIED, || Some(text(httpdate::fmt_http_date(second))));
    let tag = format!("\"{:x}-{:x}\"", modified.as_nanos(), file.length());
    put_missing(response, header::ETAG, || Some(text(tag)));
}

fn several(response: &mut Response, file: Box<dyn File>, all: &[ranges::Range], boundary: u128) -> Reading {
    let boundary = format!("{boundary:032x}");
    let length = file.length();
    let mut kind = None;
    response.headers.retain(|(name, value)| {
        let is_kind = *name == header::CONTENT_TYPE;
        if is_kind {
            kind = Some(value.clone());
        }
        !is_kind
    });
    let kind = kind.as_ref().and_then(|kind| kind.to_str().ok()).unwrap_or("application/octet-stream");
    let heads = all.iter().map(|range| {
        let place = range.content_range(length);
        (format!("\r\n--{boundary}\r\ncontent-type: {kind}\r\ncontent-range: {place}\r\n\r\n"), *range)
    });
    let reading = Reading::several(file, heads, format!("\r\n--{boundary}--\r\n"));
    response.status = StatusCode::PARTIAL_CONTENT;
    response.headers.push((header::CONTENT_TYPE, text(format!("multipart/byteranges; boundary={boundary}"))));
    reading
}

/// Makes the response a problem document; its background tasks stay.
fn refuse(response: &mut Response, code: ErrorCode) {
    let tasks = std::mem::take(&mut response.tasks);
    *response = Response { tasks, ..Error::new(code).problem() };
}

fn put_missing(response: &mut Response, name: HeaderName, value: impl FnOnce() -> Option<HeaderValue>) {
    if !response.headers.iter().any(|(known, _)| *known == name) {
        response.headers.extend(value().map(|value| (name, value)));
    }
}

fn text(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("printable ASCII")
}
