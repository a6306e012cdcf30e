//! Listening, accepting and draining, over real sockets.
#![cfg(feature = "server")]

mod wire;

use std::{
    future::pending,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
    time::Duration,
};

use spikard_core::config::Config;
#[cfg(unix)]
use spikard_http::server::{Reactor, Remote};
use spikard_http::{
    Peer,
    server::{Drained, Listener, Shutdown, bind, serve, serve_from},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::TcpStream,
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use wire::{App, PATIENCE, assert_problem, read_all, read_until};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const GATE: &[u8] = b"GET /gate HTTP/1.1\r\nhost: a\r\n\r\n";
const COMPLETE: Drained = Drained { connections: 0, in_flight: 0 };

struct Server {
    app: App,
    address: SocketAddr,
    shutdown: Shutdown,
    ended: JoinHandle<Drained>,
}

impl Server {
    fn start(config: Config) -> Self {
        // covers config: host, port
        let app = App::new(Config { port: 0, ..config });
        let listener = bind(&app.config).expect("a free port");
        let (address, shutdown) = (listener.local_addr().expect("a bound socket"), Shutdown::new());
        #[cfg(unix)]
        let listener = if on_reactor() { listener.on(&host_loop()) } else { listener };
        let ended = tokio::spawn(serve(app.clone(), listener, shutdown.clone()));
        Self { app, address, shutdown, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    async fn hello(&self) -> TcpStream {
        let mut client = self.connect().await;
        client.write_all(GET).await.expect("it reads");
        read_until(&mut client, "hello").await;
        client
    }

    /// A request that waits for the app's gate.
    async fn in_flight(&self) -> TcpStream {
        let before = self.app.calls();
        let mut client = self.connect().await;
        client.write_all(GATE).await.expect("it reads");
        while self.app.calls() == before {
            self.app.begun.notified().await;
        }
        client
    }

    async fn end(self) -> Drained {
        timeout(PATIENCE, self.ended).await.expect("the server ends").expect("it does not panic")
    }
}

/// Whether this is the suite's second run: see `listener_on_reactor.rs`.
#[cfg(unix)]
fn on_reactor() -> bool {
    env!("CARGO_CRATE_NAME") == "listener_on_reactor"
}

/// A thread that looks at its reactor like a host's loop. It ends when nobody uses the reactor any more.
#[cfg(unix)]
fn host_loop() -> Arc<Remote> {
    let (told, ready) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let thread = std::thread::current();
        let mut reactor = Reactor::new(move || thread.unpark()).expect("a descriptor is free");
        told.send(Arc::clone(reactor.remote())).expect("somebody waits");
        // One of them is the reactor's own.
        while Arc::strong_count(reactor.remote()) > 1 {
            reactor.look().expect("it can be asked");
            while reactor.turn(16) {}
            std::thread::park_timeout(Duration::from_millis(1));
        }
    });
    ready.recv().expect("the thread begins")
}

fn server() -> Server {
    Server::start(Config::default())
}

#[tokio::test]
async fn a_host_is_an_address_of_either_family_or_a_name() {
    for host in ["127.0.0.1", "0.0.0.0", "::1", "localhost"] {
        let listener = match bind(&Config { host: host.into(), port: 0, ..Config::default() }) {
            Err(error) if host == "::1" && error.kind() == io::ErrorKind::AddrNotAvailable => continue,
            listener => listener.unwrap(),
        };
        let address = listener.local_addr().unwrap();
        assert!(address.port() != 0 && (host == "localhost" || address.ip().to_string() == host), "{address}");
    }
}

#[test]
fn a_socket_that_cannot_be_opened_is_named() {
    let first = bind(&Config { port: 0, ..Config::default() }).unwrap();
    let port = first.local_addr().unwrap().port();
    let message =
        |host: &str, port| bind(&Config { host: host.into(), port, ..Config::default() }).unwrap_err().to_string();
    assert_eq!(message("127.0.0.1", port), format!("cannot listen on 127.0.0.1:{port}: address already in use"));
    assert_eq!(message("192.0.2.1", 80), "cannot listen on 192.0.2.1:80: cannot assign requested address");
    assert!(message("no.such.host.invalid", 80).starts_with("cannot listen on no.such.host.invalid:80: "));
    assert!(message("2001:db8::1", 80).starts_with("cannot listen on [2001:db8::1]:80: "));
}

#[test]
fn a_port_can_be_taken_again_at_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = server();
        let port = server.address.port();
        let client = server.hello().await;
        server.shutdown.begin();
        // The server closes first: its side stays in TIME-WAIT.
        assert_eq!(server.end().await, COMPLETE);
        drop(client);
        bind(&Config { port, ..Config::default() }).unwrap();
    });
}

