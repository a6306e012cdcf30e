//! What a binding is: the table of values, and a loop over the driver that begins calls and cancels them.

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use spikard_ffi::{Driver, Runtime, Step, Ticket, Work};
use spikard_http::Platform;

use super::user::{self, Coroutine, Ctx, Trace};

pub(crate) struct Engine {
    driver: Driver,
    jobs: RefCell<HashMap<Ticket, Job>>,
    ready: Arc<Ready>,
    clock: Option<Arc<dyn Platform>>,
    trace: Trace,
    begun: Arc<AtomicUsize>,
    left: Arc<AtomicUsize>,
}

/// A request's task: each of its calls is a step of it.
struct Job {
    ctx: Ctx,
    coroutine: Option<Coroutine>,
}

/// User code that can go on.
struct Ready {
    tickets: Mutex<Vec<Ticket>>,
    runtime: Arc<dyn Runtime>,
}
struct UserWaker(Ticket, Arc<Ready>);
impl Wake for UserWaker {
    fn wake(self: Arc<Self>) {
        self.1.tickets.lock().unwrap().push(self.0);
        self.1.runtime.wake();
    }
}

impl Engine {
    pub(crate) fn new(
        runtime: Arc<dyn Runtime>,
        clock: Option<Arc<dyn Platform>>,
        trace: Trace,
        (begun, left): (Arc<AtomicUsize>, Arc<AtomicUsize>),
    ) -> Self {
        let ready = Arc::new(Ready { tickets: Mutex::default(), runtime: runtime.clone() });
        Engine { driver: Driver::new(runtime), jobs: RefCell::default(), ready, clock, trace, begun, left }
    }

    pub(crate) fn start(&self, work: Work) {
        assert!(size_of_val(&*work) <= 512, "the work of a request has grown to {} bytes", size_of_val(&*work));
        self.begun.fetch_add(1, Ordering::AcqRel);
        let ctx = Ctx::new(self.trace.clone(), self.clock.clone());
        self.adopt(work, ctx);
    }

    fn adopt(&self, work: Work, ctx: Ctx) {
        let ticket = self.driver.accept(work);
        self.left.fetch_add(1, Ordering::AcqRel);
        self.jobs.borrow_mut().insert(ticket, Job { ctx, coroutine: None });
        self.drive(ticket);
    }

    pub(crate) fn has_woken(&self) -> bool {
        self.driver.has_woken() || !self.ready.tickets.lock().unwrap().is_empty()
    }

    pub(crate) fn woken(&self) {
        let tickets: Vec<_> = self.driver.woken().collect();
        tickets.into_iter().for_each(|ticket| self.drive(ticket));
        let ready = std::mem::take(&mut *self.ready.tickets.lock().unwrap());
        ready.into_iter().filter(|&ticket| self.go_on(ticket)).for_each(|ticket| self.drive(ticket));
    }

    fn drive(&self, ticket: Ticket) {
        loop {
            let go_on = match self.driver.step(ticket) {
                Step::Waiting => return,
                Step::Ended => {
                    let job = self.jobs.borrow_mut().remove(&ticket);
                    if let Some(job) = job {
                        if job.coroutine.is_some() {
                            job.ctx.note("given up");
                        }
                        self.left.fetch_sub(1, Ordering::AcqRel);
                    }
                    return;
                }
                Step::Call(call) => {
                    let mut jobs = self.jobs.borrow_mut();
                    let job = jobs.get_mut(&ticket).expect("it steps");
                    assert!(job.coroutine.is_none(), "one open call");
                    job.coroutine = Some(user::begin(job.ctx.clone(), call));
                    drop(jobs);
                    self.go_on(ticket)
                }
                Step::Spawn(work) => {
                    let ctx = self.jobs.borrow()[&ticket].ctx.child();
                    self.adopt(work, ctx);
                    true
                }
                Step::Cancel(reason) => {
                    let ctx = self.jobs.borrow()[&ticket].ctx.clone();
                    ctx.note(format!("cancel {reason:?}"));
                    ctx.cancel.set(Some(reason));
                    self.go_on(ticket)
                }
            };
            if !go_on {
                return;
            }
        }
    }

    /// Steps the user's code once; true if it has ended, so that the work can be stepped.
    fn go_on(&self, ticket: Ticket) -> bool {
        let Some(mut coroutine) = self.jobs.borrow_mut().get_mut(&ticket).and_then(|job| job.coroutine.take()) else {
            return false;
        };
        let waker = Waker::from(Arc::new(UserWaker(ticket, self.ready.clone())));
        if coroutine.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(()) {
            return true;
        }
        assert!(self.clock.is_some(), "a host that blocks never suspends");
        if let Some(job) = self.jobs.borrow_mut().get_mut(&ticket) {
            job.coroutine = Some(coroutine);
        }
        false
    }
}
