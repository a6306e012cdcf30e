//! Who accepts a connection while the thread of the host does not turn: whoever shares the socket.
#![cfg(all(feature = "server", unix))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::atomic::Ordering::SeqCst,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use spikard_core::config::Config;
use spikard_http::server::{Bound, Drained, Reactor, Shutdown, bind, serve};
use wire::{App, PATIENCE};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
/// Long enough for a server that accepts to have done it.
const MOMENT: Duration = Duration::from_millis(100);

/// A server on a thread of its own, and what another process would have of its socket.
struct Server {
    shared: TcpListener,
    shutdown: Shutdown,
    ended: JoinHandle<Drained>,
}

impl Server {
    fn start(app: &App, way: impl FnOnce(Bound) -> Bound) -> Self {
        let shared = TcpListener::bind("127.0.0.1:0").unwrap();
        let fd = u32::try_from(shared.as_raw_fd()).unwrap();
        let bound = way(bind(&Config { fd: Some(fd), ..Config::default() }).unwrap());
        let (app, shutdown) = (app.clone(), Shutdown::new());
        let told = shutdown.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(app, bound, told))
        });
        shared.set_nonblocking(true).unwrap();
        Self { shared, shutdown, ended }
    }

    fn address(&self) -> SocketAddr {
        self.shared.local_addr().unwrap()
    }

    fn ask(&self, bytes: &[u8]) -> TcpStream {
        let mut client = TcpStream::connect(self.address()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(bytes).unwrap();
        client
    }
}

fn rest(mut client: TcpStream) -> String {
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

/// Turns until the client has its answer.
fn turn_until_answered(reactor: &mut Reactor, client: &TcpStream) {
    client.set_nonblocking(true).unwrap();
    let until = Instant::now() + PATIENCE;
    while client.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock) {
        assert!(Instant::now() < until, "there was no answer");
        reactor.look().unwrap();
        reactor.turn(16);
    }
    client.set_nonblocking(false).unwrap();
}

/// Ends the server, whose connections this thread runs.
fn end(mut reactor: Reactor, server: Server) {
    server.shutdown.begin();
    while !server.ended.is_finished() {
        reactor.look().unwrap();
        reactor.turn(16);
    }
    assert!(server.ended.join().unwrap().is_complete());
}

#[test]
fn a_reactor_that_does_not_turn_accepts_nothing() {
    let mut reactor = Reactor::new(|| ()).unwrap();
    let server = Server::start(&App::new(Config::default()), |bound| bound.on(reactor.remote()));
    let first = server.ask(GET);
    turn_until_answered(&mut reactor, &first);
    let waiting = server.ask(GET);
    std::thread::sleep(MOMENT);
    drop(server.shared.accept().expect("it was left to others"));
    drop(waiting);
    let last = server.ask(GET);
    turn_until_answered(&mut reactor, &last);
    assert!(rest(first).ends_with("hello") && rest(last).ends_with("hello"));
    end(reactor, server);
}

#[test]
fn a_server_accepts_nothing_while_its_host_is_away() {
    let app = App::new(Config::default());
    let server = Server::start(&app, Bound::attended);
    assert!(rest(server.ask(GET)).ends_with("hello"));
    app.away.store(true, SeqCst);
    let waiting = server.ask(GET);
    std::thread::sleep(MOMENT);
    drop(server.shared.accept().expect("it was left to others"));
    drop(waiting);
    app.away.store(false, SeqCst);
    app.back.notify_one();
    let clients: Vec<_> = (0..100).map(|_| server.ask(GET)).collect();
    assert!(clients.into_iter().all(|client| rest(client).ends_with("hello")));
    server.shutdown.begin();
    assert!(server.ended.join().unwrap().is_complete());
}

#[test]
fn who_waits_to_be_accepted_is_answered_by_a_server_that_leaves() {
    let mut reactor = Reactor::new(|| ()).unwrap();
    let server = Server::start(&App::new(Config::default()), |bound| bound.on(reactor.remote()));
    let first = server.ask(GET);
    turn_until_answered(&mut reactor, &first);
    let clients: Vec<_> = (0..20).map(|_| server.ask(GET)).collect();
    server.shutdown.begin();
    end(reactor, server);
    assert!(clients.into_iter().all(|client| rest(client).ends_with("hello")));
}

#[test]
fn a_burst_of_connections_leaves_turns_to_those_that_are_open() {
    let mut reactor = Reactor::new(|| ()).unwrap();
    let server = Server::start(&App::new(Config::default()), |bound| bound.on(reactor.remote()));
    let clients: Vec<_> = (0..100).map(|_| server.ask(GET)).collect();
    turn_until_answered(&mut reactor, &clients[0]);
    let unanswered = clients[99].set_nonblocking(true).and_then(|()| clients[99].peek(&mut [0]));
    assert!(unanswered.is_err(), "all were accepted before the first was answered");
    for client in &clients {
        turn_until_answered(&mut reactor, client);
    }
    assert!(clients.into_iter().all(|client| rest(client).ends_with("hello")));
    end(reactor, server);
}

/// A read ends before an urgent byte; what follows it is there already and is announced by nothing else.
#[cfg(target_os = "linux")]
#[test]
fn an_urgent_byte_does_not_hide_what_follows_it() {
    let mut reactor = Reactor::new(|| ()).unwrap();
    let server = Server::start(&App::new(Config::default()), |bound| bound.on(reactor.remote()));
    for accepted_before in [false, true] {
        let mut client = server.ask(b"");
        if accepted_before {
            std::thread::sleep(MOMENT);
            reactor.look().unwrap();
            while reactor.turn(16) {}
        }
        client
            .write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 10\r\n\r\nabcde")
            .unwrap();
        socket2::SockRef::from(&client).send_out_of_band(b"!").unwrap();
        client.write_all(b"fghij").unwrap();
        turn_until_answered(&mut reactor, &client);
        assert!(rest(client).ends_with("abcdefghij"));
    }
    end(reactor, server);
}

#[test]
fn a_server_that_is_dropped_cuts_off_what_is_open() {
    let app = App::new(Config::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let bound = bind(&Config { port: 0, ..Config::default() }).unwrap();
        let address = bound.local_addr().unwrap();
        let server = tokio::spawn(serve(app.clone(), bound, Shutdown::new()));
        let asked = tokio::task::spawn_blocking(move || {
            let mut client = TcpStream::connect(address).unwrap();
            client.write_all(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
            client.set_read_timeout(Some(PATIENCE)).unwrap();
            client.read(&mut [0]).unwrap()
        });
        while app.calls() == 0 {
            app.begun.notified().await;
        }
        server.abort();
        assert_eq!(asked.await.unwrap(), 0, "it was told something");
    });
    assert_eq!(app.running.load(SeqCst), 0);
}
