//! The handler.

use pyo3::prelude::*;
use spikard_core::{Args, CallableId, Response};
use spikard_ffi::Reply;

use super::{Owes, answer, background, call_bound, callable};
use crate::{
    convert,
    engine::{Loop, job::Job},
};

pub(super) fn begin(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    handler: CallableId,
    args: Args,
    reply: Reply<Response>,
) {
    match callable(here, handler) {
        Ok(callable) => call_bound(job, py, here, callable, args, Owes::Handle(handler, reply)),
        Err(missing) => reply.fail(missing),
    }
}

pub(super) fn settle(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    handler: CallableId,
    reply: Reply<Response>,
    value: &Bound<'_, PyAny>,
) {
    let callable = here.host.callable(handler).expect("it was called");
    let made = convert::response(py, &here.host, callable, &mut job.values, value);
    let made = background::attach(job, py, made);
    answer(job, py, here, reply, made);
}
