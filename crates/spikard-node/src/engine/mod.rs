//! The main thread's side of a worker: what begins, steps and ends its requests.

mod calls;
mod held;
pub(crate) mod request;

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use spikard_core::Error;
use spikard_ffi::{Driver, Step, Ticket, Work};
use spikard_http::{Apart, Place, server::Drained};

pub(crate) use self::held::Held;
use self::{
    calls::{Owes, settle},
    held::Released,
};
use crate::{
    convert,
    home::Home,
    host::Host,
    js::{Fault, Js, Val},
    runtime::{Answer, Inbox},
};

/// At most this many of each kind are dealt with in one go.
const BATCH: usize = 256;

/// How long a turn may take before the host's loop has its own.
const SLICE: Duration = Duration::from_millis(2);

/// So many requests are begun between two looks at the clock.
const LOOK_AT_CLOCK: usize = 8;

/// Everything of one worker that lives on its main thread. Nothing in it is borrowed while the host's code runs.
pub(crate) struct Loop {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) host: Host,
    driver: Driver,
    apart: Apart,
    /// The connections, where they live on this thread.
    pub(crate) home: Option<Home>,
    /// By the index of its ticket.
    jobs: RefCell<Vec<Option<Job>>>,
    serial: Cell<u32>,
    /// Works that requests have spawned, with what they see of these: never begun inside another's step.
    spawned: RefCell<VecDeque<(Work, Rc<Held>)>>,
    released: Rc<Released>,
    asked: Cell<u32>,
    /// Of background tasks that have not begun, by their ids.
    places: RefCell<HashMap<u32, Place>>,
}

/// One request: the trampoline between its work and the host's code.
struct Job {
    ticket: Ticket,
    serial: u32,
    held: Rc<Held>,
    /// What is owed for the call that has begun.
    open: Option<Owes>,
}

/// Names a job to the host: a late one is harmless.
#[derive(Clone, Copy)]
pub(crate) struct Token(pub(crate) f64);

impl Token {
    /// Indexes stay below it: it is a million requests in flight.
    const INDEXES: u64 = 1 << 20;

    fn new(ticket: Ticket, serial: u32) -> Self {
        Self((u64::from(serial) * Self::INDEXES + ticket.index() as u64) as f64)
    }

    fn parts(self) -> (usize, u32) {
        let whole = self.0 as u64;
        ((whole % Self::INDEXES) as usize, (whole / Self::INDEXES) as u32)
    }
}

impl Loop {
    pub(crate) fn new(inbox: Arc<Inbox>, host: Host, apart: Apart, home: Option<Home>) -> Self {
        let driver = Driver::new(inbox.clone());
        let (jobs, spawned) = (RefCell::default(), RefCell::default());
        let (serial, asked) = (Cell::new(0), Cell::new(0));
        let (released, places) = (Rc::default(), RefCell::default());
        Self { inbox, host, driver, apart, home, jobs, serial, spawned, released, asked, places }
    }

    /// Deals with what has come, for a moment at most. I/O and user code take turns in it: what has arrived is counted and
    /// refused, and answers leave, between the requests. `look`: sockets are ready.
    pub(crate) fn turn(&self, js: Js<'_>, look: bool) {
        let turn = self.inbox.begin_turn(false);
        let until = Instant::now() + SLICE;
        let mut ready = self.poll_io(look);
        loop {
            self.deal(js, until);
            ready |= self.poll_io(false);
            if !ready && !self.has_work() || Instant::now() >= until {
                break;
            }
            ready = false;
        }
        self.let_go(js);
        turn.end(|| ready || self.has_work() || self.home.as_ref().is_some_and(Home::has_work));
    }

    fn poll_io(&self, look: bool) -> bool {
        self.home.as_ref().is_some_and(|home| home.turn(look, BATCH))
    }

    fn has_work(&self) -> bool {
        !self.inbox.is_empty() || self.driver.has_woken() || !self.spawned.borrow().is_empty()
    }

    /// In the order in which it can set something free.
    fn deal(&self, js: Js<'_>, until: Instant) {
        for _ in 0..BATCH {
            let Some((number, answer)) = self.inbox.told.pop() else { break };
            js.within(|js| self.told(js, number, answer));
        }
        for ticket in self.driver.woken().take(BATCH) {
            js.within(|js| self.advance(js, ticket));
        }
        for _ in 0..BATCH {
            let Some((work, held)) = self.spawned.borrow_mut().pop_front() else { break };
            js.within(|js| self.begin(js, work, held));
        }
        for begun in 1..=BATCH {
            let Some(work) = self.inbox.works.pop() else { break };
            js.within(|js| self.begin(js, work, Rc::new(Held::new(&self.released))));
            if begun % LOOK_AT_CLOCK == 0 && Instant::now() >= until {
                break;
            }
        }
    }

    /// Begins a work whose values are its own, outside of any request. `task` is one of them.
    pub(crate) fn spawn(&self, work: Work, task: u32) {
        let held = Rc::new(Held::new(&self.released));
        held.keep(task);
        self.spawned.borrow_mut().push_back((work, held));
        self.inbox.ring();
    }

    /// Holds the place of a task until it begins. False: there is none.
    pub(crate) fn reserve(&self, task: u32, place: Option<Place>) -> bool {
        let reserved = place.map(|place| self.places.borrow_mut().insert(task, place));
        reserved.is_some()
    }

    /// Gives a task's place back: it begins, or never will.
    pub(crate) fn give_back(&self, task: u32) {
        self.places.borrow_mut().remove(&task);
    }

