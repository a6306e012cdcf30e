//! Threads for `def` code that may block. They are started when they are needed, stay attached to the interpreter and
//! let it go only while they wait for work.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use pyo3::{prelude::*, types::PyTuple};
use spikard_ffi::Ticket;

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
    inbox: Arc<Inbox>,
    limit: usize,
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Task>,
    idle: usize,
    threads: Vec<JoinHandle<()>>,
    closed: bool,
}

/// Every pool of the process: a thread that attaches while the interpreter goes down ends the process.
static POOLS: Mutex<Vec<Weak<Pool>>> = Mutex::new(Vec::new());

impl Pool {
    pub(crate) fn new(inbox: Arc<Inbox>, limit: usize) -> Arc<Self> {
        let pool = Arc::new(Self { inbox, limit: limit.max(1), state: Mutex::default(), bell: Condvar::new() });
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&pool));
        pool
    }

    /// Never held while a thread attaches or runs Python code.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn give(self: &Arc<Self>, task: Task) -> PyResult<()> {
        let mut state = self.lock();
        state.queue.push_back(task);
        if state.idle >= state.queue.len() {
            self.bell.notify_one();
        } else if state.threads.len() < self.limit {
            let pool = self.clone();
            let name = format!("spikard-def-{}", state.threads.len() + 1);
            let started = thread::Builder::new().name(name).spawn(move || Python::attach(|py| pool.serve(py)));
            match started {
                Ok(thread) => state.threads.push(thread),
                Err(error) if state.threads.is_empty() => return Err(error.into()),
                Err(_) => (), // the others will come to it
            }
        }
        Ok(())
    }

    /// Takes back a call that has not begun.
    pub(crate) fn revoke(&self, ticket: Ticket) -> Option<Task> {
        let mut state = self.lock();
        let place = state.queue.iter().position(|task| task.ticket == ticket)?;
        state.queue.remove(place)
    }

    fn serve(&self, py: Python<'_>) {
        loop {
            let waiting = self.lock().queue.pop_front();
            let Some(task) = waiting.or_else(|| py.detach(|| self.wait())) else { return };
            let Task { ticket, function, argv, keywords, context } = task;
            let called =
                vectorcall::in_context(py, &context, || vectorcall::call(py, &function, &argv, keywords.as_ref()));
            drop((function, argv, keywords, context));
            self.inbox.returned.push((ticket, called.and_then(|result| result)));
            self.inbox.ring();
        }
    }

    /// None: the pool is closed.
    fn wait(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if let Some(task) = state.queue.pop_front() {
                return Some(task);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Joins the threads, for as long as `grace`; calls that have not begun never will. False: user code still runs.
    pub(crate) fn close(&self, py: Python<'_>, grace: Option<Duration>) -> bool {
        let (queue, mut threads) = {
            let mut state = self.lock();
            state.closed = true;
            self.bell.notify_all();
            (std::mem::take(&mut state.queue), std::mem::take(&mut state.threads))
        };
        drop(queue);
        threads.retain(|thread| thread.thread().id() != thread::current().id());
        py.detach(|| {
            let deadline = grace.map(|grace| Instant::now() + grace);
            for thread in threads {
                while deadline.is_some_and(|deadline| Instant::now() < deadline) && !thread.is_finished() {
                    thread::sleep(Duration::from_millis(2));
                }
                if deadline.is_some() && !thread.is_finished() {
                    return false;
                }
                let _ = thread.join();
            }
            true
        })
    }
}

/// Before the interpreter goes down.
pub(crate) fn close_all(py: Python<'_>) {
    let pools = std::mem::take(&mut *POOLS.lock().unwrap_or_else(PoisonError::into_inner));
    for pool in pools.iter().filter_map(Weak::upgrade) {
        pool.close(py, None);
    }
}
