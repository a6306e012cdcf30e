//! What stands between the I/O thread and the main thread: what the one tells the other, and the bell by which a turn is
//! asked for. The I/O thread never touches a value of the host.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use napi::{
    Env, Status,
    bindgen_prelude::Function,
    sys,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use spikard_core::Error;
use spikard_http::server::Drained;

/// The way to the main thread of one worker. Whoever asked finds the answer by the number that `Loop::ask` gave.
pub(crate) type Inbox = spikard_ffi::Inbox<(u32, Answer), Bell>;

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

/// Calls the package's `turn` on the main thread. By itself it keeps no process alive.
pub(crate) struct Bell {
    turn: ThreadsafeFunction<(), (), (), Status, false, true, 0>,
    /// The main thread, where its loop looks whether the bell was rung before it waits: nobody on it has to ring.
    looks: OnceLock<usize>,
}

thread_local! {
    /// Its address names the thread for as long as it lives.
    static THREAD: u8 = const { 0 };
}

fn this_thread() -> usize {
    THREAD.with(|thread| std::ptr::from_ref(thread).addr())
}

impl Bell {
    /// The inbox of the calling thread.
    pub(crate) fn inbox(turn: &Function<(), ()>) -> napi::Result<Arc<Inbox>> {
        let turn = turn.build_threadsafe_function::<()>().weak::<true>().build()?;
        Ok(Arc::new(Inbox::new(Self { turn, looks: OnceLock::new() }, false)))
    }

    /// From now on the loop of this thread looks before it waits.
    pub(crate) fn is_looked_at(&self) {
        let _ = self.looks.set(this_thread());
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
    fn ring(&self) {
        if self.looks.get() != Some(&this_thread()) {
            self.call();
        }
    }
}
