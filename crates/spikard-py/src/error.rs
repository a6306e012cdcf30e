//! Exceptions become errors of the request here: what the user meant as an answer, and everything else.

use http::{HeaderName, HeaderValue, StatusCode};
use pyo3::{
    exceptions::{PyException, PyKeyboardInterrupt, PyTypeError, PyValueError},
    intern,
    prelude::*,
    types::{PyBytes, PyString},
};
use serde::Deserialize;
use spikard_core::{Error, FieldError, HostArg, Input, said};

use crate::{engine::host::Host, vectorcall};

/// Why a call has no value.
pub(crate) enum Failure {
    /// User code raised.
    Raised(PyErr),
    /// A decoder did not accept its input.
    Refused(Box<Error>),
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

impl From<std::convert::Infallible> for Failure {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// Whether this ends the program, and not only the request.
pub(crate) fn interrupts(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyKeyboardInterrupt>(py)
}

/// What user code raised. An `HTTPException` says itself what is answered.
pub(crate) fn raised(py: Python<'_>, host: &Host, error: &PyErr) -> Error {
    let value = error.value(py);
    let answer = match value.is_instance(host.http_exception.bind(py)) {
        Ok(true) => http_exception(py, host, value),
        Ok(false) => {
            Ok(Error::internal(value.get_type().name().map_or_else(|_| String::new(), |name| name.to_string())))
        }
        Err(error) => Err(error),
    };
    answer.unwrap_or_else(|broken| {
        let source = format!("{} while an HTTPException was read", broken.value(py));
        broken.write_unraisable(py, Some(value));
        Error::internal(source)
    })
}

fn http_exception(py: Python<'_>, host: &Host, value: &Bound<'_, PyAny>) -> PyResult<Error> {
    let said = vectorcall::call_one(py, &host.said, value)?;
    Error::raised(said.bind(py).cast::<PyBytes>()?.as_bytes()).map_err(invalid)
}

/// An error of the framework for user code to catch, which is answered as it is if nobody does.
pub(crate) fn exception(py: Python<'_>, host: &Host, error: &Error) -> PyErr {
    let made = host.http_exception.bind(py).call1((error.status_code().as_u16(), error.detail.as_deref()));
    made.map_or_else(|broken| broken, PyErr::from_value)
}

/// A value that user code should not have given.
pub(crate) fn invalid(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The status of a response, from its number.
pub(crate) fn status(number: &Bound<'_, PyAny>) -> PyResult<StatusCode> {
    let code = number.extract::<u16>().ok().and_then(|code| StatusCode::from_u16(code).ok());
    code.ok_or_else(|| PyValueError::new_err(format!("{number} is not a status")))
}

/// A media type that a route says, or None.
pub(crate) fn media_type(given: &Bound<'_, PyAny>) -> PyResult<Option<HeaderValue>> {
    let said: Option<String> = given.extract()?;
    said.map(|said| HeaderValue::try_from(said).map_err(invalid)).transpose()
}

/// The headers of a response: None, a mapping, or pairs.
pub(crate) fn headers(given: &Bound<'_, PyAny>) -> PyResult<Vec<(HeaderName, HeaderValue)>> {
    let py = given.py();
    if given.is_none() {
        return Ok(Vec::new());
    }
    let pairs = match given.getattr_opt(intern!(py, "items"))? {
        Some(items) => items.call0()?,
        None => given.clone(),
    };
    pairs.try_iter()?.map(|pair| header(&pair?)).collect()
}

fn header(pair: &Bound<'_, PyAny>) -> PyResult<(HeaderName, HeaderValue)> {
    let (name, value): (Bound<'_, PyString>, Bound<'_, PyString>) = pair.extract()?;
    said::header_field(&name.to_cow()?, &value.to_cow()?).map_err(invalid)
}

/// What came out of a decoder: a refusal in the decoder's own words, for which the core asks the schema for better ones,
/// or what user code inside it raised.
pub(crate) fn undecoded(py: Python<'_>, host: &Host, error: PyErr, input: HostArg) -> Failure {
    if !error.is_instance_of::<PyException>(py) {
        return Failure::Raised(error);
    }
    let size = match &input.input {
        Input::Json(text) | Input::Msgpack(text) => text.len(),
        Input::Value(_) => 0,
    };
    let told = host
        .refusal
        .bind(py)
        .call1((error.clone_ref(py).into_value(py), size)) // with its traceback
        .and_then(|said| json::<Option<(Vec<FieldError>, bool)>>(py, host, &said));
    let (fields, complete) = match told {
        Ok(Some(told)) => told,
        Ok(None) => return Failure::Raised(error),
        Err(broken) => {
            broken.write_unraisable(py, None);
            (Vec::new(), false)
        }
    };
    Failure::Refused(Box::new(Error::refused_in_words(input, fields, complete)))
}

/// A Python value as Rust reads it, by way of the host's own encoder.
fn json<T: for<'de> Deserialize<'de>>(py: Python<'_>, host: &Host, value: &Bound<'_, PyAny>) -> PyResult<T> {
    let text = vectorcall::call_one(py, &host.encode_plain, value)?.into_bound(py);
    let text = text.cast::<PyBytes>().map_err(PyErr::from)?;
    serde_json::from_slice(text.as_bytes()).map_err(|error| PyTypeError::new_err(error.to_string()))
}
