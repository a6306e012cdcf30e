//! Requests that are refused before any code of the app runs, as far as the parsed head tells: host, target, transfer
//! coding, expectation, method (RFC 9110 and 9112). The raw head was looked at in `head`.

use std::net::Ipv6Addr;

use http::{HeaderMap, HeaderValue, Method, Uri, Version, header, request::Parts};
use spikard_core::{Error, ErrorCode};

/// Why a request with this head must be refused, if it must.
pub fn refuse(head: &Parts) -> Option<Error> {
    check(head).err()
}

fn check(head: &Parts) -> Result<(), Error> {
    if !matches!(head.version, Version::HTTP_11 | Version::HTTP_10) {
        return Err(Error::malformed("the http version is not 1.1 or 1.0"));
    }
    host(head)?;
    target(&head.method, &head.uri)?;
    framing(&head.headers)?;
    content_type(&head.headers)?;
    expectation(head)
}

fn host(head: &Parts) -> Result<(), Error> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => Err(Error::malformed("there is more than one host field")),
        (Some(host), None) if !is_authority(host.as_bytes()) => Err(Error::malformed("the host field is malformed")),
        (None, _) if head.version == Version::HTTP_11 => Err(Error::malformed("there is no host field")),
        _ => Ok(()),
    }
}

fn target(method: &Method, uri: &Uri) -> Result<(), Error> {
    // An origin server is no proxy: no resource of ours supports CONNECT (RFC 9110, section 15.6.2), and 405 would have
    // to name methods for a target that has no path.
    if method == Method::CONNECT {
        return Err(Error::new(ErrorCode::NotImplemented).with_detail("the method CONNECT is not supported"));
    }
    if uri.path() == "*" && method != Method::OPTIONS {
        return Err(Error::malformed("the target * belongs to OPTIONS"));
    }
    match (uri.scheme_str(), uri.authority()) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Error::malformed("an authority as the target belongs to CONNECT")),
        (Some("http" | "https"), Some(authority)) if is_authority(authority.as_str().as_bytes()) => Ok(()),
        _ => Err(Error::malformed("the request target is malformed")),
    }
}

/// `host[:port]`, the host not empty, no user.
fn is_authority(text: &[u8]) -> bool {
    let (host_ok, port) = if let Some(rest) = text.strip_prefix(b"[") {
        let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
        let address = std::str::from_utf8(&rest[..end]).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
        (address.is_some(), &rest[end + 1..])
    } else {
        let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
        (end > 0 && text[..end].iter().all(|byte| is_host_byte(*byte)), &text[end..])
    };
    host_ok && (port.is_empty() || is_port(port))
}

/// What a registered name is made of (RFC 3986, section 3.2.2), without percent-encoding: no host on the web has it.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte)
}

/// A colon, then a port or nothing.
fn is_port(text: &[u8]) -> bool {
    let digits = &text[1..];
    let number = || std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u16>().ok());
    text[0] == b':' && (digits.is_empty() || (digits.iter().all(u8::is_ascii_digit) && number().is_some()))
}

fn framing(headers: &HeaderMap) -> Result<(), Error> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let Some(coding) = codings.next() else {
        let mut lengths = lengths;
        let first = lengths.next();
        return match first {
            Some(first) if lengths.any(|other| other != first) => {
                Err(Error::malformed("the content-length fields contradict each other"))
            }
            _ => Ok(()),
        };
    };
    if codings.next().is_some() {
        return Err(Error::malformed("there is more than one transfer-encoding"));
    }
    if lengths.count() > 0 {
        return Err(Error::malformed("transfer-encoding and content-length exclude each other"));
    }
    transfer_coding(coding)
}

/// Two of them tell two readers two things about one body.
fn content_type(headers: &HeaderMap) -> Result<(), Error> {
    match headers.get_all(header::CONTENT_TYPE).iter().nth(1) {
        Some(_) => Err(Error::malformed("there is more than one content-type field")),
        None => Ok(()),
    }
}

fn transfer_coding(coding: &HeaderValue) -> Result<(), Error> {
    let coding = coding.as_bytes();
    if coding.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let is_chunked = |name: &&[u8]| name.trim_ascii().eq_ignore_ascii_case(b"chunked");
    let names: Vec<_> = coding.split(|byte| *byte == b',').collect();
    match names.last() {
        Some(last) if is_chunked(last) && names.iter().filter(|name| is_chunked(name)).count() == 1 => {
            // RFC 9112, section 6.1: a coding that the server does not know.
            Err(Error::new(ErrorCode::NotImplemented).with_detail("the only transfer coding is chunked"))
        }
        _ => Err(Error::malformed("chunked is not the last transfer coding")),
    }
}

fn expectation(head: &Parts) -> Result<(), Error> {
    // HTTP/1.0 has no expectations (RFC 9110, section 10.1.1).
    let mut expected = head.headers.get_all(header::EXPECT).iter();
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if head.version == Version::HTTP_11 && !expected.all(known) {
        return Err(Error::new(ErrorCode::ExpectationFailed).with_detail("the only expectation is 100-continue"));
    }
    Ok(())
}

/// Makes an absolute-form target origin-form; its authority replaces `Host` (RFC 9112, section 3.2.2).
pub(super) fn adopt_authority(head: &mut Parts) {
    let Some(authority) = head.uri.authority() else { return };
    let host = HeaderValue::from_str(authority.as_str()).expect("an authority is visible ASCII");
    head.headers.insert(header::HOST, host);
    let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    // `http://a?b` has no path, which stands for `/`.
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    head.uri = Uri::try_from(path).expect("the path of a URI");
}
