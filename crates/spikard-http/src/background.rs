//! Background tasks: how many may wait, how many run at a time, and their end when the server stops.

use std::{
    cell::RefCell,
    collections::HashMap,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use futures_util::future::{Either, select};
use spikard_core::{Error, HostId, Reason, RequestId, config::Config, sabotage};
use spikard_ffi::{Call, Report, Work};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    departure::Departure,
    tail::report,
    transit::{Spawned, Transit},
};

/// The bounds of one worker's background tasks.
#[derive(Debug)]
pub struct Background {
    waiting: AtomicUsize,
    max_queue: usize,
    turns: Semaphore,
    /// The time of the drain is over.
    over: Departure,
}

/// A task's place in the queue; dropped when the task begins, or never will.
#[derive(Debug)]
pub struct Place(Arc<Background>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The places of tasks that have not begun, for a host that knows them by their ids.
#[derive(Debug, Default)]
pub struct Places(RefCell<HashMap<HostId, Place>>);

impl Places {
    /// A place for this task. False: there is none.
    pub fn reserve(&self, background: &Arc<Background>, task: HostId) -> bool {
        let reserved = background.reserve().map(|place| self.0.borrow_mut().insert(task, place));
        reserved.is_some()
    }

    /// Gives their places back: they begin, or never will. Others have none.
    pub fn give_back(&self, tasks: impl IntoIterator<Item = HostId>) {
        let mut places = self.0.borrow_mut();
        if !places.is_empty() {
            tasks.into_iter().for_each(|task| drop(places.remove(&task)));
        }
    }
}

/// What the log says of a task that failed.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub route: Arc<str>,
    pub request_id: Option<RequestId>,
}

impl Background {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        let limits = config.background_tasks.as_ref();
        let turns = limits.map_or(0, |limits| limits.max_concurrent.min(Semaphore::MAX_PERMITS));
        Arc::new(Self {
            waiting: AtomicUsize::new(0),
            max_queue: limits.map_or(0, |limits| limits.max_queue),
            turns: Semaphore::new(turns),
            over: Departure::default(),
        })
    }

    /// A place for one more task. None: the queue is full, tasks are off, or the server has stopped.
    pub fn reserve(self: &Arc<Self>) -> Option<Place> {
        let free = |waiting: usize| (waiting < self.max_queue).then_some(waiting + 1);
        if self.over.has_departed() {
            return None;
        }
        self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Place(self.clone()))
    }

    /// Ends what still waits or runs.
    pub fn end(&self) {
        self.over.depart();
    }

    /// None: the end came first.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        match select(pin!(self.turns.acquire()), pin!(self.over.departed())).await {
            Either::Left((turn, _)) => turn.ok(),
            Either::Right(_) => None,
        }
    }

    /// One task, cancelled when the end comes; it must still answer.
    async fn run(&self, task: HostId) -> Result<(), Error> {
        let mut answer = spikard_ffi::call(|reply| Call::Run { task, reply });
        let mut over = Some(pin!(self.over.departed()));
        poll_fn(move |cx| {
            if let Poll::Ready(answered) = Pin::new(&mut answer).poll(cx) {
                return Poll::Ready(answered);
            }
            if over.as_mut().is_some_and(|over| over.as_mut().poll(cx).is_ready()) {
                over = None;
                spikard_ffi::cancel(Reason::TimedOut);
            }
            Poll::Pending
        })
        .await
    }
}

/// The work of one task, counted as in flight from now on.
pub(crate) fn work(transit: &Arc<Transit>, task: HostId, origin: Origin) -> Work {
    let counted = Spawned::new(transit);
    Box::pin(async move {
        let background = &counted.transit().background;
        let Some(_turn) = background.turn().await.filter(|_| !sabotage::takes_out("background")) else { return };
        if let Err(mut error) = background.run(task).await {
            let Origin { route, request_id } = origin;
            let route = format!("a background task of {route}").into();
            report(Report { exception: error.exception, source: error.source.take(), route, request_id }).await;
        }
    })
}
