//! What stands between the I/O thread and the loop's: the queues that the loop empties, and the bell that is rung once
//! for all that lies in them. The I/O thread never attaches to the interpreter.

use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
    mpsc::SyncSender,
};

use bytes::Bytes;
use crossbeam_queue::SegQueue;
use pyo3::{prelude::*, types::PyDict};
use spikard_core::Error;
use spikard_ffi::{Runtime, Ticket, Work};
use spikard_http::{Piece, server::Drained};

use crate::vectorcall;

/// The way to the loop of one worker.
pub(crate) struct Inbox {
    /// Requests to be begun.
    pub(crate) works: SegQueue<Work>,
    /// What `def` code returned.
    pub(crate) returned: SegQueue<(Ticket, PyResult<Py<PyAny>>)>,
    /// What somebody on the loop asked for, by the number that `Loop::ask` gave.
    pub(crate) answers: SegQueue<(u64, Answer)>,
    rung: AtomicBool,
    /// User code may run the loop within a turn.
    nests: bool,
    /// The loop is in a turn, at whose end it looks at `rung` again.
    turning: AtomicBool,
    /// Tells the loop's thread from the others.
    owner: usize,
    /// On the loop's own thread, outside of a turn: cheaper than the bell.
    soon: OnceLock<Soon>,
    /// What a ring raised: a signal's handler, most of all, whose exception is for the loop.
    raised: Mutex<Option<PyErr>>,
    bell: Bell,
}

thread_local! {
    /// Its address names the thread for as long as it lives.
    static THREAD: u8 = const { 0 };
}

fn this_thread() -> usize {
    THREAD.with(|thread| std::ptr::from_ref(thread).addr())
}

/// How a turn is asked for on the loop's own thread.
struct Soon {
    call_soon: Py<PyAny>,
    turn: Py<PyAny>,
    /// Or the requests of the next turn would see the context of whoever rang.
    context: Py<PyDict>,
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
    /// The head of the answer to an exchange, with what there is of its body. None: the client has left.
    Head(Option<(http::response::Parts, Piece)>),
    /// More of its body. None: it broke off.
    Piece(Option<Piece>),
    /// Whether somebody reads the body of an exchange.
    Taken(bool),
}

impl Inbox {
    pub(crate) fn new(bell: Bell, nests: bool) -> Self {
        let (works, returned, answers) = (SegQueue::new(), SegQueue::new(), SegQueue::new());
        let (rung, turning) = (AtomicBool::new(false), AtomicBool::new(false));
        let (owner, soon, raised) = (this_thread(), OnceLock::new(), Mutex::new(None));
        Self { works, returned, answers, rung, nests, turning, owner, soon, raised, bell }
    }

    /// From now on a ring on the loop's own thread is `call_soon(turn)`.
    pub(crate) fn rings_by(&self, py: Python<'_>, call_soon: Py<PyAny>, turn: Py<PyAny>) -> PyResult<()> {
        let context = PyDict::new(py);
        context.set_item("context", vectorcall::copy_context(py)?)?;
        let _ = self.soon.set(Soon { call_soon, turn, context: context.unbind() });
        Ok(())
    }

    /// One ring for everything that is pushed until the loop looks.
    pub(crate) fn ring(&self) {
        // Sequentially consistent with the end of a turn: either this sees the turn's end, or that sees the ring.
        if self.rung.swap(true, Ordering::SeqCst) || !self.nests && self.turning.load(Ordering::SeqCst) {
            return;
        }
        match self.soon.get() {
            Some(Soon { call_soon, turn, context }) if self.owner == this_thread() => {
                let called = Python::attach(|py| call_soon.call(py, (turn,), Some(context.bind(py))));
                if let Err(raised) = called {
                    self.raise(raised);
                }
            }
            _ => self.bell.ring(),
        }
    }

    /// Has the loop end with this. Nobody hears the bell of one that is closed.
    pub(crate) fn raise(&self, raised: PyErr) {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
        self.bell.ring();
    }

    /// An answer is there.
    pub(crate) fn tell(&self, number: u64, answer: Answer) {
        self.answers.push((number, answer));
        self.ring();
    }