    fn begin(&self, js: Js<'_>, work: Work, held: Rc<Held>) {
        let ticket = self.driver.accept(work);
        let serial = self.serial.get().wrapping_add(1);
        self.serial.set(serial);
        let mut jobs = self.jobs.borrow_mut();
        if jobs.len() <= ticket.index() {
            jobs.resize_with(ticket.index() + 1, || None);
        }
        jobs[ticket.index()] = Some(Job { ticket, serial, held, open: None });
        drop(jobs);
        self.advance(js, ticket);
    }

    /// Steps a work until it waits or has ended.
    fn advance(&self, js: Js<'_>, ticket: Ticket) {
        let Some((held, token)) = self.with(ticket.index(), |job| (job.held.clone(), Token::new(ticket, job.serial)))
        else {
            return;
        };
        loop {
            match self.driver.step(ticket) {
                Step::Call(call) => {
                    if let Some(owes) = self.call(js, token, &held, call) {
                        self.with(ticket.index(), |job| job.open = Some(owes));
                        return;
                    }
                }
                Step::Spawn(work) => {
                    self.spawned.borrow_mut().push_back((work, held.clone()));
                    self.inbox.ring();
                }
                Step::Waiting => return,
                Step::Cancel(_) => self.cancel(js, &held),
                Step::Ended => {
                    let ended = self.jobs.borrow_mut()[ticket.index()].take();
                    drop((ended, held));
                    return;
                }
            }
        }
    }

    /// The host answers an open call; its value is what it would have returned at once.
    pub(crate) fn answered(&self, js: Js<'_>, token: Token, answer: Val<'_>) {
        let (index, serial) = token.parts();
        let open = self.with(index, |job| {
            // Looked at before anything is taken: another's call may be open here.
            let open = if job.serial == serial { job.open.take() } else { None };
            Some((open?, job.ticket, job.held.clone()))
        });
        let Some((owes, ticket, held)) = open.flatten() else { return };
        settle(js, &held, owes, answer);
        drop(held);
        self.advance(js, ticket);
        // No turn may follow for a while: what the request held is not to wait for it.
        self.let_go(js);
    }

    /// The host's code learns that nobody waits for it any more, where it has asked to. Its call is answered when it ends.
    fn cancel(&self, js: Js<'_>, held: &Held) {
        held.is_cancelled.set(true);
        if let Some(request) = held.request.get() {
            let _ = js.call(js.kept(&self.host.cancel), &[js.id(request)]);
        }
    }

    fn with<R>(&self, index: usize, look: impl FnOnce(&mut Job) -> R) -> Option<R> {
        self.jobs.borrow_mut().get_mut(index)?.as_mut().map(look)
    }

    /// What a request that has not ended holds.
    pub(crate) fn held(&self, token: Token) -> Option<Rc<Held>> {
        let (index, serial) = token.parts();
        self.with(index, |job| (job.serial == serial).then(|| job.held.clone())).flatten()
    }

    /// Tells the host which of its values are needed no more.
    fn let_go(&self, js: Js<'_>) {
        let released = self.released.take();
        if !self.places.borrow().is_empty() {
            // A task that its response has taken with it, and that never came to run.
            released.iter().for_each(|id| self.give_back(*id));
        }
        let ids: Vec<_> = released.into_iter().map(|id| js.id(id)).collect();
        if !ids.is_empty()
            && let Ok(ids) = js.array(&ids)
        {
            let _ = js.call(js.kept(&self.host.release), &[ids]);
        }
    }

    /// A number for something that is asked for; the answer bears it.
    pub(crate) fn ask(&self) -> u32 {
        let number = self.asked.get();
        self.asked.set(number.wrapping_add(1));
        number
    }

    fn told(&self, js: Js<'_>, number: u32, answer: Answer) {
        let mut args = Self::answer(js, answer).unwrap_or_else(|_| vec![js.null()]);
        args.insert(0, js.id(number));
        let _ = js.call(js.kept(&self.host.told), &args);
    }

    fn answer(js: Js<'_>, answer: Answer) -> Result<Vec<Val<'_>>, Fault> {
        Ok(match answer {
            Answer::Response(answer) => {
                let (status, fields) = (answer.status().as_u16(), convert::fields_of(js, answer.headers().iter())?);
                vec![js.id(status.into()), fields, js.buffer(answer.into_body())?]
            }
            Answer::Broken | Answer::Retired => vec![js.null()],
            Answer::Body(Ok(body)) => vec![js.buffer(body)?],
            Answer::Body(Err(error)) => refused(js, &error)?,
            Answer::Drained(Drained { connections, in_flight }) => {
                vec![js.number(connections as f64), js.number(in_flight as f64)]
            }
        })
    }

    /// Ends what is left of the requests: each connection gets a 500.
    pub(crate) fn close(&self, js: Js<'_>) {
        if let Some(home) = &self.home {
            home.close();
        }
        let left: Vec<_> = self.jobs.borrow_mut().iter_mut().filter_map(Option::take).collect();
        for job in left {
            self.driver.forget(job.ticket);
        }
        while self.inbox.works.pop().is_some() {}
        drop(self.spawned.take());
        self.let_go(js);
    }
}

/// Why there is no body: null, a status, and what is wrong.
fn refused<'a>(js: Js<'a>, error: &Error) -> Result<Vec<Val<'a>>, Fault> {
    let detail = error.detail.as_deref().unwrap_or_default();
    Ok(vec![js.null(), js.id(error.status_code().as_u16().into()), js.text(detail)?])
}
