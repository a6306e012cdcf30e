//! The accept loop and the drain.

use std::{
    future::{Future, pending},
    io,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

#[cfg(unix)]
use super::reactor::Hosted;
use super::{
    Bound, Drained, Handle, Shutdown, Wire,
    clock::{Clock, Open},
    connection,
    listen::Kind,
};
use crate::Peer;

/// The pauses after a failure to accept: from the first to the longest.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest time that a drain leaves to a client that has begun a head or has not closed its side.
const LONGEST_GRACE: Duration = Duration::from_secs(1);

/// How long a server that leaves waits for the next request of its idle clients.
pub(super) const LEAVE: Duration = Duration::from_secs(3);

/// Where connections come from.
pub trait Listener: Send + 'static {
    /// A connection.
    type Wire: Wire;

    /// Waits for the next connection, and says who is at its other end. Dropping the future loses none.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Wire, Option<Peer>)>> + Send;

    /// Where a connection runs: beside the listener, unless it says otherwise. Dropping the future cuts it off.
    fn run(&self, connection: impl Future<Output = ()> + Send + 'static) -> impl Future<Output = ()> + Send + 'static {
        connection
    }
}

impl Listener for TcpListener {
    type Wire = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Option<Peer>)> {
        let (stream, address) = Self::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok((stream, Some(Peer::Address(address))))
    }
}

/// A socket of a path, which is taken away when the socket is closed.
#[cfg(unix)]
struct AtPath {
    listener: tokio::net::UnixListener,
    _made: Option<super::listen::Made>,
}

#[cfg(unix)]
impl Listener for AtPath {
    type Wire = tokio::net::UnixStream;

    async fn accept(&self) -> io::Result<(tokio::net::UnixStream, Option<Peer>)> {
        let (stream, _) = self.listener.accept().await?;
        Ok((stream, Some(Peer::Local)))
    }
}

/// Serves the connections of a listening socket until `shutdown` begins, then drains: requests in flight are finished,
/// for at most `shutdown_timeout`. Dropping the future cuts everything off. A `Service` answers only while its `bring_home`
/// runs as well.
pub async fn serve<H: Handle>(handle: H, listener: impl Into<Bound>, shutdown: Shutdown) -> Drained {
    serve_watched(handle, listener.into(), shutdown, |_| ()).await
}

/// Like [`serve`]. `watch` gets what counts the requests, before the first one.
pub(super) async fn serve_watched<H: Handle>(
    handle: H,
    listener: Bound,
    shutdown: Shutdown,
    watch: impl FnOnce(Arc<Open>),
) -> Drained {
    const ROOM: &str = "the runtime has I/O and room for one more socket";
    let open = Open::new(Clock::new(handle.config()));
    watch(Arc::clone(&open));
    #[cfg(unix)]
    let (made, home) = (listener.made, listener.home);
    match listener.socket {
        Kind::Tcp(socket) => {
            socket.set_nonblocking(true).expect("a listening socket has a mode");
            let listener = TcpListener::from_std(socket).expect(ROOM);
            #[cfg(unix)]
            if let Some(remote) = home {
                return serve_all(handle, Hosted { listener, remote }, shutdown, open).await;
            }
            serve_all(handle, listener, shutdown, open).await
        }
        #[cfg(unix)]
        Kind::Unix(socket) => {
            socket.set_nonblocking(true).expect("a listening socket has a mode");
            let listener = tokio::net::UnixListener::from_std(socket).expect(ROOM);
            let listener = AtPath { listener, _made: made };
            match home {
                Some(remote) => serve_all(handle, Hosted { listener, remote }, shutdown, open).await,
                None => serve_all(handle, listener, shutdown, open).await,
            }
        }
    }
}

/// Like [`serve`], for connections from anywhere.
pub async fn serve_from<H: Handle, L: Listener>(handle: H, listener: L, shutdown: Shutdown) -> Drained {
    let open = Open::new(Clock::new(handle.config()));
    serve_all(handle, listener, shutdown, open).await
}

