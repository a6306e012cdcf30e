//! Deadlines of the requests that wait: one table and one timer for all of them. A timer for each request would cost
//! a twentieth of its instructions.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::{Either, select};
use slab::Slab;
use spikard_core::{Error, ErrorCode, RequestId};
use tokio::sync::Notify;

use crate::{endpoint::Endpoint, notice, platform::Platform};

/// Never is not a time.
const NEVER: Duration = Duration::MAX;

/// The deadlines of one worker.
pub(crate) struct Deadlines {
    platform: Arc<dyn Platform>,
    table: Mutex<Table>,
    /// An earlier deadline than the timer's has come.
    bell: Notify,
}

struct Table {
    waiting: Slab<Waiting>,
    /// When the timer will look.
    next: Duration,
}

struct Waiting {
    at: Duration,
    over: bool,
    waker: Option<Waker>,
}

impl Deadlines {
    pub(crate) fn new(platform: Arc<dyn Platform>) -> Self {
        let table = Mutex::new(Table { waiting: Slab::new(), next: NEVER });
        Self { platform, table, bell: Notify::new() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs on the I/O side for as long as the server does.
    pub(crate) async fn watch(&self) {
        loop {
            let next = self.table().next;
            if next == NEVER {
                self.bell.notified().await;
                continue;
            }
            let left = next.saturating_sub(self.platform.now());
            let rung = std::pin::pin!(self.bell.notified());
            if let Either::Left(_) = select(self.platform.sleep(left), rung).await {
                self.fire();
            }
        }
    }

    /// At most `max_in_flight` requests wait, so all of them are looked at.
    fn fire(&self) {
        let now = self.platform.now();
        let mut table = self.table();
        let mut next = NEVER;
        let mut wakers = Vec::new();
        for (_, waiting) in &mut table.waiting {
            if waiting.at <= now {
                waiting.over = true;
                wakers.extend(waiting.waker.take());
            } else {
                next = next.min(waiting.at);
            }
        }
        table.next = next;
        drop(table);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// The deadline of one request; dropping it takes it back.
pub(crate) struct Deadline {
    /// Where it is waited for, and where the table is.
    endpoint: Arc<Endpoint>,
    at: Duration,
    key: Option<usize>,
}

impl Deadline {
    /// At this time. It stands in the table from its first poll on: who is answered at once has none.
    pub(crate) fn new(endpoint: Arc<Endpoint>, at: Duration) -> Self {
        Self { endpoint, at, key: None }
    }

    /// The answer of a request whose time is over, which the log is told of.
    pub(crate) fn missed(&self, request_id: Option<RequestId>) -> Error {
        let seconds = self.endpoint.conduct.timeout.unwrap_or_default().as_secs_f64();
        let what = format!("408, for there was no answer within `request_timeout` ({seconds} s)");
        notice::tell(&self.endpoint.conduct.transit, &self.endpoint.name, request_id, &what);
        Error::new(ErrorCode::RequestTimeout).with_detail(format!("there was no answer within {seconds} s"))
    }

    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let deadlines = &self.endpoint.conduct.transit.deadlines;
        let mut table = deadlines.table();
        let Some(key) = self.key else {
            self.key =
                Some(table.waiting.insert(Waiting { at: self.at, over: false, waker: Some(cx.waker().clone()) }));
            if self.at < table.next {
                table.next = self.at;
                deadlines.bell.notify_one();
            }
            return Poll::Pending;
        };
        let waiting = &mut table.waiting[key];
        if waiting.over {
            return Poll::Ready(());
        }
        if !waiting.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            waiting.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.endpoint.conduct.transit.deadlines.table().waiting.remove(key);
        }
    }
}
