//! The reactor of a system whose event loops watch no sockets of others: it cannot be made, and connections live on the
//! I/O thread.

use std::{convert::Infallible, ffi::c_void, io};

/// Nobody has one.
#[derive(Debug)]
pub struct Reactor(Infallible);

impl Reactor {
    /// Fails.
    pub fn new(_: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What the loop would watch.
    pub fn descriptor(&self) -> i32 {
        match self.0 {}
    }

    /// What the loop would call when that is ready.
    pub fn look(&mut self) -> io::Result<()> {
        match self.0 {}
    }

    /// What the loop would call then.
    pub fn turn(&mut self, _: usize) -> bool {
        match self.0 {}
    }

    /// Whether there would be something for a turn.
    pub fn has_work(&self) -> bool {
        match self.0 {}
    }
}

/// Nobody has one either.
pub enum LoopWatch {}

impl LoopWatch {
    /// Cannot be called: it takes a reactor.
    ///
    /// # Safety
    ///
    /// It does nothing.
    pub unsafe fn open(
        _: *mut c_void,
        reactor: &Reactor,
        _: impl Fn(bool) + 'static,
        _: impl FnOnce() + 'static,
    ) -> io::Result<Self> {
        match reactor.0 {}
    }
}
