//! The time of all connections: one counter that one task moves on. A connection only notes the tick at which it began
//! to wait; the sweep wakes those that have waited too long, so no connection has a timer.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use slab::Slab;
use spikard_core::{config::Config, sabotage};
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use super::link::{Link, Owed};
#[cfg(unix)]
use super::supervisor::Balance;
use crate::Peer;

const NEVER: u32 = u32::MAX;
/// So many ticks after a client began to take no bytes, only what it takes itself makes room.
const SETTLED: u32 = 2;
/// How long input that nobody wants is read: the rest of a body before the next request, and what comes after the last
/// answer, which a reset would take from the client.
const LINGER: f64 = 2.0;

/// The coarse clock and the timeouts, in its ticks.
#[derive(Debug)]
pub(super) struct Clock {
    tick: AtomicU32,
    requests: AtomicU64,
    step: Duration,
    header: u32,
    body: u32,
    keep_alive: u32,
    write: u32,
    linger: u32,
}

impl Clock {
    pub(super) fn new(config: &Config) -> Self {
        let timeouts = [config.header_timeout, config.body_timeout, config.keep_alive, config.write_timeout];
        let smallest = timeouts.into_iter().flatten().fold(f64::INFINITY, f64::min);
        let step = (smallest / 4.0).clamp(0.01, 1.0);
        let limit = |seconds: Option<f64>| seconds.filter(|_| !sabotage::takes_out("limits"));
        let ticks = |seconds: Option<f64>| seconds.map_or(NEVER, |seconds| whole_ticks(seconds / step));
        Self {
            tick: AtomicU32::new(0),
            requests: AtomicU64::new(0),
            step: Duration::from_secs_f64(step),
            header: ticks(limit(config.header_timeout)),
            body: ticks(limit(config.body_timeout)),
            keep_alive: ticks(config.keep_alive),
            write: ticks(config.write_timeout),
            linger: ticks(Some(LINGER)),
        }
    }

    pub(super) fn now(&self) -> u32 {
        self.tick.load(Relaxed)
    }

    /// Counts a request.
    pub(super) fn count(&self) {
        self.requests.fetch_add(1, Relaxed);
    }

    /// Has a client that owes `owed` since `since` had its time?
    pub(super) fn overdue(&self, owed: Owed, since: u32) -> bool {
        let limit = match owed {
            Owed::Nothing => NEVER,
            Owed::FirstByte | Owed::Head => self.header,
            Owed::Body => self.body,
            Owed::NextRequest => self.keep_alive,
            Owed::Close => self.linger,
        };
        self.passed(since, limit)
    }

    /// Has input that nobody wants been read for long enough?
    pub(super) fn lingered(&self, since: u32) -> bool {
        self.passed(since, self.linger)
    }

    /// Has a client that takes no bytes since `since` had its time?
    pub(super) fn stalled(&self, since: u32) -> bool {
        self.passed(since, self.write)
    }

    /// Was it two ticks ago, or less, that a client began to take no bytes? Until then its system may still have room.
    pub(super) fn settles(&self, since: u32) -> bool {
        self.now().wrapping_sub(since) <= SETTLED
    }

    /// The moment `since` lies up to one tick after the tick that names it: hence more than, not at least.
    fn passed(&self, since: u32, limit: u32) -> bool {
        limit != NEVER && self.now().wrapping_sub(since) > limit
    }
}

#[expect(clippy::cast_sign_loss, reason = "a timeout is not negative: the configuration refuses it")]
fn whole_ticks(ticks: f64) -> u32 {
    ticks.ceil() as u32 // saturates, and a saturated timeout is none
}

/// The open connections of one listener.
#[derive(Debug)]
pub(super) struct Open {
    clock: Arc<Clock>,
    links: Mutex<Slab<Arc<Link>>>,
    left: Notify,
    /// With those who accept from the same socket.
    #[cfg(unix)]
    pub(super) balance: Option<Arc<Balance>>,
}

