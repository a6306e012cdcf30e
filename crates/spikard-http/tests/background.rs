//! Background tasks: how many run at a time, what the log says of them, and their end.

#![allow(clippy::unwrap_used, reason = "what supports a test fails loudly")]

mod pretend;

use std::time::Duration;

use pretend::{Kind, each, only};
use serde_json::{Value, json};
use spikard_http::server::{Shutdown, bind, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn app(limits: &Value) -> Value {
    let route = |path: &str, handler: u32| json!({"method": "GET", "path": path, "handler": handler});
    json!({"routes": [route("/two", 6), route("/failing", 9), route("/long", 10)],
        "config": {"given": {"background_tasks": limits, "port": 0}}})
}

#[test]
fn no_more_tasks_run_than_may() {
    each(&app(&json!({"max_concurrent": 1})), async |app| {
        assert_eq!(app.get("/two").await.0, 200);
        let mut trace = app.traced().await;
        let tasks = trace.split_off(1);
        assert_eq!(tasks, ["begin one", "ran one", "begin two", "ran two"]);
    });
}

#[test]
fn a_task_that_fails_is_reported_as_one_of_its_route_and_request() {
    each(&app(&json!({})), async |app| {
        assert_eq!(app.get("/failing").await, (200, "sent".into()));
        assert_eq!(
            app.traced().await,
            ["handle", "begin failing", "report failed of a background task of GET /failing, id true"]
        );
    });
}

#[test]
fn the_queue_has_as_many_places_as_it_says() {
    only(Kind::Loop, &app(&json!({"max_queue": 2})), async |app| {
        let background = app.service.background();
        let first = background.reserve().unwrap();
        let second = background.reserve().unwrap();
        assert!(background.reserve().is_none());
        drop(first);
        assert!(background.reserve().is_some());
        drop(second);
    });
    only(Kind::Loop, &app(&json!(null)), async |app| assert!(app.service.background().reserve().is_none()));
}

// covers config: background_tasks
#[test]
fn a_drain_ends_the_tasks_that_take_longer_than_their_time() {
    only(Kind::Loop, &app(&json!({"drain_timeout": 0.05})), async |app| {
        let listener = bind(app.service.config()).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let server = tokio::spawn(serve(app.service.clone(), listener, shutdown.clone()));
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET /long HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = vec![];
        client.read_to_end(&mut answer).await.unwrap();
        assert!(String::from_utf8(answer).unwrap().ends_with("sent"));
        shutdown.begin();
        let drained = tokio::time::timeout(Duration::from_secs(5), server).await.unwrap().unwrap();
        assert!(drained.is_complete(), "{drained:?}");
        let trace = app.traced().await;
        assert_eq!(
            trace,
            ["handle", "begin long", "cancel TimedOut", "report cancelled of a background task of GET /long, id true"]
        );
        assert!(app.service.background().reserve().is_none(), "the server has stopped");
    });
}
