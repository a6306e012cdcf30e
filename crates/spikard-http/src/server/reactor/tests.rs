//! A reactor without any server: tasks, sockets and their ends.

use std::{
    future::{pending, poll_fn},
    sync::atomic::AtomicUsize,
    task::Poll as Polled,
    thread,
};

use super::*;

fn reactor() -> (Reactor, Arc<AtomicUsize>) {
    let rings = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rings);
    let rouse = move || {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    (Reactor::new(rouse).expect("a descriptor is free"), rings)
}

#[test]
fn a_task_is_polled_when_it_comes_and_when_it_is_woken_and_goes_when_it_ends() {
    let (mut reactor, rings) = reactor();
    let (kept, polls) = (Arc::new(Mutex::new(None::<Waker>)), Arc::new(AtomicUsize::new(0)));
    let (keep, count) = (Arc::clone(&kept), Arc::clone(&polls));
    reactor.remote().spawn(Box::pin(poll_fn(move |cx| {
        *keep.lock().unwrap() = Some(cx.waker().clone());
        if count.fetch_add(1, Ordering::SeqCst) == 1 { Polled::Ready(()) } else { Polled::Pending }
    })));
    assert_eq!(rings.load(Ordering::SeqCst), 1);
    assert!(!reactor.turn(8));
    assert!(!reactor.turn(8));
    assert_eq!(polls.load(Ordering::SeqCst), 1, "nobody woke it");

    let waker = kept.lock().unwrap().clone().expect("it was polled");
    let elsewhere = waker.clone();
    thread::spawn(move || elsewhere.wake()).join().unwrap();
    waker.wake_by_ref();
    assert_eq!(rings.load(Ordering::SeqCst), 2, "one for the task, one for both wakes");
    reactor.turn(8);
    assert_eq!((polls.load(Ordering::SeqCst), reactor.tasks.len()), (2, 0));
    waker.wake(); // late
    assert!(!reactor.turn(8));
}

#[test]
fn a_turn_polls_no_more_than_it_may() {
    let (mut reactor, _) = reactor();
    let polls = Arc::new(AtomicUsize::new(0));
    for _ in 0..5 {
        let count = Arc::clone(&polls);
        reactor.remote().spawn(Box::pin(async move {
            count.fetch_add(1, Ordering::SeqCst);
        }));
    }
    assert!(reactor.turn(3));
    assert_eq!(polls.load(Ordering::SeqCst), 3);
    assert!(!reactor.turn(3));
}

#[test]
fn a_task_that_panics_ends_alone() {
    let (mut reactor, _) = reactor();
    reactor.remote().spawn(Box::pin(async { panic!("as it is meant to") }));
    reactor.remote().spawn(Box::pin(pending()));
    reactor.turn(8);
    assert_eq!(reactor.tasks.len(), 1);
}

#[test]
fn a_dropped_reactor_drops_its_tasks() {
    let (mut reactor, _) = reactor();
    let held = Arc::new(());
    let kept = Arc::clone(&held);
    reactor.remote().spawn(Box::pin(async move {
        pending::<()>().await;
        drop(kept);
    }));
    reactor.turn(8);
    let remote = Arc::clone(reactor.remote());
    drop(reactor);
    assert_eq!(Arc::strong_count(&held), 1);
    remote.spawn(Box::pin(pending())); // for nobody
}
