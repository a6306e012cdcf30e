//! What is made once for all requests of a service: whoever needs it first makes it, the others wait for their turn.

use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
};

use spikard_core::HostId;

/// The singletons of one service, by their place among the app's dependencies.
pub(crate) struct Singletons {
    cells: Box<[Cell]>,
    /// Those that have to be finished, in the order in which they were made.
    open: Mutex<Vec<HostId>>,
}

#[derive(Default)]
struct Cell {
    made: OnceLock<HostId>,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    /// Somebody makes it.
    taken: bool,
    waiting: Vec<Waker>,
}

impl Singletons {
    pub(crate) fn new(dependencies: usize) -> Self {
        Self { cells: (0..dependencies).map(|_| Cell::default()).collect(), open: Mutex::default() }
    }

    /// The singleton, if there is one already.
    pub(crate) fn get(&self, place: usize) -> Option<HostId> {
        self.cells[place].made.get().copied()
    }

    /// Ready when nobody else makes it.
    pub(crate) fn poll_turn(&self, place: usize, cx: &Context<'_>) -> Poll<Turn<'_>> {
        let mut desk = lock(&self.cells[place].desk);
        if !desk.taken {
            desk.taken = true;
            return Poll::Ready(Turn { singletons: self, place });
        }
        if !desk.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            desk.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// What has to be finished, the latest first. Nobody finishes it again.
    pub(crate) fn close(&self) -> impl Iterator<Item = HostId> + use<> {
        std::mem::take(&mut *lock(&self.open)).into_iter().rev()
    }
}

/// The right to make a singleton. Dropped, whether it was made or not, it passes to those who wait.
pub(crate) struct Turn<'a> {
    singletons: &'a Singletons,
    place: usize,
}

impl Turn<'_> {
    /// Somebody made it while its turn was waited for.
    pub(crate) fn made(&self) -> Option<HostId> {
        self.singletons.get(self.place)
    }

    pub(crate) fn put(&self, value: HostId, generator: bool) {
        let _ = self.singletons.cells[self.place].made.set(value);
        if generator {
            lock(&self.singletons.open).push(value);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut desk = lock(&self.singletons.cells[self.place].desk);
        desk.taken = false;
        let waiting = std::mem::take(&mut desk.waiting);
        drop(desk);
        waiting.into_iter().for_each(Waker::wake);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
