//! The main thread's side of a worker: what begins, steps and ends its requests.

mod calls;
mod held;
pub(crate) mod request;

use std::{cell::RefCell, collections::VecDeque, io, rc::Rc, sync::Arc, time::Instant};

use spikard_core::{Error, HostId};
use spikard_ffi::{Driver, Slots, Step, Ticket, Work};
use spikard_http::{
    Apart, Places,
    server::{BATCH, Drained, Home, due},
};

use self::{calls::Owes, held::Released};
pub(crate) use self::{calls::Stage, held::Held};
use crate::{
    convert,
    host::Host,
    js::{Fault, Js, Val},
    runtime::{Answer, Inbox},
};

/// Everything of one worker that lives on its main thread. Nothing in it is borrowed while the host's code runs.
pub(crate) struct Loop {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) host: Host,
    driver: Driver,
    apart: Apart,
    pub(crate) home: Home,
    jobs: Slots<Job>,
    /// Works that requests have spawned, with what they see of these: never begun inside another's step.
    spawned: RefCell<VecDeque<(Work, Rc<Held>)>>,
    released: Rc<Released>,
    pub(crate) places: Places,
}

/// One request: the trampoline between its work and the host's code.
struct Job {
    held: Rc<Held>,
    /// What is owed for the call that has begun.
    open: Option<Owes>,
}

impl Loop {
    pub(crate) fn new(inbox: Arc<Inbox>, host: Host, apart: Apart, home: Home) -> Self {
        let driver = Driver::new(inbox.clone());
        let (jobs, spawned) = (Slots::default(), RefCell::default());
        let (released, places) = (Rc::default(), Places::default());
        Self { inbox, host, driver, apart, home, jobs, spawned, released, places }
    }

    /// Deals with what has come, for a moment at most. `look`: sockets are ready.
    pub(crate) fn turn(&self, js: Js<'_>, look: bool) {
        let turn = self.inbox.begin_turn(false);
        let is_done = self.home.turn(look, |until| {
            self.deal(js, until);
            Ok::<_, io::Error>(self.has_work())
        });
        self.let_go(js);
        // What the system refuses in one look, the next one sees.
        if is_done.unwrap_or(false) {
            turn.end(|| self.has_work() || self.home.has_work());
        }
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
        for work in due(&self.inbox.works, until) {
            js.within(|js| self.begin(js, work, Rc::new(Held::new(&self.released))));
        }
    }

    /// Begins a work whose values are its own, outside of any request. `task` is one of them.
    pub(crate) fn spawn(&self, work: Work, task: u32) {
        let held = Rc::new(Held::new(&self.released));
        held.keep(task);
        self.spawned.borrow_mut().push_back((work, held));
        self.inbox.ring();
    }

    fn begin(&self, js: Js<'_>, work: Work, held: Rc<Held>) {
        let ticket = self.driver.accept(work);
        drop(self.jobs.put(ticket, Job { held, open: None }));
        self.advance(js, ticket);
    }

    /// Steps a work until it waits or has ended.
    fn advance(&self, js: Js<'_>, ticket: Ticket) {
        let Some(held) = self.held(ticket) else { return };
        let stage = Stage { js, here: self, held: &held };
        loop {
            match self.driver.step(ticket) {
                Step::Call(call) => {
                    if let Some(owes) = stage.call(ticket, call) {
                        self.jobs.with(ticket, |job| job.open = Some(owes));
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
                    drop((self.jobs.take(ticket), held));
                    return;
                }
            }
        }
    }

    /// The host answers an open call; its value is what it would have returned at once.
    pub(crate) fn answered(&self, js: Js<'_>, ticket: Ticket, answer: Val<'_>) {
        let open = self.jobs.with(ticket, |job| Some((job.open.take()?, job.held.clone())));
        let Some((owes, held)) = open.flatten() else { return };
        Stage { js, here: self, held: &held }.settle(owes, answer);
        drop(held);
        self.advance(js, ticket);
        // No turn may follow for a while: what the request held is not to wait for it.
        self.let_go(js);
    }

    /// The host's code learns that nobody waits for it any more, where it has asked to. Its call is answered when it ends.
    fn cancel(&self, js: Js<'_>, held: &Held) {
        held.is_cancelled.set(true);
        if let Some(shared) = held.shared.get() {
            let _ = js.call(js.kept(&self.host.cancel), &[js.id(shared)]);
        }
    }

    /// What a request that has not ended holds.
    pub(crate) fn held(&self, ticket: Ticket) -> Option<Rc<Held>> {
        self.jobs.with(ticket, |job| job.held.clone())
    }

    /// Tells the host which of its values are needed no more.
    fn let_go(&self, js: Js<'_>) {
        let released = self.released.take();
        // A task that its response has taken with it may never have come to run.
        self.places.give_back(released.iter().map(|id| HostId(*id)));
        let ids: Vec<_> = released.into_iter().map(|id| js.id(id)).collect();
        if !ids.is_empty()
            && let Ok(ids) = js.array(&ids)
        {
            let _ = js.call(js.kept(&self.host.release), &[ids]);
        }
    }

    fn told(&self, js: Js<'_>, number: u64, answer: Answer) {
        let mut args = Self::answer(js, answer).unwrap_or_else(|_| vec![js.null()]);
        args.insert(0, js.number(number as f64));
        let _ = js.call(js.kept(&self.host.told), &args);
    }

    fn answer(js: Js<'_>, answer: Answer) -> Result<Vec<Val<'_>>, Fault> {
        Ok(match answer {
            Answer::Response(answer) => {
                let (status, fields) = (answer.status().as_u16(), convert::fields_of(js, answer.headers().iter())?);
                vec![js.id(status.into()), fields, js.buffer(answer.into_body())?]
            }
            Answer::Nothing => vec![js.null()],
            Answer::Body(Ok(body)) => vec![js.buffer(body)?],
            Answer::Body(Err(error)) => refused(js, &error)?,
            Answer::Drained(Drained { connections, in_flight }) => {
                vec![js.number(connections as f64), js.number(in_flight as f64)]
            }
        })
    }

    /// Ends what is left of the requests: each connection gets a 500.
    pub(crate) fn close(&self, js: Js<'_>) {
        self.home.close();
        for (ticket, _job) in self.jobs.empty() {
            self.driver.forget(ticket);
        }
        while self.inbox.works.pop().is_some() {}
        drop(self.spawned.take());
        self.let_go(js);
    }
}

/// A status, and what is wrong.
fn wrong(error: &Error) -> (u32, String) {
    (error.status_code().as_u16().into(), error.detail.as_deref().unwrap_or_default().to_owned())
}

/// The same behind null, where something else was asked for.
fn refused<'a>(js: Js<'a>, error: &Error) -> Result<Vec<Val<'a>>, Fault> {
    let (status, detail) = wrong(error);
    Ok(vec![js.null(), js.id(status), js.text(&detail)?])
}
