//! Hooks on the way in and on the way out.

use pyo3::{exceptions::PyTypeError, prelude::*};
use smallvec::smallvec;
use spikard_core::{CallableId, Error, Flow, Request, Response};
use spikard_ffi::Reply;

use super::{Owes, background, callable};
use crate::{
    convert,
    engine::{
        Loop,
        job::Stage,
        request::{self, RequestHead},
        response::{self, ResponseHead},
    },
};

pub(super) fn before(on: &mut Stage<'_, '_>, hook: CallableId, request: Request, reply: Reply<Flow<Request>>) {
    let callable = match callable(on, hook) {
        Ok(callable) => callable,
        Err(missing) => return reply.fail(missing),
    };
    let Some(head) = &request.head else { return reply.fail(Error::internal("a hook was called without a head")) };
    match request::object(on, head) {
        Ok(object) => on.call(callable.code(), smallvec![object.into_any()], Owes::Before(hook, request, reply)),
        Err(raised) => reply.fail(on.raised(raised)),
    }
}

/// None goes on, and so does a `Request`; anything else is the answer.
pub(super) fn settle_before(
    on: &mut Stage<'_, '_>,
    (hook, mut request): (CallableId, Request),
    reply: Reply<Flow<Request>>,
    value: &Bound<'_, PyAny>,
) {
    let mut flow = || {
        if let Ok(other) = value.cast::<RequestHead>() {
            on.job.values.keep_request(other.clone().unbind());
        } else if !value.is_none() {
            return answer(on, (hook, "a Request, a Response, (body, status)"), value).map(Flow::Respond);
        }
        request.head = Some(request::seen(on)?);
        Ok(Flow::Continue(std::mem::take(&mut request)))
    };
    let flow = flow();
    on.answer(reply, flow);
}

pub(super) fn after(on: &mut Stage<'_, '_>, hook: CallableId, response: Response, reply: Reply<Flow<Response>>) {
    let callable = match callable(on, hook) {
        Ok(callable) => callable,
        Err(missing) => return reply.fail(missing),
    };
    match response::object(on.py, on.here, response) {
        Ok(made) => {
            let owes = Owes::After(hook, made.clone_ref(on.py), reply);
            let mut argv: convert::Argv = smallvec![made.into_any()];
            if callable.takes_two() {
                argv.insert(0, on.job.values.request(on.py).map_or_else(|| on.py.None(), Py::into_any));
            }
            on.call(callable.code(), argv, owes);
        }
        Err(raised) => reply.fail(on.raised(raised)),
    }
}

/// The response that the hook was shown goes on, or another that it returned.
pub(super) fn settle_after(
    on: &mut Stage<'_, '_>,
    (hook, made): (CallableId, &Py<ResponseHead>),
    reply: Reply<Flow<Response>>,
    value: &Bound<'_, PyAny>,
) {
    let response = if value.is_none() || value.is(made) {
        response::seen(made.bind(on.py))
    } else {
        answer(on, (hook, "a Response, (body, status)"), value)
    };
    let response = background::attach(on, response);
    on.answer(reply, response.map(Flow::Continue));
}

/// A `Response`, or what a tuple says as it does of a handler.
fn answer(on: &mut Stage<'_, '_>, (hook, what): (CallableId, &str), value: &Bound<'_, PyAny>) -> PyResult<Response> {
    let made = on.here.host.from_hook.bind(on.py).call1((value,))?;
    if made.is_none() {
        return Err(misfit(on.here, hook, what, value));
    }
    convert::parts(on.py, &mut on.job.values, &made)
}

fn misfit(here: &Loop, hook: CallableId, what: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let given = value.get_type().name().map_or_else(|_| "another object".to_owned(), |name| format!("a {name}"));
    let callable = here.host.callable(hook).expect("it was called");
    let hook = here.host.name_of(value.py(), &callable.function);
    PyTypeError::new_err(format!("the hook {hook} has to return {what} or None, got {given}"))
}