    /// The loop looks at everything; what is pushed meanwhile rings nobody. `heard`: the bell called it.
    pub(crate) fn begin_turn(&self, heard: bool) -> Turn<'_> {
        self.turning.store(true, Ordering::SeqCst);
        if heard {
            self.bell.hush();
        }
        // A swap and not a store: a store may become visible after the pops that follow it, and what is pushed in
        // between would then ring nobody.
        self.rung.swap(false, Ordering::SeqCst);
        Turn(self)
    }

    /// What the turn that hears the bell is to raise.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.works.is_empty() && self.returned.is_empty() && self.answers.is_empty()
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }
}

/// One turn of the loop, ended by dropping it, however it ends.
pub(crate) struct Turn<'a>(&'a Inbox);

impl Turn<'_> {
    /// There is more to do than fits into this turn.
    pub(crate) fn again(&self) {
        self.0.rung.store(true, Ordering::SeqCst);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turning.store(false, Ordering::SeqCst);
        if self.0.rung.swap(false, Ordering::SeqCst) {
            self.0.ring();
        }
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

/// How the loop is woken.
pub(crate) enum Bell {
    /// A descriptor that the loop watches.
    #[cfg(unix)]
    Watched(Descriptor),
    /// The loop watches none: a thread of ours calls `loop.call_soon_threadsafe`.
    Called(SyncSender<Ring>),
}

/// What the thread of a bell is told.
pub(crate) enum Ring {
    Again,
    Over,
}

impl Bell {
    fn ring(&self) {
        match self {
            #[cfg(unix)]
            Bell::Watched(descriptor) => descriptor.ring(),
            // Full: it is ringing already.
            Bell::Called(sender) => drop(sender.try_send(Ring::Again)),
        }
    }

    fn hush(&self) {
        match self {
            #[cfg(unix)]
            Bell::Watched(descriptor) => descriptor.hush(),
            Bell::Called(_) => (),
        }
    }

    /// What the loop has to watch.
    pub(crate) fn descriptor(&self) -> Option<i32> {
        match self {
            #[cfg(unix)]
            Bell::Watched(descriptor) => Some(descriptor.number()),
            Bell::Called(_) => None,
        }
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
        Ok(Self::Called(sender))
    }

    /// Ends the thread. The interpreter must be let go of meanwhile.
    pub(crate) fn end(&self) {
        if let Bell::Called(sender) = self {
            let _ = sender.send(Ring::Over);
        }
    }
}

/// An eventfd where there is one, else two connected sockets. At most one ring lies in it.
#[cfg(unix)]
pub(crate) struct Descriptor {
    #[cfg(target_os = "linux")]
    event: std::fs::File,
    #[cfg(not(target_os = "linux"))]
    ends: (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream),
}

#[cfg(target_os = "linux")]
impl Descriptor {
    pub(crate) fn open() -> std::io::Result<Self> {
        use std::os::fd::FromRawFd;
        // SAFETY: no pointers; a new descriptor that nobody else owns, or -1.
        match unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) } {
            -1 => Err(std::io::Error::last_os_error()),
            // SAFETY: as above.
            fd => Ok(Self { event: unsafe { std::fs::File::from_raw_fd(fd) } }),
        }
    }

    pub(crate) fn number(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.event)
    }

    fn ring(&self) {
        let _ = std::io::Write::write(&mut &self.event, &1u64.to_ne_bytes());
    }

    fn hush(&self) {
        let _ = std::io::Read::read(&mut &self.event, &mut [0; 8]);
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
impl Descriptor {
    pub(crate) fn open() -> std::io::Result<Self> {
        let ends = std::os::unix::net::UnixStream::pair()?;
        ends.0.set_nonblocking(true)?;
        ends.1.set_nonblocking(true)?;
        Ok(Self { ends })
    }

    pub(crate) fn number(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.ends.0)
    }

    fn ring(&self) {
        let _ = std::io::Write::write(&mut &self.ends.1, &[1]);
    }

    fn hush(&self) {
        let _ = std::io::Read::read(&mut &self.ends.0, &mut [0; 8]);
    }
}
