//! Names and values in text: query strings and urlencoded forms (WHATWG URL, section 5.1), and cookies (RFC 6265).

use std::borrow::Cow;

use http::HeaderValue;
use percent_encoding::percent_decode;

use crate::sabotage;

/// A query or a form holds this many pairs at most.
pub const MAX_PAIRS: usize = 10_000;

/// Why a text cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairsFault {
    /// A name or a value is no UTF-8 once decoded.
    NotUtf8,
    /// There are more than [`MAX_PAIRS`].
    TooMany,
}

impl PairsFault {
    /// For the client; `what` is "query" or "form".
    pub fn message(self, what: &str) -> String {
        match self {
            Self::NotUtf8 => format!("the {what} is not valid UTF-8"),
            Self::TooMany => format!("the {what} has more than {MAX_PAIRS} pairs"),
        }
    }
}

/// A name and a value.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Takes `a=1&b=2` apart. Empty pieces are passed over; a piece without `=` has an empty value.
pub fn parse(text: &[u8]) -> Result<Vec<Pair<'_>>, PairsFault> {
    let mut pairs = Vec::new();
    for piece in text.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
        if pairs.len() == MAX_PAIRS && !sabotage::takes_out("limits") {
            return Err(PairsFault::TooMany);
        }
        let (name, value) = match piece.iter().position(|byte| *byte == b'=') {
            Some(at) => (&piece[..at], &piece[at + 1..]),
            None => (piece, &b""[..]),
        };
        pairs.push((decode(name)?, decode(value)?));
    }
    Ok(pairs)
}

fn decode(text: &[u8]) -> Result<Cow<'_, str>, PairsFault> {
    if text.contains(&b'+') {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        let decoded: Vec<u8> = percent_decode(&spaced).collect();
        return String::from_utf8(decoded).map(Cow::Owned).map_err(|_| PairsFault::NotUtf8);
    }
    percent_decode(text).decode_utf8().map_err(|_| PairsFault::NotUtf8)
}

/// Takes the value of a `Cookie` field apart. What is quoted stands for what was quoted; a piece without `=` is passed over.
pub fn cookies(text: &str) -> impl Iterator<Item = Pair<'_>> {
    text.split(';').filter_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = quoted.map_or(Cow::Borrowed(value), unescaped);
        Some((name.into(), value)).filter(|_| !name.is_empty())
    })
}

/// A backslash stands before a character as it is (RFC 9110, section 5.6.4), or before the three octal digits of one of
/// ISO 8859-1, as the libraries write it that set cookies with values of any text.
fn unescaped(quoted: &str) -> Cow<'_, str> {
    if !quoted.contains('\\') {
        return quoted.into();
    }
    let (mut text, mut rest) = (String::with_capacity(quoted.len()), quoted);
    while let Some((before, escaped)) = rest.split_once('\\') {
        let octal = escaped.get(..3).filter(|digits| digits.bytes().all(|digit| matches!(digit, b'0'..=b'7')));
        let code = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        let (stands_for, length) = match (code, escaped.chars().next()) {
            (Some(code), _) => (char::from(code), 3),
            (None, Some(character)) => (character, character.len_utf8()),
            (None, None) => ('\\', 0),
        };
        text.push_str(before);
        text.push(stands_for);
        rest = &escaped[length..];
    }
    text.push_str(rest);
    text.into()
}

/// The value of a header field: UTF-8 where it is, else ISO 8859-1, as fields once were.
pub fn field_text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.as_bytes().iter().map(|byte| char::from(*byte)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_taken_apart() {
        let pairs = parse(b"a=1&&b=x+y%2Bz&c&=v&d=%C3%A9").unwrap();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x y+z"), ("c", ""), ("", "v"), ("d", "é")]);
    }

    #[test]
    fn what_is_no_utf8_is_a_fault() {
        assert_eq!(parse(b"a=%ff").unwrap_err(), PairsFault::NotUtf8);
        assert_eq!(parse(b"a+%ff=1").unwrap_err(), PairsFault::NotUtf8);
    }

    #[test]
    fn one_pair_too_many_is_a_fault() {
        assert_eq!(parse(&b"a&".repeat(MAX_PAIRS)).unwrap().len(), MAX_PAIRS);
        assert_eq!(parse(&b"a&".repeat(MAX_PAIRS + 1)).unwrap_err(), PairsFault::TooMany);
    }

    #[test]
    fn cookies_lose_their_quotes() {
        let found: Vec<_> = cookies("a=1; b=\"x y\";c; =v;d=e=f").collect();
        assert_eq!(found, [("a", "1"), ("b", "x y"), ("d", "e=f")].map(|(name, value)| (name.into(), value.into())));
    }

    #[test]
    fn what_a_quoted_cookie_escapes_is_read_as_it_was() {
        for (sent, read) in [
            (r#""{\"a\": 1\054 \"b\": 2}""#, r#"{"a": 1, "b": 2}"#),
            (r#""a\073b\351\\c""#, r"a;bé\c"),
            (r#""\"""#, r#"""#),
            (r#""\400\é\""#, r"400é\"),
            (r"a\054b", r"a\054b"),
            (r#"""#, r#"""#),
        ] {
            let text = format!("a={sent}");
            assert_eq!(cookies(&text).collect::<Vec<_>>(), [("a".into(), read.into())], "{sent}");
        }
    }
}
