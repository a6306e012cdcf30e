//! A generator goes on behind its `yield`, or sees there what ended the request.

use pyo3::{exceptions::PyRuntimeError, intern, prelude::*};
use smallvec::smallvec;
use spikard_core::{HostId, Outcome};
use spikard_ffi::Reply;

use super::{
    Owes, background,
    provide::{is_end, next},
    stream,
};
use crate::{
    convert::Argv,
    engine::{
        Loop,
        host::{Code, Kind},
        job::Job,
        values::lasts,
    },
};

/// A generator on its way to its end.
pub(crate) struct Ending {
    outcome: Outcome,
    generator: Py<PyAny>,
}

pub(super) fn is_async(job: &Job, py: Python<'_>, here: &Loop, value: HostId) -> bool {
    let open = if lasts(value) { here.lasting.borrow().kind(value) } else { job.values.kind(value) };
    open.map_or_else(|| stream::is_async(job, py, value), |kind| kind == Kind::Async)
}

pub(super) fn begin(job: &mut Job, py: Python<'_>, here: &Loop, value: HostId, outcome: Outcome, reply: Reply<()>) {
    let open = if lasts(value) { here.lasting.borrow_mut().close(value) } else { job.values.close(value) };
    let Some((generator, kind)) = open else { return stream::finish(job, py, here, value, reply) };
    match step(job, py, here, &generator, kind, outcome) {
        Ok((function, argv)) => {
            let code = Code { function: &function, kind, keywords: None };
            let ending = Ending { outcome, generator };
            job.call(py, here, code, argv, Owes::Finish(ending, reply));
        }
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}

fn step(
    job: &Job,
    py: Python<'_>,
    here: &Loop,
    generator: &Py<PyAny>,
    kind: Kind,
    outcome: Outcome,
) -> PyResult<(Py<PyAny>, Argv)> {
    let exception = match outcome {
        Outcome::Returned | Outcome::Sent(_) => return Ok((next(py, generator, kind)?, smallvec![])),
        Outcome::Raised(raised) => raised.and_then(|id| job.values.get(py, id)),
        Outcome::Cancelled(_) => {
            uncancel(py, here)?;
            Some(here.host.cancelled_error.call0(py)?)
        }
    };
    let failed = || PyRuntimeError::new_err("the request failed").into_value(py).into_any();
    let throw = if kind == Kind::Async { intern!(py, "athrow") } else { intern!(py, "throw") };
    Ok((generator.getattr(py, throw)?, smallvec![exception.unwrap_or_else(failed)]))
}

/// The cancellation is spent: clean-up may use time-outs and task groups.
fn uncancel(py: Python<'_>, here: &Loop) -> PyResult<()> {
    let task = here.host.current_task.bind(py).call0()?;
    let Some(cancelling) = task.getattr_opt(intern!(py, "cancelling"))? else { return Ok(()) };
    while cancelling.call0()?.is_truthy()? {
        task.call_method0(intern!(py, "uncancel"))?;
    }
    Ok(())
}

pub(super) fn settle(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    ending: &Ending,
    reply: Reply<()>,
    result: PyResult<Py<PyAny>>,
) {
    let cancelled = |raised: &PyErr| raised.is_instance(py, here.host.cancelled_error.bind(py));
    match result {
        Err(raised) if is_end(py, &raised) => reply.ok(()),
        // What was thrown in, let through.
        Err(raised) if matches!(ending.outcome, Outcome::Cancelled(_)) && cancelled(&raised) => reply.ok(()),
        Err(raised) => {
            background::forget(job, py);
            reply.fail(job.raised(py, here, raised));
        }
        Ok(_) => {
            let name = here.host.name_of(py, &ending.generator);
            let twice = PyRuntimeError::new_err(format!("the dependency {name} has to yield once, and did again"));
            reply.fail(job.raised(py, here, twice));
        }
    }
}
