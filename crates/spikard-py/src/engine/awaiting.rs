//! One step of something that can be awaited.

use pyo3::{ffi, intern, prelude::*};

/// What a step came to.
pub(crate) enum Sent {
    /// This is for the Task.
    Yielded(Py<PyAny>),
    /// Its end.
    Returned(PyResult<Py<PyAny>>),
    /// It runs elsewhere.
    Waits,
}

/// What can be stepped: a coroutine itself, or what another awaitable says.
pub(crate) fn steps(py: Python<'_>, coroutine: &Py<PyAny>, awaitable: Py<PyAny>) -> PyResult<Py<PyAny>> {
    if awaitable.bind(py).get_type().is(coroutine) {
        return Ok(awaitable);
    }
    awaitable.call_method0(py, intern!(py, "__await__"))
}

pub(crate) fn send(py: Python<'_>, coroutine: &Py<PyAny>) -> Sent {
    let mut value = std::ptr::null_mut();
    // SAFETY: attached; `value` is a new reference unless the result is an error.
    unsafe {
        match ffi::PyIter_Send(coroutine.as_ptr(), ffi::Py_None(), &raw mut value) {
            ffi::PySendResult::PYGEN_NEXT => Sent::Yielded(Bound::from_owned_ptr(py, value).unbind()),
            ffi::PySendResult::PYGEN_RETURN => Sent::Returned(Ok(Bound::from_owned_ptr(py, value).unbind())),
            ffi::PySendResult::PYGEN_ERROR => Sent::Returned(Err(PyErr::fetch(py))),
        }
    }
}