/// How many of eight connections the kernel completes while nobody accepts.
#[cfg(target_os = "linux")]
async fn waiting(backlog: u32) -> usize {
    let listener = bind(&Config { port: 0, backlog, ..Config::default() }).expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let connect = |_| tokio::spawn(timeout(Duration::from_millis(300), TcpStream::connect(address)));
    let tries: Vec<_> = (0..8).map(connect).collect();
    let mut connected = Vec::new();
    for one in tries {
        connected.extend(one.await.expect("it does not panic"));
    }
    connected.len()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_backlog_bounds_the_connections_that_wait() {
    // covers config: backlog
    assert_eq!(waiting(2).await, 3, "Linux keeps one more than it is told");
    assert_eq!(waiting(64).await, 8);
}

#[tokio::test]
async fn a_server_answers_over_a_socket() {
    let server = server();
    let mut client = server.hello().await;
    client.write_all(b"GET * HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert_problem(&read_all(&mut client).await, 400);
}

#[tokio::test]
async fn a_request_knows_the_address_of_its_client() {
    let server = server();
    let mut client = server.connect().await;
    let address = client.local_addr().unwrap();
    client.write_all(b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut client, &format!("Some(Address({address}))")).await;
}

#[tokio::test]
async fn a_client_that_goes_on_sending_is_not_reset() {
    let server = server();
    for head in ["GET * HTTP/1.1", "POST /ignore HTTP/1.1", "GET / HTTP/1.1"] {
        let mut client = server.connect().await;
        client.write_all(format!("{head}\r\nhost: a\r\n").as_bytes()).await.unwrap();
        client.write_all(b"connection: close\r\ncontent-length: 900000\r\n\r\n").await.unwrap();
        let mut answer = [0; 9];
        client.read_exact(&mut answer).await.unwrap();
        // The rest comes when the server has closed its side.
        for _ in 0..9 {
            client.write_all(&vec![b'x'; 100_000]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, client.read_to_end(&mut rest)).await.expect("it is closed");
        read.unwrap_or_else(|error| panic!("{head}: {error}"));
    }
}

#[tokio::test]
async fn above_its_limit_the_listener_stops_accepting() {
    // covers config: max_connections
    let server = Server::start(Config { max_connections: Some(2), ..Config::default() });
    let (first, _second) = (server.hello().await, server.hello().await);
    let mut third = server.connect().await;
    third.write_all(GET).await.unwrap();
    let early = timeout(Duration::from_millis(100), third.read_u8()).await;
    assert!(early.is_err() && server.app.calls() == 2, "it was accepted");
    drop(first);
    read_until(&mut third, "hello").await;
}

/// Fails as often as it is told, then hands out connections.
struct Failing {
    failures: Mutex<u32>,
    code: i32,
    connections: tokio::sync::Mutex<mpsc::Receiver<DuplexStream>>,
}

impl Listener for Failing {
    type Wire = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, Option<Peer>)> {
        {
            let mut left = self.failures.lock().expect("nobody panics");
            if *left > 0 {
                *left -= 1;
                return Err(io::Error::from_raw_os_error(self.code));
            }
        }
        match self.connections.lock().await.recv().await {
            Some(stream) => Ok((stream, None)),
            None => pending().await,
        }
    }
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_listener_without_descriptors_backs_off_and_recovers() {
    const EMFILE: i32 = 24;
    const ECONNABORTED: i32 = if cfg!(target_os = "linux") { 103 } else { 53 };
    for (code, failures, least, most) in [(EMFILE, 8, 1.0, 3.0), (ECONNABORTED, 1000, 0.0, 0.001)] {
        let app = App::new(Config::default());
        let (sender, receiver) = mpsc::channel(1);
        let listener = Failing { failures: Mutex::new(failures), code, connections: receiver.into() };
        let (mut client, stream) = duplex(4096);
        sender.send(stream).await.unwrap();
        let began = Instant::now();
        let server = tokio::spawn(serve_from(app, listener, Shutdown::new()));
        client.write_all(GET).await.unwrap();
        read_until(&mut client, "hello").await;
        let took = began.elapsed().as_secs_f64();
        assert!((least..most).contains(&took), "{took} s after {failures} times {code}");
        server.abort();
    }
}

/// Ends in a subprocess: the limit holds for the whole process.
#[cfg(target_os = "linux")]
#[test]
fn a_process_without_descriptors_recovers() {
    const INSIDE: &str = "SPIKARD_TEST_FEW_DESCRIPTORS";
    if std::env::var_os(INSIDE).is_none() {
        let program = std::env::current_exe().unwrap();
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", "ulimit -n 40; exec \"$0\" a_process_without_descriptors_recovers --nocapture"]);
        let output = limited.arg(program).env(INSIDE, "1").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("recovered"), "{text}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let server = server();
        let mut clients = vec![server.hello().await];
        // Takes descriptors until there are none: every further connection waits in the kernel.
        let mut files = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            files.push(file);
        }
        files.pop();
        clients.push(server.connect().await);
        clients[1].write_all(GET).await.unwrap();
        assert!(timeout(Duration::from_millis(100), clients[1].read_u8()).await.is_err(), "there was a descriptor");
        // The one that is open is served all the while.
        clients[0].write_all(GET).await.unwrap();
        read_until(&mut clients[0], "hello").await;
        drop(files);
        read_until(&mut clients[1], "hello").await;
        println!("recovered");
    });
}