async fn serve_all<H: Handle, L: Listener>(handle: H, listener: L, shutdown: Shutdown, open: Arc<Open>) -> Drained {
    let mut tasks = JoinSet::new();
    tokio::select! {
        () = accept_all(&handle, listener, &open, &shutdown, &mut tasks) => {}
        () = Arc::clone(&open).sweep() => {}
    }
    open.leave();
    tokio::select! {
        () = shutdown.begun() => {}
        () = sleep(LEAVE) => {}
        () = none(&open) => {}
        () = Arc::clone(&open).sweep() => {}
    }
    open.drain();
    let time = Duration::try_from_secs_f64(handle.config().shutdown_timeout).unwrap_or(Duration::MAX);
    let grace = grace(handle.config().header_timeout, time);
    tokio::select! {
        biased;
        () = shutdown.aborted() => {}
        _ = timeout(time, finish(&handle, &open)) => {}
        () = hurry_after(grace, &open) => {}
        () = end_background(&handle) => {}
        () = Arc::clone(&open).sweep() => {}
    }
    let drained = Drained { connections: open.len(), in_flight: handle.in_flight() };
    tasks.shutdown().await;
    drained
}

/// Accepts until the drain begins. The listening socket is closed at the end.
async fn accept_all<H: Handle, L: Listener>(
    handle: &H,
    listener: L,
    open: &Arc<Open>,
    shutdown: &Shutdown,
    tasks: &mut JoinSet<()>,
) {
    let most = handle.config().max_connections.unwrap_or(usize::MAX);
    let mut left = pin!(shutdown.left());
    let mut failures = 0;
    loop {
        let full = open.len() >= most;
        tokio::select! {
            biased;
            () = &mut left => return,
            Some(_) = tasks.join_next() => {}
            // What a connection held is free again: no reason to wait any longer.
            () = open.left() => failures = 0,
            (wire, peer) = accept(&listener, &mut failures), if !full => {
                tasks.spawn(listener.run(connection::run(handle.clone(), wire, open.enter(peer))));
            }
        }
    }
}

/// Accepts one connection. Where the system has no room for it (`EMFILE`, `ENFILE`, `ENOBUFS`), it stays in the queue of
/// the kernel and is asked for again after a pause.
async fn accept<L: Listener>(listener: &L, failures: &mut u32) -> (L::Wire, Option<Peer>) {
    loop {
        if *failures > 0 {
            sleep(pause(*failures)).await;
        }
        match listener.accept().await {
            Ok(accepted) => {
                *failures = 0;
                return accepted;
            }
            Err(error) if concerns_one_client(&error) => {}
            Err(_) => *failures += 1,
        }
    }
}

fn pause(failures: u32) -> Duration {
    LONGEST_PAUSE.min(PAUSE * 2u32.saturating_pow(failures - 1))
}

/// The client left before it was accepted.
fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, InvalidInput, NotConnected,
    };
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | InvalidInput | NotConnected
    )
}

/// What a drain gives to clients that have stalled: a part of its own time.
fn grace(header_timeout: Option<f64>, drain: Duration) -> Duration {
    let header = header_timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(LONGEST_GRACE);
    LONGEST_GRACE.min(header).min(drain / 2)
}

/// Hurries the stalled clients once, and never ends.
async fn hurry_after(grace: Duration, open: &Open) {
    sleep(grace).await;
    open.hurry();
    pending::<()>().await;
}

/// Ends background tasks when their time is over, and never ends.
async fn end_background<H: Handle>(handle: &H) {
    if let Some(limits) = &handle.config().background_tasks {
        sleep(Duration::try_from_secs_f64(limits.drain_timeout).unwrap_or(Duration::MAX)).await;
        handle.end_background();
    }
    pending::<()>().await;
}

/// Waits until no connection is open.
async fn none(open: &Open) {
    while open.len() > 0 {
        open.left().await;
    }
}

/// Waits until no connection is open and no request is in flight.
async fn finish<H: Handle>(handle: &H, open: &Open) {
    none(open).await;
    handle.idle().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grace_of_a_drain_is_the_smallest_of_its_bounds() {
        let millis = |header, drain| grace(header, Duration::from_secs(drain)).as_millis();
        assert_eq!([millis(Some(10.0), 30), millis(None, 30)], [1000, 1000]);
        assert_eq!([millis(Some(0.2), 30), millis(None, 1)], [200, 500]);
    }

    #[test]
    fn the_pause_after_a_failure_doubles_up_to_a_second() {
        assert_eq!([1, 2, 3, 40].map(pause).map(|pause| pause.as_millis()), [10, 20, 40, 1000]);
    }
}
