//! One request on the loop's thread: a trampoline between its work and the user's code.

use pyo3::{exceptions::PyStopIteration, intern, prelude::*, types::PyTuple};
use spikard_core::Error;
use spikard_ffi::{Call, Step, Ticket};

use super::{
    Key, Loop, awaiting,
    awaiting::Sent,
    calls::{self, Owes, background},
    host::{Code, Kind},
    pool,
    values::Values,
};
use crate::{
    convert::Argv,
    error::{self, Failure},
    vectorcall,
};

pub(crate) struct Job {
    pub(crate) key: Key,
    pub(crate) ticket: Ticket,
    /// The work has ended. What is still active has been given up.
    ended: bool,
    /// Asked for by the work, not begun.
    next: Option<Call>,
    /// Begun, not ended.
    active: Option<Active>,
    pub(crate) values: Values,
    pub(super) scope: background::Scope,
    /// Ctrl-C reached user code: it goes on to the loop when the request has its answer.
    interrupt: Option<PyErr>,
}

struct Active {
    on: On,
    owes: Owes,
}

/// Where user code runs.
enum On {
    Coroutine(Py<PyAny>),
    Thread { context: Py<PyAny>, result: Option<PyResult<Py<PyAny>>> },
}

/// Where `advance` stopped.
pub(crate) enum Stop {
    /// The request is over.
    Ended,
    /// The next call is a coroutine: only a Task may step it.
    NeedsTask,
    /// The user's coroutine yielded this to the Task.
    Yielded(Py<PyAny>),
    /// The pool, or the work, will wake it.
    Waits,
}

/// A request at work: on the loop's thread, and attached.
pub(crate) struct Stage<'a, 'py> {
    pub(crate) py: Python<'py>,
    pub(crate) here: &'a Loop,
    pub(crate) job: &'a mut Job,
}

impl Job {
    /// `values`: those of the work that spawned this one.
    pub(crate) fn new(key: Key, ticket: Ticket, values: Values, scope: background::Scope) -> Self {
        Self { key, ticket, ended: false, next: None, active: None, values, scope, interrupt: None }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(crate) fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// The user's coroutine of the moment.
    pub(crate) fn coroutine(&self) -> Option<&Py<PyAny>> {
        match &self.active {
            Some(Active { on: On::Coroutine(coroutine), .. }) => Some(coroutine),
            _ => None,
        }
    }

    /// What a pool thread returned.
    pub(crate) fn returned(&mut self, returned: PyResult<Py<PyAny>>) {
        if let Some(Active { on: On::Thread { result, .. }, .. }) = &mut self.active {
            *result = Some(returned);
        }
    }

    pub(crate) fn take_interrupt(&mut self) -> Option<PyErr> {
        self.interrupt.take()
    }

    /// Gives the request up: its connection gets a 500, its coroutine is closed.
    pub(crate) fn abandon(&mut self, py: Python<'_>, here: Option<&Loop>) {
        self.ended = true;
        if let Some(here) = here {
            here.driver.forget(self.ticket);
        }
        let active = self.active.take();
        if let Some(Active { on: On::Coroutine(coroutine), .. }) = &active
            && let Err(raised) = coroutine.call_method0(py, intern!(py, "close"))
        {
            raised.write_unraisable(py, Some(coroutine.bind(py)));
        }
        self.let_go();
    }

    /// What a request held goes when it has ended, not when its Task dies: a value may hold the Task.
    pub(crate) fn let_go(&mut self) {
        if self.active.is_none() {
            drop((std::mem::take(&mut self.values), self.next.take()));
        }
    }

    pub(crate) fn visit(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.values.visit(visit)?;
        visit.call(&self.scope)?;
        match self.active.as_ref().map(|active| &active.on) {
            Some(On::Coroutine(coroutine)) => visit.call(coroutine),
            Some(On::Thread { context, .. }) => visit.call(context),
            None => Ok(()),
        }
    }

    /// Goes on until the request ends or has to wait. `thrown` is what the user's coroutine did with an exception
    /// that the Task threw into it. An error comes out only when the work has given the call up.
    pub(crate) fn advance(
        &mut self,
        py: Python<'_>,
        here: &Loop,
        in_task: bool,
        mut thrown: Option<PyResult<Py<PyAny>>>,
    ) -> PyResult<Stop> {
        let on = &mut Stage { py, here, job: self };
        loop {
            if let Some(active) = &mut on.job.active {
                let result = match active.on.resume(py, thrown.take()) {
                    Sent::Yielded(value) => return Ok(Stop::Yielded(value)),
                    Sent::Waits => return Ok(if on.job.ended { Stop::Ended } else { Stop::Waits }),
                    Sent::Returned(result) => result,
                };
                let owes = on.job.active.take().expect("just seen").owes;
                if on.job.ended {
                    return result.map(|_| Stop::Ended); // nobody listens
                }
                calls::settle(on, owes, result);
            }
            let Some(call) = on.job.next.take() else {
                match here.driver.step(on.job.ticket) {
                    Step::Call(call) => on.job.next = Some(call),
                    Step::Waiting => return Ok(Stop::Waits),
                    Step::Spawn(work) => here.spawn(work, on.job.values.share(), vectorcall::copy_context(py)?),
                    Step::Cancel(_) => (), // nothing is open
                    Step::Ended => return Ok(on.end()),
                }
                continue;
            };
            if !in_task && calls::needs_task(on, &call) {
                on.job.next = Some(call);
                return Ok(Stop::NeedsTask);
            }
            calls::begin(on, call);
        }
    }

    /// The work was woken while user code is suspended. True: the user's coroutine is to be cancelled. No user code
    /// runs in a step, so this may be done outside of the Task.
    pub(crate) fn step_aside(&mut self, py: Python<'_>, here: &Loop) -> bool {
        match here.driver.step(self.ticket) {
            Step::Cancel(_) => return self.cancel(py, here),
            Step::Ended => self.ended = true,
            Step::Call(call) => self.next = Some(call),
            Step::Waiting | Step::Spawn(_) => (),
        }
        false
    }

    /// A call on the pool that runs is waited for; one that has not begun never will.
    fn cancel(&mut self, py: Python<'_>, here: &Loop) -> bool {
        if self.coroutine().is_some() {
            return true;
        }
        if let Some(task) = here.pool.revoke(self.ticket) {
            drop(task);
            let cancelled = here.host.cancelled_error.bind(py).call0();
            here.pool.tell(self.ticket, cancelled.and_then(|error| Err(PyErr::from_value(error))));
        }
        false
    }
}

impl Stage<'_, '_> {
    fn end(&mut self) -> Stop {
        self.job.ended = true;
        background::close(self.py, self.here, &self.job.scope);
        Stop::Ended
    }

