//! Threads for `def` code that may block. They are started when they are needed, stay attached to the interpreter and
//! let it go only while they wait for work.

use std::{
    collections::VecDeque,
    process,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use crossbeam_queue::SegQueue;
use pyo3::{intern, prelude::*, types::PyTuple};
use spikard_ffi::Ticket;

use super::fork::Process;
use crate::{convert::Argv, runtime::Inbox, vectorcall};

/// One call.
pub(crate) struct Task {
    pub(crate) ticket: Ticket,
    pub(crate) function: Py<PyAny>,
    pub(crate) argv: Argv,
    pub(crate) keywords: Option<Py<PyTuple>>,
    /// A copy of the request's context: entering the context itself from here would shut the loop out of it.
    pub(crate) context: Py<PyAny>,
}

/// The threads of one worker.
pub(crate) struct Pool {
    process: Process,
    inbox: Arc<Inbox>,
    /// What `def` code returned.
    pub(crate) returned: SegQueue<(Ticket, PyResult<Py<PyAny>>)>,
    limit: usize,
    state: Mutex<State>,
    bell: Condvar,
    crew: Arc<Crew>,
}

/// How many threads of a pool may still touch the interpreter.
#[derive(Default)]
struct Crew {
    count: Mutex<usize>,
    gone: Condvar,
}

impl Crew {
    fn count(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self) {
        *self.count() += 1;
    }

    fn leave(&self) {
        *self.count() -= 1;
        self.gone.notify_all();
    }

    /// How many are left when all have gone or the time is over. Never called by a thread that is attached.
    fn wait(&self, time: Option<Duration>) -> usize {
        let count = self.count();
        let staying = |count: &mut usize| *count > 0;
        match time {
            Some(time) => *self.gone.wait_timeout_while(count, time, staying).unwrap_or_else(PoisonError::into_inner).0,
            None => *self.gone.wait_while(count, staying).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<Task>,
    idle: usize,
    /// A thread was called and has not looked into the queue yet.
    coming: bool,
    threads: usize,
    closed: bool,
}

/// A pool that may have threads, closed or not: its crew outlives it.
struct Known {
    pool: Weak<Pool>,
    crew: Arc<Crew>,
}

/// Every pool of the process: a thread that attaches while the interpreter goes down ends the process.
static POOLS: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// The process that the threads belong to: a forked child has the pools and none of the threads.
static HOME: OnceLock<u32> = OnceLock::new();

impl Pool {
    pub(crate) fn new(inbox: Arc<Inbox>, limit: usize) -> Arc<Self> {
        let (limit, crew) = (limit.max(1), Arc::new(Crew::default()));
        let (process, returned, state, bell) = (Process::this(), SegQueue::new(), Mutex::default(), Condvar::new());
        let pool = Arc::new(Self { process, inbox, returned, limit, state, bell, crew: crew.clone() });
        HOME.get_or_init(process::id);
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|known| known.pool.strong_count() > 0 || *known.crew.count() > 0);
        pools.push(Known { pool: Arc::downgrade(&pool), crew });
        pool
    }

    /// Never held while a thread attaches or runs Python code.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn give(self: &Arc<Self>, task: Task) -> PyResult<()> {
        let mut state = self.lock();
        state.queue.push_back(task);
        self.call_one(&mut state)
    }

    /// Calls one thread, unless one is on its way already: it calls the next when it has taken a call. So code that
    /// blocks gets its threads one after another, and code that does not is done by few, which do not fight for the
    /// interpreter.
    fn call_one(self: &Arc<Self>, state: &mut State) -> PyResult<()> {
        if state.coming || state.queue.is_empty() {
            return Ok(());
        }
        if state.idle > 0 {
            state.coming = true;
            self.bell.notify_one();
        } else if state.threads < self.limit {
            match self.start(state.threads + 1) {
                Ok(()) => (state.coming, state.threads) = (true, state.threads + 1),
                Err(error) if state.threads == 0 => return Err(error.into()),
                Err(_) => (), // the others will come to it
            }
        }
        Ok(())
    }

    fn start(self: &Arc<Self>, number: usize) -> std::io::Result<()> {
        let (pool, crew) = (self.clone(), self.crew.clone());
        crew.join();
        let started = thread::Builder::new().name(format!("spikard-def-{number}")).spawn(move || {
            Python::attach(|py| {
                if let Err(broken) = py.import("spikard._watched").and_then(|watched| watched.call_method0("watch")) {
                    broken.write_unraisable(py, None);
                }
                pool.serve(py);
                drop(pool);
            });
            crew.leave();
        });
        started.map(drop).inspect_err(|_| self.crew.leave())
    }

    /// Hands the result of a call to the loop.
    pub(crate) fn tell(&self, ticket: Ticket, result: PyResult<Py<PyAny>>) {
        self.returned.push((ticket, result));
        self.inbox.ring();
    }

    /// Takes back a call that has not begun.
    pub(crate) fn revoke(&self, ticket: Ticket) -> Option<Task> {
        let mut state = self.lock();
        let place = state.queue.iter().position(|task| task.ticket == ticket)?;
        state.queue.remove(place)
    }

    fn serve(self: &Arc<Self>, py: Python<'_>) {
        let mut called = true;
        loop {
            let Some(task) = self.take(called) else {
                called = true;
                if py.detach(|| self.wait()) {
                    continue;
                }
                return;
            };
            called = false;
            let Task { ticket, function, argv, keywords, context } = task;
            let called =
                vectorcall::in_context(py, &context, || vectorcall::call(py, &function, &argv, keywords.as_ref()));
            drop((function, argv, keywords, context));
            let result = called.and_then(|result| result);
            self.process.end_fork(py, result.as_ref().err());
            self.tell(ticket, result);
        }
    }

    /// The next call, attached: whoever waits for the interpreter holds no call back. `called`: this thread is the one
    /// that was on its way.
    fn take(self: &Arc<Self>, called: bool) -> Option<Task> {
        let mut state = self.lock();
        if called {
            state.coming = false;
        }
        let task = state.queue.pop_front()?;
        let _ = self.call_one(&mut state); // there is a thread: this one
        Some(task)
    }

    /// Waits to be called. False: the pool is closed.
    fn wait(&self) -> bool {
        let mut state = self.lock();
        state.idle += 1;
        // A call that came when every thread seemed busy has called nobody.
        while !state.closed && !state.coming && state.queue.is_empty() {
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle -= 1;
        !state.closed
    }

    /// Waits for the threads, for as long as `grace`; calls that have not begun never will. False: user code still
    /// runs. May be called again.
    pub(crate) fn close(&self, py: Python<'_>, grace: Option<Duration>) -> bool {
        self.end();
        py.detach(|| self.crew.wait(grace)) == 0
    }

    fn end(&self) {
        let queue = {
            let mut state = self.lock();
            state.closed = true;
            self.bell.notify_all();
            std::mem::take(&mut state.queue)
        };
        drop(queue); // destructors may run any code: nothing is locked any more
    }
}

/// How long the exit waits for `def` code before it says so.
const SILENCE: Duration = Duration::from_secs(1);

/// How often the exit looks for signals while it waits.
const TICK: Duration = Duration::from_millis(100);

/// Before the interpreter goes down: waits for every thread, as Python does for its own. A signal that raises ends the
/// process here and now, since the interpreter must not go down under the threads.
pub(crate) fn close_all(py: Python<'_>) -> PyResult<()> {
    if HOME.get().is_some_and(|home| *home != process::id()) {
        return Ok(());
    }
    let known = std::mem::take(&mut *POOLS.lock().unwrap_or_else(PoisonError::into_inner));
    for pool in known.iter().filter_map(|known| known.pool.upgrade()) {
        pool.end();
    }
    let (began, mut told) = (Instant::now(), false);
    loop {
        let left = py.detach(|| known.iter().map(|known| known.crew.wait(Some(TICK))).sum::<usize>());
        if left == 0 {
            return Ok(());
        }
        if !told && began.elapsed() >= SILENCE {
            told = true;
            eprintln!("spikard: the exit waits for `def` code that still runs, on {left} {}", threads(left));
        }
        if py.check_signals().is_err() {
            eprintln!("spikard: interrupted while `def` code still runs, on {left} {}", threads(left));
            py.import(intern!(py, "os"))?.call_method1(intern!(py, "_exit"), (1,))?;
        }
    }
}

fn threads(count: usize) -> &'static str {
    if count == 1 { "thread" } else { "threads" }
}
