//! Hooks on the way in and on the way out.

use pyo3::{exceptions::PyTypeError, prelude::*};
use smallvec::smallvec;
use spikard_core::{CallableId, Error, Flow, Request, Response};
use spikard_ffi::Reply;

use super::{Owes, answer, background, callable};
use crate::{
    convert,
    engine::{
        Loop,
        job::Job,
        request::{self, RequestHead},
        response::{self, ResponseHead},
    },
};

pub(super) fn before(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    hook: CallableId,
    request: Request,
    reply: Reply<Flow<Request>>,
) {
    let callable = match callable(here, hook) {
        Ok(callable) => callable,
        Err(missing) => return reply.fail(missing),
    };
    let Some(head) = &request.head else { return reply.fail(Error::internal("a hook was called without a head")) };
    match request::object(job, py, here, head) {
        Ok(object) => {
            job.call(py, here, callable.code(), smallvec![object.into_any()], Owes::Before(hook, request, reply));
        }
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}

/// None goes on, and so does a `Request`; a `Response` is the answer.
pub(super) fn settle_before(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    (hook, request): (CallableId, Request),
    reply: Reply<Flow<Request>>,
    value: &Bound<'_, PyAny>,
) {
    let flow = flow(job, py, here, (hook, request), value);
    answer(job, py, here, reply, flow);
}

fn flow(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    (hook, mut request): (CallableId, Request),
    value: &Bound<'_, PyAny>,
) -> PyResult<Flow<Request>> {
    if let Ok(other) = value.cast::<RequestHead>() {
        job.values.keep_request(other.clone().unbind());
    } else if value.is_instance(here.host.response.bind(py))? {
        return Ok(Flow::Respond(convert::parts(py, &mut job.values, value)?));
    } else if !value.is_none() {
        return Err(misfit(here, hook, "a Request, a Response", value));
    }
    request.head = Some(request::seen(job, py)?);
    Ok(Flow::Continue(request))
}

pub(super) fn after(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    hook: CallableId,
    response: Response,
    reply: Reply<Flow<Response>>,
) {
    let callable = match callable(here, hook) {
        Ok(callable) => callable,
        Err(missing) => return reply.fail(missing),
    };
    match response::object(py, here, response) {
        Ok(made) => {
            let owes = Owes::After(hook, made.clone_ref(py), reply);
            let mut argv: convert::Argv = smallvec![made.into_any()];
            if callable.takes_two() {
                argv.insert(0, job.values.request(py).map_or_else(|| py.None(), Py::into_any));
            }
            job.call(py, here, callable.code(), argv, owes);
        }
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}

/// The response that the hook was shown goes on, or another that it returned.
pub(super) fn settle_after(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    (hook, made): (CallableId, &Py<ResponseHead>),
    reply: Reply<Flow<Response>>,
    value: &Bound<'_, PyAny>,
) {
    let response = if value.is_none() || value.is(made) {
        response::seen(made.bind(py))
    } else if value.is_instance(here.host.response.bind(py)).unwrap_or(false) {
        convert::parts(py, &mut job.values, value)
    } else {
        Err(misfit(here, hook, "a Response", value))
    };
    let response = background::attach(job, py, response);
    answer(job, py, here, reply, response.map(Flow::Continue));
}

fn misfit(here: &Loop, hook: CallableId, what: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let given = value.get_type().name().map_or_else(|_| "another object".to_owned(), |name| format!("a {name}"));
    let callable = here.host.callable(hook).expect("it was called");
    let hook = here.host.name_of(value.py(), &callable.function);
    PyTypeError::new_err(format!("the hook {hook} has to return {what} or None, got {given}"))
}
