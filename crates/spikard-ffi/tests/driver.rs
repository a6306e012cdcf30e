//! The driver alone, on one thread.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use spikard_core::{CallableId, HostId};
use spikard_ffi::{Call, Driver, Runtime, Step, Work, call, spawn};

/// Counts the wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Runtime for Wakes {
    fn run(&self, _: Work) {
        unreachable!("the tests accept works themselves")
    }

    fn wake(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn driver() -> (Driver, Arc<Wakes>) {
    let wakes = Arc::<Wakes>::default();
    (Driver::new(wakes.clone()), wakes)
}

async fn provide() -> Result<HostId, spikard_core::Error> {
    call(|reply| Call::Provide { provider: CallableId(7), args: Vec::new(), lasting: false, reply }).await
}

#[test]
fn a_call_is_left_answered_and_stepped() {
    let (driver, wakes) = driver();
    let seen = Arc::new(Mutex::new(None));
    let seen_there = seen.clone();
    let ticket = driver.accept(Box::pin(async move {
        *seen_there.lock().unwrap() = provide().await.ok();
    }));
    let Step::Call(Call::Provide { reply, .. }) = driver.step(ticket) else { panic!("a call") };
    assert!(matches!(driver.step(ticket), Step::Waiting));
    reply.ok(HostId(3));
    assert!(matches!(driver.step(ticket), Step::Ended));
    assert_eq!(*seen.lock().unwrap(), Some(HostId(3)));
    assert_eq!((wakes.0.load(Ordering::Relaxed), driver.works()), (0, 0), "who answers, steps: nobody is woken");
}

#[test]
fn a_reply_dropped_unanswered_is_an_error_and_wakes() {
    let (driver, wakes) = driver();
    let ticket = driver.accept(Box::pin(async {
        assert!(provide().await.is_err());
    }));
    let Step::Call(call) = driver.step(ticket) else { panic!("a call") };
    drop(call);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(driver.woken().collect::<Vec<_>>(), [ticket]);
    assert!(matches!(driver.step(ticket), Step::Ended));
}

#[test]
fn a_second_open_call_is_an_error_at_once() {
    let (driver, _) = driver();
    let ticket = driver.accept(Box::pin(async {
        let first = call(|reply| Call::Provide { provider: CallableId(1), args: Vec::new(), lasting: false, reply });
        let second = provide().await;
        assert!(second.is_err());
        assert_eq!(first.await.ok(), Some(HostId(1)));
        assert_eq!(provide().await.ok(), Some(HostId(2)));
    }));
    for id in [1, 2] {
        let Step::Call(Call::Provide { reply, .. }) = driver.step(ticket) else { panic!("call {id}") };
        reply.ok(HostId(id));
    }
    assert!(matches!(driver.step(ticket), Step::Ended));
}

#[test]
fn a_panic_ends_its_work_and_no_other() {
    let (driver, _) = driver();
    let other = driver.accept(Box::pin(pending()));
    let bad = driver.accept(Box::pin(async { panic!("in a step") }));
    assert!(matches!(driver.step(bad), Step::Ended));
    assert!(matches!(driver.step(other), Step::Waiting));
    assert_eq!(driver.works(), 1);
}

#[test]
fn a_late_ticket_or_reply_reaches_nobody_else() {
    let (driver, _) = driver();
    let first = driver.accept(Box::pin(async {
        let _ = provide().await;
    }));
    let Step::Call(Call::Provide { reply: late, .. }) = driver.step(first) else { panic!("a call") };
    driver.forget(first);
    let second = driver.accept(Box::pin(async {
        assert_eq!(provide().await.ok(), Some(HostId(2)));
    }));
    assert_eq!(first.index(), second.index(), "the place is used again");
    let Step::Call(Call::Provide { reply, .. }) = driver.step(second) else { panic!("a call") };
    late.ok(HostId(1));
    assert!(matches!(driver.step(first), Step::Ended));
    reply.ok(HostId(2));
    assert!(matches!(driver.step(second), Step::Ended));
}

#[test]
fn a_work_may_spawn_another() {
    let (driver, _) = driver();
    let ticket = driver.accept(Box::pin(spawn(Box::pin(async {}))));
    let Step::Spawn(work) = driver.step(ticket) else { panic!("a spawn") };
    let child = driver.accept(work);
    assert!(matches!(driver.step(child), Step::Ended));
    assert!(matches!(driver.step(ticket), Step::Ended));
}
