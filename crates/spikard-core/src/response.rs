//! A response as user code makes it, and the words in which both sides of a request talk about how it went.

use std::path::PathBuf;

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
    /// A file, opened and read on the I/O side. A GET with status 200 is answered as its conditions and ranges say.
    File(Box<FileBody>),
}

/// A file as user code names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileBody {
    /// Where it lies.
    pub path: PathBuf,
    /// What the client is to call it: makes a `Content-Disposition`.
    pub name: Option<String>,
    /// Whether the client is to show it rather than to save it.
    pub inline: bool,
}

impl FileBody {
    /// The `Content-Disposition` of a file that has a name (RFC 6266): the name in ASCII, and beside it as it is where
    /// the two differ (RFC 8187). Directories are taken off, control characters never sent.
    pub fn disposition(&self) -> Option<HeaderValue> {
        let kind = if self.inline { "inline" } else { "attachment" };
        let name = self.name.as_deref()?.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain = |character: char| match character {
            '"' | '\\' => '_',
            ' '..='~' => character,
            _ => '_',
        };
        let ascii: String = name.chars().map(plain).collect();
        let mut text = format!("{kind}; filename=\"{ascii}\"");
        if ascii != name {
            text.push_str("; filename*=UTF-8''");
            text.extend(percent_encoding::percent_encode(name.as_bytes(), NOT_ATTR_CHAR));
        }
        Some(HeaderValue::from_str(&text).expect("printable ASCII"))
    }
}

/// Everything but RFC 8187's `attr-char`.
const NOT_ATTR_CHAR: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

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
    /// The handler has returned what can be sent, and nothing of it has been sent.
    Returned,
    /// A response was made, and this became of it.
    Sent(Sent),
    /// The exception to be thrown in; none if the core itself failed the request.
    Raised(Option<HostId>),
    /// The request was cancelled.
    Cancelled(Reason),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_download_is_encoded_and_holds_no_path() {
        let said = |name: &str, inline| {
            let file = FileBody { path: "/x".into(), name: Some(name.into()), inline };
            file.disposition().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(said("a b.txt", false), r#"attachment; filename="a b.txt""#);
        assert_eq!(said("../../a.txt", true), r#"inline; filename="a.txt""#);
        assert_eq!(
            said("ä\"\r\n.txt", false),
            r#"attachment; filename="____.txt"; filename*=UTF-8''%C3%A4%22%0D%0A.txt"#
        );
        assert_eq!(FileBody { path: "/x".into(), name: None, inline: false }.disposition(), None);
    }
}
