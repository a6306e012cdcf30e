//! Calls of one request that run side by side, each in a work of its own, while the request's work waits.

use std::{
    future::{Future, poll_fn},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
};

use futures_util::task::AtomicWaker;
use spikard_core::Error;
use spikard_ffi::{Call, Reply, Work};

use super::{Fault, Line, host_end::Asking};

type Answers<T> = Vec<Option<Result<T, Fault>>>;

/// What the works share.
pub(crate) struct Beside<T> {
    line: Arc<Line>,
    /// The line can wake one work only, which passes it on.
    works: Box<[AtomicWaker]>,
    answers: Mutex<Answers<T>>,
}

impl<T: Send + 'static> Beside<T> {
    pub(super) fn new(line: Arc<Line>, count: usize) -> Arc<Self> {
        let works = (0..count).map(|_| AtomicWaker::new()).collect();
        Arc::new(Self { line, works, answers: Mutex::new((0..count).map(|_| None).collect()) })
    }

    /// The work that makes one of the calls.
    pub(crate) fn work(self: &Arc<Self>, place: usize, make: impl FnOnce(Reply<T>) -> Call + Send + 'static) -> Work {
        let answering = Answering { beside: self.clone(), place, answer: None };
        Box::pin(async move {
            let beside = answering.beside.clone();
            let answer = Asking::new(&beside.line, &beside.works[place], make).await;
            answering.with(answer);
        })
    }

    /// Every answer, once all are there.
    pub(crate) fn answers(&self) -> impl Future<Output = Vec<Result<T, Fault>>> {
        poll_fn(|cx| {
            self.line.work.register(cx.waker());
            if self.line.reason().is_some() {
                self.works.iter().for_each(AtomicWaker::wake);
            }
            let mut answers = self.lock();
            if answers.iter().any(Option::is_none) {
                return Poll::Pending;
            }
            Poll::Ready(std::mem::take(&mut *answers).into_iter().flatten().collect())
        })
    }

    fn lock(&self) -> MutexGuard<'_, Answers<T>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers when its work ends, however that ends.
struct Answering<T> {
    beside: Arc<Beside<T>>,
    place: usize,
    answer: Option<Result<T, Fault>>,
}

impl<T> Answering<T> {
    fn with(mut self, answer: Result<T, Fault>) {
        self.answer = Some(answer);
    }
}

impl<T> Drop for Answering<T> {
    fn drop(&mut self) {
        let lost = || Err(Fault::Error(Error::internal("the host dropped a dependency")));
        let answer = self.answer.take().unwrap_or_else(lost);
        self.beside.answers.lock().unwrap_or_else(PoisonError::into_inner)[self.place] = Some(answer);
        self.beside.line.work.wake();
    }
}
