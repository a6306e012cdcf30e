//! Exception handlers: an error may become a response.

use std::sync::Arc;

use http::StatusCode;
use pyo3::{intern, prelude::*, types::PyTuple};
use smallvec::smallvec;
use spikard_core::{CallableId, Error, Head, Response};
use spikard_ffi::Reply;

use super::{Owes, background, callable};
use crate::{
    convert,
    engine::{host::Kind, job::Stage, request},
};

/// An error that a handler has been asked about.
pub(in crate::engine) struct Handling {
    handler: CallableId,
    /// The error's own.
    status: StatusCode,
    exception: Py<PyAny>,
}

impl Handling {
    /// Whoever reads the log of a handler's failure sees what it was called for.
    pub(super) fn chain(&self, py: Python<'_>, raised: &PyErr) {
        let failure = raised.value(py);
        let context = failure.getattr(intern!(py, "__context__"));
        if !failure.is(&self.exception) && context.is_ok_and(|context| context.is_none()) {
            let _ = failure.setattr(intern!(py, "__context__"), &self.exception);
        }
    }
}

/// Who handles it: the callable itself, or what the chooser of classes answers for the exception.
pub(super) fn chosen(on: &Stage<'_, '_>, id: CallableId, error: &Error) -> PyResult<Option<CallableId>> {
    let py = on.py;
    let Some(callable) = on.here.host.callable(id).filter(|callable| callable.kind == Kind::Chooser) else {
        return Ok(Some(id));
    };
    let Some(exception) = error.exception.and_then(|id| on.job.values.get(py, id)) else { return Ok(None) };
    let chosen: Option<u32> = callable.function.call1(py, (exception,))?.extract(py)?;
    Ok(chosen.map(CallableId))
}

pub(super) fn begin(
    on: &mut Stage<'_, '_>,
    handler: CallableId,
    (error, head): (Error, Option<Arc<Head>>),
    reply: Reply<Option<Response>>,
) {
    let chosen = match chosen(on, handler, &error) {
        Ok(Some(chosen)) => chosen,
        Ok(None) => return reply.ok(None),
        Err(raised) => return reply.fail(on.raised(raised)),
    };
    let callable = match callable(on, chosen) {
        Ok(callable) => callable,
        Err(missing) => return reply.fail(missing),
    };
    let (py, status) = (on.py, error.status_code());
    let given = exception(on, &error).and_then(|exception| {
        let Some(head) = head else { return Ok((py.None(), exception)) };
        Ok((request::object(on, &head)?.into_any(), exception))
    });
    match given {
        Ok((request, exception)) => {
            let handling = Handling { handler: chosen, status, exception: exception.clone_ref(py) };
            on.call(callable.code(), smallvec![request, exception], Owes::Recover(handling, reply));
        }
        Err(raised) => reply.fail(on.raised(raised)),
    }
}

/// The very object that was raised, or what says the same of an error of the framework.
fn exception(on: &Stage<'_, '_>, error: &Error) -> PyResult<Py<PyAny>> {
    let py = on.py;
    if let Some(raised) = error.exception.and_then(|id| on.job.values.get(py, id)) {
        return Ok(raised);
    }
    let headers: Vec<_> =
        error.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or(""))).collect();
    let made = on.here.host.framework_error.bind(py);
    Ok(made.call1((error.status_code().as_u16(), &error.told()[..], headers))?.unbind())
}

pub(super) fn settle(
    on: &mut Stage<'_, '_>,
    handling: &Handling,
    reply: Reply<Option<Response>>,
    value: &Bound<'_, PyAny>,
) {
    let made = made(on, handling, value).inspect_err(|raised| handling.chain(on.py, raised));
    let made = background::attach(on, made);
    on.answer(reply, made.map(Some));
}

/// A plain value is sent with the error's own status.
fn made(on: &mut Stage<'_, '_>, handling: &Handling, value: &Bound<'_, PyAny>) -> PyResult<Response> {
    let callable = on.here.host.callable(handling.handler).expect("it was called");
    let mut response = convert::response(on.py, &on.here.host, callable, &mut on.job.values, value)?;
    let says_its_own = value.is_instance(on.here.host.response.bind(on.py))? || value.is_exact_instance_of::<PyTuple>();
    if !says_its_own {
        response.status = handling.status;
    }
    Ok(response)
}
