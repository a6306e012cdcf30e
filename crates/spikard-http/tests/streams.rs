//! What the connection does with a body, and what the tail of a work learns of it: over a real connection, under the
//! loop.

#![allow(clippy::unwrap_used, reason = "what supports a test fails loudly")]

mod pretend;

use std::{sync::LazyLock, time::Duration};

use pretend::{App, Kind, only};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

static APP: LazyLock<Value> = LazyLock::new(|| {
    let route = |path: &str, handler: u32, options: Value| json!({"method": "GET", "path": path, "handler": handler, "arguments": [{"provide": "db"}], "options": options});
    json!({"dependencies": [{"name": "db", "provider": 30, "generator": true}], "routes": [
        route("/deps", 0, json!({})),
        route("/stream", 3, json!({})),
        route("/broken-stream", 7, json!({})),
        route("/idle", 8, json!({})),
        route("/too-long", 18, json!({})),
        route("/too-short", 19, json!({})),
        route("/no-length", 20, json!({})),
        route("/sized", 21, json!({})),
        route("/204", 22, json!({})),
        route("/205", 23, json!({})),
        route("/endless", 24, json!({})),
        route("/empties", 25, json!({})),
        route("/slow-cancel", 1, json!({"cancel_on_disconnect": true})),
    ]})
});

