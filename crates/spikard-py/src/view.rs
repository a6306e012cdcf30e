//! The text of a body as a buffer that decoders read in place: a copy of a large one costs more than most of its decoding
//! does, in new pages that go back to the system with it.

use std::ffi::c_int;

use bytes::Bytes;
use pyo3::{ffi, prelude::*};

/// Keeps its text for as long as somebody looks at it.
#[pyclass(module = "spikard._spikard", frozen)]
pub(crate) struct View(pub(crate) Bytes);

#[cfg(not(feature = "abi3"))]
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
