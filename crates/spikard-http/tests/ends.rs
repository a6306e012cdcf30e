//! Generators that end with their handler, beside those that end with the response: over four pretend runtimes.

#![allow(clippy::unwrap_used, reason = "what supports a test fails loudly and reads simply")]

mod pretend;

use std::sync::LazyLock;

use pretend::{Kind, each, only};
use serde_json::{Value, json};

static APP: LazyLock<Value> = LazyLock::new(|| {
    let route = |path: &str, handler: u32, names: &[&str], more: Value| {
        let arguments: Vec<Value> = names.iter().map(|name| json!({"provide": name})).collect();
        let mut route = json!({"method": "GET", "path": path, "handler": handler, "arguments": arguments});
        let Value::Object(more) = more else { panic!("an object") };
        route.as_object_mut().unwrap().extend(more);
        route
    };
    let seen = json!({"hooks": {"on_response": [25], "on_error": [25]}});
    let handled = json!({"hooks": {"on_response": [25]}, "recover": {"exceptions": 40}});
    json!({
        "routes": [
            route("/kept", 0, &["unit", "db"], seen.clone()),
            route("/tasks", 6, &["db", "unit"], json!({})),
            route("/boom", 2, &["db", "unit", "session"], seen.clone()),
            route("/conflict", 6, &["db", "unit", "conflict"], seen),
            route("/handled", 6, &["conflict"], handled),
            route("/stream", 7, &["unit"], json!({})),
            route("/conflict-stream", 3, &["conflict"], json!({})),
            route("/interim", 16, &["unit"], json!({})),
            route("/file", 11, &["unit"], json!({"hooks": {"on_response": [25]}})),
            route("/file-later", 17, &["unit"], json!({"hooks": {"on_response": [25]}})),
            route("/no-file", 12, &["unit"], json!({})),
            route("/waits-timeout", 14, &["unit"], json!({"options": {"timeout": 0.2}})),
            route("/torn", 6, &["torn"], json!({})),
            route("/early", 0, &["unit"], json!({"hooks": {"on_request": [20], "pre_handler": [20]}})),
        ],
        "dependencies": [
            {"name": "db", "provider": 30, "generator": true},
            {"name": "session", "provider": 31, "generator": true},
            {"name": "unit", "provider": 38, "generator": true, "ends": "handler"},
            {"name": "conflict", "provider": 39, "generator": true, "ends": "handler"},
            {"name": "torn", "provider": 40, "generator": true}]})
});

const REPORT: &str = "report conflict of GET /conflict, id true";

#[test]
fn it_ends_when_the_handler_has_returned_and_before_anybody_sees_the_response() {
    each(&APP, async |app| {
        assert_eq!(app.get("/kept").await, (200, "unit, db+".into()));
        let trace = ["open unit", "open db", "handle", "finish unit Returned", "OnResponse"];
        assert_eq!(app.traced().await, [&trace[..], &["finish db Sent(Complete)"]].concat());
        assert_eq!(app.get("/early").await, (200, "unit".into()));
        let trace = ["OnRequest", "PreHandler", "open unit", "handle", "finish unit Returned"];
        assert_eq!(app.traced().await, trace);
    });
}

#[test]
fn tasks_begin_when_both_kinds_have_ended() {
    each(&APP, async |app| {
        assert_eq!(app.get("/tasks").await, (200, "sent".into()));
        let trace = app.traced().await;
        let ended = ["open db", "open unit", "handle", "finish unit Returned", "finish db Sent(Complete)"];
        assert_eq!(trace[..5], ended);
        assert_eq!(trace.len(), 9, "{trace:?}");
    });
}

#[test]
fn an_exception_of_the_handler_reaches_those_of_the_handler_first() {
    each(&APP, async |app| {
        assert_eq!(app.get("/boom").await.0, 500);
        let trace = app.traced().await;
        let seen = ["unit saw boom", "session saw boom", "db saw boom", "OnError", "OnResponse"];
        assert_eq!(trace[4..9], seen, "{trace:?}");
    });
}

#[test]
fn what_its_end_raises_is_an_exception_of_the_handler_and_takes_the_tasks_back() {
    each(&APP, async |app| {
        let (status, body) = app.get("/conflict").await;
        assert_eq!((status, body.contains("conflict")), (500, false), "{body}");
        let seen = ["finish conflict Returned", "unit saw conflict", "db saw conflict", "OnError", "OnResponse"];
        assert_eq!(app.traced().await[4..], [&seen[..], &[REPORT]].concat());
        assert_eq!(app.get("/handled").await, (418, "recovered conflict+".into()));
        let trace = ["open conflict", "handle", "finish conflict Returned", "recover conflict", "OnResponse"];
        assert_eq!(app.traced().await, trace);
    });
}

#[test]
fn it_ends_before_a_stream_begins() {
    each(&APP, async |app| {
        app.get("/stream").await;
        assert_eq!(app.traced().await[..4], ["open unit", "handle", "finish unit Returned", "pulled"]);
        assert_eq!(app.get("/conflict-stream").await.0, 500);
        let trace = app.traced().await;
        let closed = ["finish conflict Returned", "finish stream Sent(Failed)"];
        assert_eq!(trace[2..4], closed, "a stream that nobody reads is closed: {trace:?}");
    });
}

#[test]
fn a_result_that_cannot_be_sent_ends_it_with_an_exception() {
    each(&APP, async |app| {
        for path in ["/interim", "/no-file"] {
            assert_ne!(app.get(path).await.0, 200);
            let trace = app.traced().await;
            assert_eq!(trace[2], "finish unit Raised(None)", "{path}: {trace:?}");
        }
    });
}

#[test]
fn it_ends_when_a_file_has_been_opened() {
    std::fs::write(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("digits.txt"), "0123456789").unwrap();
    only(Kind::Loop, &APP, async |app| {
        for path in ["/file", "/file-later"] {
            assert_eq!(app.get(path).await, (200, "0123456789".into()), "{path}");
            assert_eq!(app.traced().await, ["open unit", "handle", "finish unit Returned", "OnResponse"]);
        }
    });
}

#[test]
fn a_request_whose_time_is_over_ends_it_with_a_cancellation() {
    each(&APP, async |app| {
        assert_eq!(app.get("/waits-timeout").await.0, 408);
        if !app.suspends() {
            app.go_on();
        }
        let (trace, _) = app.traced_and_told(1).await;
        assert_eq!(trace.last().unwrap(), "finish unit Cancelled(TimedOut)", "{trace:?}");
    });
}

#[test]
fn clean_up_that_raises_when_the_client_has_its_answer_takes_the_tasks_back() {
    each(&APP, async |app| {
        assert_eq!(app.get("/torn").await, (200, "sent".into()));
        let trace = ["open torn", "handle", "finish torn Sent(Complete)", "report torn of GET /torn, id true"];
        assert_eq!(app.traced().await, trace);
    });
}
