//! One real `asyncio.Task` per request, and the coroutine that it drives.

use pyo3::{PyTraverseError, PyVisit, exceptions::PyStopIteration, intern, prelude::*, types::PyTuple};

use super::{
    Loop, capture, find,
    job::{Job, Stop},
    slots::Parked,
};

/// The coroutine, written in Rust: each step goes on with the request until something has to be awaited.
/// `&mut self` is pyo3's checked borrow: user code that reaches this object through its Task cannot re-enter it.
#[pyclass(name = "RequestCoroutine", module = "spikard._spikard")]
pub(crate) struct Coro {
    job: Box<Job>,
    /// The future that the Task awaits when the request waits for something that is not a coroutine.
    waits: Option<Py<PyAny>>,
}

#[pymethods]
impl Coro {
    // Of the object, not of the borrowed job: `repr(task)` asks while a step runs.
    #[getter]
    fn __name__(_slf: &Bound<'_, Self>) -> &'static str {
        "request"
    }

    #[getter]
    fn __qualname__(_slf: &Bound<'_, Self>) -> &'static str {
        "request"
    }

    fn __await__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.go_on(py, None)
    }

    fn send(&mut self, py: Python<'_>, _value: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.go_on(py, None)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    #[pyo3(signature = (*args))]
    fn throw(&mut self, py: Python<'_>, args: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        // Cancelled while it waits for the pool or for the work, there is nobody to throw it into.
        let coroutine = self.job.coroutine().map(|coroutine| coroutine.bind(py));
        let thrown = coroutine.map(|coroutine| coroutine.call_method1(intern!(py, "throw"), args).map(Bound::unbind));
        self.go_on(py, thrown)?.ok_or_else(|| PyStopIteration::new_err(()))
    }

    fn close(&mut self, py: Python<'_>) {
        let here = find(self.job.key);
        self.job.abandon(py, here.as_deref());
        if let Some(Parked::Task { task, .. }) = here.and_then(|here| here.slots.take(self.job.ticket)) {
            capture::give_up(py, &task);
        }
    }

    // While a step runs, the borrow is taken: then there is nothing to say but that it runs.
    #[getter]
    fn cr_running(slf: &Bound<'_, Self>) -> bool {
        slf.try_borrow().is_err()
    }

    #[getter]
    fn cr_frame(slf: &Bound<'_, Self>) -> Option<Py<PyAny>> {
        Self::of_coroutine(slf, "cr_frame")
    }

    #[getter]
    fn cr_code(slf: &Bound<'_, Self>) -> Option<Py<PyAny>> {
        Self::of_coroutine(slf, "cr_code")
    }

    #[getter]
    fn cr_await(slf: &Bound<'_, Self>) -> Option<Py<PyAny>> {
        let this = slf.try_borrow().ok()?;
        this.job.coroutine().or(this.waits.as_ref()).map(|awaited| awaited.clone_ref(slf.py()))
    }

    #[expect(clippy::needless_pass_by_value, reason = "pyo3's signature")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.waits)?;
        self.job.visit(&visit)
    }
}

impl Coro {
    /// What the user's coroutine of the moment says of itself.
    fn of_coroutine(slf: &Bound<'_, Self>, attribute: &str) -> Option<Py<PyAny>> {
        let this = slf.try_borrow().ok()?;
        this.job.coroutine()?.bind(slf.py()).getattr(attribute).ok().map(Bound::unbind)
    }

    fn go_on(&mut self, py: Python<'_>, thrown: Option<PyResult<Py<PyAny>>>) -> PyResult<Option<Py<PyAny>>> {
        self.waits = None;
        // The worker is closed: nobody waits for the request any more, and its Task ends.
        let Some(here) = find(self.job.key) else { return thrown.transpose() };
        let stop = self.job.advance(py, &here, true, thrown);
        here.process.end_fork(py, None);
        let interrupt = self.job.take_interrupt();
        if interrupt.is_some() && !self.job.has_ended() {
            self.job.abandon(py, Some(&here));
        }
        if self.job.has_ended() {
            if let Some(Parked::Task { task, .. }) = here.slots.take(self.job.ticket) {
                capture::unlist(py, &task);
            }
            self.job.let_go();
        }
        if let Some(interrupt) = interrupt {
            // Not out of the Task: asyncio would say of it that nobody has looked at its exception.
            here.inbox.bell().raise(interrupt);
            return Ok(None);
        }
        match stop? {
            Stop::Yielded(value) => Ok(Some(value)),
            Stop::Waits => self.wait(py, &here).map(Some),
            Stop::Ended | Stop::NeedsTask => Ok(None),
        }
    }

    fn wait(&mut self, py: Python<'_>, here: &Loop) -> PyResult<Py<PyAny>> {
        let future = here.host.create_future.call0(py)?;
        future.setattr(py, intern!(py, "_asyncio_future_blocking"), true)?;
        self.waits = Some(future.clone_ref(py));
        Ok(future)
    }

    /// A result from the pool: the Task goes on at its next tick.
    pub(crate) fn returned(&mut self, py: Python<'_>, result: PyResult<Py<PyAny>>) -> PyResult<()> {
        self.job.returned(result);
        self.resolve(py)
    }

    /// The work was woken. True: cancel the Task.
    pub(crate) fn woken(&mut self, py: Python<'_>, here: &Loop) -> PyResult<bool> {
        if !self.job.is_active() {
            return self.resolve(py).map(|()| false);
        }
        let cancel = self.job.step_aside(py, here);
        if self.job.has_ended() {
            if let Some(Parked::Task { task, .. }) = here.slots.take(self.job.ticket) {
                capture::give_up(py, &task);
            }
            self.resolve(py)?;
        }
        Ok(cancel)
    }

    pub(crate) fn abandon(&mut self, py: Python<'_>, here: &Loop) {
        self.job.abandon(py, Some(here));
    }

    fn resolve(&mut self, py: Python<'_>) -> PyResult<()> {
        match self.waits.take() {
            Some(future) if !future.call_method0(py, intern!(py, "done"))?.is_truthy(py)? => {
                future.call_method1(py, intern!(py, "set_result"), (py.None(),)).map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// Hands the request to a Task, whose first step runs at once where asyncio allows it.
pub(crate) fn spawn(py: Python<'_>, here: &Loop, job: Box<Job>, context: &Py<PyAny>) -> PyResult<()> {
    let ticket = job.ticket;
    let coro = Py::new(py, Coro { job, waits: None })?;
    let task = here.tasks.make(py, &here.host.event_loop, &coro, context, &|| !coro.borrow(py).job.has_ended())?;
    if !coro.borrow(py).job.has_ended() {
        drop(here.slots.put(ticket, Parked::Task { coro, task }));
    }
    Ok(())
}
