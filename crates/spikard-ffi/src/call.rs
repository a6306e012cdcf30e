//! One call into user code, and its answer, which lies in a cell that only the next step looks into.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use spikard_core::{
    Args, CallableId, Error, Flow, Head, HostArg, HostId, Outcome, Phase, Reason, Request, RequestId, Response,
};

use crate::{
    Work,
    driver::{Slot, Step, leave},
};

/// One call into user code. Each carries the reply that it must be answered with.
#[derive(Debug)]
#[non_exhaustive]
pub enum Call {
    /// A hook on the way in.
    Before {
        /// The hook.
        hook: CallableId,
        /// `OnRequest`, `PreValidation` or `PreHandler`.
        phase: Phase,
        /// What it may look at and change.
        request: Request,
        /// Go on, or answer.
        reply: Reply<Flow<Request>>,
    },
    /// Arguments that the host decodes before anything else of the request runs.
    Bind {
        /// In argument order.
        args: Vec<HostArg>,
        /// One id for each; a refusal is `fail(Error::refused(…))`.
        reply: Reply<Vec<HostId>>,
    },
    /// A dependency is to be made.
    Provide {
        /// What makes it.
        provider: CallableId,
        /// Its arguments.
        args: Args,
        /// It outlives the request: its id holds for every request of the service, until it is finished.
        lasting: bool,
        /// Its value, or the value of its generator's first step.
        reply: Reply<HostId>,
    },
    /// The handler. Arguments that were not bound before arrive as `Arg::Input`.
    Handle {
        /// The handler.
        handler: CallableId,
        /// Its arguments.
        args: Args,
        /// The response.
        reply: Reply<Response>,
    },
    /// An error that user code may turn into a response.
    Recover {
        /// The host's chooser of exception handlers, or the handler of one status.
        handler: CallableId,
        /// The error, with the very object that was raised.
        error: Error,
        /// The request as it came.
        head: Option<Arc<Head>>,
        /// None: nobody wants it.
        reply: Reply<Option<Response>>,
    },
    /// A hook on the way out.
    After {
        /// The hook.
        hook: CallableId,
        /// `OnError` or `OnResponse`.
        phase: Phase,
        /// What it may look at and change.
        response: Response,
        /// Either way the response goes on.
        reply: Reply<Flow<Response>>,
    },
    /// The next piece of a response's body.
    Pull {
        /// The stream.
        stream: HostId,
        /// None: it has ended.
        reply: Reply<Option<Bytes>>,
    },
    /// A generator goes on behind its `yield`, or sees there what ended the request.
    Finish {
        /// A dependency or a stream.
        value: HostId,
        /// How the request ended.
        outcome: Outcome,
        /// `fail` is what leaves the generator.
        reply: Reply<()>,
    },
    /// A background task.
    Run {
        /// The task.
        task: HostId,
        /// When it has ended.
        reply: Reply<()>,
    },
    /// A failure that nobody handled: to be logged in the host's own way.
    Report {
        /// What is known of it.
        report: Report,
        /// When it has been logged.
        reply: Reply<()>,
    },
}

/// A failure that ended a request with a 500.
#[derive(Debug)]
pub struct Report {
    /// The object that was raised, if it was user code that failed.
    pub exception: Option<HostId>,
    /// What the core says of it, in words for the log.
    pub source: Option<String>,
    /// The request's method and path template.
    pub route: Arc<str>,
    /// The request's id, where ids are on.
    pub request_id: Option<RequestId>,
}

#[derive(Debug)]
struct Cell<T> {
    slot: Arc<Slot>,
    number: u32,
    answer: Mutex<Option<Result<T, Error>>>,
}

impl<T> Cell<T> {
    fn with<R>(&self, use_answer: impl FnOnce(&mut Option<Result<T, Error>>) -> R) -> R {
        use_answer(&mut self.answer.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Answers exactly once, and wakes nobody: who answers, steps the work. Dropped unanswered it answers 500 and does
/// wake, so that a lost callback cannot hang a connection.
#[derive(Debug)]
pub struct Reply<T>(Option<Arc<Cell<T>>>);

impl<T> Reply<T> {
    /// Answers.
    pub fn ok(mut self, value: T) {
        self.put(Ok(value));
    }

    /// Answers with an error.
    pub fn fail(mut self, error: Error) {
        self.put(Err(error));
    }

    fn put(&mut self, answer: Result<T, Error>) -> Option<Arc<Cell<T>>> {
        let cell = self.0.take()?;
        cell.with(|place| *place = Some(answer));
        cell.slot.close(cell.number);
        Some(cell)
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if self.0.is_some()
            && let Some(cell) = self.put(Err(Error::internal("user code did not answer")))
        {
            cell.slot.wake();
        }
    }
}

/// The future of a call's answer.
#[derive(Debug)]
pub struct Answer<T>(Option<Arc<Cell<T>>>);

impl<T> Future for Answer<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.0 {
            Some(cell) => cell.with(Option::take).map_or(Poll::Pending, Poll::Ready),
            None => Poll::Ready(Err(Error::internal("a work may have one open call"))),
        }
    }
}

impl<T> Unpin for Answer<T> {}

/// Leaves a call for the driver. A call that would be the second open one of its work is answered with an error at
/// once.
///
/// A plain function that returns a small future, not an `async fn`: that would store `make`, and the request in it,
/// inside every future that awaits it.
pub fn call<T>(make: impl FnOnce(Reply<T>) -> Call) -> Answer<T> {
    Answer(leave(|slot| {
        let number = slot.open()?;
        let cell = Arc::new(Cell { slot: slot.clone(), number, answer: Mutex::new(None) });
        Some((cell.clone(), Step::Call(make(Reply(Some(cell))))))
    }))
}

/// Asks the host to cancel the open call in its own way. The call must be answered all the same.
pub fn cancel(reason: Reason) {
    let _ = leave(|_| Some(((), Step::Cancel(reason))));
}

/// Begins a work that sees the host values of this one.
pub async fn spawn(work: Work) {
    let mut work = Some(work);
    poll_fn(|_| {
        if work.is_none() {
            return Poll::Ready(());
        }
        let _ = leave(|_| Some(((), Step::Spawn(work.take()?))));
        Poll::Pending
    })
    .await;
}
