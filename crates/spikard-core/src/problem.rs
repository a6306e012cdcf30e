//! Problem documents (RFC 9457): the one place where an error becomes a response.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, header};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{Body, Error, ErrorCode, MAX_ERRORS, Response, sabotage};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

const TYPE_BASE: &str = "https://spikard.dev/errors/";

impl Error {
    /// The problem document of this error, as a response.
    pub fn problem(&self) -> Response {
        if sabotage::takes_out("errors") {
            return Response::new(self.status_code(), &b"sabotage"[..]);
        }
        let body = serde_json::to_vec(&Document(self)).expect("texts, numbers and JSON values");
        let mut response = Response::new(self.status_code(), body);
        response.headers.push((header::CONTENT_TYPE, MEDIA_TYPE));
        response.headers.extend(self.headers.iter().cloned());
        response
    }

    /// The problem document as user code is told it that handles the error; of a failure it says nothing.
    pub fn told(&self) -> Bytes {
        match self.problem().body {
            Body::Whole(text) if self.code != ErrorCode::Internal => text,
            _ => Bytes::from_static(b"{}"),
        }
    }

    /// Never the text of an exception: `source` stays in the log.
    fn public_detail(&self) -> Option<Cow<'_, str>> {
        match (self.code, self.fields.len()) {
            (ErrorCode::Validation, count) if self.more || count == MAX_ERRORS => {
                Some(format!("at least {count} validation errors in request").into())
            }
            (ErrorCode::Validation, 1) => Some("1 validation error in request".into()),
            (ErrorCode::Validation, count) if count > 1 => Some(format!("{count} validation errors in request").into()),
            _ => self.detail.as_deref().map(Cow::Borrowed),
        }
    }
}

/// An error as the members of its problem document.
struct Document<'a>(&'a Error);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(error) = self;
        let status = error.status_code();
        let title = match &error.title {
            Some(title) => Cow::Borrowed(title.as_str()),
            None if error.code == ErrorCode::Raised => status_title(status),
            None => Cow::Borrowed(error.code.title()),
        };
        let type_uri = match &error.type_uri {
            Some(uri) => Cow::Borrowed(uri.as_str()),
            None => type_uri(error.code, &title).into(),
        };
        let detail = error.public_detail();
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("type", &type_uri)?;
        members.serialize_entry("title", &title)?;
        members.serialize_entry("status", &status.as_u16())?;
        if let Some(detail) = &detail {
            members.serialize_entry("detail", detail)?;
        }
        if !error.fields.is_empty() {
            members.serialize_entry("errors", &error.fields)?;
        }
        // The standard members cannot be replaced by extra ones.
        let is_said = |name: &str| match name {
            "type" | "title" | "status" => true,
            "detail" => detail.is_some(),
            "errors" => !error.fields.is_empty(),
            _ => false,
        };
        for (name, value) in error.extra.iter().filter(|(name, _)| !is_said(name)) {
            members.serialize_entry(name, value)?;
        }
        members.end()
    }
}

fn status_title(status: http::StatusCode) -> Cow<'static, str> {
    let known = ErrorCode::ALL.iter().find(|code| code.status() == status && **code != ErrorCode::Validation);
    match (known, status.canonical_reason()) {
        (Some(code), _) => code.title().into(),
        (None, Some(phrase)) => match status.as_u16() {
            422 => "Unprocessable Content".into(), // RFC 9110, section 15.5.21
            _ => phrase.into(),
        },
        (None, None) => format!("Status {}", status.as_u16()).into(),
    }
}

fn type_uri(code: ErrorCode, title: &str) -> String {
    if code == ErrorCode::Validation {
        return format!("{TYPE_BASE}validation-error");
    }
    let kebab: String =
        title.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    format!("{TYPE_BASE}{kebab}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::{FieldError, Word};

    fn text(error: &Error) -> String {
        serde_json::to_string(&Document(error)).unwrap()
    }

    #[test]
    fn what_a_document_says_itself_is_not_replaced_by_further_members() {
        let mut error = Error::malformed("no").with_source("secret");
        let further = json!({"z": [1.50], "type": 1, "title": 1, "status": 1, "detail": 1, "errors": 1, "a": "\u{1}"});
        error.extra = further.as_object().unwrap().clone();
        let said =
            r#"{"type":"https://spikard.dev/errors/bad-request","title":"Bad Request","status":400,"detail":"no","#;
        assert_eq!(text(&error), format!(r#"{said}"z":[1.5],"errors":1,"a":"\u0001"}}"#));

        error.detail = None;
        error.extra.retain(|name, _| name == "detail");
        assert_eq!(text(&error), said.replace("\"no\",", "1}"));

        error.fields = vec![FieldError::new(Word::Missing, vec!["body".into(), 1.into()], &Value::Null, Map::new())];
        error.extra = json!({"errors": 1, "detail": [2]}).as_object().unwrap().clone();
        let field = r#"{"type":"missing","loc":["body",1],"msg":"Field required","input":null}"#;
        assert_eq!(text(&error), said.replace("\"detail\":\"no\",", &format!(r#""errors":[{field}],"detail":[2]}}"#)));
    }
}
