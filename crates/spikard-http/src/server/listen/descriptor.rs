//! Descriptors that come from outside: their numbers are claims, and nothing but the system can say what is behind them.

use std::{
    io,
    os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd},
};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use socket2::{Domain, Socket, Type};

use super::Kind;

/// A descriptor of our own for the listening socket behind `number`, which stays as it is.
pub(super) fn share(number: u32) -> io::Result<Kind> {
    let number = RawFd::try_from(number).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    // SAFETY: the descriptor is only asked about and duplicated; if it is closed, the system says so.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    of(borrowed.try_clone_to_owned()?)
}

/// The descriptor that a supervisor left open for this process, closed to the programs that it starts itself.
pub(crate) fn inherit(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: it is only asked about; if it is closed, the system says so.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    let flags = fcntl_getfd(borrowed)?;
    fcntl_setfd(borrowed, flags | FdFlags::CLOEXEC)?;
    // SAFETY: it is open, and was left open for the one who calls this, once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// What listens behind a descriptor.
pub(crate) fn of(descriptor: OwnedFd) -> io::Result<Kind> {
    let socket = Socket::from(descriptor);
    if socket.r#type()? != Type::STREAM || !listens(&socket)? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no listening socket"));
    }
    socket.set_nonblocking(true)?;
    match socket.local_addr()?.domain() {
        Domain::UNIX => Ok(Kind::Unix(OwnedFd::from(socket).into())),
        Domain::IPV4 | Domain::IPV6 => Ok(Kind::Tcp(socket.into())),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is of no known family")),
    }
}

#[cfg(not(target_vendor = "apple"))]
fn listens(socket: &Socket) -> io::Result<bool> {
    socket.is_listener()
}

/// Apple's systems do not say: one that does not listen fails when it is to accept.
#[cfg(target_vendor = "apple")]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere the system may refuse to say")]
fn listens(_: &Socket) -> io::Result<bool> {
    Ok(true)
}
