//! The loop's side of a worker: what begins, steps and ends its requests. Everything here belongs to one thread, the
//! loop's, which finds it again by the worker's key.

pub(crate) mod awaiting;
pub(crate) mod calls;
mod capture;
mod eager;
pub(crate) mod fork;
pub(crate) mod host;
pub(crate) mod job;
pub(crate) mod pool;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod slots;
mod task;
pub(crate) mod values;

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use pyo3::{intern, prelude::*, types::PyBytes};
use spikard_ffi::{Driver, Ticket, Work};
use spikard_http::{
    Apart,
    server::{BATCH, Home, due},
};

use self::{
    eager::Tasks,
    fork::Process,
    host::Host,
    job::{Job, Stop},
    pool::Pool,
    slots::{Parked, Slots},
    values::Values,
};
use crate::{
    error, exchange,
    runtime::{Answer, Inbox},
    vectorcall,
};

/// Why the loop calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Another thread rang the bell.
    Bell,
    /// Sockets are ready.
    Sockets,
    /// Work is left, or came up on the loop's own thread.
    Work,
}

/// Finds a worker's loop on the thread that it belongs to, and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    place: usize,
    /// Unique in the process: a key that is used on another thread finds nothing.
    serial: u64,
}

thread_local! {
    static LOOPS: RefCell<Vec<Option<Rc<Loop>>>> = const { RefCell::new(Vec::new()) };
}

/// Everything of one worker that lives on its loop's thread.
pub(crate) struct Loop {
    key: Key,
    pub(crate) process: Process,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) driver: Driver,
    pub(crate) host: Host,
    pub(crate) apart: Apart,
    pub(crate) pool: Arc<Pool>,
    pub(crate) slots: Slots,
    tasks: Tasks,
    /// What outlives the requests: singletons.
    pub(crate) lasting: RefCell<Values>,
    /// Works that requests have spawned, with what they see of these: never begun inside another's step.
    spawned: RefCell<VecDeque<(Work, Values, Py<PyAny>)>>,
    home: Home,
    /// Who asked in memory: a callable for each answer that is on its way.
    asking: RefCell<HashMap<u64, Py<PyAny>>>,
}

/// The loop of this key, if it belongs to this thread and has not been closed.
pub(crate) fn find(key: Key) -> Option<Rc<Loop>> {
    let found = LOOPS.with_borrow(|loops| loops.get(key.place)?.clone());
    found.filter(|found| found.key == key)
}

/// Puts a loop in the thread's list.
pub(crate) fn open(
    event_loop: &Bound<'_, PyAny>,
    host: Host,
    apart: Apart,
    inbox: Arc<Inbox>,
    threads: usize,
    home: Home,
) -> PyResult<Key> {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let (tasks, pool) = (Tasks::new(event_loop)?, Pool::new(inbox.clone(), threads));
    let (slots, lasting, spawned, asking) =
        (Slots::default(), RefCell::default(), RefCell::default(), RefCell::default());
    Ok(LOOPS.with_borrow_mut(|loops| {
        let place = loops.iter().position(Option::is_none).unwrap_or_else(|| {
            loops.push(None);
            loops.len() - 1
        });
        let key = Key { place, serial: SERIAL.fetch_add(1, Ordering::Relaxed) };
        let driver = Driver::new(inbox.clone());
        let process = Process::this();
        let here =
            Loop { key, process, inbox, driver, host, apart, pool, slots, tasks, lasting, spawned, home, asking };
        loops[place] = Some(Rc::new(here));
        key
    }))
}

/// Takes a loop out and ends what is left of its requests. False: `def` code still runs after `grace`.
pub(crate) fn close(py: Python<'_>, key: Key, grace: Option<Duration>) -> bool {
    let Some(here) = find(key) else { return true };
    here.home.close();
    for (_, parked) in here.slots.empty() {
        here.abandon(py, parked);
    }
    let joined = here.pool.close(py, grace);
    while let Some(work) = here.inbox.works.pop() {
        drop(work);
    }
    while let Some(returned) = here.pool.returned.pop() {
        drop(returned);
    }
    let (asking, spawned) = (here.asking.take(), here.spawned.take());
    let taken = LOOPS.with_borrow_mut(|loops| loops[key.place].take());
    // Destructors may run any code: nothing is borrowed any more.
    drop((asking, spawned, taken));
    joined
}

