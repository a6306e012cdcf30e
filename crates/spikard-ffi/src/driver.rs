//! Polls the works of one host thread. Slots, tickets, wakers and the place where a call is left are here, once for
//! all languages.

use std::{
    cell::RefCell,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use crossbeam_queue::SegQueue;
use spikard_core::Reason;

use crate::{Call, Runtime, Work};

/// Of a ticket's number.
const INDEX_BITS: u32 = 21;

/// Names a work of one driver. A late one is harmless: its steps answer [`Step::Ended`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    index: u32,
    serial: u32,
}

impl Ticket {
    /// Small and dense: a place in a table that the binding keeps beside the driver's.
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// A number for hosts to which a ticket is one: below 2^53, as long as fewer than two million works run at a time.
    pub fn number(self) -> u64 {
        u64::from(self.serial) << INDEX_BITS | u64::from(self.index)
    }

    /// The ticket of a number. Of one that is none, what names no work.
    pub fn of(number: u64) -> Self {
        let index = number & ((1 << INDEX_BITS) - 1);
        Self { index: index as u32, serial: (number >> INDEX_BITS) as u32 }
    }
}

/// What the host has to do after a step.
pub enum Step {
    /// Begin this, now that no Rust future is on the stack; step again when its reply has been used.
    Call(Call),
    /// Accept this as a work of its own, which sees the host values of this one. Step again.
    Spawn(Work),
    /// Nothing, until the ticket is woken or the open call has been answered.
    Waiting,
    /// Cancel the open call, in the host's own way. It must still be answered.
    Cancel(Reason),
    /// Forget the ticket. A call that is still open has been given up.
    Ended,
}

/// The works of one host thread.
pub struct Driver {
    woken: Arc<Woken>,
    places: RefCell<Places>,
}

#[derive(Default)]
struct Places {
    all: Vec<Place>,
    free: Vec<u32>,
}

struct Place {
    serial: u32,
    /// Out while it is polled, and when the place is free.
    live: Option<Live>,
    /// A free place keeps its slot and waker, so that no request allocates them.
    spare: Option<(Arc<Slot>, Waker)>,
}

struct Live {
    work: Work,
    slot: Arc<Slot>,
    waker: Waker,
}

struct Woken {
    queue: SegQueue<Arc<Slot>>,
    runtime: Arc<dyn Runtime>,
}

/// What wakers and replies hold. It outlives its work and serves the next one: a late wake is a needless step.
pub(crate) struct Slot {
    index: u32,
    queued: AtomicBool,
    /// The number of the open call; even: none is open.
    call: AtomicU32,
    woken: Arc<Woken>,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({})", self.index)
    }
}

impl Slot {
    pub(crate) fn open(&self) -> Option<u32> {
        let number = self.call.load(Ordering::Acquire);
        number.is_multiple_of(2).then(|| {
            self.call.store(number.wrapping_add(1), Ordering::Release);
            number.wrapping_add(1)
        })
    }

    /// Only the reply of the open call closes it: a late one has another number.
    pub(crate) fn close(&self, number: u32) {
        let _ = self.call.compare_exchange(number, number.wrapping_add(1), Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The open call, if there is one, is given up: its reply answers nobody.
    fn abandon(&self) {
        self.close(self.call.load(Ordering::Acquire) | 1);
    }

    pub(crate) fn wake(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.woken.queue.push(self.clone());
            self.woken.runtime.wake();
        }
    }
}

impl Wake for Slot {
    fn wake(self: Arc<Self>) {
        Slot::wake(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Slot::wake(self);
    }
}

/// The work that is polled right now, and what it has left for the host. A work never polls another: one is enough.
struct Polled {
    slot: RefCell<Option<Arc<Slot>>>,
    left: RefCell<Option<Step>>,
}

thread_local! {
    static POLLED: Polled = const { Polled { slot: RefCell::new(None), left: RefCell::new(None) } };
}

/// Leaves a step, one in a poll. None if there is one already, or if no work is being polled.
pub(crate) fn leave<R>(make: impl FnOnce(&Arc<Slot>) -> Option<(R, Step)>) -> Option<R> {
    POLLED.with(|polled| {
        let (slot, mut left) = (polled.slot.borrow(), polled.left.borrow_mut());
        let (result, step) = make(slot.as_ref().filter(|_| left.is_none())?)?;
        *left = Some(step);
        Some(result)
    })
}

impl Driver {
    /// A driver of the calling thread; `runtime.wake()` must wake that thread.
    pub fn new(runtime: Arc<dyn Runtime>) -> Self {
        Self { woken: Arc::new(Woken { queue: SegQueue::new(), runtime }), places: RefCell::default() }
    }

