//! The handler.

use pyo3::prelude::*;
use spikard_core::{Args, CallableId, Response};
use spikard_ffi::Reply;

use super::{Owes, background, callable};
use crate::{convert, engine::job::Stage};

pub(super) fn begin(on: &mut Stage<'_, '_>, handler: CallableId, args: Args, reply: Reply<Response>) {
    match callable(on, handler) {
        Ok(callable) => on.call_bound(callable, args, Owes::Handle(handler, reply)),
        Err(missing) => reply.fail(missing),
    }
}

pub(super) fn settle(on: &mut Stage<'_, '_>, handler: CallableId, reply: Reply<Response>, value: &Bound<'_, PyAny>) {
    let callable = on.here.host.callable(handler).expect("it was called");
    let made = convert::response(on.py, &on.here.host, callable, &mut on.job.values, value);
    let made = background::attach(on, made);
    on.answer(reply, made);
}
