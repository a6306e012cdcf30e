//! The five calls that make the speed (`PyObject_Vectorcall`, `PyObject_CallOneArg`, `PyContext_CopyCurrent`, `_Enter`,
//! `_Exit`). The stable ABI has none of them: with the feature `abi3` this file says the same more slowly.

use pyo3::{prelude::*, types::PyTuple};

/// Calls with these arguments; the last of them have the names of `keywords`.
#[cfg(not(feature = "abi3"))]
pub(crate) fn call(
    py: Python<'_>,
    function: &Py<PyAny>,
    argv: &[Py<PyAny>],
    keywords: Option<&Py<PyTuple>>,
) -> PyResult<Py<PyAny>> {
    let (positional, names) = match keywords {
        Some(names) => (argv.len() - names.bind(py).len(), names.as_ptr()),
        None => (argv.len(), std::ptr::null_mut()),
    };
    // SAFETY: attached; `Py<PyAny>` is a transparent non-null pointer and `argv` outlives the call.
    unsafe {
        let result = pyo3::ffi::PyObject_Vectorcall(function.as_ptr(), argv.as_ptr().cast(), positional, names);
        Bound::from_owned_ptr_or_err(py, result).map(Bound::unbind)
    }
}

/// Calls with one argument.
#[cfg(not(feature = "abi3"))]
pub(crate) fn call_one(py: Python<'_>, function: &Py<PyAny>, argument: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    // SAFETY: attached; both are live objects.
    unsafe {
        let result = pyo3::ffi::PyObject_CallOneArg(function.as_ptr(), argument.as_ptr());
        Bound::from_owned_ptr_or_err(py, result).map(Bound::unbind)
    }
}

/// A copy of the context that is current on this thread.
#[cfg(not(feature = "abi3"))]
pub(crate) fn copy_context(py: Python<'_>) -> PyResult<Py<PyAny>> {
    // SAFETY: attached; the result is a new reference.
    unsafe { Bound::from_owned_ptr_or_err(py, pyo3::ffi::PyContext_CopyCurrent()).map(Bound::unbind) }
}

/// Runs inside a context that nobody else is in.
#[cfg(not(feature = "abi3"))]
pub(crate) fn in_context<R>(py: Python<'_>, context: &Py<PyAny>, run: impl FnOnce() -> R) -> PyResult<R> {
    struct Inside<'a, 'py>(Python<'py>, &'a Py<PyAny>);
    impl Drop for Inside<'_, '_> {
        fn drop(&mut self) {
            // SAFETY: attached, on the thread that entered it; an error must not stay behind.
            if unsafe { pyo3::ffi::PyContext_Exit(self.1.as_ptr()) } != 0 {
                PyErr::fetch(self.0).write_unraisable(self.0, None);
            }
        }
    }
    // SAFETY: attached; a live context object.
    if unsafe { pyo3::ffi::PyContext_Enter(context.as_ptr()) } != 0 {
        return Err(PyErr::fetch(py));
    }
    let _inside = Inside(py, context);
    Ok(run())
}

/// Calls with these arguments; the last of them have the names of `keywords`.
#[cfg(feature = "abi3")]
pub(crate) fn call(
    py: Python<'_>,
    function: &Py<PyAny>,
    argv: &[Py<PyAny>],
    keywords: Option<&Py<PyTuple>>,
) -> PyResult<Py<PyAny>> {
    let Some(names) = keywords else {
        return function.call1(py, PyTuple::new(py, argv)?);
    };
    let (positional, named) = argv.split_at(argv.len() - names.bind(py).len());
    let dict = pyo3::types::PyDict::new(py);
    for (name, value) in names.bind(py).iter().zip(named) {
        dict.set_item(name, value)?;
    }
    function.call(py, PyTuple::new(py, positional)?, Some(&dict))
}

/// Calls with one argument.
#[cfg(feature = "abi3")]
pub(crate) fn call_one(py: Python<'_>, function: &Py<PyAny>, argument: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
    function.call1(py, (argument,))
}

/// A copy of the context that is current on this thread.
#[cfg(feature = "abi3")]
pub(crate) fn copy_context(py: Python<'_>) -> PyResult<Py<PyAny>> {
    py.import("contextvars")?.call_method0("copy_context").map(Bound::unbind)
}

/// Runs inside a context that nobody else is in.
#[cfg(feature = "abi3")]
pub(crate) fn in_context<R>(py: Python<'_>, context: &Py<PyAny>, run: impl FnOnce() -> R) -> PyResult<R> {
    let mut run = Some(run);
    let mut result = None;
    let mut once = || result = run.take().map(|run| run());
    let once: &mut dyn FnMut() = &mut once;
    // SAFETY: only the lifetime changes. `Context.run` calls the thunk before it returns, and nobody else has it.
    let once = unsafe { std::mem::transmute::<&mut dyn FnMut(), &'static mut dyn FnMut()>(once) };
    let thunk = Py::new(py, Thunk(Some(once)))?;
    context.call_method1(py, pyo3::intern!(py, "run"), (thunk,))?;
    result.ok_or_else(|| pyo3::exceptions::PyRuntimeError::new_err("the context ran nothing"))
}

/// A Rust closure that Python calls, once and on this thread.
#[cfg(feature = "abi3")]
#[pyclass(unsendable)]
struct Thunk(Option<&'static mut dyn FnMut()>);

#[cfg(feature = "abi3")]
#[pymethods]
impl Thunk {
    fn __call__(slf: &Bound<'_, Self>) {
        let once = slf.borrow_mut().0.take();
        if let Some(once) = once {
            once();
        }
    }
}
