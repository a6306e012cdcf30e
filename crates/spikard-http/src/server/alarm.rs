//! A descriptor that a host's event loop watches, so that other threads can wake it: an eventfd where there is one, else
//! two connected sockets.

use std::{
    io,
    os::fd::{AsRawFd, RawFd},
};

#[cfg(not(target_os = "linux"))]
use std::os::unix::net::UnixStream;

#[cfg(target_os = "linux")]
use rustix::{
    event::{EventfdFlags, eventfd},
    fd::OwnedFd,
};

/// Readable from the first ring on, until it is hushed.
#[derive(Debug)]
pub struct Alarm {
    /// What the loop watches.
    heard: End,
    /// The other of two sockets.
    #[cfg(not(target_os = "linux"))]
    rung: End,
}

#[cfg(target_os = "linux")]
type End = OwnedFd;
#[cfg(not(target_os = "linux"))]
type End = UnixStream;

impl Alarm {
    /// Opens it.
    #[cfg(target_os = "linux")]
    pub fn open() -> io::Result<Self> {
        Ok(Self { heard: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)? })
    }

    /// Opens it.
    #[cfg(not(target_os = "linux"))]
    pub fn open() -> io::Result<Self> {
        let (heard, rung) = UnixStream::pair()?;
        heard.set_nonblocking(true)?;
        rung.set_nonblocking(true)?;
        Ok(Self { heard, rung })
    }

    /// For the loop to watch.
    pub fn descriptor(&self) -> RawFd {
        self.heard.as_raw_fd()
    }

    /// Wakes the loop. From any thread; a full one is readable already.
    pub fn ring(&self) {
        #[cfg(target_os = "linux")]
        let _ = rustix::io::write(&self.heard, &1_u64.to_ne_bytes());
        #[cfg(not(target_os = "linux"))]
        let _ = io::Write::write(&mut &self.rung, &[1]);
    }

    /// The loop has heard it.
    pub fn hush(&self) {
        let mut rings = [0; 8];
        let _ = rustix::io::read(&self.heard, &mut rings);
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    use super::*;

    fn is_readable(alarm: &Alarm) -> bool {
        let mut watched = [PollFd::new(&alarm.heard, PollFlags::IN)];
        poll(&mut watched, Some(&Timespec::default())).unwrap() == 1
    }

    #[test]
    fn it_is_readable_from_the_first_ring_until_it_is_hushed() {
        let alarm = Alarm::open().unwrap();
        assert!(!is_readable(&alarm));
        alarm.ring();
        assert!(is_readable(&alarm));
        alarm.hush();
        assert!(!is_readable(&alarm));
    }
}
