//! The way to the host's thread and back, and everything that passes between the two sides of one request.

mod beside;
mod host_end;
mod io_end;
mod line;

use std::{
    future::Future,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use crossbeam_queue::SegQueue;
use spikard_core::{Body, Error, Request, RequestId, Response, config::Config};
use spikard_ffi::Runtime;
use tokio::sync::Notify;

use crate::{
    background::Background,
    deadline::Deadlines,
    departure::Departure,
    notice::{self, Notices},
    platform::Platform,
};
use beside::Beside;
pub(crate) use host_end::{Fault, HostEnd};
pub(crate) use io_end::IoEnd;
pub(crate) use line::Line;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Works that have not ended, clean-up included.
    pub in_flight: usize,
    /// For user code that was cancelled to answer all the same.
    pub cancel_grace: Duration,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        Self { in_flight: config.max_in_flight, cancel_grace: Duration::from_secs_f64(config.cancel_grace) }
    }
}

/// Shared by the I/O side and the host's side of one worker.
pub(crate) struct Transit {
    pub runtime: Arc<dyn Runtime>,
    pub platform: Arc<dyn Platform>,
    pub background: Arc<Background>,
    pub deadlines: Deadlines,
    /// Whose turn it is to have a long body judged.
    pub judging: Arc<tokio::sync::Mutex<()>>,
    pub notices: Notices,
    limits: Limits,
    in_flight: AtomicUsize,
    given_up: AtomicUsize,
    /// What is on its way home. Waking a task of another thread costs a system call each; so all of it queues here,
    /// the I/O side is woken once and wakes its own tasks itself.
    home: SegQueue<Arc<Line>>,
    rung: AtomicBool,
    bell: Notify,
    /// Both sides are one thread, where waking costs nothing.
    together: AtomicBool,
    /// Somebody waits for nothing to be in flight.
    idle: Notify,
}

/// From the host's side.
pub(crate) enum Home {
    /// The end of the host's part, or its head if `tail` says that more follows.
    Head { made: Result<Response, Error>, tail: bool },
    /// Read and validate the body of this, and give it back.
    Decode(Request),
    /// Open this file, and say whether that went well.
    Open(PathBuf),
    /// A piece of a stream.
    Chunk(Bytes),
    /// No more pieces; false if the stream failed.
    End(bool),
}

impl Home {
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Head { made: Ok(Response { body: Body::Stream(_), .. }), tail: true })
    }
}

/// What both ends of a line know from the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    /// A client that leaves before it has its head cancels the open call.
    pub departure_cancels: bool,
    /// Whoever drops the waiting end from here on is the timeout.
    pub deadline: Option<Duration>,
    /// The answer to HEAD: nobody reads its body, and that is no departure.
    pub bodiless: bool,
    /// Where the connection can see the client leave.
    pub departure: Option<Departure>,
    /// For reports.
    pub request_id: Option<RequestId>,
}

impl Transit {
    pub(crate) fn new(runtime: Arc<dyn Runtime>, platform: Arc<dyn Platform>, config: &Config) -> Arc<Self> {
        Arc::new(Self {
            runtime,
            deadlines: Deadlines::new(platform.clone()),
            notices: Notices::default(),
            judging: Arc::default(),
            platform,
            background: Background::new(config),
            limits: Limits::of(config),
            in_flight: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
            home: SegQueue::new(),
            rung: AtomicBool::new(false),
            bell: Notify::new(),
            together: AtomicBool::new(false),
            idle: Notify::new(),
        })
    }

    /// Runs `rest` on the host's thread. Full: nothing runs, and the line answers 503, which the log is told of.
    pub(crate) fn on_host<W>(self: &Arc<Self>, route: &Arc<str>, terms: Terms, rest: impl FnOnce(HostEnd) -> W) -> IoEnd
    where
        W: Future<Output = ()> + Send + 'static,
    {
        if self.in_flight.fetch_add(1, Ordering::AcqRel) >= self.limits.in_flight {
            self.leave_flight();
            self.tell_of_overload(route, terms.request_id);
            return IoEnd::full();
        }
        let line = Line::new(self.clone(), terms);
        self.runtime.run(Box::pin(rest(HostEnd::new(line.clone()))));
        IoEnd::of(line)
    }

    #[cold]
    fn tell_of_overload(self: &Arc<Self>, route: &Arc<str>, request_id: Option<RequestId>) {
        let most = self.limits.in_flight;
        let what = format!("503, for as many requests are in flight as `max_in_flight` allows ({most})");
        notice::tell(self, route, request_id, &what);
    }

    pub(crate) fn live_together(&self) {
        self.together.store(true, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Works whose user code was cancelled and did not answer within the grace.
    pub(crate) fn given_up(&self) -> usize {
        self.given_up.load(Ordering::Acquire)
    }

    fn leave_flight(&self) {
        if self.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.idle.notify_waiters();
        }
    }

    /// Until nothing is in flight.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = std::pin::pin!(self.idle.notified());
            let mut idle = idle;
            // Registered before the look: an end in between is not missed.
            idle.as_mut().enable();
            if self.in_flight() == 0 {
                return;
            }
            idle.await;
        }
    }

    /// The queue carries the line and not what was sent: its blocks are made anew for every few requests.
    fn send(&self, line: Arc<Line>, home: Home) {
        line.lay_down(home);
        if self.together.load(Ordering::Relaxed) {
            return line.arrive();
        }
        self.home.push(line);
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.bell.notify_one();
        }
    }

    /// Runs on the I/O side for as long as the server does.
    pub(crate) async fn bring_home(&self) {
        loop {
            self.bell.notified().await;
            // Clear before draining, and with a swap: a plain store could be seen after the pops below, and an answer
            // pushed in between would wait for the next one.
            self.rung.swap(false, Ordering::AcqRel);
            while let Some(line) = self.home.pop() {
                line.arrive();
            }
        }
    }
}

/// A work that a request spawned: counted as one in flight, though nobody asked whether there was room.
pub(crate) struct Spawned(Arc<Transit>);

impl Spawned {
    pub(crate) fn new(transit: &Arc<Transit>) -> Self {
        transit.in_flight.fetch_add(1, Ordering::AcqRel);
        Self(transit.clone())
    }

    pub(crate) fn transit(&self) -> &Transit {
        &self.0
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.leave_flight();
    }
}
