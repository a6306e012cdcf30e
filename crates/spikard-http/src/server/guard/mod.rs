//! The guard between a socket and hyper. hyper gets the bytes of one message at a time, each head only when it is whole
//! and passes `head`, each chunk only when it passes `chunks`: a fault is answered here, with a problem document. The
//! guard also notes what the client owes, for the sweep, and watches for its end while a request runs, which hyper does
//! not.

mod close;
mod read;
mod write;

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use spikard_core::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;

use super::{
    chunks::Chunks,
    clock::Entered,
    head::{Framing, Scan, asks_for_server},
    link::Link,
};

/// Room for one read of a head, and of a body.
const HEAD_READ: usize = 2 * 1024;
const BODY_READ: usize = 64 * 1024;

/// A byte stream that tells without reading whether there may be something to read.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Is ready when a read may give something: bytes, the end or an error. It costs no system call.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Is ready when neither side can send any more, where that is told without writing. It need not wake: the sweep has a
    /// client looked after that has closed its sending side.
    fn poll_lost(&self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    /// Written bytes that the other side has not taken, where the system tells.
    fn unsent(&self) -> Option<usize> {
        None
    }
}

impl Wire for TcpStream {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(cx)
    }

    fn poll_lost(&self, _: &mut Context<'_>) -> Poll<()> {
        if is_lost(self) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn unsent(&self) -> Option<usize> {
        unsent(self)
    }
}

#[cfg(unix)]
impl Wire for tokio::net::UnixStream {
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(cx)
    }

    fn poll_lost(&self, _: &mut Context<'_>) -> Poll<()> {
        if is_lost(self) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn unsent(&self) -> Option<usize> {
        unsent(self)
    }
}

