//! How a Task is made so that its first step runs at once: with `eager_start` from 3.12 on; before, by catching the
//! step that its constructor schedules. Where asyncio's private names are not what they were, the step waits a tick.

use std::cell::Cell;

use pyo3::{intern, prelude::*, types::PyDict};

use super::capture::{Step, capture, catch_registration, list};
use crate::{engine::task::Coro, vectorcall};

/// Makes the Tasks of one loop.
pub(crate) struct Tasks {
    class: Py<PyAny>,
    /// What every Task is made with, but its coroutine and its context. Out while a Task is made.
    keywords: Cell<Option<Py<PyDict>>>,
    /// From 3.12 on. Before, a Task copies the current context: to give it one costs more.
    eager_start: bool,
    /// The loop's attributes, where `call_soon` is replaced for a moment.
    captured: Option<Py<PyDict>>,
}

impl Tasks {
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let eager_start = py.version_info() >= (3, 12);
        let attributes =
            event_loop.getattr_opt(intern!(py, "__dict__"))?.and_then(|dict| dict.cast_into::<PyDict>().ok());
        Ok(Self {
            class: py.import("asyncio")?.getattr("Task")?.unbind(),
            keywords: Cell::new(None),
            eager_start,
            captured: attributes.filter(|_| !eager_start && catch_registration(py)).map(Bound::unbind),
        })
    }

    /// Makes a Task in this context. `suspended` tells whether it still lives after its first step.
    pub(crate) fn make(
        &self,
        py: Python<'_>,
        event_loop: &Py<PyAny>,
        coro: &Py<Coro>,
        context: &Py<PyAny>,
        suspended: &dyn Fn() -> bool,
    ) -> PyResult<Py<PyAny>> {
        let construct = || self.construct(py, event_loop, coro, context);
        let Some(attributes) = &self.captured else {
            return if self.eager_start { construct() } else { vectorcall::in_context(py, context, construct)? };
        };
        let captured = || capture(py, event_loop, attributes.bind(py), construct);
        let (task, step) = vectorcall::in_context(py, context, captured)??;
        let Some(Step { step, context: of_step, .. }) = step else { return Ok(task) };
        let context = of_step.as_ref().unwrap_or(context);
        vectorcall::in_context(py, context, || step.call0(py))??;
        if suspended() {
            list(py, &task)?;
        }
        Ok(task)
    }

    /// One dict serves all Tasks: the names of a vector call would be gathered into a new one each time.
    fn construct(
        &self,
        py: Python<'_>,
        event_loop: &Py<PyAny>,
        coro: &Py<Coro>,
        context: &Py<PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let keywords = match self.keywords.take() {
            Some(keywords) => keywords,
            None => self.keywords(py, event_loop)?,
        };
        if self.eager_start {
            keywords.bind(py).set_item(intern!(py, "context"), context)?;
        }
        let task = self.class.call(py, (coro,), Some(keywords.bind(py)));
        if self.eager_start {
            keywords.bind(py).set_item(intern!(py, "context"), py.None())?; // or the last request's would stay
        }
        let before = self.keywords.replace(Some(keywords));
        drop(before);
        task
    }

    fn keywords(&self, py: Python<'_>, event_loop: &Py<PyAny>) -> PyResult<Py<PyDict>> {
        let keywords = PyDict::new(py);
        keywords.set_item(intern!(py, "loop"), event_loop)?;
        keywords.set_item(intern!(py, "name"), intern!(py, "request"))?;
        if self.eager_start {
            keywords.set_item(intern!(py, "eager_start"), true)?;
        }
        Ok(keywords.unbind())
    }
}