#[tokio::test]
async fn five_hundred_connections_leave_nothing_behind() {
    // A place that is not given back would stop the next round.
    let server = Server::start(Config { max_connections: Some(100), ..Config::default() });
    for round in 0..5 {
        let mut clients = Vec::new();
        for _ in 0..100 {
            clients.push(if round % 2 == 0 { server.hello().await } else { server.in_flight().await });
        }
        // Some leave in order, some by a reset, idle or with a request in flight.
        for client in clients.iter().skip(round * 20) {
            socket2::SockRef::from(client).set_linger(Some(Duration::ZERO)).unwrap();
        }
        for _ in 0..100 {
            server.app.gate.notify_one();
        }
    }
    server.shutdown.begin();
    let app = server.app.clone();
    assert_eq!(server.end().await, COMPLETE);
    assert_eq!(app.running.load(SeqCst), 0);
}

#[tokio::test]
async fn a_reset_drops_the_request_that_runs() {
    let server = server();
    let client = server.in_flight().await;
    assert_eq!(server.app.running.load(SeqCst), 1);
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    timeout(PATIENCE, spikard_http::server::Handle::idle(&server.app)).await.expect("the future is dropped");
}

#[tokio::test]
async fn a_drain_closes_idle_connections_and_finishes_requests() {
    let server = server();
    let mut idle = server.hello().await;
    let mut fresh = server.connect().await;
    let mut partial = server.connect().await;
    partial.write_all(&GET[..10]).await.unwrap();
    let mut busy = server.in_flight().await;
    server.shutdown.begin();
    assert_eq!(read_all(&mut idle).await, "");
    assert_eq!(read_all(&mut fresh).await, "");
    assert!(TcpStream::connect(server.address).await.is_err(), "it still listens");
    partial.write_all(&GET[10..]).await.unwrap();
    let last = read_all(&mut partial).await.to_ascii_lowercase();
    assert!(last.contains("connection: close") && last.ends_with("hello"), "{last}");
    assert!(!server.ended.is_finished());
    server.app.gate.notify_one();
    let last = read_all(&mut busy).await.to_ascii_lowercase();
    assert!(last.contains("connection: close") && last.ends_with("opened"), "{last}");
    assert_eq!(server.end().await, COMPLETE);
}

