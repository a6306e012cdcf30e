//! What stands between the I/O thread and the main thread: the queues that a turn empties, and the bell that is rung once
//! for all that lies in them. The I/O thread never touches a value of the host.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use crossbeam_queue::SegQueue;
use napi::{
    Status,
    bindgen_prelude::Function,
    sys,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use spikard_core::Error;
use spikard_ffi::{Runtime, Work};
use spikard_http::server::Drained;

/// Calls the package's `turn` on the main thread. By itself it keeps no process alive.
type Bell = ThreadsafeFunction<(), (), (), Status, false, true, 0>;

/// The way to the main thread of one worker.
pub(crate) struct Inbox {
    /// Requests to be begun.
    pub(crate) works: SegQueue<Work>,
    /// What somebody on the main thread asked for, by the number that was given out.
    pub(crate) answers: SegQueue<(u32, Answer)>,
    rung: AtomicBool,
    bell: Bell,
}

/// What the I/O thread has to tell.
pub(crate) enum Answer {
    /// The answer to a request of the in-memory door.
    Response(http::Response<Bytes>),
    /// Its body broke off.
    Broken,
    /// The body of a request, for user code that awaits it.
    Body(Result<Bytes, Error>),
    /// The singletons are finished.
    Retired,
    /// The server has ended.
    Drained(Drained),
}

impl Inbox {
    pub(crate) fn new(turn: &Function<(), ()>) -> napi::Result<Arc<Self>> {
        let bell = turn.build_threadsafe_function::<()>().weak::<true>().build()?;
        Ok(Arc::new(Self { works: SegQueue::new(), answers: SegQueue::new(), rung: AtomicBool::new(false), bell }))
    }

    /// One ring for everything that is pushed until the main thread looks.
    pub(crate) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// The main thread looks at everything from here on. A swap and not a store: a store may become visible after the pops
    /// that follow it, and what is pushed in between would then ring nobody.
    pub(crate) fn begin_turn(&self) {
        self.rung.swap(false, Ordering::AcqRel);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.works.is_empty() && self.answers.is_empty()
    }

    /// Whether the process lives on for the sake of this worker.
    pub(crate) fn keep_alive(&self, env: &napi::Env, alive: bool) {
        let change = if alive { sys::napi_ref_threadsafe_function } else { sys::napi_unref_threadsafe_function };
        // SAFETY: the function is there as long as the bell is, and this is the thread that made it.
        unsafe { change(env.raw(), self.bell.raw()) };
    }

    pub(crate) fn tell(&self, number: u32, answer: Answer) {
        self.answers.push((number, answer));
        self.ring();
    }
}

impl Runtime for Inbox {
    fn run(&self, work: Work) {
        self.works.push(work);
        self.ring();
    }

    fn wake(&self) {
        self.ring();
    }
}
