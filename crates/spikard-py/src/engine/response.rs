//! The Rust half of what a hook on the way out is shown: a response of which nothing is converted until somebody asks.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::{
    exceptions::PyRuntimeError,
    intern,
    prelude::*,
    types::{PyBytes, PyDict},
};
use spikard_core::{Body, Response};

use super::Loop;
use crate::{convert, error, vectorcall};

/// What `spikard._made.MadeResponse` inherits, together with `Response`.
#[pyclass(subclass, frozen, module = "spikard._spikard")]
pub(crate) struct ResponseHead(Mutex<Option<Response>>);

impl ResponseHead {
    fn lock(&self) -> MutexGuard<'_, Option<Response>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(&self, read: impl FnOnce(&mut Response) -> R) -> PyResult<R> {
        let gone = || PyRuntimeError::new_err("the response has been sent");
        self.lock().as_mut().map(read).ok_or_else(gone)
    }
}

#[pymethods]
impl ResponseHead {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Status and header fields.
    fn _head(&self) -> PyResult<(u16, Vec<(String, String)>)> {
        self.with(|response| {
            let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
            let fields = response.headers.iter();
            let fields = fields.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect();
            (response.status.as_u16(), fields)
        })
    }

    /// The body; None for what is read while it is sent.
    fn _whole<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let whole = self.with(|response| match &response.body {
            Body::Whole(whole) => Some(whole.clone()),
            _ => None,
        })?;
        Ok(whole.map(|whole: Bytes| PyBytes::new(py, &whole)))
    }

    /// What user code has made of it; None leaves what was there.
    fn _replace(
        &self,
        status: &Bound<'_, PyAny>,
        fields: &Bound<'_, PyAny>,
        whole: Option<Bound<'_, PyBytes>>,
    ) -> PyResult<()> {
        let (status, headers) = (error::status(status)?, error::headers(fields)?);
        let body = whole.map(|whole| Body::Whole(convert::content(whole)));
        self.with(|response| {
            response.status = status;
            response.headers = headers;
            if let Some(body) = body {
                response.body = body;
            }
        })
    }
}

/// A response as a hook sees it.
pub(super) fn object(py: Python<'_>, here: &Loop, response: Response) -> PyResult<Py<ResponseHead>> {
    let made = vectorcall::call(py, &here.host.made, &[], None)?.into_bound(py).cast_into::<ResponseHead>()?;
    *made.get().lock() = Some(response);
    Ok(made.unbind())
}

/// The response as user code has left it: attributes that were looked at or set lie in the object's dict.
pub(super) fn seen(made: &Bound<'_, ResponseHead>) -> PyResult<Response> {
    let py = made.py();
    let attributes = made.getattr(intern!(py, "__dict__"))?.cast_into::<PyDict>()?;
    if !attributes.is_empty() {
        made.call_method0(intern!(py, "_write_back"))?;
    }
    made.get().lock().take().ok_or_else(|| PyRuntimeError::new_err("the response has been sent"))
}
