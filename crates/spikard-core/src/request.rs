//! A request as user code meets it: bound arguments, and its head where somebody can look at it.

use std::{fmt, sync::Arc};

use http::{HeaderValue, header, request::Parts};

use crate::{
    Arg, Args, Converter, Error, RequestBody, SpecError, Template, pairs, parameter::Reader, plan::PathValues,
};

/// A bound request on its way to the handler.
#[derive(Debug, Default)]
pub struct Request {
    /// In the order of the route's argument list.
    pub args: Args,
    /// Present only where the plan or a hook can look at it: nobody else pays for it.
    pub head: Option<Arc<Head>>,
}

/// What user code can look at. A hook that changes something answers with another head.
#[derive(Clone, Debug)]
pub struct Head {
    /// Method, target and fields.
    pub parts: Parts,
    /// The texts of the route's path parameters, in the order of its template.
    pub path: PathValues,
    /// None: no route was matched.
    pub matched: Option<Arc<Matched>>,
    /// Names the request in logs, where ids are on.
    pub request_id: Option<RequestId>,
    /// Asks the I/O side for the body.
    pub body: Arc<RequestBody>,
}

impl Head {
    /// The pairs of the query. The error is the answer to the client.
    pub fn query_pairs(&self) -> Result<Vec<(String, String)>, Error> {
        let found = pairs::parse(self.parts.uri.query().unwrap_or_default().as_bytes());
        let found = found.map_err(|fault| Error::malformed(fault.message("query")))?;
        Ok(found.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The cookies, in the order in which they were sent.
    pub fn cookies(&self) -> Vec<(String, String)> {
        let texts = self.parts.headers.get_all(header::COOKIE).iter().map(pairs::field_text);
        let owned = |(name, value): pairs::Pair<'_>| (name.into_owned(), value.into_owned());
        texts.flat_map(|text| pairs::cookies(&text).map(owned).collect::<Vec<_>>()).collect()
    }

    /// The path parameters by name: what a converter of the template reads, as it reads it for an argument, else text.
    /// What it refuses is text here: the request is refused when its arguments are bound.
    pub fn path_values(&self) -> Vec<(String, Arg)> {
        let Some(matched) = &self.matched else { return Vec::new() };
        let value = |((name, reader), text): (&(String, Option<Reader>), &String)| {
            let read = reader.as_ref().and_then(|reader| reader.read_texts(&[text]).ok());
            (name.clone(), read.unwrap_or_else(|| Arg::Str(text.clone())))
        };
        matched.parameters.iter().zip(&self.path).map(value).collect()
    }
}

/// What a request was matched to; the same for every request of a route.
#[derive(Debug)]
pub struct Matched {
    /// The path as it was declared.
    pub template: String,
    /// Its parameters, and what reads those that have a converter.
    parameters: Vec<(String, Option<Reader>)>,
}

impl Matched {
    /// Fails where the template cannot be taken apart.
    pub fn new(path: &str) -> Result<Self, SpecError> {
        let template = Template::parse(path)?;
        let parameter = |(name, converter): (&str, Converter)| {
            let reader = converter.converts().then(|| Reader::compile(&converter.schema())).transpose()?;
            Ok((name.to_owned(), reader))
        };
        let parameters = template.parameters().map(parameter).collect::<Result<_, SpecError>>()?;
        Ok(Self { template: path.to_owned(), parameters })
    }
}

impl PartialEq for Head {
    /// The same request, as it was at the same time.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Names one request in logs and in the `x-request-id` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestId {
    /// The client's own, which matched `[A-Za-z0-9._-]{1,128}`.
    Given(HeaderValue),
    /// Random bits, written as a version 4 UUID.
    Random(u128),
}

impl RequestId {
    /// The client's id if it is a valid one.
    pub fn given(value: &HeaderValue) -> Option<Self> {
        let text = value.as_bytes();
        let valid = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        ((1..=128).contains(&text.len()) && text.iter().all(valid)).then(|| Self::Given(value.clone()))
    }

    /// A version 4 UUID (RFC 9562, section 5.4) of these random bits.
    pub fn random(bits: u128) -> Self {
        let versioned = bits & !(0xf << 76) | (0x4 << 76);
        Self::Random(versioned & !(0b11 << 62) | (0b10 << 62))
    }

    /// As a header value.
    pub fn to_header(&self) -> HeaderValue {
        match self {
            Self::Given(value) => value.clone(),
            Self::Random(bits) => HeaderValue::from_bytes(&uuid_text(*bits)).expect("hex digits and dashes"),
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(value) => f.write_str(value.to_str().unwrap_or_default()),
            Self::Random(bits) => f.write_str(std::str::from_utf8(&uuid_text(*bits)).unwrap_or_default()),
        }
    }
}

fn uuid_text(bits: u128) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    /// Where the two digits of each byte stand: four dashes between them.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut text = [b'-'; 36];
    for (byte, place) in bits.to_be_bytes().into_iter().zip(PLACES) {
        text[place] = HEX[usize::from(byte >> 4)];
        text[place + 1] = HEX[usize::from(byte & 0xf)];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_is_a_version_4_uuid() {
        assert_eq!(RequestId::random(0).to_string(), "00000000-0000-4000-8000-000000000000");
        let digits = RequestId::random(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef).to_string();
        assert_eq!(digits, "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(RequestId::random(u128::MAX).to_string(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn an_id_of_other_characters_is_not_accepted() {
        let id = |text| RequestId::given(&HeaderValue::from_static(text));
        assert_eq!(id("a.B_9-").map(|id| id.to_string()), Some("a.B_9-".to_owned()));
        assert_eq!((id(""), id("a b"), id("a/b")), (None, None, None));
        let long = HeaderValue::from_str(&"x".repeat(129)).unwrap();
        assert_eq!(RequestId::given(&long), None);
    }
}