impl Open {
    pub(super) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self::of(clock))
    }

    /// Of a worker that says how many it has to those who accept from the same socket.
    #[cfg(unix)]
    pub(super) fn told(clock: Clock, balance: Option<Arc<Balance>>) -> Arc<Self> {
        let open = Self { balance, ..Self::of(clock) };
        open.tell(0);
        Arc::new(open)
    }

    fn of(clock: Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            links: Mutex::default(),
            left: Notify::new(),
            #[cfg(unix)]
            balance: None,
        }
    }

    /// Counts a new connection until the answer is dropped.
    pub(super) fn enter(self: &Arc<Self>, peer: Option<Peer>) -> Entered {
        let link = Arc::new(Link::new(Arc::clone(&self.clock), peer));
        let mut links = self.links();
        let key = links.insert(Arc::clone(&link));
        self.tell(links.len());
        drop(links);
        Entered { open: Arc::clone(self), key, link }
    }

    pub(super) fn len(&self) -> usize {
        self.links().len()
    }

    /// The requests of all connections so far.
    #[cfg(unix)]
    pub(super) fn requests(&self) -> u64 {
        self.clock.requests.load(Relaxed)
    }

    /// Waits until a connection has ended. One task at a time can wait.
    pub(super) async fn left(&self) {
        self.left.notified().await;
    }

    /// Makes the next answer of every connection its last.
    pub(super) fn leave(&self) {
        #[cfg(unix)]
        if let Some(balance) = &self.balance {
            balance.leave();
        }
        for (_, link) in self.links().iter() {
            link.end();
        }
    }

    /// Asks every connection to end as soon as nothing is in flight on it.
    pub(super) fn drain(&self) {
        for (_, link) in self.links().iter() {
            link.drain();
        }
    }

    /// Ends every connection, whatever it does.
    pub(super) fn cut(&self) {
        for (_, link) in self.links().iter() {
            link.cut();
        }
    }

    /// Ends the patience with clients that have stalled: see [`Link::hurry`].
    pub(super) fn hurry(&self) {
        for (_, link) in self.links().iter() {
            link.hurry();
        }
    }

    /// Moves the clock on and wakes whoever waits for a client that is too late, for ever.
    ///
    /// Ticks are counted, not derived from the time: after a pause of the whole process every client gets the time that
    /// the pause took from it.
    pub(super) async fn sweep(self: Arc<Self>) {
        let mut ticks = interval(self.clock.step);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.clock.tick.fetch_add(1, Relaxed);
            for (_, link) in self.links().iter() {
                link.wake_if_overdue();
            }
        }
    }

    #[cfg(unix)]
    fn tell(&self, count: usize) {
        if let Some(balance) = &self.balance {
            balance.tell(count);
        }
    }

    #[cfg(not(unix))]
    #[allow(clippy::unused_self, reason = "nobody else accepts from the same socket")]
    fn tell(&self, _: usize) {}

    fn links(&self) -> std::sync::MutexGuard<'_, Slab<Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Entered {
    open: Arc<Open>,
    key: usize,
    pub(super) link: Arc<Link>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut links = self.open.links();
        let link = links.remove(self.key);
        self.open.tell(links.len());
        drop(links);
        drop(link);
        self.open.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(config: &Config) -> Clock {
        Clock::new(config)
    }

    #[test]
    fn the_step_is_a_quarter_of_the_smallest_timeout_between_10_ms_and_1_s() {
        let step = |header| clock(&Config { header_timeout: Some(header), ..Config::default() }).step;
        assert_eq!(step(10.0), Duration::from_secs(1));
        assert_eq!(step(0.2), Duration::from_millis(50));
        assert_eq!(step(0.001), Duration::from_millis(10));
    }

    #[test]
    fn a_timeout_never_comes_early() {
        let clock = clock(&Config { header_timeout: Some(0.2), ..Config::default() });
        let late = |passed| {
            clock.tick.store(passed, Relaxed);
            clock.overdue(Owed::Head, 0)
        };
        assert_eq!([3, 4, 5].map(late), [false, false, true]);
    }

    #[test]
    fn a_timeout_of_none_never_comes() {
        let clock = clock(&Config { keep_alive: None, ..Config::default() });
        clock.tick.store(u32::MAX, Relaxed);
        assert!(!clock.overdue(Owed::NextRequest, 0));
    }
}
