//! Deadlines of the requests that wait: one table and one timer for all of them. A timer for each request would cost
//! a twentieth of its instructions.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::{Either, select};
use pin_project_lite::pin_project;
use slab::Slab;
use spikard_core::{Error, ErrorCode};
use tokio::sync::Notify;

use crate::{body::Body, encode::encode_error, platform::Platform};

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
    pub(crate) fn new(platform: Arc<dyn Platform>) -> Arc<Self> {
        let table = Mutex::new(Table { waiting: Slab::new(), next: NEVER });
        Arc::new(Self { platform, table, bell: Notify::new() })
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A deadline at this time.
    pub(crate) fn at(self: &Arc<Self>, at: Duration) -> Deadline {
        let mut table = self.table();
        let key = table.waiting.insert(Waiting { at, over: false, waker: None });
        if at < table.next {
            table.next = at;
            self.bell.notify_one();
        }
        Deadline { deadlines: self.clone(), key }
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
    deadlines: Arc<Deadlines>,
    key: usize,
}

impl Deadline {
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut table = self.deadlines.table();
        let waiting = &mut table.waiting[self.key];
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
        self.deadlines.table().waiting.remove(self.key);
    }
}

pin_project! {
    /// Answers 408 at once when the time is over, and drops what it waited for: that is how the rest of the request
    /// learns of it.
    pub(crate) struct Timed<F> {
        #[pin]
        inner: F,
        deadline: Option<Deadline>,
    }
}

impl<F> Timed<F> {
    pub(crate) fn new(inner: F, deadline: Option<Deadline>) -> Self {
        Self { inner, deadline }
    }
}

impl<F: Future<Output = http::Response<Body>>> Future for Timed<F> {
    type Output = http::Response<Body>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match (this.inner.poll(cx), this.deadline) {
            (Poll::Pending, Some(deadline)) => {
                deadline.poll(cx).map(|()| encode_error(&Error::new(ErrorCode::RequestTimeout)))
            }
            (polled, _) => polled,
        }
    }
}
