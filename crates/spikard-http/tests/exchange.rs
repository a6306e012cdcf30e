//! The door for somebody else's server: a body that is fed, an answer that is pulled, a client that leaves.

#![allow(clippy::unwrap_used, reason = "what supports a test fails loudly")]

mod pretend;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use pretend::{App, Kind, only};
use serde_json::{Value, json};
use spikard_http::{Exchange, Mount};

static APP: LazyLock<Value> = LazyLock::new(|| {
    let route = |path: &str, handler: u32, options: Value| json!({"method": "GET", "path": path, "handler": handler, "arguments": [{"provide": "db"}], "options": options});
    json!({"dependencies": [{"name": "db", "provider": 30, "generator": true}], "routes": [
        route("/deps", 0, json!({})),
        route("/stream", 3, json!({})),
        route("/idle", 8, json!({})),
        route("/slow-cancel", 1, json!({"cancel_on_disconnect": true})),
    ]})
});

fn open(path: &str, length: Option<u64>) -> (Arc<Exchange>, http::Request<spikard_http::FedBody>) {
    let request = http::Request::get(path).header("host", "x").body(()).unwrap();
    let (exchange, request) = Exchange::new(request.into_parts().0, length);
    (Arc::new(exchange), request)
}

async fn whole(app: &App, path: &str) -> (u16, Vec<u8>) {
    let (exchange, request) = open(path, Some(0));
    let (head, mut piece) = exchange.answer(&app.service, request).await.unwrap();
    let mut read = piece.bytes.to_vec();
    while piece.more {
        piece = exchange.piece().await.unwrap();
        read.extend_from_slice(&piece.bytes);
    }
    (head.status.as_u16(), read)
}

#[test]
fn a_whole_answer_comes_with_its_head() {
    only(Kind::Loop, &APP, async |app| {
        let (exchange, request) = open("/deps", Some(0));
        let (head, piece) = exchange.answer(&app.service, request).await.unwrap();
        assert_eq!(
            (head.headers["content-length"].as_bytes(), &piece.bytes[..], piece.more),
            (&b"2"[..], &b"db"[..], false)
        );
        assert_eq!(app.traced().await.last().unwrap(), "finish db Sent(Complete)");
    });
}

#[test]
fn a_stream_is_pulled_to_its_end() {
    only(Kind::Loop, &APP, async |app| {
        let (status, read) = whole(app, "/stream").await;
        assert!(status == 200 && !read.is_empty());
        assert_eq!(app.traced().await.last().unwrap(), "finish db Sent(Complete)");
    });
}

#[test]
fn what_a_connection_would_refuse_is_refused() {
    only(Kind::Loop, &APP, async |app| {
        let request = http::Request::get("/deps").body(()).unwrap();
        let (exchange, request) = Exchange::new(request.into_parts().0, Some(0));
        let (head, _) = exchange.answer(&app.service, request).await.unwrap();
        assert_eq!(head.status, 400, "it names no host");
    });
}

#[test]
fn a_redirect_of_a_mounted_app_stays_below_its_prefix() {
    only(Kind::Loop, &APP, async |app| {
        let request = http::Request::get("/deps/?a=1").header("host", "x").body(()).unwrap();
        let mut parts = request.into_parts().0;
        parts.extensions.insert(Mount { scheme: "https".into(), prefix: "/app".into() });
        let (exchange, request) = Exchange::new(parts, Some(0));
        let (head, _) = exchange.answer(&app.service, request).await.unwrap();
        assert_eq!((head.status.as_u16(), head.headers["location"].as_bytes()), (308, &b"/app/deps?a=1"[..]));
    });
}

#[test]
fn a_client_that_leaves_has_no_answer_and_its_call_is_cancelled() {
    only(Kind::Loop, &APP, async |app| {
        let (exchange, request) = open("/slow-cancel", Some(0));
        let leaving = async {
            while app.trace.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            exchange.leave();
        };
        let (answer, ()) = tokio::join!(exchange.answer(&app.service, request), leaving);
        assert!(answer.is_none());
        assert_eq!(app.traced().await.last().unwrap(), "finish db Cancelled(Departed)");
    });
}

#[test]
fn a_body_that_nobody_reads_is_told_so() {
    only(Kind::Loop, &APP, async |app| {
        let (exchange, request) = open("/deps", None);
        assert!(exchange.answer(&app.service, request).await.is_some());
        assert!(!exchange.feed(Bytes::from_static(b"late"), false).await);
    });
}

#[test]
fn an_answer_whose_client_has_left_between_two_pieces_breaks_off() {
    only(Kind::Loop, &APP, async |app| {
        let (exchange, request) = open("/stream", Some(0));
        let (_, piece) = exchange.answer(&app.service, request).await.unwrap();
        assert!(piece.more && exchange.piece().await.unwrap().more);
        exchange.leave();
        assert!(exchange.piece().await.is_err(), "it has not come to its end");
        assert!(app.traced().await.last().unwrap().starts_with("finish db"));
    });
}
