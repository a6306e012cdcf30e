//! What the three sides of one connection tell each other: the guard at the socket, the service above hyper, and the
//! sweep. Everything here is written by the connection's own task but `drain` and the wake.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Waker},
};

use futures_util::task::AtomicWaker;
use hyper::body::Incoming;
use spikard_core::Error;

use super::{clock::Clock, request_body::Leftover};
use crate::{Departure, Peer};

/// What the client has to do next, while the server waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owed {
    /// The server works.
    Nothing,
    /// Anything at all on a fresh connection.
    FirstByte,
    /// The rest of a head.
    Head,
    /// More of a body.
    Body,
    /// Another request, or to leave.
    NextRequest,
    /// To close its side after the last answer.
    Close,
}

const OWED: [Owed; 6] = [Owed::Nothing, Owed::FirstByte, Owed::Head, Owed::Body, Owed::NextRequest, Owed::Close];

/// How far the service is with the head that hyper was given last.
const AWAITED: u8 = 0;
const CALLED: u8 = 1;
const ANSWERED: u8 = 2;

/// How far the end of the server has come.
const SERVING: u8 = 0;
const DRAINING: u8 = 1;
const CUT: u8 = 2;

/// The shared state of one connection.
#[derive(Debug)]
pub(super) struct Link {
    clock: Arc<Clock>,
    /// [`Owed`] in the upper half, the tick since when in the lower one: read together by the sweep.
    owed: AtomicU64,
    /// One more than the tick of the last progress while writing is blocked; 0 while it is not.
    stalled: AtomicU64,
    called: AtomicU8,
    raw: AtomicBool,
    for_server: AtomicBool,
    stage: AtomicU8,
    hurried: AtomicBool,
    ending: AtomicBool,
    fault: Mutex<Option<Error>>,
    /// Something lies in `leftover`: most polls of a connection have nothing to do with it.
    has_leftover: AtomicBool,
    leftover: Mutex<Option<Leftover>>,
    departure: Departure,
    task: AtomicWaker,
}

impl Link {
    pub(super) fn new(clock: Arc<Clock>, peer: Option<Peer>) -> Self {
        let link = Self {
            clock,
            owed: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            called: AtomicU8::new(AWAITED),
            raw: AtomicBool::new(false),
            for_server: AtomicBool::new(false),
            stage: AtomicU8::new(SERVING),
            hurried: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            fault: Mutex::default(),
            has_leftover: AtomicBool::new(false),
            leftover: Mutex::default(),
            departure: Departure::of(peer),
            task: AtomicWaker::new(),
        };
        link.owes(Owed::FirstByte);
        link
    }

    /// The server begins to wait for this.
    pub(super) fn owes(&self, owed: Owed) {
        self.owed.store((owed as u64) << 32 | u64::from(self.clock.now()), Relaxed);
    }

    pub(super) fn owed(&self) -> Owed {
        OWED[(self.owed.load(Relaxed) >> 32) as usize]
    }

    /// Has the client had its time to do what it owes?
    pub(super) fn overdue(&self) -> bool {
        let owed = self.owed();
        let hurried = self.hurried.load(Relaxed) && matches!(owed, Owed::Head | Owed::Close);
        hurried || self.clock.overdue(owed, self.owed.load(Relaxed) as u32)
    }

    /// The client takes no bytes. True: from now on.
    pub(super) fn stall(&self) -> bool {
        let begins = self.stalled.load(Relaxed) == 0;
        if begins {
            self.stalled.store(u64::from(self.clock.now()) + 1, Relaxed);
        }
        begins
    }

    /// The client has taken bytes.
    pub(super) fn progress(&self) {
        if self.stalled.load(Relaxed) != 0 {
            self.stalled.store(0, Relaxed);
        }
    }

    /// Has the client had its time to take bytes?
    pub(super) fn stalled(&self) -> bool {
        match self.stalled.load(Relaxed) {
            0 => false,
            since => self.clock.stalled((since - 1) as u32),
        }
    }

    /// Has the client only just begun to take no bytes? Its system goes on for a moment.
    pub(super) fn settles(&self) -> bool {
        match self.stalled.load(Relaxed) {
            0 => false,
            since => self.clock.settles((since - 1) as u32),
        }
    }