    /// Takes a work over. Step it next.
    pub fn accept(&self, work: Work) -> Ticket {
        let places = &mut *self.places.borrow_mut();
        let index = places.free.pop().unwrap_or_else(|| {
            places.all.push(Place { serial: 0, live: None, spare: None });
            places.all.len() as u32 - 1
        });
        let place = &mut places.all[index as usize];
        let (slot, waker) = place.spare.take().unwrap_or_else(|| self.slot(index));
        place.live = Some(Live { work, slot, waker });
        Ticket { index, serial: place.serial }
    }

    fn slot(&self, index: u32) -> (Arc<Slot>, Waker) {
        let slot = Arc::new(Slot {
            index,
            queued: AtomicBool::new(false),
            call: AtomicU32::new(0),
            woken: self.woken.clone(),
        });
        (slot.clone(), Waker::from(slot))
    }

    /// Works to be stepped. The flag of each is cleared before its step, and with a swap: a plain store could be seen
    /// after the reads of that step, and a wake in between would be lost.
    pub fn woken(&self) -> impl Iterator<Item = Ticket> {
        std::iter::from_fn(|| {
            loop {
                let slot = self.woken.queue.pop()?;
                slot.queued.swap(false, Ordering::AcqRel);
                let place = &self.places.borrow().all[slot.index as usize];
                if place.spare.is_none() {
                    return Some(Ticket { index: slot.index, serial: place.serial });
                }
            }
        })
    }

    /// Whether `woken` has anything.
    pub fn has_woken(&self) -> bool {
        !self.woken.queue.is_empty()
    }

    /// How many works have not ended.
    pub fn works(&self) -> usize {
        let places = self.places.borrow();
        places.all.len() - places.free.len()
    }

    /// Polls once. A panic ends the work, which answers it 500.
    pub fn step(&self, ticket: Ticket) -> Step {
        let Some(Live { mut work, slot, waker }) = self.take(ticket) else { return Step::Ended };
        let (polled, slot, left) = POLLED.with(|here| {
            here.slot.replace(Some(slot));
            let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(&mut Context::from_waker(&waker))));
            (polled, here.slot.take().expect("put there above"), here.left.take())
        });
        let live = Live { work, slot, waker };
        if let Ok(Poll::Pending) = polled {
            self.places.borrow_mut().all[ticket.index()].live = Some(live);
            return left.unwrap_or(Step::Waiting);
        }
        self.end(ticket, live);
        let _ = catch_unwind(AssertUnwindSafe(|| drop((left, polled))));
        Step::Ended
    }

    /// Ends a work that the host will not go on with: it answers 500, if it has not answered yet.
    pub fn forget(&self, ticket: Ticket) {
        if let Some(live) = self.take(ticket) {
            self.end(ticket, live);
        }
    }

    fn end(&self, ticket: Ticket, Live { work, slot, waker }: Live) {
        slot.abandon();
        let mut places = self.places.borrow_mut();
        let place = &mut places.all[ticket.index()];
        place.serial = place.serial.wrapping_add(1);
        place.spare = Some((slot, waker));
        places.free.push(ticket.index);
        drop(places);
        // What is dropped here may wake, answer and panic: nothing is borrowed any more.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(work)));
    }

    fn take(&self, ticket: Ticket) -> Option<Live> {
        let mut places = self.places.borrow_mut();
        places.all.get_mut(ticket.index()).filter(|place| place.serial == ticket.serial)?.live.take()
    }
}