impl Loop {
    /// Deals with what has come, for a moment at most. What is left then, or when something is raised, is for the next turn.
    pub(crate) fn turn(self: &Rc<Self>, py: Python<'_>, cause: Cause) -> PyResult<()> {
        // First: a fork that heard the bell, which it shares, would have this process not hear it.
        self.process.end_fork(py, None);
        let turn = self.inbox.begin_turn(cause == Cause::Bell);
        if cause == Cause::Bell
            && let Some(raised) = self.inbox.bell().raised()
        {
            return Err(raised);
        }
        let is_done = self.home.turn(cause == Cause::Sockets, |until| {
            self.deal(py, until)?;
            Ok::<_, PyErr>(self.has_work())
        })?;
        if is_done {
            turn.end(|| self.has_work() || self.home.has_work());
        }
        Ok(())
    }

    fn has_work(&self) -> bool {
        !self.inbox.is_empty()
            || !self.pool.returned.is_empty()
            || self.driver.has_woken()
            || !self.spawned.borrow().is_empty()
    }

    /// In the order in which it can set something free.
    fn deal(self: &Rc<Self>, py: Python<'_>, until: Instant) -> PyResult<()> {
        for _ in 0..BATCH {
            let Some((ticket, result)) = self.pool.returned.pop() else { break };
            self.guard(py, ticket, self.returned(py, ticket, result))?;
        }
        // First, or whoever asked in memory would see an ordinary answer instead of what ends the loop.
        if !self.inbox.told.is_empty()
            && let Some(raised) = self.inbox.bell().raised()
        {
            return Err(raised);
        }
        for _ in 0..BATCH {
            let Some((number, answer)) = self.inbox.told.pop() else { break };
            self.answered(py, number, answer)?;
        }
        for ticket in self.driver.woken().take(BATCH) {
            self.guard(py, ticket, self.woken(py, ticket))?;
        }
        for _ in 0..BATCH {
            let Some((work, values, context)) = self.spawned.borrow_mut().pop_front() else { break };
            self.begin(py, work, values, Ok((context, None)))?;
        }
        for work in due(&self.inbox.works, until) {
            let opened = vectorcall::copy_context(py)
                .and_then(|context| calls::background::open(py, self, &context).map(|scope| (context, scope)));
            self.begin(py, work, Values::default(), opened)?;
        }
        Ok(())
    }

    /// Only what ends the program leaves the engine; anything else ends its request.
    fn guard(&self, py: Python<'_>, ticket: Ticket, done: PyResult<()>) -> PyResult<()> {
        self.process.end_fork(py, done.as_ref().err());
        let Err(raised) = done else { return Ok(()) };
        self.driver.forget(ticket);
        if let Some(Parked::Task { task, .. }) = self.slots.take(ticket) {
            capture::give_up(py, &task);
        }
        if error::interrupts(py, &raised) {
            return Err(raised);
        }
        raised.write_unraisable(py, None);
        Ok(())
    }

    /// Remembers a work that sees the host values of another, and runs in a copy of its context.
    pub(crate) fn spawn(&self, work: Work, values: Values, context: Py<PyAny>) {
        self.spawned.borrow_mut().push_back((work, values, context));
        self.inbox.ring();
    }

    fn begin(
        self: &Rc<Self>,
        py: Python<'_>,
        work: Work,
        values: Values,
        opened: PyResult<(Py<PyAny>, calls::background::Scope)>,
    ) -> PyResult<()> {
        let ticket = self.driver.accept(work);
        let begun = opened
            .and_then(|(context, scope)| self.bare(py, Box::new(Job::new(self.key, ticket, values, scope)), context));
        self.guard(py, ticket, begun)
    }

