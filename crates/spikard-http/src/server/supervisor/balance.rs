//! How many connections each worker has, known to all of them: whoever has more than another leaves a new connection to it
//! for a moment. It is advice, in a file that has no name: where it cannot be made or read, whoever comes first accepts.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::FileExt,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::sleep;

/// How long a connection is left to those that have fewer.
const MOMENT: Duration = Duration::from_millis(1);
/// Whoever still finds it afterwards knows that they are busy, and accepts so many without waiting: one more than twice as
/// many after each time that was in vain, until one was not.
const MOST_CREDIT: u32 = 255;
/// So many more than another has are no reason to wait, and an eighth of what that one has besides.
const SLACK: u32 = 4;
/// Of so many workers the counts are looked at.
const MOST: usize = 256;
/// The bytes of a count.
const WIDTH: usize = size_of::<u32>();
/// Written for a worker that accepts nothing; another writes its count and one.
const VACANT: u32 = 0;

/// The counts of all places.
#[derive(Clone, Debug)]
pub(super) struct Counts(Arc<File>);

impl Counts {
    /// Of no worker yet.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(nameless()?)))
    }

    /// Those that a supervisor has handed over.
    pub(super) fn of(file: File) -> Self {
        Self(Arc::new(file))
    }

    /// Nobody accepts in this place.
    pub(super) fn vacate(&self, place: usize) {
        self.write(place, VACANT);
    }

    fn write(&self, place: usize, word: u32) {
        // It is advice, and an old count is little worse than none.
        let _ = self.0.write_at(&word.to_ne_bytes(), (place * WIDTH) as u64);
    }

    /// The fewest connections that a worker has, and this is asked by one of them.
    fn least(&self) -> u32 {
        let mut bytes = [0; MOST * WIDTH];
        let read = self.0.read_at(&mut bytes, 0).unwrap_or_default();
        let words =
            bytes[..read].chunks_exact(WIDTH).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
        words.filter(|word| *word != VACANT).min().map_or(u32::MAX, |word| word - 1)
    }
}

impl AsFd for Counts {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A file of this process and of those that it hands it to, gone with them.
#[cfg(target_os = "linux")]
fn nameless() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("spikard", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

#[cfg(not(target_os = "linux"))]
fn nameless() -> io::Result<File> {
    tempfile::tempfile()
}

/// The place of one worker in the counts.
#[derive(Debug)]
pub(in crate::server) struct Balance {
    counts: Counts,
    place: usize,
    open: AtomicU32,
    left: AtomicBool,
    /// Connections to be accepted without waiting, and of how many such the last ones were.
    credit: AtomicU32,
    granted: AtomicU32,
}

impl Balance {
    pub(super) fn new(counts: Counts, place: usize) -> Self {
        let (open, left) = (AtomicU32::new(0), AtomicBool::new(false));
        Self { counts, place, open, left, credit: AtomicU32::new(0), granted: AtomicU32::new(0) }
    }

    /// The place behind this one, for one more worker of the same process.
    pub(super) fn beside(&self, number: usize) -> Self {
        Self::new(self.counts.clone(), self.place + number)
    }

    /// Says how many connections are open here.
    pub(in crate::server) fn tell(&self, open: usize) {
        let open = u32::try_from(open).unwrap_or(u32::MAX - 1);
        self.open.store(open, Relaxed);
        if !self.left.load(Relaxed) {
            self.counts.write(self.place, open.saturating_add(1));
        }
    }

    /// The place is a successor's now, if there is one.
    pub(in crate::server) fn leave(&self) {
        self.left.store(true, Relaxed);
    }

    /// Accepts, after a moment if somebody has fewer connections: who is awake takes it meanwhile. None: there is nothing
    /// to accept.
    pub(in crate::server) async fn accept<T>(&self, accept: impl FnOnce() -> Option<T>) -> Option<T> {
        if !self.is_ahead() {
            self.grant(0);
            return accept();
        }
        let credit = self.credit.load(Relaxed);
        if credit > 0 {
            self.credit.store(credit - 1, Relaxed);
            return accept();
        }
        sleep(MOMENT).await;
        let accepted = accept();
        self.grant(if accepted.is_some() { (self.granted.load(Relaxed) * 2 + 1).min(MOST_CREDIT) } else { 0 });
        accepted
    }

    fn grant(&self, credit: u32) {
        self.granted.store(credit, Relaxed);
        self.credit.store(credit, Relaxed);
    }

    fn is_ahead(&self) -> bool {
        let (open, least) = (self.open.load(Relaxed), self.counts.least());
        open > least.saturating_add(SLACK).saturating_add(least / 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(count: usize) -> Vec<Balance> {
        let counts = Counts::new().unwrap();
        (0..count).map(|place| Balance::new(counts.clone(), place)).collect()
    }

    #[test]
    fn whoever_has_clearly_more_than_another_is_ahead() {
        let two = places(2);
        for (mine, other, ahead) in [(0, 0, false), (4, 0, false), (5, 0, true), (94, 80, false), (95, 80, true)] {
            two[0].tell(mine);
            two[1].tell(other);
            assert_eq!(two[0].is_ahead(), ahead, "{mine} beside {other}");
            assert!(!two[1].is_ahead(), "{other} beside {mine}");
        }
    }

    #[test]
    fn a_place_that_is_vacant_counts_for_nobody() {
        let three = places(3);
        three[0].tell(50);
        assert!(!three[0].is_ahead(), "the others have not begun");
        three[2].tell(0);
        assert!(three[0].is_ahead());
        three[0].counts.vacate(2);
        assert!(!three[0].is_ahead());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_busy_keeps_the_others_from_nothing() {
        let two = places(2);
        two[1].tell(0);
        let began = tokio::time::Instant::now();
        for open in 0..10_000 {
            two[0].tell(open);
            two[0].accept(|| Some(())).await.unwrap();
        }
        let took = began.elapsed();
        assert!(took < 100 * MOMENT, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_another_took_ends_the_haste() {
        let two = places(2);
        two[1].tell(0);
        two[0].tell(50);
        for _ in 0..100 {
            two[0].accept(|| Some(())).await.unwrap();
        }
        while two[0].credit.load(Relaxed) > 0 {
            two[0].accept(|| Some(())).await.unwrap();
        }
        assert_eq!(two[0].accept(|| None::<()>).await, None);
        let began = tokio::time::Instant::now();
        two[0].accept(|| Some(())).await.unwrap();
        assert!(began.elapsed() >= MOMENT, "it waits again");
    }

    #[test]
    fn who_has_left_its_place_says_nothing_more_there() {
        let two = places(2);
        two[0].tell(50);
        two[1].tell(50);
        two[1].leave();
        two[1].tell(0);
        assert!(!two[0].is_ahead());
    }
}
