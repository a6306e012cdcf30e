//! The requests of one loop that wait for something, by ticket. All Python objects of a request live here or in its
//! Task, so they are dropped on the loop's thread, attached, and never inside a waker or a `Drop` of another thread.

use pyo3::prelude::*;
use spikard_ffi::Ticket;

use super::{job::Job, task::Coro};

/// A request that waits.
pub(crate) enum Parked {
    /// No Task yet: no coroutine was met.
    Bare { job: Box<Job>, context: Py<PyAny> },
    /// asyncio refers to its Tasks weakly: this keeps it.
    Task { coro: Py<Coro>, task: Py<PyAny> },
}

pub(crate) type Slots = spikard_ffi::Slots<Parked>;

/// Takes a bare request out in order to drive it; of one with a Task, both objects. None if the request is over: late wakes
/// are normal.
pub(crate) fn take(py: Python<'_>, slots: &Slots, ticket: Ticket) -> Option<Parked> {
    let of_task = slots.with(ticket, |parked| match parked {
        Parked::Task { coro, task } => Some(Parked::Task { coro: coro.clone_ref(py), task: task.clone_ref(py) }),
        Parked::Bare { .. } => None,
    })?;
    of_task.or_else(|| slots.take(ticket))
}

/// The Tasks of all that wait, as far as they have one.
pub(crate) fn tasks(py: Python<'_>, slots: &Slots) -> Vec<Py<PyAny>> {
    slots.collect(|parked| match parked {
        Parked::Task { task, .. } => Some(task.clone_ref(py)),
        Parked::Bare { .. } => None,
    })
}