    /// Drives a request that has no Task (yet).
    fn bare(self: &Rc<Self>, py: Python<'_>, mut job: Box<Job>, context: Py<PyAny>) -> PyResult<()> {
        let ticket = job.ticket;
        let stop = vectorcall::in_context(py, &context, || job.advance(py, self, false, None))?;
        if let Some(interrupt) = job.take_interrupt() {
            return Err(interrupt);
        }
        match stop? {
            Stop::NeedsTask => return task::spawn(py, self, job, &context),
            Stop::Waits => drop(self.slots.put(ticket, Parked::Bare { job, context })),
            Stop::Ended | Stop::Yielded(_) => (),
        }
        Ok(())
    }

    fn returned(self: &Rc<Self>, py: Python<'_>, ticket: Ticket, result: PyResult<Py<PyAny>>) -> PyResult<()> {
        match slots::take(py, &self.slots, ticket) {
            Some(Parked::Bare { mut job, context }) => {
                job.returned(result);
                self.bare(py, job, context)
            }
            Some(Parked::Task { coro, .. }) => coro.try_borrow_mut(py)?.returned(py, result),
            None => Ok(()),
        }
    }

    fn woken(self: &Rc<Self>, py: Python<'_>, ticket: Ticket) -> PyResult<()> {
        match slots::take(py, &self.slots, ticket) {
            Some(Parked::Bare { mut job, context }) if job.is_active() => {
                job.step_aside(py, self);
                if !job.has_ended() {
                    drop(self.slots.put(ticket, Parked::Bare { job, context }));
                }
                Ok(())
            }
            Some(Parked::Bare { job, context }) => self.bare(py, job, context),
            Some(Parked::Task { coro, task }) => {
                let cancel = coro.try_borrow_mut(py)?.woken(py, self)?;
                if cancel {
                    task.call_method0(py, intern!(py, "cancel"))?;
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn abandon(&self, py: Python<'_>, parked: Parked) {
        match parked {
            Parked::Bare { mut job, .. } => job.abandon(py, Some(self)),
            Parked::Task { coro, task } => {
                // asyncio would complain that it is still pending, which nobody can change any more.
                let _ = task.setattr(py, intern!(py, "_log_destroy_pending"), false);
                capture::give_up(py, &task);
                if let Ok(mut coro) = coro.try_borrow_mut(py) {
                    coro.abandon(py, self);
                }
            }
        }
    }

    /// Remembers who is to be told an answer, by the number that the answer will bear.
    pub(crate) fn ask(&self, told: Py<PyAny>) -> u64 {
        let number = self.inbox.ask();
        self.asking.borrow_mut().insert(number, told);
        number
    }

    fn answered(&self, py: Python<'_>, number: u64, answer: Answer) -> PyResult<()> {
        let told = self.asking.borrow_mut().remove(&number);
        let Some(told) = told else { return Ok(()) };
        let called = match answer {
            Answer::Response(answer) => {
                let headers = answer.headers().iter();
                let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
                told.call1(py, (answer.status().as_u16(), headers, PyBytes::new(py, answer.body())))
            }
            Answer::Body(Ok(body)) => told.call1(py, (PyBytes::new(py, &body), 0, "")),
            Answer::Body(Err(error)) => {
                let detail = error.detail.as_deref().unwrap_or_default();
                told.call1(py, (py.None(), error.status_code().as_u16(), detail))
            }
            Answer::Broken => told.call1(py, (0, Vec::<()>::new(), PyBytes::new(py, b""))),
            Answer::Head(head) => exchange::head(py, head).and_then(|head| told.call1(py, head)),
            Answer::Piece(Some(piece)) => told.call1(py, (PyBytes::new(py, &piece.bytes), piece.more)),
            Answer::Piece(None) => told.call1(py, (py.None(), false)),
            Answer::Taken(taken) => told.call1(py, (taken,)),
            Answer::Retired => told.call0(py),
            Answer::Drained(drained) => told.call1(py, (drained.connections, drained.in_flight)),
        };
        match called {
            Err(raised) if error::interrupts(py, &raised) => return Err(raised),
            Err(raised) => raised.write_unraisable(py, Some(told.bind(py))),
            Ok(_) => (),
        }
        Ok(())
    }
}
