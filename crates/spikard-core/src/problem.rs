//! Problem documents (RFC 9457): the one place where an error becomes a response.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, header};
use serde_json::{Map, Value, json};

use crate::{Body, Error, ErrorCode, MAX_ERRORS, Response, sabotage};

const TYPE_BASE: &str = "https://spikard.dev/errors/";

impl Error {
    /// The problem document of this error, as a response.
    pub fn problem(&self) -> Response {
        if sabotage::takes_out("errors") {
            return Response::new(self.status_code(), &b"sabotage"[..]);
        }
        let body = serde_json::to_vec(&self.document()).expect("a JSON value");
        let mut response = Response::new(self.status_code(), body);
        response.headers.push((header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
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

    fn document(&self) -> Value {
        let status = self.status_code();
        let title = match &self.title {
            Some(title) => Cow::Borrowed(title.as_str()),
            None if self.code == ErrorCode::Raised => status_title(status),
            None => Cow::Borrowed(self.code.title()),
        };
        let mut document = Map::new();
        document.insert("type".into(), self.type_uri.clone().unwrap_or_else(|| type_uri(self.code, &title)).into());
        document.insert("title".into(), title.into());
        document.insert("status".into(), status.as_u16().into());
        if let Some(detail) = self.public_detail() {
            document.insert("detail".into(), detail.into());
        }
        if !self.fields.is_empty() {
            document.insert("errors".into(), json!(self.fields));
        }
        // The standard members cannot be replaced by extra ones.
        for (name, value) in &self.extra {
            document.entry(name.as_str()).or_insert_with(|| value.clone());
        }
        Value::Object(document)
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
