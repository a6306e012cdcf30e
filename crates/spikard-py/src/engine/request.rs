//! The Rust half of `spikard.Request`: the head of a request, of which nothing is converted until somebody asks.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, HeaderValue};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use spikard_core::{Head, pairs::field_text};

use super::{Loop, job::Job};
use crate::vectorcall;

/// What `spikard.Request` inherits.
#[pyclass(subclass, frozen, module = "spikard._spikard")]
pub(crate) struct RequestHead {
    head: Mutex<Option<Arc<Head>>>,
}

impl RequestHead {
    fn head(&self) -> PyResult<Arc<Head>> {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner).clone();
        head.ok_or_else(|| PyRuntimeError::new_err("this Request belongs to no request"))
    }
}

#[pymethods]
impl RequestHead {
    #[new]
    fn new() -> Self {
        Self { head: Mutex::new(None) }
    }

    #[getter]
    fn method(&self) -> PyResult<String> {
        Ok(self.head()?.parts.method.to_string())
    }

    #[getter]
    fn path(&self) -> PyResult<String> {
        Ok(self.head()?.parts.uri.path().to_owned())
    }

    /// The header fields as they came.
    fn _fields(&self) -> PyResult<Vec<(String, String)>> {
        let head = self.head()?;
        let field = |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), field_text(value).into_owned());
        Ok(head.parts.headers.iter().map(field).collect())
    }
}

/// The request's `Request`, made when it is first asked for.
pub(crate) fn object(job: &mut Job, py: Python<'_>, here: &Loop, head: &Arc<Head>) -> PyResult<Py<RequestHead>> {
    if let Some(made) = job.values.request(py) {
        return Ok(made);
    }
    let made = vectorcall::call(py, &here.host.request, &[], None)?.into_bound(py).cast_into::<RequestHead>()?;
    *made.get().head.lock().unwrap_or_else(PoisonError::into_inner) = Some(head.clone());
    let made = made.unbind();
    job.values.keep_request(made.clone_ref(py));
    Ok(made)
}

/// The head as user code has left it.
pub(super) fn seen(job: &Job, py: Python<'_>) -> PyResult<Arc<Head>> {
    let gone = || PyRuntimeError::new_err("the request is over");
    job.values.request(py).ok_or_else(gone)?.get().head()
}
