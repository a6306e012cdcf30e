//! Exception handlers: an error may become a response.

use std::sync::Arc;

use http::StatusCode;
use pyo3::{intern, prelude::*, types::PyTuple};
use smallvec::smallvec;
use spikard_core::{CallableId, Error, Head, Response};
use spikard_ffi::Reply;

use super::{Owes, answer, background, callable};
use crate::{
    convert,
    engine::{Loop, host::Kind, job::Job, request},
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
pub(super) fn chosen(
    job: &Job,
    py: Python<'_>,
    here: &Loop,
    id: CallableId,
    error: &Error,
) -> PyResult<Option<CallableId>> {
    let Some(callable) = here.host.callable(id).filter(|callable| callable.kind == Kind::Chooser) else {
        return Ok(Some(id));
    };
    let Some(exception) = error.exception.and_then(|id| job.values.get(py, id)) else { return Ok(None) };
    let chosen: Option<u32> = callable.function.call1(py, (exception,))?.extract(py)?;
    Ok(chosen.map(CallableId))
}

pub(super) fn begin(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    handler: CallableId,
    (error, head): (Error, Option<Arc<Head>>),
    reply: Reply<Option<Response>>,
) {
    let chosen = match chosen(job, py, here, handler, &error) {
        Ok(Some(chosen)) => chosen,
        Ok(None) => return reply.ok(None),
        Err(raised) => return reply.fail(job.raised(py, here, raised)),
    };
    let callable = match callable(here, chosen) {
        Ok(callable) => callable,
        Err(missing) => return reply.fail(missing),
    };
    let status = error.status_code();
    let given = exception(job, py, here, &error).and_then(|exception| {
        let Some(head) = head else { return Ok((py.None(), exception)) };
        Ok((request::object(job, py, here, &head)?.into_any(), exception))
    });
    match given {
        Ok((request, exception)) => {
            let handling = Handling { handler: chosen, status, exception: exception.clone_ref(py) };
            job.call(py, here, callable.code(), smallvec![request, exception], Owes::Recover(handling, reply));
        }
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}

/// The very object that was raised, or what says the same of an error of the framework.
fn exception(job: &Job, py: Python<'_>, here: &Loop, error: &Error) -> PyResult<Py<PyAny>> {
    if let Some(raised) = error.exception.and_then(|id| job.values.get(py, id)) {
        return Ok(raised);
    }
    let headers: Vec<_> =
        error.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or(""))).collect();
    let made = here.host.framework_error.bind(py);
    Ok(made.call1((error.status_code().as_u16(), &error.told()[..], headers))?.unbind())
}

pub(super) fn settle(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    handling: &Handling,
    reply: Reply<Option<Response>>,
    value: &Bound<'_, PyAny>,
) {
    let made = made(job, py, here, handling, value).inspect_err(|raised| handling.chain(py, raised));
    let made = background::attach(job, py, made);
    answer(job, py, here, reply, made.map(Some));
}

/// A plain value is sent with the error's own status.
fn made(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    handling: &Handling,
    value: &Bound<'_, PyAny>,
) -> PyResult<Response> {
    let callable = here.host.callable(handling.handler).expect("it was called");
    let mut response = convert::response(py, &here.host, callable, &mut job.values, value)?;
    let says_its_own = value.is_instance(here.host.response.bind(py))? || value.is_exact_instance_of::<PyTuple>();
    if !says_its_own {
        response.status = handling.status;
    }
    Ok(response)
}
