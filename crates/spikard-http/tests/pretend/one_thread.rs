//! An I/O side without tokio: tasks, timers and a clock that jumps to the next timer when nothing else is to be done.

use std::{
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use spikard_http::{Platform, Task};

#[derive(Default)]
pub(crate) struct OneThread(Arc<State>);

#[derive(Default)]
struct State {
    ready: Mutex<VecDeque<Arc<Spawned>>>,
    timers: Mutex<BTreeMap<(Duration, u64), Waker>>,
    sleeps: AtomicU64,
    now: Mutex<Duration>,
}

struct Spawned(Mutex<Option<Task>>, Arc<State>);
impl Wake for Spawned {
    fn wake(self: Arc<Self>) {
        let state = self.1.clone();
        state.ready.lock().unwrap().push_back(self);
    }
}

impl OneThread {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn block_on(&self, main: impl Future<Output = ()>, turn: impl Fn() -> bool) {
        let mut main = pin!(main);
        let woken = Arc::new(Spawned(Mutex::new(None), self.0.clone()));
        let waker = Waker::from(woken.clone());
        loop {
            if main.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                return;
            }
            let mut idle = true;
            loop {
                let next = self.0.ready.lock().unwrap().pop_front();
                let Some(spawned) = next else { break };
                idle = false; // it may be `main` that was woken
                let task = spawned.0.lock().unwrap().take();
                if let Some(mut task) = task
                    && task.as_mut().poll(&mut Context::from_waker(&spawned.clone().into())).is_pending()
                {
                    *spawned.0.lock().unwrap() = Some(task);
                }
            }
            if !turn() && idle && self.0.ready.lock().unwrap().is_empty() {
                self.jump();
            }
        }
    }

    fn jump(&self) {
        let ((at, _), waker) = self.0.timers.lock().unwrap().pop_first().expect("nothing can ever happen again");
        let mut now = self.0.now.lock().unwrap();
        *now = at.max(*now);
        drop(now);
        waker.wake();
    }
}

impl Platform for OneThread {
    fn now(&self) -> Duration {
        *self.0.now.lock().unwrap()
    }
    fn unix_time(&self) -> Duration {
        self.now()
    }
    fn sleep(&self, time: Duration) -> Task {
        let (state, at) = (self.0.clone(), self.now() + time);
        let number = state.sleeps.fetch_add(1, Ordering::Relaxed);
        Box::pin(poll_fn(move |cx| {
            if *state.now.lock().unwrap() >= at {
                return Poll::Ready(());
            }
            state.timers.lock().unwrap().insert((at, number), cx.waker().clone());
            Poll::Pending
        }))
    }
    fn spawn(&self, task: Task) {
        self.0.ready.lock().unwrap().push_back(Arc::new(Spawned(Mutex::new(Some(task)), self.0.clone())));
    }
    fn random(&self) -> u128 {
        self.0.sleeps.fetch_add(1, Ordering::Relaxed).into()
    }
}
