//! Background tasks: taking them over from a request, and running one.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::{intern, prelude::*};
use smallvec::smallvec;
use spikard_core::{Error, HostId, Response};
use spikard_ffi::Reply;

use super::Owes;
use crate::{
    engine::{
        Loop,
        host::{Code, Kind},
        job::Job,
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

/// Has a new request notice what it asks for. `context` is its own.
pub(crate) fn open(py: Python<'_>, here: &Loop, context: &Py<PyAny>) -> PyResult<()> {
    if USED.load(Ordering::Relaxed) {
        vectorcall::in_context(py, context, || here.host.open_scope.call0(py))??;
    }
    Ok(())
}

/// What the request has asked for runs when this response has been sent, and not at all if there is none.
pub(super) fn attach(job: &mut Job, py: Python<'_>, here: &Loop, made: PyResult<Response>) -> PyResult<Response> {
    if !USED.load(Ordering::Relaxed) {
        return made;
    }
    let tasks: Vec<Py<PyAny>> = here.host.take_tasks.call0(py)?.extract(py)?;
    let mut response = made?;
    response.tasks.extend(tasks.into_iter().map(|task| job.values.keep(task)));
    Ok(response)
}

/// Takes back what a request has asked for that fails.
pub(super) fn forget(py: Python<'_>, here: &Loop) {
    if USED.load(Ordering::Relaxed)
        && let Err(raised) = here.host.take_tasks.call0(py)
    {
        raised.write_unraisable(py, None);
    }
}

/// What is asked for from now on runs at once.
pub(crate) fn close(py: Python<'_>, here: &Loop) {
    if USED.load(Ordering::Relaxed)
        && let Err(raised) = here.host.close_scope.call0(py)
    {
        raised.write_unraisable(py, None);
    }
}

pub(super) fn is_async(job: &Job, py: Python<'_>, task: HostId) -> bool {
    let task = job.values.get(py, task);
    task.is_some_and(|task| task.getattr(py, intern!(py, "is_async")).and_then(|is| is.is_truthy(py)).unwrap_or(false))
}

pub(super) fn run(job: &mut Job, py: Python<'_>, here: &Loop, task: HostId, reply: Reply<()>) {
    let kind = if is_async(job, py, task) { Kind::Async } else { Kind::Thread };
    let Some(task) = job.values.get(py, task) else { return reply.fail(Error::internal("there is no such task")) };
    let begun = task.setattr(py, intern!(py, "place"), py.None()); // it waits no more
    match begun.and_then(|()| task.getattr(py, intern!(py, "start"))) {
        Ok(start) => {
            job.call(py, here, Code { function: &start, kind, keywords: None }, smallvec![], Owes::Done(reply));
        }
        Err(raised) => reply.fail(job.raised(py, here, raised)),
    }
}
