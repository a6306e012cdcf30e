//! The kinds of call, one file each: how a call begins, and how what user code returns becomes its answer.

pub(crate) mod background;
mod bind;
mod finish;
mod handle;
mod hook;
mod provide;
mod recover;
mod report;
mod stream;

use bytes::Bytes;
use pyo3::prelude::*;
use spikard_core::{CallableId, Error, Flow, HostId, Request, Response};
use spikard_ffi::{Call, Reply};

use super::{
    Loop,
    host::{Callable, Kind},
    job::Job,
    response::ResponseHead,
};

/// What has to be answered when user code returns.
pub(super) enum Owes {
    Before(CallableId, Request, Reply<Flow<Request>>),
    Provide(provide::Making, Reply<HostId>),
    Handle(CallableId, Reply<Response>),
    Recover(recover::Handling, Reply<Option<Response>>),
    After(CallableId, Py<ResponseHead>, Reply<Flow<Response>>),
    Finish(finish::Ending, Reply<()>),
    Pull(HostId, Reply<Option<Bytes>>),
    /// A call that has no result.
    Done(Reply<()>),
}

impl Owes {
    fn fail(self, error: Error) {
        match self {
            Owes::Before(_, _, reply) => reply.fail(error),
            Owes::Provide(_, reply) => reply.fail(error),
            Owes::Handle(_, reply) => reply.fail(error),
            Owes::Recover(_, reply) => reply.fail(error),
            Owes::After(_, _, reply) => reply.fail(error),
            Owes::Pull(_, reply) => reply.fail(error),
            Owes::Finish(_, reply) | Owes::Done(reply) => reply.fail(error),
        }
    }
}

/// Only what has to be awaited needs a Task. A callable that is not there is found out when it is called.
pub(super) fn needs_task(job: &Job, py: Python<'_>, here: &Loop, call: &Call) -> bool {
    let called = match call {
        Call::Before { hook, .. } | Call::After { hook, .. } => *hook,
        Call::Provide { provider, .. } => *provider,
        Call::Handle { handler, .. } => *handler,
        Call::Pull { stream, .. } => return stream::is_async(job, py, *stream),
        Call::Finish { value, .. } => return finish::is_async(job, py, here, *value),
        Call::Run { task, .. } => return background::is_async(job, py, *task),
        Call::Recover { handler, error, .. } => match recover::chosen(job, py, here, *handler, error) {
            Ok(Some(chosen)) => chosen,
            Ok(None) | Err(_) => return false,
        },
        _ => return false,
    };
    here.host.callable(called).is_some_and(|callable| callable.kind == Kind::Async)
}

pub(super) fn begin(job: &mut Job, py: Python<'_>, here: &Loop, call: Call) {
    match call {
        Call::Before { hook, request, reply, .. } => hook::before(job, py, here, hook, request, reply),
        Call::Bind { args, reply } => bind::begin(job, py, here, args, reply),
        Call::Provide { provider, args, lasting, reply } => {
            provide::begin(job, py, here, provider, lasting, args, reply);
        }
        Call::Finish { value, outcome, reply } => finish::begin(job, py, here, value, outcome, reply),
        Call::Handle { handler, args, reply } => handle::begin(job, py, here, handler, args, reply),
        Call::Recover { handler, error, head, reply } => {
            recover::begin(job, py, here, handler, (error, head), reply);
        }
        Call::After { hook, response, reply, .. } => hook::after(job, py, here, hook, response, reply),
        Call::Pull { stream, reply } => stream::pull(job, py, here, stream, reply),
        Call::Run { task, reply } => background::run(job, py, here, task, reply),
        Call::Report { report, reply } => report::begin(job, py, here, &report, reply),
        // Dropped, it is answered 500.
        other => drop(other),
    }
}

/// User code returned: its value becomes the answer.
pub(super) fn settle(job: &mut Job, py: Python<'_>, here: &Loop, owes: Owes, result: PyResult<Py<PyAny>>) {
    if result.is_err() && !matches!(owes, Owes::Done(_) | Owes::Finish(..) | Owes::Pull(..)) {
        background::forget(job, py);
    }
    let (owes, result) = match owes {
        Owes::Provide(making, reply) => return provide::settle(job, py, here, making, reply, result),
        Owes::Finish(ending, reply) => return finish::settle(job, py, here, &ending, reply, result),
        Owes::Pull(stream, reply) => return stream::settle_pull(job, py, here, stream, reply, result),
        owes => (owes, result),
    };
    let value = match result {
        Ok(value) => value.into_bound(py),
        Err(raised) => {
            if let Owes::Recover(handling, _) = &owes {
                handling.chain(py, &raised);
            }
            return owes.fail(job.raised(py, here, raised));
        }
    };
    match owes {
        Owes::Before(hook, request, reply) => hook::settle_before(job, py, here, (hook, request), reply, &value),
        Owes::Handle(handler, reply) => handle::settle(job, py, here, handler, reply, &value),
        Owes::Recover(handling, reply) => recover::settle(job, py, here, &handling, reply, &value),
        Owes::After(hook, made, reply) => hook::settle_after(job, py, here, (hook, &made), reply, &value),
        Owes::Done(reply) => reply.ok(()),
        // What they raise may be no failure.
        Owes::Provide(..) | Owes::Finish(..) | Owes::Pull(..) => unreachable!("settled above"),
    }
}

/// The callable of a call, or the error that answers it.
fn callable(here: &Loop, id: CallableId) -> Result<&Callable, Error> {
    here.host.callable(id).ok_or_else(|| Error::internal(format!("there is no callable {}", id.0)))
}

/// Answers with what was made of a value, or with what that raised.
fn answer<T>(job: &mut Job, py: Python<'_>, here: &Loop, reply: Reply<T>, made: PyResult<T>) {
    match made {
        Ok(made) => reply.ok(made),
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}

/// Calls a callable with bound arguments.
fn call_bound(job: &mut Job, py: Python<'_>, here: &Loop, callable: &Callable, args: spikard_core::Args, owes: Owes) {
    let argv = crate::convert::arguments(py, here, callable, args, job);
    job.values.keep_uploads(&here.host.uploads);
    match argv {
        Ok(argv) => job.call(py, here, callable.code(), argv, owes),
        Err(crate::error::Failure::Raised(raised)) => settle(job, py, here, owes, Err(raised)),
        Err(crate::error::Failure::Refused(refused)) => owes.fail(*refused),
    }
}
