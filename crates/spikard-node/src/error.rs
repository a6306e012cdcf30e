//! What user code threw becomes an error of the request here: what it meant as an answer, and everything else.

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use spikard_core::{Error, ErrorCode, FieldError, HostArg, HostId};

use crate::js::{Fault, Js, Kind, Val};

impl From<Fault> for Error {
    fn from(Fault(what): Fault) -> Self {
        Error::internal(what)
    }
}

/// `[false, id, name, answer]`: what was thrown, its class, and the JSON of what is to be answered, or null.
pub(crate) fn thrown(js: Js<'_>, failure: Val<'_>) -> Result<Error, Fault> {
    let (id, name, answer) = (js.item(failure, 1)?, js.item(failure, 2)?, js.item(failure, 3)?);
    let mut error = match js.kind(answer) {
        Kind::Text => meant(&js.read_text(answer)?)?,
        _ => Error::internal(js.read_text(name)?),
    };
    error.exception = Some(HostId(js.read_id(id)?));
    Ok(error)
}

/// Whether an answer of the package is a failure.
pub(crate) fn is_failure(js: Js<'_>, answer: Val<'_>) -> bool {
    let first = if js.is_array(answer) { js.item(answer, 0) } else { return false };
    first.and_then(|first| js.read_bool(first)).is_ok_and(|succeeded| !succeeded)
}

/// What user code says of its answer.
#[derive(Deserialize)]
struct Meant {
    status: u16,
    detail: Option<Value>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    r#type: Option<String>,
    title: Option<String>,
    #[serde(default)]
    extra: Map<String, Value>,
}

fn meant(answer: &str) -> Result<Error, Fault> {
    let meant: Meant = serde_json::from_str(answer).map_err(|fault| Fault(fault.to_string()))?;
    let mut error = Error::new(ErrorCode::Raised);
    let status = StatusCode::from_u16(meant.status);
    error.status = Some(status.map_err(|_| Fault(format!("{} is not a status", meant.status)))?);
    (error.type_uri, error.title, error.extra) = (meant.r#type, meant.title, meant.extra);
    for (name, value) in meant.headers {
        let parsed = HeaderName::try_from(&name).ok().zip(HeaderValue::try_from(value).ok());
        error.headers.push(parsed.ok_or_else(|| Fault(format!("{name:?} is not a header that can be sent")))?);
    }
    match meant.detail {
        Some(Value::String(text)) => error.detail = Some(text.into()),
        Some(other) => drop(error.extra.insert("detail".into(), other)),
        None => (),
    }
    Ok(error)
}

/// What a decoder refused, in its own words; the core asks the schema for better ones.
pub(crate) fn refused(input: HostArg, words: &str) -> Result<Error, Fault> {
    let fields: Vec<FieldError> = serde_json::from_str(words).map_err(|fault| Fault(fault.to_string()))?;
    let message = fields.first().map_or_else(|| "value is not valid".to_owned(), |first| first.msg.to_string());
    let mut error = Error::refused(input, message);
    error.fields = fields;
    Ok(error)
}
