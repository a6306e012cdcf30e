//! Streams: the next piece of one, and its end before its time.

use bytes::Bytes;
use pyo3::{
    exceptions::{PyStopAsyncIteration, PyStopIteration, PyTypeError},
    intern,
    prelude::*,
    types::{PyByteArray, PyBytes, PyString},
};
use smallvec::smallvec;
use spikard_core::{Error, HostId};
use spikard_ffi::Reply;

use super::Owes;
use crate::{
    convert,
    engine::{
        Loop,
        host::{Code, Kind},
        job::Job,
    },
};

pub(super) fn is_async(job: &Job, py: Python<'_>, stream: HostId) -> bool {
    job.values.get(py, stream).is_some_and(|stream| kind(py, &stream) == Kind::Async)
}

/// How the steps of an iterator are called.
fn kind(py: Python<'_>, stream: &Py<PyAny>) -> Kind {
    let asynchronous = stream.bind(py).hasattr(intern!(py, "__anext__")).unwrap_or(false);
    if asynchronous { Kind::Async } else { Kind::Thread }
}

pub(super) fn pull(job: &mut Job, py: Python<'_>, here: &Loop, id: HostId, reply: Reply<Option<Bytes>>) {
    let Some(stream) = job.values.get(py, id) else {
        return reply.fail(Error::internal("there is no such stream"));
    };
    let kind = kind(py, &stream);
    let name = if kind == Kind::Async { intern!(py, "__anext__") } else { intern!(py, "__next__") };
    match stream.getattr(py, name) {
        Ok(next) => {
            job.call(py, here, Code { function: &next, kind, keywords: None }, smallvec![], Owes::Pull(id, reply));
        }
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}

pub(super) fn settle_pull(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    stream: HostId,
    reply: Reply<Option<Bytes>>,
    result: PyResult<Py<PyAny>>,
) {
    let name = || job.values.get(py, stream).map_or_else(String::new, |stream| here.host.name_of(py, &stream));
    match result.and_then(|piece| bytes(piece.into_bound(py), name)) {
        Ok(piece) => reply.ok(Some(piece)),
        Err(end) if end.is_instance_of::<PyStopAsyncIteration>(py) || end.is_instance_of::<PyStopIteration>(py) => {
            reply.ok(None);
        }
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}

fn bytes(piece: Bound<'_, PyAny>, name: impl FnOnce() -> String) -> PyResult<Bytes> {
    if let Ok(text) = piece.cast::<PyString>() {
        return Ok(Bytes::copy_from_slice(text.to_cow()?.as_bytes()));
    }
    let piece = match piece.cast_into::<PyBytes>() {
        Ok(bytes) => return Ok(convert::content(bytes)),
        Err(other) => other.into_inner(),
    };
    if let Ok(bytes) = piece.cast::<PyByteArray>() {
        return Ok(bytes.to_vec().into());
    }
    let given = piece.get_type().name()?;
    Err(PyTypeError::new_err(format!("the stream {} has to yield str or bytes, got {given}", name())))
}

/// Closes an iterator that has not come to its end; what cannot be closed needs nothing.
pub(super) fn finish(job: &mut Job, py: Python<'_>, here: &Loop, stream: HostId, reply: Reply<()>) {
    let Some(stream) = job.values.get(py, stream) else { return reply.ok(()) };
    let kind = kind(py, &stream);
    let name = if kind == Kind::Async { intern!(py, "aclose") } else { intern!(py, "close") };
    match stream.bind(py).getattr_opt(name) {
        Ok(Some(close)) => {
            let code = Code { function: close.as_unbound(), kind, keywords: None };
            job.call(py, here, code, smallvec![], Owes::Done(reply));
        }
        Ok(None) => reply.ok(()),
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}
