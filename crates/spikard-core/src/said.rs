//! What user code says of an answer in words: header fields, and the answer that it raises in place of a result.

use std::{fmt, fmt::Display};

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Error, ErrorCode};

/// Why what a host says cannot be taken; the message names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(String);

impl Fault {
    /// Of what the message says.
    pub fn new(what: impl Display) -> Self {
        Self(what.to_string())
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Error {
    fn from(Fault(what): Fault) -> Self {
        Self::internal(what)
    }
}

/// One header field. Text beyond ASCII is sent as ISO 8859-1, as HTTP has it.
pub fn header_field(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let parsed_name = HeaderName::try_from(name);
    let parsed_name = parsed_name.map_err(|_| Fault(format!("{name:?} is not a header name")))?;
    let parsed_value = if value.is_ascii() { HeaderValue::try_from(value).ok() } else { latin1(value) };
    Ok((parsed_name, parsed_value.ok_or_else(|| Fault(format!("{value:?} is not a header value")))?))
}

fn latin1(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(letter).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

/// A status, by its number.
pub fn status(number: u16) -> Result<StatusCode, Fault> {
    StatusCode::from_u16(number).map_err(|_| Fault(format!("{number} is not a status")))
}

/// An answer that was raised, in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raised {
    status: u16,
    detail: Option<Value>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    r#type: Option<String>,
    title: Option<String>,
    #[serde(default)]
    extra: Map<String, Value>,
}

impl Error {
    /// The answer that user code raises in place of a result. The text is JSON: `status`, `detail` (a text, or a value
    /// that becomes a member of the problem document), `headers` (pairs), `type`, `title` and `extra`.
    pub fn raised(said: &[u8]) -> Result<Self, Fault> {
        let raised: Raised = serde_json::from_slice(said).map_err(Fault::new)?;
        let mut error = Self::new(ErrorCode::Raised);
        error.status = Some(status(raised.status)?);
        (error.type_uri, error.title, error.extra) = (raised.r#type, raised.title, raised.extra);
        error.headers =
            raised.headers.iter().map(|(name, value)| header_field(name, value)).collect::<Result<_, _>>()?;
        match raised.detail {
            Some(Value::String(text)) => error.detail = Some(text.into()),
            Some(other) => drop(error.extra.insert("detail".into(), other)),
            None => (),
        }
        Ok(error)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_beyond_ascii_is_sent_as_latin_1() {
        let (name, value) = header_field("X-Name", "René").unwrap();
        assert_eq!((name.as_str(), value.as_bytes()), ("x-name", &b"Ren\xe9"[..]));
        let told = |name, value| header_field(name, value).unwrap_err().to_string();
        assert_eq!(told("x y", ""), r#""x y" is not a header name"#);
        assert_eq!(told("x", "a\nb"), r#""a\nb" is not a header value"#);
        assert_eq!(told("x", "€"), r#""€" is not a header value"#);
    }

    #[test]
    fn a_raised_answer_says_all_that_a_problem_document_holds() {
        let said = json!({
            "status": 409, "detail": {"is": "taken"}, "headers": [["retry-after", "7"]], "type": "about:blank",
            "title": "Taken", "extra": {"by": 1},
        });
        let error = Error::raised(said.to_string().as_bytes()).unwrap();
        assert_eq!((error.status_code(), error.code), (StatusCode::CONFLICT, ErrorCode::Raised));
        assert_eq!(Value::from(error.extra.clone()), json!({"by": 1, "detail": {"is": "taken"}}));
        assert_eq!(error.headers[0].1, "7");
        assert_eq!((error.type_uri.as_deref(), error.title.as_deref()), (Some("about:blank"), Some("Taken")));
    }

    #[test]
    fn a_raised_answer_that_cannot_be_sent_is_told() {
        let told = |said: &[u8]| Error::raised(said).unwrap_err().to_string();
        assert_eq!(told(br#"{"status": 1}"#), "1 is not a status");
        assert_eq!(told(br#"{"status": 404, "headers": [["", ""]]}"#), r#""" is not a header name"#);
        assert!(told(br#"{"status": "x"}"#).contains("invalid type"));
    }
}