async fn connect(app: &App, request: &str) -> DuplexStream {
    let (mut client, server) = tokio::io::duplex(4096);
    tokio::spawn(spikard_http::server::serve_connection(app.service.clone(), server));
    client.write_all(format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    client
}

async fn read(mut client: DuplexStream) -> String {
    let mut read = vec![];
    let _ = tokio::time::timeout(Duration::from_secs(2), client.read_to_end(&mut read)).await.expect("it ends");
    String::from_utf8(read).unwrap()
}

#[test]
fn a_whole_body_is_complete_when_hyper_has_taken_it() {
    only(Kind::Loop, &APP, async |app| {
        assert!(read(connect(app, "GET /deps").await).await.ends_with("\r\n\r\ndb"));
        assert_eq!(app.traced().await.last().unwrap(), "finish db Sent(Complete)");
    });
}

#[test]
fn the_body_of_a_head_request_is_complete_unread() {
    only(Kind::Loop, &APP, async |app| {
        let answer = read(connect(app, "HEAD /deps").await).await;
        assert!(answer.contains("content-length: 2\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert_eq!(app.traced().await.last().unwrap(), "finish db Sent(Complete)");
        assert!(read(connect(app, "HEAD /stream").await).await.ends_with("\r\n\r\n"));
        let trace = app.traced().await;
        assert!(
            trace.ends_with(&["finish stream Sent(Complete)".into(), "finish db Sent(Complete)".into()])
                && trace.len() < 20,
            "{trace:?}"
        );
    });
}

#[test]
fn a_stream_is_chunked_and_ends() {
    only(Kind::Loop, &APP, async |app| {
        let answer = read(connect(app, "GET /stream").await).await;
        assert!(answer.len() > 1 << 20 && answer.ends_with("\r\n0\r\n\r\n"));
        assert_eq!(app.traced().await.last().unwrap(), "finish db Sent(Complete)");
    });
}

#[test]
fn a_stream_that_fails_is_not_ended() {
    only(Kind::Loop, &APP, async |app| {
        assert!(!read(connect(app, "GET /broken-stream").await).await.ends_with("\r\n0\r\n\r\n"));
        let trace = app.traced().await;
        let end = ["finish stream Sent(Failed)", "db saw thirteen"];
        assert_eq!(trace[trace.len() - 3..trace.len() - 1], end);
        assert_eq!(trace.last().unwrap(), "report thirteen of GET /broken-stream, id true");
    });
}

#[test]
fn a_client_that_hangs_up_is_noticed() {
    only(Kind::Loop, &APP, async |app| {
        for path in ["/stream", "/idle", "/slow-cancel"] {
            let client = connect(app, &format!("GET {path}")).await;
            app.sleep(15).await;
            drop(client);
            assert_eq!(app.traced().await.last().unwrap(), "finish db Cancelled(Departed)", "{path}");
        }
    });
}

/// The answer to it, and what happened behind the handler: how often the stream was asked, the ends, and the log.
async fn told(app: &App, path: &str) -> (String, usize, Vec<String>) {
    let answer = read(connect(app, &format!("GET {path}")).await).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let (body, mut trace) = (body.to_owned(), app.traced().await);
    let pulled = trace.iter().filter(|note| *note == "pulled").count();
    trace.retain(|note| note.starts_with("finish") || note.starts_with("report"));
    (body, pulled, trace)
}

#[test]
fn a_stream_of_the_length_that_it_says_is_complete() {
    only(Kind::Loop, &APP, async |app| {
        assert_eq!(told(app, "/sized").await, ("x".repeat(32), 4, vec!["finish db Sent(Complete)".to_owned()]));
    });
}

#[test]
fn a_stream_that_does_not_end_behind_its_length_is_closed() {
    only(Kind::Loop, &APP, async |app| {
        let (body, pulled, trace) = told(app, "/endless").await;
        assert_eq!((body, pulled), ("x".repeat(32), 2));
        assert_eq!(trace, ["finish stream Sent(Complete)", "finish db Sent(Complete)"]);
        let (body, pulled, trace) = told(app, "/empties").await;
        assert_eq!((body, pulled), ("x".repeat(32), 1));
        assert_eq!(trace, ["finish stream Sent(Complete)", "finish db Sent(Complete)"]);
    });
}

#[test]
fn a_stream_that_is_longer_than_it_says_is_cut_and_reported() {
    only(Kind::Loop, &APP, async |app| {
        let (body, pulled, trace) = told(app, "/too-long").await;
        assert_eq!((body, pulled), ("x".repeat(20), 3));
        let report =
            "report the content-length of the stream is 20, and it goes on behind it of GET /too-long, id true";
        assert_eq!(trace, ["finish stream Sent(Complete)", "finish db Raised(None)", report]);
    });
}

#[test]
fn a_stream_that_is_shorter_than_it_says_breaks_off_and_is_reported() {
    only(Kind::Loop, &APP, async |app| {
        let (body, pulled, trace) = told(app, "/too-short").await;
        assert_eq!((body, pulled), ("x".repeat(32), 4));
        let report =
            "report the content-length of the stream is 40, and it ends 8 bytes before it of GET /too-short, id true";
        assert_eq!(trace, ["finish stream Sent(Failed)", "finish db Raised(None)", report]);
    });
}

#[test]
fn a_stream_whose_length_is_no_number_is_a_500() {
    only(Kind::Loop, &APP, async |app| {
        let (body, pulled, trace) = told(app, "/no-length").await;
        assert!(body.contains("\"status\":500"), "{body}");
        let report = "report the stream has the content-length \"32 bytes\" of GET /no-length, id true";
        assert_eq!((pulled, trace.last().map(String::as_str)), (0, Some(report)), "{trace:?}");
    });
}

#[test]
fn a_stream_or_a_file_under_a_status_without_content_is_left_and_reported() {
    only(Kind::Loop, &APP, async |app| {
        let (body, pulled, trace) = told(app, "/204").await;
        let report = "report an answer of 204 has no content: its stream was not sent of GET /204, id true";
        assert_eq!((body.as_str(), pulled), ("", 0));
        assert_eq!(trace, ["finish stream Sent(Complete)", "finish db Sent(Complete)", report]);
        let (body, _, trace) = told(app, "/205").await;
        let report = "report an answer of 205 has no content: its file was not sent of GET /205, id true";
        assert_eq!((body.as_str(), trace.last().map(String::as_str)), ("", Some(report)), "{trace:?}");
    });
}
