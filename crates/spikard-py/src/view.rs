//! The text of a body as a buffer that decoders read in place: a copy of a large one costs more than most of its decoding
//! does, in new pages that go back to the system with it. The stable ABI has no buffers before 3.11: with the feature `abi3`
//! the text is copied.

#[cfg(feature = "abi3")]
pub(crate) use copied::lend;
#[cfg(not(feature = "abi3"))]
pub(crate) use owned::lend;

#[cfg(not(feature = "abi3"))]
mod owned {
    use std::ffi::c_int;

    use bytes::Bytes;
    use pyo3::{ffi, prelude::*};

    /// Keeps its text for as long as somebody looks at it.
    #[pyclass(module = "spikard._spikard", frozen)]
    struct View(Bytes);

    #[pymethods]
    impl View {
        /// # Safety
        ///
        /// As the protocol of buffers has it: `view` is there to be filled.
        unsafe fn __getbuffer__(owner: &Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
            const READ_ONLY: c_int = 1;
            let text = &owner.get().0;
            let (start, length) = (text.as_ptr().cast_mut().cast(), text.len().cast_signed());
            // SAFETY: `view` is valid; the text neither moves nor changes, and the view holds a reference to its owner.
            match unsafe { ffi::PyBuffer_FillInfo(view, owner.as_ptr(), start, length, READ_ONLY, flags) } {
                0 => Ok(()),
                _ => Err(PyErr::fetch(owner.py())),
            }
        }
    }

    pub(crate) fn lend<'py>(py: Python<'py>, text: &Bytes) -> PyResult<Bound<'py, PyAny>> {
        Ok(Bound::new(py, View(text.clone()))?.into_any())
    }
}

#[cfg(feature = "abi3")]
mod copied {
    use bytes::Bytes;
    use pyo3::{prelude::*, types::PyBytes};

    #[allow(clippy::unnecessary_wraps, reason = "the other one fails where there is no memory")]
    pub(crate) fn lend<'py>(py: Python<'py>, text: &Bytes) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyBytes::new(py, text).into_any())
    }
}
