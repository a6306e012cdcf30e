//! The way to the one thread of a host that has an event loop: queues that a turn of the thread empties, and a bell that
//! is rung once for all that lies in them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_queue::SegQueue;

use crate::{Runtime, Work};

/// Asks the thread of an [`Inbox`] for a turn.
pub trait Bell: Send + Sync + 'static {
    /// From any thread; `here`: from that of the inbox. It may be rung again before it is heard.
    fn ring(&self, here: bool);

    /// The thread has heard it, and is about to look.
    fn hush(&self) {}
}

/// What lies ready for the thread that has made it.
pub struct Inbox<T, B> {
    /// Requests to be begun.
    pub works: SegQueue<Work>,
    /// What somebody on the thread has asked for, by the numbers that [`Inbox::ask`] gave.
    pub told: SegQueue<(u64, T)>,
    asked: AtomicU64,
    thread: usize,
    bell: B,
    /// User code may ask for a turn within a turn.
    nests: bool,
    rung: AtomicBool,
    /// The thread is in a turn, at whose end it looks at `rung` again.
    turning: AtomicBool,
}

thread_local! {
    /// Its address names the thread for as long as it lives.
    static THREAD: u8 = const { 0 };
}

fn this_thread() -> usize {
    THREAD.with(|thread| std::ptr::from_ref(thread).addr())
}

impl<T, B: Bell> Inbox<T, B> {
    /// An empty one, of the calling thread. `nests`: user code may run the loop, and with it a turn, within a turn.
    pub fn new(bell: B, nests: bool) -> Self {
        let (rung, turning) = (AtomicBool::new(false), AtomicBool::new(false));
        let (works, told, asked) = (SegQueue::new(), SegQueue::new(), AtomicU64::new(0));
        Self { works, told, asked, thread: this_thread(), bell, nests, rung, turning }
    }

    /// What rings.
    pub fn bell(&self) -> &B {
        &self.bell
    }

    /// A number for something that is asked for; the answer bears it.
    pub fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed)
    }

    /// Answers what was asked for by this number.
    pub fn tell(&self, number: u64, answer: T) {
        self.told.push((number, answer));
        self.ring();
    }

    /// One ring for everything that is pushed until the thread looks.
    pub fn ring(&self) {
        // Sequentially consistent with the end of a turn: either this sees the turn's end, or that sees the ring.
        if self.rung.swap(true, Ordering::SeqCst) || !self.nests && self.turning.load(Ordering::SeqCst) {
            return;
        }
        self.bell.ring(self.thread == this_thread());
    }

    /// The thread looks at everything; what is pushed meanwhile rings nobody. `heard`: the bell called it.
    pub fn begin_turn(&self, heard: bool) -> Turn<'_, T, B> {
        self.turning.store(true, Ordering::SeqCst);
        if heard {
            self.bell.hush();
        }
        // A swap and not a store: a store may become visible after the pops that follow it, and what is pushed in
        // between would then ring nobody.
        self.rung.swap(false, Ordering::SeqCst);
        Turn { inbox: self, is_over: false }
    }

    /// Somebody has rung since the thread last looked.
    pub fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed)
    }

    /// Nothing lies in the queues.
    pub fn is_empty(&self) -> bool {
        self.works.is_empty() && self.told.is_empty()
    }
}

/// One turn of the thread. Dropped without [`Turn::end`], it has the next one come.
pub struct Turn<'a, T, B: Bell> {
    inbox: &'a Inbox<T, B>,
    is_over: bool,
}

impl<T, B: Bell> Turn<'_, T, B> {
    /// Ends it where nothing `is_left` to do: what has rung in it and is done needs no turn of its own.
    pub fn end(mut self, is_left: impl FnOnce() -> bool) {
        // Whoever rings from here on is heard: nothing comes unseen behind the look.
        self.inbox.turning.store(false, Ordering::SeqCst);
        self.inbox.rung.swap(false, Ordering::SeqCst);
        self.is_over = !is_left();
    }
}

impl<T, B: Bell> Drop for Turn<'_, T, B> {
    fn drop(&mut self) {
        if !self.is_over {
            self.inbox.turning.store(false, Ordering::SeqCst);
            self.inbox.rung.swap(false, Ordering::SeqCst);
            self.inbox.ring();
        }
    }
}

impl<T: Send + 'static, B: Bell> Runtime for Inbox<T, B> {
    fn run(&self, work: Work) {
        self.works.push(work);
        self.ring();
    }

    fn wake(&self) {
        self.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Counted(std::sync::atomic::AtomicUsize);

    impl Bell for Counted {
        fn ring(&self, _: bool) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn rings(inbox: &Inbox<u8, Counted>) -> usize {
        inbox.bell().0.swap(0, Ordering::SeqCst)
    }

    #[test]
    fn the_bell_is_rung_once_for_all_that_lies_there() {
        let inbox = Inbox::new(Counted::default(), false);
        inbox.tell(0, 1);
        inbox.tell(0, 2);
        assert_eq!(rings(&inbox), 1);
        inbox.begin_turn(true).end(|| false);
        inbox.tell(0, 3);
        assert_eq!(rings(&inbox), 1);
    }

    #[test]
    fn what_comes_in_a_turn_and_is_not_done_in_it_is_rung_for_at_its_end() {
        let inbox = Inbox::new(Counted::default(), false);
        let turn = inbox.begin_turn(false);
        inbox.tell(0, 1);
        assert_eq!(rings(&inbox), 0);
        turn.end(|| !inbox.is_empty());
        assert_eq!(rings(&inbox), 1);
        let turn = inbox.begin_turn(true);
        inbox.tell(0, 2);
        while inbox.told.pop().is_some() {}
        turn.end(|| !inbox.is_empty());
        assert_eq!(rings(&inbox), 0);
    }

    #[test]
    fn what_comes_in_a_turn_is_rung_for_at_once_where_turns_nest() {
        let inbox = Inbox::new(Counted::default(), true);
        let _turn = inbox.begin_turn(false);
        inbox.tell(0, 1);
        assert_eq!(rings(&inbox), 1);
    }

    #[test]
    fn a_turn_that_is_broken_off_rings() {
        let inbox: Inbox<u8, Counted> = Inbox::new(Counted::default(), false);
        drop(inbox.begin_turn(false));
        assert_eq!(rings(&inbox), 1);
        assert!(inbox.is_rung());
        inbox.begin_turn(true).end(|| false);
        assert!(!inbox.is_rung());
    }
}
