//! The runtime of a host that asks for its work: threads that block in [`Worker::next`] and let the interpreter go
//! meanwhile. A work stays on the thread that began it. The queue is bounded by admission: who runs more works than
//! `max_in_flight` answers 503 before it comes here.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use crate::{Runtime, Work};

/// Works that no thread has begun yet. `Default` makes an empty one.
#[derive(Default)]
pub struct JobQueue {
    state: Mutex<State>,
    bell: Condvar,
}

#[derive(Default)]
struct State {
    works: VecDeque<Work>,
    /// By worker.
    rung: Vec<bool>,
    closed: bool,
}

/// One thread of the host. It is the runtime of that thread's driver, so that a wake finds the right thread.
pub struct Worker {
    queue: Arc<JobQueue>,
    number: usize,
}

/// What a worker has to do next.
pub enum Job {
    /// Accept this work and step it.
    Start(Work),
    /// Look at `Driver::woken`.
    Woken,
    /// The queue was closed, and nothing is left in it.
    Closed,
}

impl JobQueue {
    /// Adds a thread.
    pub fn worker(self: &Arc<Self>) -> Arc<Worker> {
        let rung = &mut self.lock().rung;
        rung.push(false);
        Arc::new(Worker { queue: self.clone(), number: rung.len() - 1 })
    }

    /// Ends every worker once the queue is empty.
    pub fn close(&self) {
        self.change(|state| state.closed = true);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.bell.notify_all();
    }
}

impl Worker {
    /// Blocks until there is something to do. What was begun goes before what is new.
    pub fn next(&self) -> Job {
        let mut state = self.queue.lock();
        loop {
            if std::mem::take(&mut state.rung[self.number]) {
                return Job::Woken;
            }
            if let Some(work) = state.works.pop_front() {
                return Job::Start(work);
            }
            if state.closed {
                return Job::Closed;
            }
            state = self.queue.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Runtime for JobQueue {
    fn run(&self, work: Work) {
        self.change(|state| state.works.push_back(work));
    }

    fn wake(&self) {
        self.change(|state| state.rung.fill(true));
    }
}

impl Runtime for Worker {
    fn run(&self, work: Work) {
        self.queue.run(work);
    }

    fn wake(&self) {
        self.queue.change(|state| state.rung[self.number] = true);
    }
}
