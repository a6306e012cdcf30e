//! The listening socket: of TCP, of a path, or one that somebody else has opened.

#[cfg(unix)]
pub(super) mod descriptor;
#[cfg(unix)]
mod path;

#[cfg(unix)]
pub(super) use path::Made;

use std::{
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
};

use socket2::{Domain, Protocol, Socket, Type};
use spikard_core::config::Config;

/// A socket that listens. Dropping it closes it, and takes away the path that was made for it.
#[derive(Debug)]
pub struct Bound {
    pub(super) socket: Kind,
    #[cfg(unix)]
    pub(super) made: Option<path::Made>,
    #[cfg(unix)]
    pub(super) way: Way,
    /// With those who accept from the same socket.
    #[cfg(unix)]
    pub(super) balance: Option<std::sync::Arc<super::supervisor::Balance>>,
}

/// Who accepts connections, and where they run.
#[cfg(unix)]
#[derive(Debug)]
pub(super) enum Way {
    /// The server, whenever there is one.
    Alone,
    /// The server, as long as the host's thread turns.
    Attended,
    /// A reactor.
    Reactor(std::sync::Arc<super::reactor::Remote>),
}

#[derive(Debug)]
pub(super) enum Kind {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

impl Bound {
    #[cfg(unix)]
    pub(super) fn unowned(socket: Kind) -> Self {
        Self { socket, made: None, way: Way::Alone, balance: None }
    }

    #[cfg(not(unix))]
    fn unowned(socket: Kind) -> Self {
        Self { socket }
    }

    /// Has its connections accepted and run on a reactor: none is accepted while nobody turns it.
    #[cfg(unix)]
    #[must_use]
    pub fn on(self, reactor: &std::sync::Arc<super::reactor::Remote>) -> Self {
        Self { way: Way::Reactor(std::sync::Arc::clone(reactor)), ..self }
    }

    /// Has none of its connections accepted while the host's thread is busy with something else: they wait for a process
    /// that shares the socket.
    #[cfg(unix)]
    #[must_use]
    pub fn attended(self) -> Self {
        Self { way: Way::Attended, ..self }
    }

    /// The address of a socket of TCP; another has none.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.socket {
            Kind::Tcp(listener) => listener.local_addr(),
            #[cfg(unix)]
            Kind::Unix(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    /// Where clients find it: `http://127.0.0.1:8000`, `unix:/run/app.sock`.
    pub fn location(&self) -> String {
        match &self.socket {
            Kind::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "http://?".into(), |address| format!("http://{address}"))
            }
            #[cfg(unix)]
            Kind::Unix(listener) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(std::os::unix::net::SocketAddr::as_pathname);
                path.map_or_else(|| "unix:?".into(), |path| format!("unix:{}", path.display()))
            }
        }
    }
}

impl From<TcpListener> for Bound {
    fn from(listener: TcpListener) -> Self {
        listener.set_nonblocking(true).expect("a listening socket has a mode");
        Self::unowned(Kind::Tcp(listener))
    }
}

/// Opens the listening socket that the configuration names: the path `uds`, or the inherited descriptor `fd`, or `host`
/// (an address of either family, or a name, of which the first address that works is taken) and `port` (0: any free
/// one), with `backlog`. Where it names neither path nor descriptor and the service manager handed one over
/// (`LISTEN_FDS`, `LISTEN_PID`), that one is taken.
///
/// The error names the address: `cannot listen on 127.0.0.1:80: permission denied`.
pub fn bind(config: &Config) -> io::Result<Bound> {
    match (&config.uds, config.fd) {
        (Some(_), Some(_)) => Err(io::Error::new(io::ErrorKind::InvalidInput, "uds and fd exclude each other")),
        (None, None) => handed_over().map_or_else(|| bind_tcp(config), adopt),
        (Some(path), None) => bind_path(path, config.backlog),
        (None, Some(fd)) => adopt(fd),
    }
}

#[cfg(unix)]
fn bind_path(path: &str, backlog: u32) -> io::Result<Bound> {
    path::bind(path.as_ref(), backlog).map_err(|error| named(&format!("unix:{path}"), &error))
}

#[cfg(unix)]
fn adopt(fd: u32) -> io::Result<Bound> {
    descriptor::share(fd).map(Bound::unowned).map_err(|error| named(&format!("descriptor {fd}"), &error))
}

/// The first descriptor of `sd_listen_fds(3)`, if they are for this process.
#[cfg(unix)]
fn handed_over() -> Option<u32> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u32>().ok();
    (number("LISTEN_PID")? == std::process::id() && number("LISTEN_FDS")? > 0).then_some(3)
}

#[cfg(not(unix))]
fn bind_path(path: &str, _: u32) -> io::Result<Bound> {
    Err(named(&format!("unix:{path}"), &io::Error::new(io::ErrorKind::Unsupported, "this system has no such sockets")))
}

#[cfg(not(unix))]
fn adopt(fd: u32) -> io::Result<Bound> {
    Err(named(&format!("descriptor {fd}"), &io::Error::new(io::ErrorKind::Unsupported, "this system has none")))
}

#[cfg(not(unix))]
fn handed_over() -> Option<u32> {
    None
}

fn bind_tcp(config: &Config) -> io::Result<Bound> {
    let (host, port) = (config.host.as_str(), config.port);
    let [open, close] = if host.contains(':') { ["[", "]"] } else { ["", ""] };
    let named = |error: &io::Error| named(&format!("{open}{host}{close}:{port}"), error);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs().map_err(|error| named(&error))? {
        match listen(address, config.backlog) {
            Ok(listener) => return Ok(Bound::unowned(Kind::Tcp(listener))),
            Err(error) => last = error,
        }
    }
    Err(named(&last))
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows the option would let another program take the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn named(place: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {place}: {}", reason(error)))
}

/// The system's words in the form of ours: lower case, without the number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
