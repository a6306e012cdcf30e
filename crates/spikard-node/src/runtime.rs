//! What stands between the I/O thread and the main thread: what the one tells the other, and the bell by which a turn is
//! asked for. The I/O thread never touches a value of the host.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use napi::{
    Env, Status,
    bindgen_prelude::Function,
    sys,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use spikard_core::Error;
use spikard_http::server::Drained;

/// The way to the main thread of one worker.
pub(crate) type Inbox = spikard_ffi::Inbox<Answer, Bell>;

/// What the I/O thread has to tell.
pub(crate) enum Answer {
    /// The answer to a request of the in-memory door.
    Response(http::Response<Bytes>),
    /// None: its body broke off; or it is done, and there is nothing to tell.
    Nothing,
    /// The body of a request, for user code that awaits it.
    Body(Result<Bytes, Error>),
    /// The server has ended.
    Drained(Drained),
}

/// Calls the package's `turn` on the main thread. By itself it keeps no process alive.
pub(crate) struct Bell {
    turn: ThreadsafeFunction<(), (), (), Status, false, true, 0>,
    /// The loop of the main thread looks whether the bell was rung before it waits: nobody on that thread has to ring.
    looks: AtomicBool,
}

impl Bell {
    /// The inbox of the calling thread.
    pub(crate) fn inbox(turn: &Function<(), ()>) -> napi::Result<Arc<Inbox>> {
        let turn = turn.build_threadsafe_function::<()>().weak::<true>().build()?;
        Ok(Arc::new(Inbox::new(Self { turn, looks: AtomicBool::new(false) }, false)))
    }

    /// From now on the loop of the main thread looks before it waits.
    pub(crate) fn is_looked_at(&self) {
        self.looks.store(true, Ordering::Relaxed);
    }

    /// Has a turn come, whatever the main thread does before it waits.
    pub(crate) fn call(&self) {
        self.turn.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }

    /// Whether the process lives on for the sake of this worker.
    pub(crate) fn keep_alive(&self, env: &Env, alive: bool) {
        let change = if alive { sys::napi_ref_threadsafe_function } else { sys::napi_unref_threadsafe_function };
        // SAFETY: the function is there as long as the bell is, and this is the thread that made it.
        unsafe { change(env.raw(), self.turn.raw()) };
    }
}

impl spikard_ffi::Bell for Bell {
    fn ring(&self, here: bool) {
        if !(here && self.looks.load(Ordering::Relaxed)) {
            self.call();
        }
    }
}
