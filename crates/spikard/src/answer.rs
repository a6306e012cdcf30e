//! What a handler may return.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use spikard_core::{Error, Response};

use crate::Json;

/// A result that becomes a response.
pub trait IntoResponse {
    /// The response.
    ///
    /// # Errors
    /// An error becomes a problem document; a value that cannot be written is a 500.
    fn into_response(self) -> Result<Response, Error>;
}

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response, Error> {
        Ok(self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Result<Response, Error> {
        let text = serde_json::to_vec(&self.0).map_err(|error| Error::internal(error.to_string()))?;
        Ok(typed("application/json", text))
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Result<Response, Error> {
        Ok(typed("text/plain; charset=utf-8", self))
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Result<Response, Error> {
        Ok(typed("text/plain; charset=utf-8", self))
    }
}

impl IntoResponse for Bytes {
    fn into_response(self) -> Result<Response, Error> {
        Ok(typed("application/octet-stream", self))
    }
}

impl IntoResponse for StatusCode {
    fn into_response(self) -> Result<Response, Error> {
        Ok(Response::new(self, Bytes::new()))
    }
}

impl<T: IntoResponse> IntoResponse for (StatusCode, T) {
    fn into_response(self) -> Result<Response, Error> {
        self.1.into_response().map(|response| Response { status: self.0, ..response })
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response, Error> {
        self.map_err(Into::into)?.into_response()
    }
}

fn typed(kind: &'static str, body: impl Into<Bytes>) -> Response {
    Response::new(StatusCode::OK, body).with_header(header::CONTENT_TYPE, HeaderValue::from_static(kind))
}
