//! A listener whose connections are accepted and run where the server does.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use tokio::io::{Interest, unix::AsyncFd};

use super::{Handle, Listener, ear::Ear, listen::Made, supervisor::Balance};
use crate::Peer;

/// So many connections are accepted before the thread is asked again.
const CREDIT: u32 = 16;

pub(super) struct Local<E: Ear, H> {
    ear: AsyncFd<E>,
    /// Asked whether the host's thread turns: what one that is busy does not accept waits for another process.
    asked: Option<H>,
    credit: AtomicU32,
    balance: Option<Arc<Balance>>,
    _made: Option<Made>,
}

impl<E: Ear, H: Handle> Local<E, H> {
    pub(super) fn new(
        ear: E,
        (made, balance): (Option<Made>, Option<Arc<Balance>>),
        asked: Option<H>,
    ) -> io::Result<Self> {
        // SAFETY: the socket belongs to the answer, and both kinds of it keep their descriptor until they are dropped.
        let ear = unsafe { AsyncFd::register_with_interest(ear, Interest::READABLE)? };
        Ok(Self { ear, asked, credit: AtomicU32::new(0), balance, _made: made })
    }
}

impl<E: Ear, H: Handle> Listener for Local<E, H> {
    type Wire = E::Wire;

    async fn accept(&self) -> io::Result<(E::Wire, Option<Peer>)> {
        loop {
            let mut ready = self.ear.readable().await?;
            if let Some(handle) = self.asked.as_ref().filter(|_| self.credit.load(Relaxed) == 0) {
                handle.attended().await;
                self.credit.store(CREDIT, Relaxed);
            }
            let mut accept = || ready.try_io(|ear| ear.get_ref().accept()).ok();
            let accepted = match &self.balance {
                Some(balance) => balance.accept(accept).await,
                None => accept(),
            };
            match accepted {
                Some(accepted) => {
                    self.credit.store(self.credit.load(Relaxed).saturating_sub(1), Relaxed);
                    let (stream, peer) = accepted?;
                    return Ok((E::wire(stream)?, peer));
                }
                // What comes later may find the thread busy.
                None => self.credit.store(0, Relaxed),
            }
        }
    }

    fn pending(&self) -> Option<(E::Wire, Option<Peer>)> {
        let (stream, peer) = self.ear.get_ref().accept().ok()?;
        Some((E::wire(stream).ok()?, peer))
    }
}
