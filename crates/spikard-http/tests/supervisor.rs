//! The supervisor, with a program of its own: this test, started again.
#![cfg(all(unix, feature = "server"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod wire;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use spikard_core::config::{Config, Layers};
use spikard_http::server::{ASSIGNMENT, Assignment, Program, Shutdown, Supervisor, serve_assigned};
use wire::App;

struct Running {
    address: SocketAddr,
    supervisor: Arc<Supervisor>,
    ended: JoinHandle<bool>,
}

/// Supervises two workers on a socket that the test has opened.
fn supervise(command: &[&str]) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fd = u32::try_from(listener.as_raw_fd()).unwrap();
    let config = Config { fd: Some(fd), workers: 2, ..Config::default() };
    let command = command.iter().map(Into::into).collect();
    let program = Program { command, folder: ".".into(), processes: 1, run: "1".into() };
    let supervisor = Arc::new(Supervisor::new(&Layers::default(), &config, program).unwrap());
    let (address, runs) = (listener.local_addr().unwrap(), supervisor.clone());
    Running { address, supervisor, ended: std::thread::spawn(move || runs.run().unwrap()) }
}

fn this_program() -> String {
    std::env::current_exe().unwrap().to_str().unwrap().to_owned()
}

fn hello(address: SocketAddr) {
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer:?}");
}

#[test]
fn a_worker_serves_what_it_was_assigned() {
    let Ok(text) = std::env::var(ASSIGNMENT) else {
        // Not started by a supervisor: it must not take anything for an assignment.
        assert!(Assignment::take(&format!("{}:{}:0:1:1", "0".repeat(32), std::process::id())).is_err());
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let assignment = Assignment::take(&text).unwrap();
    let served = serve_assigned(App::new(Config::default()), assignment, Shutdown::new());
    assert!(runtime.block_on(served).is_complete());
}

#[test]
fn workers_are_replaced_without_a_refused_connection_and_end_with_the_supervisor() {
    let running = supervise(&[&this_program(), "--exact", "a_worker_serves_what_it_was_assigned"]);
    hello(running.address);
    running.supervisor.replace();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        hello(running.address);
    }
    running.supervisor.stop();
    assert!(running.ended.join().unwrap());
    assert!(TcpStream::connect(running.address).is_err(), "the socket is closed");
}

#[test]
fn a_program_that_never_gets_ready_ends_the_supervisor() {
    for command in ["false", "true", "/no/such/program"] {
        let running = supervise(&[command]);
        assert!(!running.ended.join().unwrap(), "{command}");
    }
}

#[test]
fn a_worker_that_does_not_listen_to_its_supervisor_is_ended() {
    let running = supervise(&["sleep", "1000"]);
    std::thread::sleep(Duration::from_millis(100));
    running.supervisor.stop();
    assert!(running.ended.join().unwrap(), "it had not begun to serve");
}
