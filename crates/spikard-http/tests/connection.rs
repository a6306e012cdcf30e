//! Connections over memory and over sockets: order, reuse, bodies, the client's end, timeouts.
#![cfg(feature = "server")]

mod wire;

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use spikard_core::config::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep, timeout},
};
use wire::{App, LARGE, PATIENCE, assert_problem, read_all, read_until, statuses};

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

fn post(path: &str, fields: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: a\r\n{fields}content-length: {}\r\n\r\n{body}", body.len())
}

fn app() -> App {
    App::new(Config::default())
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let mut client = app().connect();
    for _ in 0..3 {
        client.write_all(GET.as_bytes()).await.unwrap();
        let answer = read_until(&mut client, "hello").await.to_ascii_lowercase();
        assert!(!answer.contains("connection: close") && !answer.contains("\r\nserver:"), "{answer}");
        assert_eq!(answer.matches("\r\ndate: ").count(), 1, "{answer}");
    }
    client.write_all(LAST.as_bytes()).await.unwrap();
    assert!(read_all(&mut client).await.to_ascii_lowercase().contains("connection: close"));
}

#[tokio::test]
async fn http_1_0_keeps_a_connection_only_when_asked() {
    let asked = "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let text = app().exchange([asked, asked, "GET / HTTP/1.0\r\n\r\n", GET].concat()).await;
    assert_eq!(statuses(&text), [200, 200, 200], "{text}");
    assert_eq!(text.to_ascii_lowercase().matches("connection: keep-alive\r\n").count(), 2, "{text}");
    let text = app().exchange("GET * HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    assert!(!text.contains("keep-alive"), "{text}");
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let requests = [
        post("/echo", "", "one"),
        get("/host"),
        format!("\r\n{}", post("/ignore", "", "not read")),
        "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3;x\r\ntwo\r\n0\r\nx-t: 1\r\n\r\n".into(),
        LAST.into(),
    ];
    let text = app().exchange(requests.concat()).await;
    let bodies: Vec<_> = text.split("HTTP/1.1 200 OK").skip(1).map(|answer| answer.rsplit("\r\n").next()).collect();
    assert_eq!(bodies, ["one", "a /host", "ignored", "two", "hello"].map(Some), "{text}");
}

#[tokio::test]
async fn bytes_may_come_one_by_one() {
    let mut client = app().connect();
    let chunked = "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n";
    for byte in [&post("/echo", "", "one"), chunked, LAST].concat().bytes() {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let text = read_all(&mut client).await;
    assert_eq!(statuses(&text), [200, 200, 200], "{text}");
    assert!(text.contains("one") && text.contains("two"), "{text}");
}

#[tokio::test]
async fn an_answer_does_not_wait_for_the_rest_of_the_next_request() {
    let mut client = app().connect();
    client.write_all(format!("{GET}GET / HT").as_bytes()).await.unwrap();
    read_until(&mut client, "hello").await;
    client.write_all(b"TP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    read_until(&mut client, "hello").await;
}

#[tokio::test]
async fn an_answer_does_not_wait_for_the_answer_to_the_next_request() {
    let app = app();
    let mut client = app.connect();
    client.write_all(format!("{GET}{}", get("/gate")).as_bytes()).await.unwrap();
    read_until(&mut client, "hello").await;
    app.gate.notify_one();
    read_until(&mut client, "opened").await;
}

#[tokio::test]
async fn large_bodies_pass() {
    let body = "x".repeat(3 << 20);
    let text = app().exchange(post("/echo", "connection: close\r\n", &body)).await;
    assert!(text.ends_with(&format!("\r\n\r\n{body}")));
}

#[tokio::test]
async fn a_client_that_shuts_its_sending_side_still_gets_its_answers() {
    for more in ["", GET] {
        let app = app();
        let mut client = app.connect();
        client.write_all(format!("{}{more}", get("/gate")).as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        app.begun.notified().await;
        app.gate.notify_one();
        let text = read_all(&mut client).await;
        assert!(text.contains("opened") && statuses(&text).len() == 1 + usize::from(!more.is_empty()), "{text}");
    }
}

#[tokio::test]
async fn the_end_of_a_client_is_seen_while_its_request_runs() {
    for more in ["", "GET / HT", GET] {
        let app = app();
        let mut client = app.connect();
        client.write_all(get("/departed").as_bytes()).await.unwrap();
        app.begun.notified().await;
        client.write_all(more.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        assert!(read_all(&mut client).await.contains("departed"), "with {more:?} behind it");
    }
}

#[tokio::test]
async fn the_end_of_a_client_is_seen_while_its_body_is_not_read() {
    let app = app();
    let mut client = app.connect();
    client.write_all(b"POST /departed HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nab").await.unwrap();
    app.begun.notified().await;
    client.shutdown().await.unwrap();
    assert!(read_all(&mut client).await.contains("departed"));
}

#[tokio::test]
async fn a_small_body_that_is_not_read_is_drained() {
    let app = app();
    let body = "x".repeat(60 << 10);
    let text = app.exchange([post("/ignore", "", &body), LAST.into()].concat()).await;
    assert_eq!(statuses(&text), [200, 200], "{text}");
}

#[tokio::test]
async fn the_connection_closes_after_a_large_body_that_is_not_read() {
    let app = app();
    let text = app.exchange([post("/ignore", "", &"x".repeat(100 << 10)), LAST.into()].concat()).await;
    assert_eq!(statuses(&text), [200], "{text}");
    assert!(text.to_ascii_lowercase().contains("connection: close"), "{text}");

    let chunks = format!("8000\r\n{}\r\n", "x".repeat(0x8000)).repeat(4);
    let head = "POST /ignore HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let text = app.exchange(format!("{head}{chunks}0\r\n\r\n{LAST}")).await;
    assert_eq!(statuses(&text), [200], "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_waits_for_the_answer_before_it() {
    let began = Instant::now();
    let mut client = app().connect();
    client.write_all(b"POST /large HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nab").await.unwrap();
    // The answer is under way and does not fit into the connection when the rest of the request comes.
    let head = read_until(&mut client, "\r\n\r\n").await;
    assert_eq!(statuses(&head), [200]);
    client.write_all(b"cG(T / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let mut body = vec![0; LARGE];
    client.read_exact(&mut body).await.unwrap();
    assert!(body.iter().all(|byte| *byte == b'.'));
    assert_problem(&read_all(&mut client).await, 400);
    assert_eq!(began.elapsed(), Duration::ZERO, "it waited for the sweep");
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_continue() {
    let mut client = app().connect();
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\ncontent-length: 3\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_until(&mut client, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").await.unwrap();
    assert!(read_until(&mut client, "abc").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_client_that_waits_for_nobody_is_not_told_to_continue() {
    for (target, status) in [("/ignore", 200), ("http://user@a/echo", 400)] {
        let head = format!("POST {target} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
        let text = app().exchange(head).await;
        assert_eq!(statuses(&text), [status], "{text}");
        assert!(text.to_ascii_lowercase().contains("connection: close"), "{text}");
    }
}

#[tokio::test]
async fn a_stream_waits_for_its_reader() {
    for behind in ["", GET] {
        let app = app();
        let mut client = app.connect();
        client.write_all(format!("{}{behind}", get("/stream")).as_bytes()).await.unwrap();
        let mut bytes = vec![0; 1 << 20];
        client.read_exact(&mut bytes).await.unwrap();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let ahead = app.streamed.load(SeqCst) - bytes.len();
        assert!(ahead < 1 << 20, "{ahead} bytes are held for a client that reads slowly");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_408() {
    // covers config: header_timeout
    let app = App::new(Config { header_timeout: Some(0.4), keep_alive: Some(60.0), ..Config::default() });
    for before in ["", GET] {
        let mut client = app.connect();
        client.write_all(before.as_bytes()).await.unwrap();
        if !before.is_empty() {
            read_until(&mut client, "hello").await;
        }
        let began = Instant::now();
        // Byte by byte: the time is for the whole head.
        for byte in "GET ".bytes() {
            client.write_all(&[byte]).await.unwrap();
            sleep(Duration::from_millis(50)).await;
        }
        let answer = read_all(&mut client).await;
        assert_problem(&answer, 408);
        let took = began.elapsed().as_secs_f64();
        assert!((0.4..0.8).contains(&took), "{took}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_byte_is_closed_without_a_word() {
    let app = App::new(Config { header_timeout: Some(0.4), ..Config::default() });
    let began = Instant::now();
    assert_eq!(app.exchange("").await, "");
    assert!((0.4..0.8).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_time_for_a_head_does_not_run_between_requests_or_while_one_is_answered() {
    let app = App::new(Config { header_timeout: Some(0.4), body_timeout: Some(0.4), ..Config::default() });
    let mut client = app.connect();
    client.write_all(GET.as_bytes()).await.unwrap();
    read_until(&mut client, "hello").await;
    sleep(Duration::from_secs(20)).await;
    client.write_all(get("/gate").as_bytes()).await.unwrap();
    sleep(Duration::from_secs(20)).await;
    app.gate.notify_one();
    read_until(&mut client, "opened").await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_without_a_word() {
    // covers config: keep_alive
    let app = App::new(Config { keep_alive: Some(2.0), ..Config::default() });
    for before in [GET.to_owned(), post("/echo", "", "hello"), format!("{}\r\n", post("/echo", "", "hello"))] {
        let mut client = app.connect();
        client.write_all(before.as_bytes()).await.unwrap();
        read_until(&mut client, "hello").await;
        let began = Instant::now();
        assert_eq!(read_all(&mut client).await, "");
        assert!((2.0..4.0).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_arriving_is_408() {
    // covers config: body_timeout
    let app = App::new(Config { body_timeout: Some(0.4), ..Config::default() });
    for (head, piece) in [("content-length: 99", "x"), ("transfer-encoding: chunked", "1\r\nx\r\n")] {
        let mut client = app.connect();
        client.write_all(format!("POST /echo HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n").as_bytes()).await.unwrap();
        // A slow body is no dead one.
        for _ in 0..10 {
            sleep(Duration::from_millis(300)).await;
            client.write_all(piece.as_bytes()).await.unwrap();
        }
        let began = Instant::now();
        assert_problem(&read_all(&mut client).await, 408);
        assert!((0.4..0.8).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
    }
    assert_eq!(app.bodies(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_is_dropped() {
    // covers config: write_timeout
    let app = App::new(Config { write_timeout: Some(0.4), ..Config::default() });
    let mut client = app.connect();
    client.write_all(get("/stream").as_bytes()).await.unwrap();
    let mut bytes = vec![0; 16 << 10];
    // A slow reader is no dead one.
    for _ in 0..10 {
        sleep(Duration::from_millis(300)).await;
        client.read_exact(&mut bytes).await.unwrap();
    }
    sleep(Duration::from_secs(2)).await;
    let mut rest = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut rest)).await.expect("the connection is closed").unwrap();
    assert!(rest.len() <= 16 << 10, "{} bytes came after the end", rest.len());
}

#[tokio::test]
async fn an_upgraded_connection_is_nobodys_but_the_upgrades() {
    let mut client = app().connect();
    let head = "GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    client.write_all(format!("{head}\n\n early").as_bytes()).await.unwrap();
    let answer = read_until(&mut client, "\n\n early").await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    client.write_all(b"GET * HTTP/1.1\n\n").await.unwrap();
    read_until(&mut client, "GET * HTTP/1.1\n\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_nobody_reads_has_one_time_for_all_of_it() {
    let (mut reader, mut writer) = tokio::io::split(app().connect());
    writer.write_all(b"POST /ignore HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n\r\n").await.unwrap();
    read_until(&mut reader, "ignored").await;
    let began = Instant::now();
    let drip = async {
        while writer.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(300)).await;
        }
        began.elapsed().as_secs_f64()
    };
    let (rest, cut_off) = tokio::join!(read_all(&mut reader), drip);
    assert_eq!(rest, "");
    assert!((2.0..7.0).contains(&cut_off), "{cut_off}");
}

#[tokio::test]
async fn after_a_408_the_rest_of_the_body_is_not_waited_for() {
    for body in ["content-length: 5\r\n\r\nab", "transfer-encoding: chunked\r\n\r\n5\r\nab"] {
        assert_problem(&app().exchange(format!("POST /late HTTP/1.1\r\nhost: a\r\n{body}")).await, 408);
    }
    let late = get("/late");
    assert_eq!(statuses(&app().exchange([&late, LAST].concat()).await), [408, 200], "nothing was left to read");
}
