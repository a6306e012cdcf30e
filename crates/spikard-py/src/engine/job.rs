//! One request on the loop's thread: a trampoline between its work and the user's code.

use pyo3::{exceptions::PyStopIteration, intern, prelude::*, types::PyTuple};
use smallvec::SmallVec;
use spikard_core::{Args, CallableId, Error, HostArg, HostId, Response};
use spikard_ffi::{Call, Reply, Report, Step, Ticket};

use super::{
    Key, Loop, awaiting,
    awaiting::Sent,
    host::{Callable, Kind},
    pool,
};
use crate::{
    convert,
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
    /// What the work knows by a `HostId`, which is an index.
    values: SmallVec<[Py<PyAny>; 2]>,
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

/// What has to be answered when user code returns.
enum Owes {
    Handle(CallableId, Reply<Response>),
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

impl Job {
    pub(crate) fn new(key: Key, ticket: Ticket) -> Self {
        Self { key, ticket, ended: false, next: None, active: None, values: SmallVec::new(), interrupt: None }
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
        self.values.iter().try_for_each(|value| visit.call(value))?;
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
        loop {
            if let Some(active) = &mut self.active {
                let result = match active.on.resume(py, thrown.take()) {
                    Sent::Yielded(value) => return Ok(Stop::Yielded(value)),
                    Sent::Waits if self.ended => return Ok(Stop::Ended),
                    Sent::Waits => return Ok(Stop::Waits),
                    Sent::Returned(result) => result,
                };
                let owes = self.active.take().expect("just seen").owes;
                if self.ended {
                    return result.map(|_| Stop::Ended); // nobody listens
                }
                self.settle(py, here, owes, result);
            }
            let Some(call) = self.next.take() else {
                match here.driver.step(self.ticket) {
                    Step::Call(call) => self.next = Some(call),
                    Step::Waiting => return Ok(Stop::Waits),
                    Step::Cancel(_) | Step::Spawn(_) => (), // nothing is open; a work that is not accepted is dropped
                    Step::Ended => {
                        self.ended = true;
                        return Ok(Stop::Ended);
                    }
                }
                continue;
            };
            if !in_task && needs_task(here, &call) {
                self.next = Some(call);
                return Ok(Stop::NeedsTask);
            }
            self.begin(py, here, call);
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
            here.inbox.returned.push((self.ticket, cancelled.and_then(|error| Err(PyErr::from_value(error)))));
            here.inbox.ring();
        }
        false
    }

    fn begin(&mut self, py: Python<'_>, here: &Loop, call: Call) {
        match call {
            Call::Handle { handler, args, reply } => self.handle(py, here, handler, args, reply),
            Call::Bind { args, reply } => self.bind(py, here, args, reply),
            Call::Report { report, reply } => {
                self.report(py, here, &report);
                reply.ok(());
            }
            // Dropped, it is answered 500.
            other => drop(other),
        }
    }

    fn handle(&mut self, py: Python<'_>, here: &Loop, handler: CallableId, args: Args, reply: Reply<Response>) {
        let Some(callable) = here.host.callable(handler) else {
            return reply.fail(Error::internal(format!("there is no callable {}", handler.0)));
        };
        let owes = Owes::Handle(handler, reply);
        let begun = convert::arguments(py, &here.host, callable, args, &self.values)
            .and_then(|argv| Ok(self.start(py, here, callable, argv)?));
        match begun {
            Ok(Begun::On(on)) => self.active = Some(Active { on, owes }),
            Ok(Begun::Returned(value)) => self.settle(py, here, owes, Ok(value)),
            Err(Failure::Raised(raised)) => self.settle(py, here, owes, Err(raised)),
            Err(Failure::Refused(refused)) => owes.fail(*refused),
        }
    }

    fn start(&self, py: Python<'_>, here: &Loop, callable: &Callable, argv: convert::Argv) -> PyResult<Begun> {
        let keywords = callable.keywords.as_ref();
        if callable.kind == Kind::Thread {
            let context = vectorcall::copy_context(py)?;
            let (ticket, function) = (self.ticket, callable.function.clone_ref(py));
            let keywords = keywords.map(|keywords| keywords.clone_ref(py));
            here.pool.give(pool::Task { ticket, function, argv, keywords, context: context.clone_ref(py) })?;
            return Ok(Begun::On(On::Thread { context, result: None }));
        }
        let value = vectorcall::call(py, &callable.function, &argv, keywords)?;
        match callable.kind {
            Kind::Async => Ok(Begun::On(On::Coroutine(awaiting::steps(py, &here.host.coroutine, value)?))),
            _ => Ok(Begun::Returned(value)),
        }
    }

    fn bind(&mut self, py: Python<'_>, here: &Loop, args: Vec<HostArg>, reply: Reply<Vec<HostId>>) {
        let first = self.values.len() as u32;
        for input in args {
            match convert::decode(py, &here.host, input) {
                Ok(value) => self.values.push(value),
                Err(Failure::Raised(raised)) => return reply.fail(self.raised(py, here, raised)),
                Err(Failure::Refused(refused)) => return reply.fail(*refused),
            }
        }
        reply.ok((first..self.values.len() as u32).map(HostId).collect());
    }

    fn report(&self, py: Python<'_>, here: &Loop, report: &Report) {
        let exception = report.exception.and_then(|HostId(id)| self.values.get(id as usize));
        let request_id = report.request_id.as_ref().map(ToString::to_string);
        let told = (exception, report.source.as_deref(), &*report.route, request_id);
        if let Err(broken) = here.host.report.call1(py, told) {
            broken.write_unraisable(py, None);
        }
    }

    /// User code returned: its value becomes the answer.
    fn settle(&mut self, py: Python<'_>, here: &Loop, owes: Owes, result: PyResult<Py<PyAny>>) {
        let Owes::Handle(handler, reply) = owes;
        let made = result.and_then(|value| {
            let callable = here.host.callable(handler).expect("it was called");
            convert::response(py, &here.host, callable, value.bind(py))
        });
        match made {
            Ok(response) => reply.ok(response),
            Err(raised) => reply.fail(self.raised(py, here, raised)),
        }
    }

    /// What user code raised, kept so that the very object can be thrown, handled and reported.
    fn raised(&mut self, py: Python<'_>, here: &Loop, raised: PyErr) -> Error {
        let mut error = error::raised(py, &here.host, &raised);
        if error::interrupts(py, &raised) {
            self.interrupt = Some(raised);
        } else {
            self.values.push(raised.into_value(py).into_any());
            error.exception = Some(HostId(self.values.len() as u32 - 1));
        }
        error
    }
}

enum Begun {
    On(On),
    Returned(Py<PyAny>),
}

impl Owes {
    fn fail(self, error: Error) {
        match self {
            Owes::Handle(_, reply) => reply.fail(error),
        }
    }
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

/// Only a coroutine needs a Task. A callable that is not there is found out when it is called.
fn needs_task(here: &Loop, call: &Call) -> bool {
    match call {
        Call::Handle { handler, .. } => {
            here.host.callable(*handler).is_some_and(|callable| callable.kind == Kind::Async)
        }
        _ => false,
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
