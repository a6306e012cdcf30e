//! Connections on a thread that a host's event loop owns. The loop watches one descriptor and calls [`Reactor::look`]
//! and [`Reactor::turn`]; nothing here waits, and no thread is switched between a request and the code that answers it.
//!
//! Timers and files stay with the platform: a task here may be woken from any thread.

mod libuv;
mod lodge;
mod readiness;
mod socket;

use std::{
    io,
    os::fd::{AsRawFd, RawFd},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use crossbeam_queue::SegQueue;
use mio::{Events, Poll, Registry, Token, event::Event};
use slab::Slab;

pub use libuv::LoopWatch;
pub(super) use {lodge::Hosted, socket::Stream};

use self::readiness::{Notice, Readiness};
use crate::Task;

/// So many events are taken in one look; the descriptor stays ready while there are more.
const EVENTS: usize = 1024;

/// The tasks and sockets of one thread.
pub struct Reactor {
    poll: Poll,
    events: Events,
    tasks: Slab<Seat>,
    remote: Arc<Remote>,
}

/// A task, and what wakes it. None while it is polled.
struct Seat {
    task: Option<Task>,
    queued: Arc<Queued>,
    waker: Waker,
}

/// What everybody else has of a reactor.
pub struct Remote {
    registry: Registry,
    sockets: Mutex<Slab<Arc<Readiness>>>,
    arrivals: SegQueue<Task>,
    woken: SegQueue<usize>,
    rouse: Box<dyn Fn() + Send + Sync>,
}

struct Queued {
    seat: usize,
    waits: AtomicBool,
    remote: Arc<Remote>,
}

impl Wake for Queued {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Late wakes of a task that has ended reach whoever has its seat now, for whom they are needless polls.
        if !self.waits.swap(true, Ordering::AcqRel) {
            self.remote.woken.push(self.seat);
            (self.remote.rouse)();
        }
    }
}

impl Reactor {
    /// `rouse` asks the thread to call [`turn`](Self::turn) soon. It is called from any thread, within a turn too, and
    /// often: it has to coalesce.
    pub fn new(rouse: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let poll = Poll::new()?;
        let remote = Arc::new(Remote {
            registry: poll.registry().try_clone()?,
            sockets: Mutex::default(),
            arrivals: SegQueue::new(),
            woken: SegQueue::new(),
            rouse: Box::new(rouse),
        });
        Ok(Self { poll, events: Events::with_capacity(EVENTS), tasks: Slab::new(), remote })
    }

    /// What the loop has to watch: readable when there is something to look at.
    pub fn descriptor(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// For those who bring work.
    pub fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    /// Asks the system, without waiting, which sockets are ready, and wakes their tasks.
    pub fn look(&mut self) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        let sockets = self.remote.sockets();
        for event in &self.events {
            if let Some(readiness) = sockets.get(event.token().0) {
                readiness.arises(event);
            }
        }
        Ok(())
    }

    /// Polls tasks that are ready, at most so many times. True: there are more.
    pub fn turn(&mut self, most: usize) -> bool {
        while let Some(task) = self.remote.arrivals.pop() {
            self.seat(task);
        }
        for _ in 0..most {
            let Some(seat) = self.remote.woken.pop() else { break };
            self.poll_task(seat);
        }
        self.remote.has_work()
    }

    /// Whether there is something for a turn.
    pub fn has_work(&self) -> bool {
        self.remote.has_work()
    }

    fn seat(&mut self, task: Task) {
        let entry = self.tasks.vacant_entry();
        let seat = entry.key();
        let queued = Arc::new(Queued { seat, waits: AtomicBool::new(true), remote: Arc::clone(&self.remote) });
        let waker = Arc::clone(&queued).into();
        entry.insert(Seat { task: Some(task), queued, waker });
        self.remote.woken.push(seat);
    }

    fn poll_task(&mut self, place: usize) {
        let Some(seat) = self.tasks.get_mut(place) else { return };
        // Cleared before the poll: a wake within it counts.
        seat.queued.waits.store(false, Ordering::Release);
        let Some(task) = &mut seat.task else { return };
        let mut context = Context::from_waker(&seat.waker);
        // A connection that panics ends alone.
        let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut context)));
        if polled.map_or(true, |polled| polled.is_ready()) {
            let seat = self.tasks.remove(place);
            let _ = catch_unwind(AssertUnwindSafe(|| drop(seat.task)));
        }
    }
}

impl Remote {
    /// Runs a task on the reactor's thread. From any thread.
    pub fn spawn(&self, task: Task) {
        self.arrivals.push(task);
        (self.rouse)();
    }

    /// Whether there is something for a turn.
    pub fn has_work(&self) -> bool {
        !self.woken.is_empty() || !self.arrivals.is_empty()
    }

    fn sockets(&self) -> MutexGuard<'_, Slab<Arc<Readiness>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("sockets", &self.sockets().len()).finish_non_exhaustive()
    }
}

impl Readiness {
    fn arises(&self, event: &Event) {
        let failed = event.is_error();
        let (read_closed, write_closed) = (failed || event.is_read_closed(), failed || event.is_write_closed());
        let read = Notice { ready: event.is_readable(), closed: read_closed, urgent: is_urgent(event) };
        let write = Notice { ready: event.is_writable(), closed: write_closed, urgent: false };
        self.arise(read, write);
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_urgent(event: &Event) -> bool {
    event.is_priority()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_urgent(_: &Event) -> bool {
    false
}

/// What a stream wants to be told.
fn of_a_stream() -> mio::Interest {
    let both = mio::Interest::READABLE | mio::Interest::WRITABLE;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let both = both | mio::Interest::PRIORITY;
    both
}

/// Registers a socket under a token of its own.
fn register(
    remote: &Remote,
    source: &mut impl mio::event::Source,
    interest: mio::Interest,
) -> io::Result<(usize, Arc<Readiness>)> {
    let readiness = Arc::new(Readiness::default());
    let key = remote.sockets().insert(Arc::clone(&readiness));
    match remote.registry.register(source, Token(key), interest) {
        Ok(()) => Ok((key, readiness)),
        Err(error) => {
            remote.sockets().remove(key);
            Err(error)
        }
    }
}

/// Forgets a socket. An event that is under way for its token wakes whoever has it next, once and needlessly.
fn deregister(remote: &Remote, key: usize, source: &mut impl mio::event::Source) {
    let _ = remote.registry.deregister(source);
    drop(remote.sockets().try_remove(key));
}

#[cfg(test)]
mod tests;
