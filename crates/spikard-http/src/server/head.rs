//! The raw head of a request, looked at before hyper parses it: where it ends, how long it may be, and what hyper takes
//! although RFC 9112 does not (bare LF, `Transfer-Encoding` beside `Content-Length`, repeated ones). What hyper itself
//! refuses is left to hyper; what needs a parsed head is in `refuse`.

use http::request::Parts;
use memchr::{memchr, memchr2};
use spikard_core::{Error, ErrorCode};

const MAX_HEAD: usize = 64 * 1024;
const MAX_TARGET: usize = 16 * 1024;
const MAX_FIELDS: usize = 100;
/// The longest request line around a target: a method of any registered kind, two spaces and the version.
const LINE_ROOM: usize = 64;

/// How a head frames its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// A complete head: its bytes and the framing of what follows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) end: usize,
    pub(super) framing: Framing,
}

/// How far a head has been looked at, so that no line is looked at twice.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The start of the first line that is not complete.
    line: usize,
    /// No line ends between `line` and here.
    seen: usize,
    lines: usize,
    length: Option<u64>,
    chunked: bool,
}

impl Scan {
    /// Goes on in `bytes`, which begin with the head and have only grown. The error is the answer to the client.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<Option<Head>, Error> {
        while let Some(found) = memchr(b'\n', &bytes[self.seen..]) {
            let end = self.seen + found + 1;
            let line = &bytes[self.line..end - 1];
            let Some((b'\r', line)) = line.split_last() else { return Err(malformed("a line ends without CR")) };
            if end > MAX_HEAD {
                return Err(too_large("the header section is longer than 65536 bytes"));
            }
            (self.line, self.seen) = (end, end);
            if line.is_empty() {
                let framing = if self.chunked { Framing::Chunked } else { Framing::Length(self.length.unwrap_or(0)) };
                return Ok(Some(Head { end, framing }));
            }
            self.line(line)?;
            self.lines += 1;
        }
        self.seen = bytes.len();
        match self.lines {
            0 if bytes.len() > MAX_TARGET + LINE_ROOM => Err(too_long()),
            _ if bytes.len() > MAX_HEAD => Err(too_large("the header section is longer than 65536 bytes")),
            _ => Ok(None),
        }
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        if self.lines == 0 {
            return request_line(line);
        }
        if self.lines > MAX_FIELDS {
            return Err(too_large("there are more than 100 header fields"));
        }
        match line[0] {
            b' ' | b'\t' => Err(malformed("a header field is folded over several lines")),
            b'c' | b'C' => named(line, b"content-length").map_or(Ok(()), |value| self.content_length(value)),
            b't' | b'T' => named(line, b"transfer-encoding").map_or(Ok(()), |_| self.transfer_encoding()),
            _ => Ok(()),
        }
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Error> {
        if self.chunked {
            return Err(both_lengths());
        }
        if self.length.is_some() {
            return Err(malformed("there is more than one content-length"));
        }
        let digits = value.trim_ascii();
        let is_number = digits.iter().all(u8::is_ascii_digit);
        // Signed: what hyper cannot count is no length either.
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok());
        match number {
            Some(length) if is_number => self.length = Some(length.unsigned_abs()),
            _ => return Err(malformed("the content-length is not a number")),
        }
        Ok(())
    }

    fn transfer_encoding(&mut self) -> Result<(), Error> {
        if self.length.is_some() {
            return Err(both_lengths());
        }
        if self.chunked {
            return Err(malformed("there is more than one transfer-encoding"));
        }
        self.chunked = true;
        Ok(())
    }
}

/// Looks at a head that is parsed already as if it came over a connection.
pub(super) fn examine(head: &Parts) -> Result<(), Error> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", head.method, head.uri).into_bytes();
    for (name, value) in &head.headers {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    Scan::default().advance(&bytes).map(drop)
}

/// The value of a field line if it has this name. A space before the colon is hyper's to refuse.
fn named<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = line.split_at_checked(name.len())?;
    match rest.split_first()? {
        (b':', value) if head.eq_ignore_ascii_case(name) => Some(value),
        _ => None,
    }
}

