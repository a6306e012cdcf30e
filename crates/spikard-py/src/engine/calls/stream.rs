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
        host::{Code, Kind},
        job::Stage,
    },
};

pub(super) fn is_async(on: &Stage<'_, '_>, stream: HostId) -> bool {
    on.job.values.get(on.py, stream).is_some_and(|stream| kind(on.py, &stream) == Kind::Async)
}

/// How the steps of an iterator are called.
fn kind(py: Python<'_>, stream: &Py<PyAny>) -> Kind {
    let asynchronous = stream.bind(py).hasattr(intern!(py, "__anext__")).unwrap_or(false);
    if asynchronous { Kind::Async } else { Kind::Thread }
}

pub(super) fn pull(on: &mut Stage<'_, '_>, id: HostId, reply: Reply<Option<Bytes>>) {
    let py = on.py;
    let Some(stream) = on.job.values.get(py, id) else {
        return reply.fail(Error::internal("there is no such stream"));
    };
    let kind = kind(py, &stream);
    let name = if kind == Kind::Async { intern!(py, "__anext__") } else { intern!(py, "__next__") };
    match stream.getattr(py, name) {
        Ok(next) => {
            on.call(Code { function: &next, kind, keywords: None }, smallvec![], Owes::Pull(id, reply));
        }
        Err(raised) => reply.fail(on.raised(raised)),
    }
}

pub(super) fn settle_pull(
    on: &mut Stage<'_, '_>,
    stream: HostId,
    reply: Reply<Option<Bytes>>,
    result: PyResult<Py<PyAny>>,
) {
    let py = on.py;
    let name = || on.job.values.get(py, stream).map_or_else(String::new, |stream| on.here.host.name_of(py, &stream));
    match result.and_then(|piece| bytes(piece.into_bound(py), name)) {
        Ok(piece) => reply.ok(Some(piece)),
        Err(end) if end.is_instance_of::<PyStopAsyncIteration>(py) || end.is_instance_of::<PyStopIteration>(py) => {
            reply.ok(None);
        }
        Err(raised) => reply.fail(on.raised(raised)),
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
pub(super) fn finish(on: &mut Stage<'_, '_>, stream: HostId, reply: Reply<()>) {
    let py = on.py;
    let Some(stream) = on.job.values.get(py, stream) else { return reply.ok(()) };
    let kind = kind(py, &stream);
    let name = if kind == Kind::Async { intern!(py, "aclose") } else { intern!(py, "close") };
    match stream.bind(py).getattr_opt(name) {
        Ok(Some(close)) => {
            let code = Code { function: close.as_unbound(), kind, keywords: None };
            on.call(code, smallvec![], Owes::Done(reply));
        }
        Ok(None) => reply.ok(()),
        Err(raised) => reply.fail(on.raised(raised)),
    }
}
