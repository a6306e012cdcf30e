//! What stands between the I/O thread and the loop's: what the one tells the other, and the bell by which the loop is
//! woken. The I/O thread never attaches to the interpreter.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc::SyncSender};

use bytes::Bytes;
use pyo3::{prelude::*, types::PyDict};
use spikard_core::Error;
#[cfg(unix)]
use spikard_http::server::Alarm;
use spikard_http::{Piece, server::Drained};

use crate::vectorcall;

/// The way to the loop of one worker.
pub(crate) type Inbox = spikard_ffi::Inbox<Answer, Bell>;

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
    /// The head of the answer to an exchange, with what there is of its body. None: the client has left.
    Head(Option<(http::response::Parts, Piece)>),
    /// More of its body. None: it broke off.
    Piece(Option<Piece>),
    /// Whether somebody reads the body of an exchange.
    Taken(bool),
}

/// How the loop is woken.
pub(crate) struct Bell {
    way: Way,
    /// On the loop's own thread: cheaper than the way from outside.
    soon: OnceLock<Soon>,
    /// What a ring raised: a signal's handler, most of all, whose exception is for the loop.
    raised: Mutex<Option<PyErr>>,
}

enum Way {
    /// A descriptor that the loop watches.
    #[cfg(unix)]
    Watched(Alarm),
    /// The loop watches none: a thread of ours calls `loop.call_soon_threadsafe`.
    Called(SyncSender<Ring>),
}

/// What the thread of a bell is told.
enum Ring {
    Again,
    Over,
}

/// How a turn is asked for on the loop's own thread.
struct Soon {
    call_soon: Py<PyAny>,
    turn: Py<PyAny>,
    /// Or the requests of the next turn would see the context of whoever rang.
    context: Py<PyDict>,
}

impl spikard_ffi::Bell for Bell {
    fn ring(&self, here: bool) {
        match self.soon.get() {
            Some(Soon { call_soon, turn, context }) if here => {
                let called = Python::attach(|py| call_soon.call(py, (turn,), Some(context.bind(py))));
                if let Err(raised) = called {
                    self.raise(raised);
                }
            }
            _ => self.way.ring(),
        }
    }

    fn hush(&self) {
        match &self.way {
            #[cfg(unix)]
            Way::Watched(alarm) => alarm.hush(),
            Way::Called(_) => (),
        }
    }
}

impl Way {
    fn ring(&self) {
        match self {
            #[cfg(unix)]
            Way::Watched(alarm) => alarm.ring(),
            // Full: it is ringing already.
            Way::Called(sender) => drop(sender.try_send(Ring::Again)),
        }
    }
}

impl Bell {
    fn new(way: Way) -> Self {
        Self { way, soon: OnceLock::new(), raised: Mutex::new(None) }
    }

    /// One that the loop watches.
    #[cfg(unix)]
    pub(crate) fn watched(alarm: Alarm) -> Self {
        Self::new(Way::Watched(alarm))
    }

    /// A thread that lets the interpreter go while it waits. `drain` is what the loop is to call, once there is one.
    pub(crate) fn called(py: Python<'_>, call_soon: Py<PyAny>, drain: Arc<OnceLock<Py<PyAny>>>) -> PyResult<Self> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        // Or the requests would see the context of the bell's thread. Copied for each turn: one may be open in the other.
        let context = vectorcall::copy_context(py)?;
        let ring = move |py: Python<'_>, drain: &Py<PyAny>| {
            let keywords = PyDict::new(py);
            keywords.set_item("context", context.call_method0(py, "copy")?)?;
            call_soon.call(py, (drain,), Some(&keywords))
        };
        let ring_all = move || {
            while let Ok(Ring::Again) = receiver.recv() {
                let called = Python::attach(|py| drain.get().map(|drain| ring(py, drain)));
                if let Some(Err(_loop_is_closed)) = called {
                    break;
                }
            }
            Python::attach(|_| drop((ring, drain)));
        };
        std::thread::Builder::new().name("spikard-bell".into()).spawn(ring_all)?;
        Ok(Self::new(Way::Called(sender)))
    }

    /// From now on a ring on the loop's own thread is `call_soon(turn)`.
    pub(crate) fn rings_by(&self, py: Python<'_>, call_soon: Py<PyAny>, turn: Py<PyAny>) -> PyResult<()> {
        let context = PyDict::new(py);
        context.set_item("context", vectorcall::copy_context(py)?)?;
        let _ = self.soon.set(Soon { call_soon, turn, context: context.unbind() });
        Ok(())
    }

    /// Has the loop end with this. Nobody hears the bell of one that is closed.
    pub(crate) fn raise(&self, raised: PyErr) {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
        self.way.ring();
    }

    /// What the turn that hears the bell is to raise.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What the loop has to watch.
    pub(crate) fn descriptor(&self) -> Option<i32> {
        match &self.way {
            #[cfg(unix)]
            Way::Watched(alarm) => Some(alarm.descriptor()),
            Way::Called(_) => None,
        }
    }

    /// Ends the thread. The interpreter must be let go of meanwhile.
    pub(crate) fn end(&self) {
        match &self.way {
            #[cfg(unix)]
            Way::Watched(_) => (),
            Way::Called(sender) => drop(sender.send(Ring::Over)),
        }
    }
}
