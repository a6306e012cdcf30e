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
        host::{Code, Kind},
        job::Stage,
        values::lasts,
    },
};

/// A generator on its way to its end.
pub(crate) struct Ending {
    outcome: Outcome,
    generator: Py<PyAny>,
    thrown: Option<Py<PyAny>>,
}

pub(super) fn is_async(on: &Stage<'_, '_>, value: HostId) -> bool {
    let open = if lasts(value) { on.here.lasting.borrow().kind(value) } else { on.job.values.kind(value) };
    open.map_or_else(|| stream::is_async(on, value), |kind| kind == Kind::Async)
}

pub(super) fn begin(on: &mut Stage<'_, '_>, value: HostId, outcome: Outcome, reply: Reply<()>) {
    let open = if lasts(value) { on.here.lasting.borrow_mut().close(value) } else { on.job.values.close(value) };
    let Some((generator, kind)) = open else { return stream::finish(on, value, reply) };
    match step(on, &generator, kind, outcome) {
        Ok((function, argv)) => {
            let code = Code { function: &function, kind, keywords: None };
            let thrown = argv.first().map(|thrown| thrown.clone_ref(on.py));
            let ending = Ending { outcome, generator, thrown };
            on.call(code, argv, Owes::Finish(ending, reply));
        }
        Err(raised) => reply.fail(on.raised(raised)),
    }
}

fn step(on: &Stage<'_, '_>, generator: &Py<PyAny>, kind: Kind, outcome: Outcome) -> PyResult<(Py<PyAny>, Argv)> {
    let py = on.py;
    let exception = match outcome {
        Outcome::Returned | Outcome::Sent(_) => return Ok((next(py, generator, kind)?, smallvec![])),
        Outcome::Raised(raised) => raised.and_then(|id| on.job.values.get(py, id)),
        Outcome::Cancelled(_) => {
            uncancel(on)?;
            Some(on.here.host.cancelled_error.call0(py)?)
        }
    };
    let failed = || PyRuntimeError::new_err("the request failed").into_value(py).into_any();
    let throw = if kind == Kind::Async { intern!(py, "athrow") } else { intern!(py, "throw") };
    Ok((generator.getattr(py, throw)?, smallvec![exception.unwrap_or_else(failed)]))
}

/// The cancellation is spent: clean-up may use time-outs and task groups.
fn uncancel(on: &Stage<'_, '_>) -> PyResult<()> {
    let py = on.py;
    let task = on.here.host.current_task.bind(py).call0()?;
    let Some(cancelling) = task.getattr_opt(intern!(py, "cancelling"))? else { return Ok(()) };
    while cancelling.call0()?.is_truthy()? {
        task.call_method0(intern!(py, "uncancel"))?;
    }
    Ok(())
}

pub(super) fn settle(on: &mut Stage<'_, '_>, ending: &Ending, reply: Reply<()>, result: PyResult<Py<PyAny>>) {
    let (py, here) = (on.py, on.here);
    let cancelled = |raised: &PyErr| {
        matches!(ending.outcome, Outcome::Cancelled(_)) && raised.is_instance(py, here.host.cancelled_error.bind(py))
    };
    let thrown = |raised: &PyErr| ending.thrown.as_ref().is_some_and(|thrown| raised.value(py).is(thrown));
    match result {
        Err(raised) if is_end(py, &raised) => reply.ok(()),
        // What was thrown in, let through.
        Err(raised) if cancelled(&raised) => reply.ok(()),
        Err(raised) if thrown(&raised) => {
            background::forget(on);
            reply.ok(());
        }
        Err(raised) => {
            background::forget(on);
            reply.fail(on.raised(raised));
        }
        Ok(_) => {
            let name = here.host.name_of(py, &ending.generator);
            let twice = PyRuntimeError::new_err(format!("the dependency {name} has to yield once, and did again"));
            reply.fail(on.raised(twice));
        }
    }
}