/// Nearly all request lines are sound, which is seen without taking them apart.
fn request_line(line: &[u8]) -> Result<(), Error> {
    if let Some((before, b" HTTP/1.1" | b" HTTP/1.0")) = line.split_last_chunk::<9>()
        && let Some(space) = before.iter().position(|byte| *byte == b' ')
        && let Some((target, true)) = before.get(space + 1..).map(|target| (target, space > 0))
        && (1..=MAX_TARGET).contains(&target.len())
        && memchr2(b' ', b'#', target).is_none()
    {
        return Ok(());
    }
    refuse_line(line)
}

fn refuse_line(line: &[u8]) -> Result<(), Error> {
    let mut parts = line.splitn(3, |byte| *byte == b' ');
    let (Some(method), Some(target), Some(version)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed("the request line is malformed"));
    };
    if method.is_empty() || target.is_empty() {
        return Err(malformed("the request line is malformed"));
    }
    if target.len() > MAX_TARGET {
        return Err(too_long());
    }
    // The parser of URIs drops it without a word.
    if memchr(b'#', target).is_some() {
        return Err(malformed("the request target has a fragment"));
    }
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => Ok(()),
        _ if version.starts_with(b"HTTP/") => Err(malformed("the http version is not 1.1 or 1.0")),
        _ => Err(malformed("the request line is malformed")),
    }
}

/// Whether a head asks for a URI without a path, as `OPTIONS http://host`: it is for the server and no resource of it (RFC 9112,
/// sections 3.2.4 and 3.3). The parser of URIs takes it for `/`.
pub(super) fn asks_for_server(head: &[u8]) -> bool {
    let Some(target) = head.strip_prefix(b"OPTIONS ") else { return false };
    let behind = |scheme: &[u8]| {
        let (found, rest) = target.split_at_checked(scheme.len())?;
        found.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let authority = behind(b"http://").or_else(|| behind(b"https://"));
    authority.and_then(|rest| rest.iter().find(|byte| b"/? ".contains(byte))) == Some(&b' ')
}

fn malformed(detail: &'static str) -> Error {
    Error::malformed(detail)
}

fn both_lengths() -> Error {
    malformed("transfer-encoding and content-length exclude each other")
}

fn too_large(detail: &'static str) -> Error {
    Error::new(ErrorCode::HeaderFieldsTooLarge).with_detail(detail)
}

fn too_long() -> Error {
    Error::new(ErrorCode::UriTooLong).with_detail("the request target is longer than 16384 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_does_not_depend_on_where_the_bytes_are_split() {
        let head = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n\r\n";
        let bytes = [&head[..], b"GET /"].concat();
        for first in 0..head.len() {
            let mut scan = Scan::default();
            assert_eq!(scan.advance(&bytes[..first]).unwrap(), None, "{first}");
            let whole = scan.advance(&bytes).unwrap();
            assert_eq!(whole, Some(Head { end: head.len(), framing: Framing::Length(12) }), "{first}");
        }
    }

    #[test]
    fn a_head_without_end_is_refused_at_its_limit() {
        let status = |bytes: &[u8]| Scan::default().advance(bytes).unwrap_err().status_code().as_u16();
        assert_eq!(status("a".repeat(17 * 1024).as_bytes()), 414);
        assert_eq!(status(format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(64 * 1024)).as_bytes()), 431);
    }

    #[test]
    fn a_uri_without_a_path_is_told_from_one_with() {
        let asks = |line: &str| asks_for_server(format!("{line} HTTP/1.1\r\n").as_bytes());
        assert!(asks("OPTIONS http://a") && asks("OPTIONS HTTPS://a:8"));
        for other in
            ["OPTIONS http://a/", "OPTIONS http://a?b", "OPTIONS /", "OPTIONS *", "GET http://a", "OPTIONS http"]
        {
            assert!(!asks(other), "{other}");
        }
    }

    #[test]
    fn a_name_that_only_begins_like_a_length_is_another_field() {
        let head = b"GET / HTTP/1.1\r\ncontent-lengths: x\r\ntransfer-encodings: y\r\nc: z\r\n\r\n";
        let framing = Scan::default().advance(head).unwrap().unwrap().framing;
        assert_eq!(framing, Framing::Length(0));
    }
}
