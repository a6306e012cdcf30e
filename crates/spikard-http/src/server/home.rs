//! Where the connections of a worker live, and the turns of its host's thread: I/O and user code alternate in them, so that
//! what has arrived is counted and refused, and answers leave, between the requests.

#[cfg(unix)]
use std::sync::Arc;
use std::{
    cell::RefCell,
    ffi::c_void,
    io,
    time::{Duration, Instant},
};

use crossbeam_queue::SegQueue;
use spikard_ffi::Work;

#[cfg(unix)]
use super::Remote;
use super::{LoopWatch, Reactor};

/// At most this many of each kind are dealt with in one go.
pub const BATCH: usize = 256;

/// How long a turn may take before the host's loop has its own.
const SLICE: Duration = Duration::from_millis(2);

/// How long answers wait while others are begun: long enough to begin many short ones in a row, and no longer than a large
/// one stays near the processor, and its memory the process's own.
const HOLD: Duration = Duration::from_micros(500);

/// So many requests are begun between two looks at the clock; after the first, the second and the fourth it is looked at too.
const LOOK_AT_CLOCK: usize = 8;

/// The connections on the host's own thread; by `default` they live on the I/O thread. A turn within a turn (a loop that user
/// code runs inside of itself) leaves them to the outer one.
#[derive(Default)]
pub struct Home {
    reactor: RefCell<Option<Reactor>>,
    watch: RefCell<Option<LoopWatch>>,
}

impl Home {
    /// On this thread. `rouse` asks it for a turn soon; it is called from any thread and has to coalesce.
    pub fn new(rouse: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        Ok(Self { reactor: RefCell::new(Some(Reactor::new(rouse)?)), watch: RefCell::default() })
    }

    /// What the loop has to watch: sockets are ready when it is readable.
    pub fn descriptor(&self) -> Option<i32> {
        self.reactor.borrow().as_ref().map(Reactor::descriptor)
    }

    /// Has a loop of libuv watch it, and call `turn`, with whether sockets are ready; `closed` is called once it knows nothing
    /// of this any more. False: there is nothing to watch.
    ///
    /// # Safety
    ///
    /// As [`LoopWatch::open`] has it.
    pub unsafe fn watch(
        &self,
        event_loop: *mut c_void,
        turn: impl Fn(bool) + 'static,
        closed: impl FnOnce() + 'static,
    ) -> io::Result<bool> {
        let reactor = self.reactor.borrow();
        let Some(reactor) = reactor.as_ref() else { return Ok(false) };
        // SAFETY: as the caller promises.
        self.watch.replace(Some(unsafe { LoopWatch::open(event_loop, reactor, turn, closed)? }));
        Ok(true)
    }

    /// One turn: `deal` begins what lies ready, until the given time, and answers whether there is more. `look`: sockets are
    /// ready. True: all is done.
    pub fn turn<E: From<io::Error>>(
        &self,
        look: bool,
        mut deal: impl FnMut(Instant) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let mut now = Instant::now();
        let until = now + SLICE;
        let mut ready = self.poll(look)?;
        loop {
            let more = deal(now + HOLD)?;
            ready |= self.poll(false)?;
            if !ready && !more {
                return Ok(true);
            }
            now = Instant::now();
            if now >= until {
                return Ok(false);
            }
            ready = false;
        }
    }

    /// Polls the connections that are ready. True: there are more.
    fn poll(&self, look: bool) -> io::Result<bool> {
        let Ok(mut reactor) = self.reactor.try_borrow_mut() else { return Ok(false) };
        let Some(reactor) = reactor.as_mut() else { return Ok(false) };
        if look {
            reactor.look()?;
        }
        Ok(reactor.turn(BATCH))
    }

    /// Whether connections wait for a turn.
    pub fn has_work(&self) -> bool {
        self.reactor.try_borrow().is_ok_and(|reactor| reactor.as_ref().is_some_and(Reactor::has_work))
    }

    /// Closes every connection.
    pub fn close(&self) {
        let reactor = self.reactor.try_borrow_mut().ok().and_then(|mut reactor| reactor.take());
        drop((self.watch.take(), reactor));
    }

    #[cfg(unix)]
    pub(super) fn remote(&self) -> Option<Arc<Remote>> {
        self.reactor.borrow().as_ref().map(|reactor| reactor.remote().clone())
    }
}

/// Takes what is to be begun in one go of a turn, until this time.
pub fn due(works: &SegQueue<Work>, until: Instant) -> impl Iterator<Item = Work> {
    let mut begun = 0_usize;
    std::iter::from_fn(move || {
        let looks = begun.is_power_of_two() || begun.is_multiple_of(LOOK_AT_CLOCK) && begun > 0;
        if begun == BATCH || works.is_empty() || looks && Instant::now() >= until {
            return None;
        }
        begun += 1;
        works.pop()
    })
}