impl Wire for DuplexStream {
    fn poll_readable(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Whether neither side can send any more: elsewhere, a client that only closed its sending side may look the same.
#[cfg(target_os = "linux")]
fn is_lost(socket: &impl std::os::fd::AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let mut asked = [PollFd::new(socket, PollFlags::empty())];
    let told = poll(&mut asked, Some(&Timespec::default()));
    told.is_ok() && asked[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

#[cfg(not(target_os = "linux"))]
fn is_lost<S>(_: &S) -> bool {
    false
}

/// What a socket has been given and the other side has not taken: of TCP, has not acknowledged.
#[cfg(target_os = "linux")]
pub(super) fn unsent(socket: &impl std::os::fd::AsFd) -> Option<usize> {
    use rustix::ioctl::{Getter, Opcode, ioctl};

    /// `ioctl_tty(2)`; `tcp(7)` and `unix(7)` call the same number `SIOCOUTQ`.
    const TIOCOUTQ: Opcode = 0x5411;
    // SAFETY: the system answers this question with one int.
    let queued: std::ffi::c_int = unsafe { ioctl(socket, Getter::<TIOCOUTQ, std::ffi::c_int>::new()) }.ok()?;
    usize::try_from(queued).ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn unsent<S>(_: &S) -> Option<usize> {
    None
}

/// What hyper reads next.
#[derive(Debug)]
enum Stage {
    Head,
    Length(u64),
    Chunks(Chunks),
}

/// How far the end of the connection has come.
#[derive(Debug, PartialEq, Eq)]
enum Closing {
    No,
    Words(BytesMut),
    Shut,
    Linger(usize),
    Done,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Guard<W> {
    wire: W,
    link: Arc<Link>,
    /// Read and not yet handed over.
    held: BytesMut,
    /// So many of `held` passed and belong to the message that hyper reads.
    passed: usize,
    stage: Stage,
    scan: Scan,
    /// The answer that the client gets when hyper has written all that it owes.
    refused: Option<Error>,
    /// The client has closed its sending side.
    ended: bool,
    /// hyper gets no more bytes.
    stopped: bool,
    /// A head was handed over and hyper has not asked for the next.
    busy: bool,
    /// hyper has written what it has not flushed.
    unflushed: bool,
    /// What the other side had still to take when writing was blocked last.
    unsent: Option<usize>,
    /// hyper asked for a head before it had flushed, and must be polled again.
    deferred: bool,
    closing: Closing,
    request_ids: bool,
    /// Counts the connection for as long as its socket is open, whoever holds it.
    _entered: Entered,
}

impl<W: Wire> Guard<W> {
    pub(super) fn new(wire: W, entered: Entered, request_ids: bool) -> Self {
        Self {
            wire,
            link: Arc::clone(&entered.link),
            held: BytesMut::new(),
            passed: 0,
            stage: Stage::Head,
            scan: Scan::default(),
            refused: None,
            ended: false,
            stopped: false,
            busy: false,
            unflushed: false,
            unsent: None,
            deferred: false,
            closing: Closing::No,
            request_ids,
            _entered: entered,
        }
    }

    /// hyper has a head and has not called the service for it: whatever it writes now is its own refusal.
    fn awaits_call(&self) -> bool {
        self.busy && !self.link.is_called()
    }

    fn is_in_body(&self) -> bool {
        !matches!(self.stage, Stage::Head)
    }

    /// Looks at what is held: how much of it hyper may have.
    fn examine(&mut self) {
        let examined = match &mut self.stage {
            Stage::Head => self.examine_head(),
            Stage::Length(left) => {
                self.passed = usize::try_from(*left).unwrap_or(usize::MAX).min(self.held.len());
                *left -= self.passed as u64;
                if *left == 0 {
                    self.stage = Stage::Head;
                }
                Ok(())
            }
            Stage::Chunks(chunks) => chunks.advance(&self.held).map(|taken| {
                self.passed = taken.bytes;
                if taken.ended {
                    self.stage = Stage::Head;
                }
            }),
        };
        if let Err(error) = examined {
            self.stop(error);
        }
    }

    fn examine_head(&mut self) -> Result<(), Error> {
        // Empty lines before a request are ignored (RFC 9112, section 2.2).
        while self.held.starts_with(b"\r\n") {
            Buf::advance(&mut self.held, 2);
            self.scan = Scan::default();
        }
        if self.held.is_empty() {
            return Ok(());
        }
        let Some(head) = self.scan.advance(&self.held)? else { return Ok(()) };
        self.passed = head.end;
        self.stage = match head.framing {
            Framing::Length(0) => Stage::Head,
            Framing::Length(length) => Stage::Length(length),
            Framing::Chunked => Stage::Chunks(Chunks::default()),
        };
        self.scan = Scan::default();
        self.busy = true;
        if asks_for_server(&self.held[..head.end]) {
            self.link.ask_for_server();
        }
        self.link.await_call();
        Ok(())
    }

    /// Nothing more goes to hyper. Within a body its reader gets the error, before a head the client does.
    fn stop(&mut self, error: Error) {
        self.stopped = true;
        if self.is_in_body() {
            self.link.set_fault(error);
        } else {
            self.refused = Some(error);
        }
    }

    /// Reads from the wire into `held`.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An idle connection is to hold no room.
        ready!(self.wire.poll_readable(cx))?;
        self.held.reserve(if self.is_in_body() { BODY_READ } else { HEAD_READ });
        let read = {
            let read = std::pin::pin!(self.wire.read_buf(&mut self.held));
            ready!(read.poll(cx))?
        };
        if read == 0 {
            self.end();
        }
        Poll::Ready(Ok(()))
    }

    /// The client sends no more.
    fn end(&mut self) {
        self.ended = true;
        self.link.departure().depart();
    }
}

fn poll_write_all<W: Wire>(wire: &mut W, cx: &mut Context<'_>, text: &mut BytesMut) -> Poll<io::Result<()>> {
    while !text.is_empty() {
        let written = ready!(Pin::new(&mut *wire).poll_write(cx, text))?;
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        Buf::advance(text, written);
    }
    Poll::Ready(Ok(()))
}
