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
    let fields = Fields::of(&head.headers);
    host(&fields.host, head.version)?;
    target(&head.method, &head.uri)?;
    framing(&fields)?;
    if fields.content_type.repeated {
        // Two of them tell two readers two things about one body.
        return Err(Error::malformed("there is more than one content-type field"));
    }
    // HTTP/1.0 has no expectations (RFC 9110, section 10.1.1).
    if fields.unknown_expectation && head.version == Version::HTTP_11 {
        return Err(Error::new(ErrorCode::ExpectationFailed).with_detail("the only expectation is 100-continue"));
    }
    Ok(())
}

/// The fields that a request may be refused for, found in one pass: five look-ups cost more than the rest of a head.
#[derive(Default)]
struct Fields<'h> {
    host: Field<'h>,
    length: Field<'h>,
    /// Some `Content-Length` is not what the first one is.
    lengths_differ: bool,
    coding: Field<'h>,
    content_type: Field<'h>,
    unknown_expectation: bool,
}

/// What was sent under one name.
#[derive(Default)]
struct Field<'h> {
    first: Option<&'h HeaderValue>,
    repeated: bool,
}

impl<'h> Field<'h> {
    fn note(&mut self, value: &'h HeaderValue) {
        self.repeated = self.first.is_some();
        self.first = self.first.or(Some(value));
    }
}

impl<'h> Fields<'h> {
    fn of(headers: &'h HeaderMap) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers {
            if *name == header::HOST {
                fields.host.note(value);
            } else if *name == header::CONTENT_LENGTH {
                fields.lengths_differ |= fields.length.first.is_some_and(|first| first != value);
                fields.length.note(value);
            } else if *name == header::CONTENT_TYPE {
                fields.content_type.note(value);
            } else if *name == header::TRANSFER_ENCODING {
                fields.coding.note(value);
            } else if *name == header::EXPECT {
                fields.unknown_expectation |= !value.as_bytes().eq_ignore_ascii_case(b"100-continue");
            }
        }
        fields
    }
}

fn host(sent: &Field<'_>, version: Version) -> Result<(), Error> {
    match sent.first {
        _ if sent.repeated => Err(Error::malformed("there is more than one host field")),
        Some(host) if !is_authority(host.as_bytes()) => Err(Error::malformed("the host field is malformed")),
        None if version == Version::HTTP_11 => Err(Error::malformed("there is no host field")),
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
        let end = text.iter().position(|byte| !IN_HOST[usize::from(*byte)]).unwrap_or(text.len());
        (end > 0, &text[end..])
    };
    host_ok && (port.is_empty() || is_port(port))
}

/// What a registered name is made of (RFC 3986, section 3.2.2), without percent-encoding: no host on the web has it.
const IN_HOST: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=";
    let mut place = 0;
    while place < bytes.len() {
        table[bytes[place] as usize] = true;
        place += 1;
    }
    table
};

/// A colon, then a port or nothing.
fn is_port(text: &[u8]) -> bool {
    let digit = |port: u32, byte: &u8| {
        let port = port * 10 + u32::from(byte.wrapping_sub(b'0'));
        (byte.is_ascii_digit() && u16::try_from(port).is_ok()).then_some(port)
    };
    text[0] == b':' && text[1..].iter().try_fold(0, digit).is_some()
}

fn framing(fields: &Fields<'_>) -> Result<(), Error> {
    match fields.coding.first {
        None if fields.lengths_differ => Err(Error::malformed("the content-length fields contradict each other")),
        None => Ok(()),
        Some(_) if fields.coding.repeated => Err(Error::malformed("there is more than one transfer-encoding")),
        Some(_) if fields.length.first.is_some() => {
            Err(Error::malformed("transfer-encoding and content-length exclude each other"))
        }
        Some(coding) => transfer_coding(coding),
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