    /// The sweep's question. A false alarm costs one poll: whoever waits looks again.
    pub(super) fn wake_if_overdue(&self) {
        let lingered = || lock(&self.leftover).as_ref().is_some_and(|body| self.clock.lingered(body.since));
        // Whether a client that sends no more has gone altogether, its socket tells only who asks.
        if self.overdue() || self.stalled() || self.settles() || self.departure.has_departed() || lingered() {
            self.task.wake();
        }
    }

    /// The task to wake.
    pub(super) fn register(&self, waker: &Waker) {
        self.task.register(waker);
    }

    /// Has hyper called the service for the head that it was given last?
    pub(super) fn is_called(&self) -> bool {
        self.called.load(Relaxed) != AWAITED
    }

    /// Is the whole answer on its way? Then nobody asks any more whether the client is still there.
    pub(super) fn is_answered(&self) -> bool {
        self.called.load(Relaxed) == ANSWERED
    }

    /// hyper has a new head.
    pub(super) fn await_call(&self) {
        self.called.store(AWAITED, Relaxed);
    }

    /// hyper calls the service for a request.
    pub(super) fn begin_call(&self) {
        self.clock.count();
        self.called.store(CALLED, Relaxed);
    }

    pub(super) fn set_answered(&self) {
        self.called.store(ANSWERED, Relaxed);
    }

    /// The next request of the method OPTIONS is for the server and no resource of it.
    pub(super) fn ask_for_server(&self) {
        self.for_server.store(true, Relaxed);
    }

    /// Whether this one is.
    pub(super) fn asks_for_server(&self) -> bool {
        self.for_server.swap(false, Relaxed)
    }

    /// After a 101: what follows is not HTTP.
    pub(super) fn is_raw(&self) -> bool {
        self.raw.load(Relaxed)
    }

    pub(super) fn set_raw(&self) {
        self.raw.store(true, Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.stage.load(Relaxed) != SERVING
    }

    pub(super) fn drain(&self) {
        self.stage.store(DRAINING, Relaxed);
        self.task.wake();
    }

    /// Is the connection to end, whatever it does?
    pub(super) fn is_cut(&self) -> bool {
        self.stage.load(Relaxed) == CUT
    }

    pub(super) fn cut(&self) {
        self.stage.store(CUT, Relaxed);
        self.task.wake();
    }

    /// The time that a drain gives to stalled clients is over: a head that has not come, or a side that was not closed,
    /// is waited for no longer. Whoever runs a request is let alone.
    pub(super) fn hurry(&self) {
        if matches!(self.owed(), Owed::Head | Owed::Close) {
            self.hurried.store(true, Relaxed);
            self.task.wake();
        }
    }

    pub(super) fn departure(&self) -> &Departure {
        &self.departure
    }

    /// Why the body that is being read will not be complete.
    pub(super) fn set_fault(&self, error: Error) {
        *lock(&self.fault) = Some(error);
        self.end();
    }

    /// A body will not be read to its end: the connection cannot go on after the answer.
    pub(super) fn end(&self) {
        self.ending.store(true, Relaxed);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Relaxed)
    }

    pub(super) fn take_fault(&self) -> Option<Error> {
        lock(&self.fault).take()
    }

    /// Leaves the unread rest of a body to be drained by the connection's task.
    pub(super) fn leave(&self, incoming: Incoming) {
        *lock(&self.leftover) = Some(Leftover::new(incoming, self.clock.now()));
        self.has_leftover.store(true, Relaxed);
        self.task.wake();
    }

    /// Reads no further in a body that nobody wants, if there is one: the connection ends with the answer.
    pub(super) fn forsake(&self) {
        let body = lock(&self.leftover).take();
        if body.is_some() {
            self.end();
        }
    }

    /// Reads on in a body that nobody wants, so that the next request can follow: for a limited time, and not at all
    /// where none can follow.
    pub(super) fn poll_leftover(&self, cx: &mut Context<'_>) {
        // Taken back before the look: what is left in between is looked at again.
        if !self.has_leftover.load(Relaxed) || !self.has_leftover.swap(false, Relaxed) {
            return;
        }
        // Dropped outside the lock: its drop runs hyper's code.
        let Some(mut body) = lock(&self.leftover).take() else { return };
        if body.poll_drain(cx).is_ready() {
            return;
        }
        if self.is_draining() || self.clock.lingered(body.since) {
            self.end();
        } else {
            *lock(&self.leftover) = Some(body);
            self.has_leftover.store(true, Relaxed);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
