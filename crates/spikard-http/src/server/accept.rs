//! The accept loop and the drain.

use std::{future::pending, io, pin::pin, sync::Arc, time::Duration};

use tokio::{
    task::yield_now,
    time::{sleep, timeout},
};

use super::{
    Bound, Drained, Handle, Listener, Shutdown,
    clock::{Clock, Open},
    connection,
    listen::Kind,
};
#[cfg(unix)]
use super::{
    ear::Ear,
    listen::{Made, Way},
    local::Local,
    reactor::Hosted,
};
use crate::Peer;

/// The pauses after a failure to accept: from the first to the longest.
const PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The longest time that a drain leaves to a client that has begun a head or has not closed its side.
const LONGEST_GRACE: Duration = Duration::from_secs(1);

/// So many connections are accepted before those that are open have their turn.
const BURST: u32 = 16;

/// So many connections that wait to be accepted are served by a server that leaves.
const LAST: usize = 1024;

/// How long a server that leaves waits for the next request of its idle clients.
pub(super) const LEAVE: Duration = Duration::from_secs(3);

/// How long a drain waits for a request that an idle client may have sent already.
const UNDERWAY: Duration = Duration::from_millis(100);

/// Serves the connections of a listening socket until `shutdown` begins, then drains: requests in flight are finished,
/// for at most `shutdown_timeout`. Dropping the future cuts everything off. A `Service` answers only while its `bring_home`
/// runs as well.
pub async fn serve<H: Handle>(handle: H, listener: impl Into<Bound>, shutdown: Shutdown) -> Drained {
    serve_watched(handle, listener.into(), shutdown, |_| ()).await
}

const ROOM: &str = "the runtime has I/O and room for one more socket";

/// Like [`serve`]. `watch` gets what counts the requests, before the first one.
pub(super) async fn serve_watched<H: Handle>(
    handle: H,
    listener: Bound,
    shutdown: Shutdown,
    watch: impl FnOnce(Arc<Open>),
) -> Drained {
    #[cfg(unix)]
    let open = Open::told(Clock::new(handle.config()), listener.balance.clone());
    #[cfg(not(unix))]
    let open = Open::new(Clock::new(handle.config()));
    watch(Arc::clone(&open));
    match listener.socket {
        #[cfg(not(unix))]
        Kind::Tcp(socket) => {
            let listener = tokio::net::TcpListener::from_std(socket).expect(ROOM);
            serve_all(handle, listener, shutdown, open).await
        }
        #[cfg(unix)]
        Kind::Tcp(socket) => {
            let listener = (mio::net::TcpListener::from_std(socket), listener.made, listener.way);
            serve_ear(handle, listener, shutdown, open).await
        }
        #[cfg(unix)]
        Kind::Unix(socket) => {
            let listener = (mio::net::UnixListener::from_std(socket), listener.made, listener.way);
            serve_ear(handle, listener, shutdown, open).await
        }
    }
}

#[cfg(unix)]
async fn serve_ear<H: Handle, E: Ear>(
    handle: H,
    (ear, made, way): (E, Option<Made>, Way),
    shutdown: Shutdown,
    open: Arc<Open>,
) -> Drained {
    let balance = open.balance.clone();
    let asked = match way {
        Way::Reactor(remote) => {
            let listener = Hosted::new(ear, (made, balance), remote).expect(ROOM);
            return serve_all(handle, listener, shutdown, open).await;
        }
        Way::Attended => Some(handle.clone()),
        Way::Alone => None,
    };
    let listener = Local::new(ear, (made, balance), asked).expect(ROOM);
    serve_all(handle, listener, shutdown, open).await
}

/// Like [`serve`], for connections from anywhere.
pub async fn serve_from<H: Handle, L: Listener>(handle: H, listener: L, shutdown: Shutdown) -> Drained {
    let open = Open::new(Clock::new(handle.config()));
    serve_all(handle, listener, shutdown, open).await
}

async fn serve_all<H: Handle, L: Listener>(handle: H, listener: L, shutdown: Shutdown, open: Arc<Open>) -> Drained {
    let cut = CutOff(&open);
    let accept_all = |listener| accept_all(handle.clone(), listener, Arc::clone(&open), shutdown.clone());
    tokio::select! {
        () = listener.run(accept_all) => {}
        () = Arc::clone(&open).sweep() => {}
    }
    let time = Duration::try_from_secs_f64(handle.config().shutdown_timeout).unwrap_or(Duration::MAX);
    open.leave();
    tokio::select! {
        () = patience(&shutdown, time) => {}
        () = none(&open) => {}
        () = Arc::clone(&open).sweep() => {}
    }
    open.drain();
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
    drop(cut);
    none(&open).await;
    handle.flush_log();
    drained
}

/// The time in which idle clients may ask once more: a while for a server that leaves, a moment for one that drains.
async fn patience(shutdown: &Shutdown, time: Duration) {
    let drained = async {
        shutdown.begun().await;
        sleep(UNDERWAY.min(time)).await;
    };
    tokio::select! {
        () = drained => {}
        () = sleep(LEAVE) => {}
        () = shutdown.aborted() => {}
    }
}

/// Cuts every connection off when it is dropped.
struct CutOff<'a>(&'a Open);

impl Drop for CutOff<'_> {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// Accepts until the drain begins. The listening socket is closed at the end.
async fn accept_all<H: Handle, L: Listener>(handle: H, listener: L, open: Arc<Open>, shutdown: Shutdown) {
    let most = handle.config().max_connections.unwrap_or(usize::MAX);
    let mut left = pin!(shutdown.left());
    for accepted in 1u32.. {
        let next = async {
            while open.len() >= most {
                open.left().await;
            }
            accept(&listener, &open).await
        };
        tokio::select! {
            biased;
            () = &mut left => break,
            (wire, peer) = next => listener.spawn(connection::run(handle.clone(), wire, open.enter(peer))),
        }
        if accepted.is_multiple_of(BURST) {
            yield_now().await;
        }
    }
    for _ in open.len()..most.min(open.len() + LAST) {
        let Some((wire, peer)) = listener.pending() else { break };
        listener.spawn(connection::run(handle.clone(), wire, open.enter(peer)));
    }
    // Before the socket is closed: who sees that it is, is told by the next answer.
    open.leave();
}

/// Accepts one connection. Where the system has no room for it (`EMFILE`, `ENFILE`, `ENOBUFS`), it stays in the queue of
/// the kernel and is asked for again after a pause, or when a connection has left, whose room is free again.
async fn accept<L: Listener>(listener: &L, open: &Open) -> (L::Wire, Option<Peer>) {
    let mut failures = 0;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if concerns_one_client(&error) => continue,
            Err(_) => failures += 1,
        }
        tokio::select! {
            () = sleep(pause(failures)) => {}
            () = open.left() => failures = 0,
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
