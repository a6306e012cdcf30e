//! Background tasks: taking them over from a request, and running one.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::{intern, prelude::*, types::PyList};
use smallvec::smallvec;
use spikard_core::{Error, HostId, Response};
use spikard_ffi::Reply;

use super::Owes;
use crate::{
    engine::{
        Loop,
        host::{Code, Kind},
        job::Stage,
    },
    vectorcall,
};

/// Whether `spikard.background` has been imported: before that, nobody can ask for a task.
static USED: AtomicBool = AtomicBool::new(false);

/// `spikard.background` has been imported.
#[pyfunction]
pub(crate) fn use_background() {
    USED.store(true, Ordering::Relaxed);
}

/// What one request has asked for so far; None where nobody can ask.
pub(crate) type Scope = Option<Py<PyList>>;

/// Has a new request notice what it asks for. `context` is its own.
pub(crate) fn open(py: Python<'_>, here: &Loop, context: &Py<PyAny>) -> PyResult<Scope> {
    if !USED.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let scope = here.host.scope.bind(py).call0()?;
    vectorcall::in_context(py, context, || vectorcall::call_one(py, &here.host.set_scope, &scope))??;
    Ok(Some(scope.cast_into::<PyList>()?.unbind()))
}

/// What has been asked for since the last time. Most requests ask for nothing.
fn take(py: Python<'_>, scope: &Scope) -> PyResult<Vec<Py<PyAny>>> {
    let Some(scope) = scope.as_ref().map(|scope| scope.bind(py)).filter(|scope| !scope.is_empty()) else {
        return Ok(Vec::new());
    };
    let tasks: Vec<Py<PyAny>> = scope.iter().map(Bound::unbind).collect();
    scope.del_slice(0, tasks.len())?; // another thread may have asked for more meanwhile
    Ok(tasks)
}

/// What the request has asked for runs when this response has been sent, and not at all if there is none.
pub(super) fn attach(on: &mut Stage<'_, '_>, made: PyResult<Response>) -> PyResult<Response> {
    let tasks = take(on.py, &on.job.scope)?;
    let mut response = made?;
    response.tasks.extend(tasks.into_iter().map(|task| on.job.values.keep(task)));
    Ok(response)
}

/// Takes back what a request has asked for that fails.
pub(super) fn forget(on: &Stage<'_, '_>) {
    if let Err(raised) = take(on.py, &on.job.scope) {
        raised.write_unraisable(on.py, None);
    }
}

/// The request is over: what is asked for from now on runs at once, and so does what nobody has taken.
pub(crate) fn close(py: Python<'_>, here: &Loop, scope: &Scope) {
    let Some(open) = scope else { return };
    let closed = open.setattr(py, intern!(py, "is_over"), true).and_then(|()| take(py, scope));
    let begin = |late: Vec<_>| here.host.begin_late.call1(py, (late,)).map(drop);
    let begun = closed.and_then(|late| if late.is_empty() { Ok(()) } else { begin(late) });
    if let Err(raised) = begun {
        raised.write_unraisable(py, None);
    }
}

pub(super) fn is_async(on: &Stage<'_, '_>, task: HostId) -> bool {
    let py = on.py;
    let task = on.job.values.get(py, task);
    task.is_some_and(|task| task.getattr(py, intern!(py, "is_async")).and_then(|is| is.is_truthy(py)).unwrap_or(false))
}

pub(super) fn run(on: &mut Stage<'_, '_>, task: HostId, reply: Reply<()>) {
    let kind = if is_async(on, task) { Kind::Async } else { Kind::Thread };
    let py = on.py;
    let Some(task) = on.job.values.get(py, task) else { return reply.fail(Error::internal("there is no such task")) };
    let begun = task.setattr(py, intern!(py, "place"), py.None()); // it waits no more
    match begun.and_then(|()| task.getattr(py, intern!(py, "start"))) {
        Ok(start) => {
            on.call(Code { function: &start, kind, keywords: None }, smallvec![], Owes::Done(reply));
        }
        Err(raised) => reply.fail(on.raised(raised)),
    }
}