#[tokio::test]
async fn a_drain_answers_what_an_idle_client_sends_at_that_moment() {
    let server = server();
    let mut idle = server.hello().await;
    server.shutdown.begin();
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    idle.write_all(GET).await.unwrap();
    let last = read_all(&mut idle).await.to_ascii_lowercase();
    assert!(last.contains("connection: close") && last.ends_with("hello"), "{last}");
    assert_eq!(server.end().await, COMPLETE);
}

#[tokio::test]
async fn a_drain_does_not_wait_for_a_body_that_nobody_reads() {
    let server = server();
    let mut client = server.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n\r\n").await.unwrap();
    read_until(&mut client, "hello").await;
    let began = Instant::now();
    server.shutdown.begin();
    assert_eq!(read_all(&mut client).await, "");
    assert!(began.elapsed() < Duration::from_millis(500), "it is told at once: {:?}", began.elapsed());
    // It neither sends the body nor closes its side.
    assert_eq!(server.end().await, COMPLETE);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_takes_little_all_the_time_is_not_dropped() {
    let server = Server::start(Config { write_timeout: Some(0.2), ..Config::default() });
    let mut client = server.connect().await;
    client.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut piece = vec![0; 64 << 10];
    // More than both sockets hold: what a dropped connection has sent can be read to its end.
    for _ in 0..240 {
        sleep(Duration::from_millis(25)).await;
        timeout(PATIENCE, client.read_exact(&mut piece)).await.expect("it sends").expect("it is open");
    }
    sleep(Duration::from_secs(2)).await;
    let ended = timeout(PATIENCE, async { while client.read(&mut piece).await.is_ok_and(|read| read > 0) {} }).await;
    ended.expect("one that stops is dropped");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_reader_that_takes_nothing_has_its_time_once() {
    let server = Server::start(Config { write_timeout: Some(1.0), ..Config::default() });
    let mut client = server.connect().await;
    client.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // A quarter more for the coarse clock, and time for a busy machine.
    sleep(Duration::from_millis(1750)).await;
    let mut piece = vec![0; 64 << 10];
    let ended = timeout(PATIENCE, async { while client.read(&mut piece).await.is_ok_and(|read| read > 0) {} }).await;
    ended.expect("it is dropped");
}

#[tokio::test]
async fn a_drain_leaves_little_time_to_a_stalled_head_and_all_of_it_to_a_request() {
    let server = server();
    let mut stalled = server.connect().await;
    stalled.write_all(&GET[..10]).await.unwrap();
    let mut busy = server.in_flight().await;
    server.shutdown.begin();
    let began = Instant::now();
    assert_problem(&read_all(&mut stalled).await, 408);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(!server.ended.is_finished());
    server.app.gate.notify_one();
    assert!(read_all(&mut busy).await.ends_with("opened"));
    assert_eq!(server.end().await, COMPLETE);
}

#[tokio::test]
async fn a_drain_ends_after_its_time() {
    // covers config: shutdown_timeout
    let server = Server::start(Config { shutdown_timeout: 0.1, ..Config::default() });
    let mut busy = server.in_flight().await;
    let (began, app) = (Instant::now(), server.app.clone());
    server.shutdown.begin();
    assert_eq!(server.end().await, Drained { connections: 1, in_flight: 1 });
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!(read_all(&mut busy).await, "");
    let dropped = async {
        while app.running.load(SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // Where connections live on another thread it is a moment later.
    tokio::time::timeout(Duration::from_secs(5), dropped).await.expect("what was cut off is dropped");
}

#[tokio::test]
async fn an_abort_leaves_no_time() {
    for drained_before in [true, false] {
        let server = server();
        let _busy = server.in_flight().await;
        if drained_before {
            server.shutdown.begin();
            assert!(server.shutdown.has_begun());
            tokio::task::yield_now().await;
            assert!(!server.ended.is_finished());
        }
        server.shutdown.abort();
        let drained = server.end().await;
        assert!(!drained.is_complete(), "{drained:?}");
    }
}

#[tokio::test]
async fn a_shutdown_that_came_first_serves_nobody() {
    let shutdown = Shutdown::new();
    shutdown.begin();
    let app = App::new(Config { port: 0, ..Config::default() });
    let listener = bind(&app.config).unwrap();
    assert_eq!(timeout(PATIENCE, serve(app, listener, shutdown)).await.unwrap(), COMPLETE);
}
