//! The requests of one loop that wait for something, by ticket. All Python objects of a request live here or in its
//! Task, so they are dropped on the loop's thread, attached, and never inside a waker or a `Drop` of another thread.

use std::cell::RefCell;

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

#[derive(Default)]
pub(crate) struct Slots(RefCell<Vec<Option<(Ticket, Parked)>>>);

impl Slots {
    pub(crate) fn park(&self, ticket: Ticket, parked: Parked) {
        let mut slots = self.0.borrow_mut();
        if slots.len() <= ticket.index() {
            slots.resize_with(ticket.index() + 1, || None);
        }
        let before = slots[ticket.index()].replace((ticket, parked));
        drop(slots);
        drop(before);
    }

    /// Takes a bare request out in order to drive it; of one with a Task, both objects. None if the request is over:
    /// late wakes are normal.
    pub(crate) fn take(&self, py: Python<'_>, ticket: Ticket) -> Option<Parked> {
        let mut slots = self.0.borrow_mut();
        let slot = slots.get_mut(ticket.index())?;
        match slot {
            Some((at, Parked::Task { coro, task })) if *at == ticket => {
                Some(Parked::Task { coro: coro.clone_ref(py), task: task.clone_ref(py) })
            }
            Some((at, Parked::Bare { .. })) if *at == ticket => slot.take().map(|(_, parked)| parked),
            _ => None,
        }
    }

    /// What is returned must be dropped by the caller: its destructors may run any code.
    #[must_use]
    pub(crate) fn free(&self, ticket: Ticket) -> Option<Parked> {
        let mut slots = self.0.borrow_mut();
        let slot = slots.get_mut(ticket.index())?;
        slot.take_if(|(at, _)| *at == ticket).map(|(_, parked)| parked)
    }

    /// The Tasks of all that wait, as far as they have one.
    pub(crate) fn tasks(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        let slots = self.0.borrow();
        let task = |slot: &Option<(Ticket, Parked)>| match slot {
            Some((_, Parked::Task { task, .. })) => Some(task.clone_ref(py)),
            _ => None,
        };
        slots.iter().filter_map(task).collect()
    }

    /// Everything that waits, once there will be no loop any more.
    #[must_use]
    pub(crate) fn empty(&self) -> Vec<Option<(Ticket, Parked)>> {
        self.0.take()
    }
}
