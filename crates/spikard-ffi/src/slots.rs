//! What a host keeps of each of its works, found again by the work's ticket.

use std::cell::RefCell;

use crate::Ticket;

/// A table beside that of a driver. A ticket whose work has ended finds nothing in it.
pub struct Slots<T>(RefCell<Vec<Option<(Ticket, T)>>>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T> Slots<T> {
    /// Puts something in. What was there is the caller's to drop: its destructors may run any code.
    pub fn put(&self, ticket: Ticket, kept: T) -> Option<T> {
        let mut slots = self.0.borrow_mut();
        if slots.len() <= ticket.index() {
            slots.resize_with(ticket.index() + 1, || None);
        }
        slots[ticket.index()].replace((ticket, kept)).map(|(_, before)| before)
    }

    /// Looks at what is there.
    pub fn with<R>(&self, ticket: Ticket, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut slots = self.0.borrow_mut();
        let (at, kept) = slots.get_mut(ticket.index())?.as_mut()?;
        (*at == ticket).then(|| look(kept))
    }

    /// Takes out what is there.
    #[must_use]
    pub fn take(&self, ticket: Ticket) -> Option<T> {
        let mut slots = self.0.borrow_mut();
        slots.get_mut(ticket.index())?.take_if(|(at, _)| *at == ticket).map(|(_, kept)| kept)
    }

    /// What `look` finds in all that is there.
    pub fn collect<R>(&self, look: impl Fn(&T) -> Option<R>) -> Vec<R> {
        self.0.borrow().iter().flatten().filter_map(|(_, kept)| look(kept)).collect()
    }

    /// Takes out everything.
    #[must_use]
    pub fn empty(&self) -> Vec<(Ticket, T)> {
        self.0.take().into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ticket_by_which_it_was_put_in_finds_it() {
        let slots = Slots::default();
        let [first, late, other] = [Ticket::of(7), Ticket::of((1 << 21) + 7), Ticket::of(9)];
        assert_eq!(slots.put(first, "kept"), None);
        assert_eq!((slots.with(late, |_| ()), slots.take(late), slots.take(other)), (None, None, None));
        assert_eq!(slots.with(first, |kept| std::mem::replace(kept, "changed")), Some("kept"));
        assert_eq!(slots.put(late, "later"), Some("changed"));
        assert_eq!((slots.take(first), slots.collect(|kept| Some(kept.len()))), (None, vec![5]));
        assert_eq!(slots.empty(), [(late, "later")]);
        assert!(slots.empty().is_empty());
    }
}
