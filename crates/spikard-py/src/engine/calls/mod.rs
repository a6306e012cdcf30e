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
use spikard_core::{Args, CallableId, Error, Flow, HostId, Request, Response};
use spikard_ffi::{Call, Reply};

use super::{
    host::{Callable, Kind},
    job::Stage,
    response::ResponseHead,
};
use crate::{convert, error::Failure};

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
pub(super) fn needs_task(on: &Stage<'_, '_>, call: &Call) -> bool {
    let called = match call {
        Call::Before { hook, .. } | Call::After { hook, .. } => *hook,
        Call::Provide { provider, .. } => *provider,
        Call::Handle { handler, .. } => *handler,
        Call::Pull { stream, .. } => return stream::is_async(on, *stream),
        Call::Finish { value, .. } => return finish::is_async(on, *value),
        Call::Run { task, .. } => return background::is_async(on, *task),
        Call::Recover { handler, error, .. } => match recover::chosen(on, *handler, error) {
            Ok(Some(chosen)) => chosen,
            Ok(None) | Err(_) => return false,
        },
        _ => return false,
    };
    on.here.host.callable(called).is_some_and(|callable| callable.kind == Kind::Async)
}

pub(super) fn begin(on: &mut Stage<'_, '_>, call: Call) {
    match call {
        Call::Before { hook, request, reply, .. } => hook::before(on, hook, request, reply),
        Call::Bind { args, reply } => bind::begin(on, args, reply),
        Call::Provide { provider, args, lasting, reply } => {
            provide::begin(on, provider, lasting, args, reply);
        }
        Call::Finish { value, outcome, reply } => finish::begin(on, value, outcome, reply),
        Call::Handle { handler, args, reply } => handle::begin(on, handler, args, reply),
        Call::Recover { handler, error, head, reply } => {
            recover::begin(on, handler, (error, head), reply);
        }
        Call::After { hook, response, reply, .. } => hook::after(on, hook, response, reply),
        Call::Pull { stream, reply } => stream::pull(on, stream, reply),
        Call::Run { task, reply } => background::run(on, task, reply),
        Call::Report { report, reply } => report::begin(on, &report, reply),
        // Dropped, it is answered 500.
        other => drop(other),
    }
}

/// User code returned: its value becomes the answer.
pub(super) fn settle(on: &mut Stage<'_, '_>, owes: Owes, result: PyResult<Py<PyAny>>) {
    if result.is_err() && !matches!(owes, Owes::Done(_) | Owes::Finish(..) | Owes::Pull(..)) {
        background::forget(on);
    }
    let (owes, result) = match owes {
        Owes::Provide(making, reply) => return provide::settle(on, making, reply, result),
        Owes::Finish(ending, reply) => return finish::settle(on, &ending, reply, result),
        Owes::Pull(stream, reply) => return stream::settle_pull(on, stream, reply, result),
        owes => (owes, result),
    };
    let value = match result {
        Ok(value) => value.into_bound(on.py),
        Err(raised) => {
            if let Owes::Recover(handling, _) = &owes {
                handling.chain(on.py, &raised);
            }
            return owes.fail(on.raised(raised));
        }
    };
    match owes {
        Owes::Before(hook, request, reply) => hook::settle_before(on, (hook, request), reply, &value),
        Owes::Handle(handler, reply) => handle::settle(on, handler, reply, &value),
        Owes::Recover(handling, reply) => recover::settle(on, &handling, reply, &value),
        Owes::After(hook, made, reply) => hook::settle_after(on, (hook, &made), reply, &value),
        Owes::Done(reply) => reply.ok(()),
        // What they raise may be no failure.
        Owes::Provide(..) | Owes::Finish(..) | Owes::Pull(..) => unreachable!("settled above"),
    }
}

/// The callable of a call, or the error that answers it.
fn callable<'a>(on: &Stage<'a, '_>, id: CallableId) -> Result<&'a Callable, Error> {
    on.here.host.callable(id).ok_or_else(|| Error::internal(format!("there is no callable {}", id.0)))
}

impl Stage<'_, '_> {
    /// Answers with what was made of a value, or with what that raised.
    fn answer<T>(&mut self, reply: Reply<T>, made: PyResult<T>) {
        match made {
            Ok(made) => reply.ok(made),
            Err(raised) => reply.fail(self.raised(raised)),
        }
    }

    /// Calls a callable with bound arguments.
    fn call_bound(&mut self, callable: &Callable, args: Args, owes: Owes) {
        let argv = convert::arguments(self, callable, args);
        self.job.values.keep_uploads(&self.here.host.uploads);
        match argv {
            Ok(argv) => self.call(callable.code(), argv, owes),
            Err(Failure::Raised(raised)) => settle(self, owes, Err(raised)),
            Err(Failure::Refused(refused)) => owes.fail(*refused),
        }
    }
}
