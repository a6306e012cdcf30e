//! The runtime of a host that is Rust: each work is a tokio task of its own, which polls the work and, while a call is open,
//! its handler. Cancelling is dropping the handler's future.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
use spikard_core::{Error, Response};
use spikard_ffi::{Call, Driver, Reply, Report, Runtime, Step, Ticket, Work};
use tokio::runtime::Handle;

use crate::handler::{Erased, Running};

/// The handlers of an app, by their ids, and where they run.
pub(crate) struct Host {
    handlers: Arc<[Erased]>,
    tokio: Handle,
}

impl Host {
    pub(crate) fn new(handlers: Vec<Erased>, tokio: Handle) -> Arc<Self> {
        Arc::new(Self { handlers: handlers.into(), tokio })
    }

    fn start(self: &Arc<Self>, work: Work) {
        let bell = Arc::new(Bell { host: self.clone(), waker: AtomicWaker::new() });
        let driver = Driver::new(bell.clone());
        let ticket = driver.accept(work);
        let mut task = Task { driver, ticket, open: None };
        self.tokio.spawn(poll_fn(move |cx| {
            bell.waker.register(cx.waker());
            task.poll(&bell.host, cx)
        }));
    }
}

/// Starts works; it has no thread of its own to wake.
pub(crate) struct Door(pub(crate) Arc<Host>);

impl Runtime for Door {
    fn run(&self, work: Work) {
        self.0.start(work);
    }

    fn wake(&self) {}
}

/// Wakes the task of one work.
struct Bell {
    host: Arc<Host>,
    waker: AtomicWaker,
}

impl Runtime for Bell {
    fn run(&self, work: Work) {
        self.host.start(work);
    }

    fn wake(&self) {
        self.waker.wake();
    }
}

struct Task {
    driver: Driver,
    ticket: Ticket,
    open: Option<(Running, Reply<Response>)>,
}

impl Task {
    fn poll(&mut self, host: &Arc<Host>, cx: &mut Context<'_>) -> Poll<()> {
        self.driver.woken().for_each(drop);
        loop {
            match self.driver.step(self.ticket) {
                Step::Call(call) => self.begin(host, call),
                Step::Spawn(work) => host.start(work),
                Step::Cancel(_) => {
                    if let Some((_, reply)) = self.open.take() {
                        reply.fail(Error::internal("the handler was cancelled"));
                    }
                }
                Step::Ended => return Poll::Ready(()),
                Step::Waiting if self.go_on(cx) => {}
                Step::Waiting => return Poll::Pending,
            }
        }
    }

    /// Calls that no builder of this crate leads to are left unanswered, which answers them 500.
    fn begin(&mut self, host: &Host, call: Call) {
        match call {
            Call::Handle { handler, args, reply } => {
                let running = catch_unwind(AssertUnwindSafe(|| host.handlers[handler.0 as usize](args)));
                match running {
                    Ok(running) => self.open = Some((running, reply)),
                    Err(_) => reply.fail(panicked()),
                }
            }
            Call::Report { report, reply } => {
                log(&report);
                reply.ok(());
            }
            _ => {}
        }
    }

    /// Polls the open handler; whether it has answered.
    fn go_on(&mut self, cx: &mut Context<'_>) -> bool {
        let Some((running, _)) = &mut self.open else { return false };
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx)));
        let Poll::Ready(answer) = polled.unwrap_or_else(|_| Poll::Ready(Err(panicked()))) else { return false };
        if let Some((_, reply)) = self.open.take() {
            match answer {
                Ok(response) => reply.ok(response),
                Err(error) => reply.fail(error),
            }
        }
        true
    }
}

fn panicked() -> Error {
    Error::internal("the handler panicked")
}

fn log(report: &Report) {
    let id = report.request_id.as_ref().map(ToString::to_string).unwrap_or_default();
    eprintln!("{} failed: {} {id}", report.route, report.source.as_deref().unwrap_or("no reason is known"));
}