    /// Calls a piece of user code; when it returns, what is owed is settled.
    pub(super) fn call(&mut self, code: Code<'_>, argv: Argv, owes: Owes) {
        match self.start(code, argv) {
            Ok(Begun::On(on)) => self.job.active = Some(Active { on, owes }),
            Ok(Begun::Returned(value)) => calls::settle(self, owes, Ok(value)),
            Err(raised) => calls::settle(self, owes, Err(raised)),
        }
    }

    fn start(&self, code: Code<'_>, argv: Argv) -> PyResult<Begun> {
        let (py, here) = (self.py, self.here);
        let Code { function, kind, keywords } = code;
        if kind == Kind::Thread {
            let context = vectorcall::copy_context(py)?;
            let (ticket, function) = (self.job.ticket, function.clone_ref(py));
            let keywords = keywords.map(|keywords| keywords.clone_ref(py));
            here.pool.give(pool::Task { ticket, function, argv, keywords, context: context.clone_ref(py) })?;
            return Ok(Begun::On(On::Thread { context, result: None }));
        }
        let value = vectorcall::call(py, function, &argv, keywords)?;
        match kind {
            Kind::Async => Ok(Begun::On(On::Coroutine(awaiting::steps(py, &here.host.coroutine, value)?))),
            _ => Ok(Begun::Returned(value)),
        }
    }

    /// What user code raised, kept so that the very object can be thrown, handled and reported.
    pub(super) fn raised(&mut self, raised: PyErr) -> Error {
        let (py, here) = (self.py, self.here);
        here.process.end_fork(py, Some(&raised));
        let mut error = error::raised(py, &here.host, &raised);
        if error::interrupts(py, &raised) {
            self.job.interrupt = Some(raised);
        } else {
            error.exception = Some(self.job.values.keep(raised.into_value(py).into_any()));
        }
        error
    }

    /// Why a call has no value.
    pub(super) fn failed(&mut self, failure: Failure) -> Error {
        match failure {
            Failure::Raised(raised) => self.raised(raised),
            Failure::Refused(refused) => *refused,
        }
    }
}

enum Begun {
    On(On),
    Returned(Py<PyAny>),
}

impl On {
    fn resume(&mut self, py: Python<'_>, thrown: Option<PyResult<Py<PyAny>>>) -> Sent {
        match (self, thrown) {
            (On::Coroutine(_), Some(Ok(yielded))) => Sent::Yielded(yielded),
            (On::Coroutine(_), Some(Err(raised))) if raised.is_instance_of::<PyStopIteration>(py) => {
                Sent::Returned(raised.value(py).getattr(intern!(py, "value")).map(Bound::unbind))
            }
            (On::Coroutine(_), Some(Err(raised))) => Sent::Returned(Err(raised)),
            (On::Coroutine(coroutine), None) => awaiting::send(py, coroutine),
            (On::Thread { context, result }, _) => match result.take() {
                Some(result) => {
                    if let Err(broken) = take_over(py, context) {
                        broken.write_unraisable(py, None);
                    }
                    Sent::Returned(result)
                }
                None => Sent::Waits,
            },
        }
    }
}

/// What a pool thread changed in its copy is set in the request's own context, which is the current one.
fn take_over(py: Python<'_>, copy: &Py<PyAny>) -> PyResult<()> {
    let copy = copy.bind(py);
    if copy.len()? == 0 {
        return Ok(());
    }
    for item in copy.call_method0(intern!(py, "items"))?.try_iter()? {
        let item = item?.cast_into::<PyTuple>()?;
        let (variable, value) = (item.get_borrowed_item(0)?, item.get_borrowed_item(1)?);
        let current = variable.call_method1(intern!(py, "get"), (copy,))?;
        if !current.is(&*value) {
            variable.call_method1(intern!(py, "set"), (value,))?;
        }
    }
    Ok(())
}
