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
    /// The main thread is in a turn, at whose end it looks again.
    turning: AtomicBool,
    /// The main thread, where its loop looks at `rung` before it waits.
    looks: Option<usize>,
    bell: Bell,
}

thread_local! {
    /// Its address names the thread for as long as it lives.
    static THREAD: u8 = const { 0 };
}

fn this_thread() -> usize {
    THREAD.with(|thread| std::ptr::from_ref(thread).addr())
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
    /// `looks`: the loop of this thread looks before it waits, so nobody on it has to ring.
    pub(crate) fn new(turn: &Function<(), ()>, looks: bool) -> napi::Result<Arc<Self>> {
        let bell = turn.build_threadsafe_function::<()>().weak::<true>().build()?;
        let (rung, turning) = (AtomicBool::new(false), AtomicBool::new(false));
        let looks = looks.then(this_thread);
        Ok(Arc::new(Self { works: SegQueue::new(), answers: SegQueue::new(), rung, turning, looks, bell }))
    }

    /// One ring for everything that is pushed until the main thread looks.
    pub(crate) fn ring(&self) {
        // Sequentially consistent with the end of a turn: either this sees the turn's end, or that sees the ring.
        let is_known = self.rung.swap(true, Ordering::SeqCst) || self.turning.load(Ordering::SeqCst);
        if !is_known && self.looks != Some(this_thread()) {
            self.again();
        }
    }

    /// Has a turn come, whatever the main thread does before it waits.
    pub(crate) fn again(&self) {
        self.bell.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }

    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed)
    }

    /// The main thread looks at everything from here on. A swap and not a store: a store may become visible after the pops
    /// that follow it, and what is pushed in between would then ring nobody.
    pub(crate) fn begin_turn(&self) {
        self.turning.store(true, Ordering::SeqCst);
        self.rung.swap(false, Ordering::SeqCst);
    }

    /// Whoever rings from here on is heard. True: somebody did meanwhile.
    pub(crate) fn end_turn(&self) -> bool {
        self.turning.store(false, Ordering::SeqCst);
        self.rung.swap(false, Ordering::SeqCst)
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
