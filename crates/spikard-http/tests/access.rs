//! The access log: one line for each request, whatever became of it, on a platform that keeps the lines.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use spikard_ffi::{Runtime, Work};
use spikard_http::{Peer, Platform, Service, Task};

/// Time stands still; lines are kept.
#[derive(Default)]
struct Kept(Mutex<Vec<String>>);

impl Platform for Kept {
    fn now(&self) -> Duration {
        Duration::from_micros(1500) * u32::try_from(self.0.lock().unwrap().len()).unwrap()
    }
    fn unix_time(&self) -> Duration {
        Duration::from_millis(1_709_210_096_789)
    }
    fn sleep(&self, _: Duration) -> Task {
        Box::pin(std::future::pending())
    }
    fn spawn(&self, _: Task) {}
    fn random(&self) -> u128 {
        7
    }
    fn log(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

/// Nothing here comes so far.
struct Nobody;

impl Runtime for Nobody {
    fn run(&self, _: Work) {}
    fn wake(&self) {}
}

fn service(access_log: &Value) -> (Service, Arc<Kept>) {
    let route = json!({"method": "GET", "path": "/items/{id}", "handler": 0, "parameters": [
        {"name": "id", "in": "path", "schema": {"type": "integer"}, "required": true}],
        "arguments": [{"parameter": {"index": 0}}]});
    let spec = json!({"routes": [route], "config": {"given": {"access_log": access_log}}});
    let kept = Arc::new(Kept::default());
    (Service::new(&serde_json::from_value(spec).unwrap(), Arc::new(Nobody), kept.clone()).unwrap(), kept)
}

/// What one request leaves in the log, of which nothing is there before its body is read.
async fn line(access_log: Value, request: http::request::Builder) -> String {
    let (service, kept) = service(&access_log);
    let request = request.header("x-request-id", "r-1").body(Full::<Bytes>::default()).unwrap();
    let response = service.call(request).await;
    assert!(kept.0.lock().unwrap().is_empty());
    let length = response.into_body().collect().await.unwrap().to_bytes().len();
    let lines = std::mem::take(&mut *kept.0.lock().unwrap());
    let [line] = <[String; 1]>::try_from(lines).unwrap();
    line.replace(&length.to_string(), "LENGTH")
}

fn peer() -> Peer {
    Peer::Address(([192, 0, 2, 1], 9).into())
}

// covers config: access_log
#[tokio::test]
async fn a_line_for_people_has_time_client_request_status_bytes_duration_and_id() {
    let asked = Request::get("/items/x?q=%22%0A").extension(peer());
    assert_eq!(
        line(json!(true), asked).await,
        "2024-02-29T12:34:56.789Z 192.0.2.1 GET /items/x?q=%22%0A 422 LENGTH B 0.000 ms r-1"
    );
}

#[tokio::test]
async fn combined_is_apaches_and_quotes_what_clients_send() {
    let asked = Request::get("/nowhere").header("user-agent", "a\"b").extension(peer());
    assert_eq!(
        line(json!("combined"), asked).await,
        r#"192.0.2.1 - - [29/Feb/2024:12:34:56 +0000] "GET /nowhere HTTP/1.1" 404 LENGTH "-" "a\"b""#
    );
}

#[tokio::test]
async fn json_has_the_route_too() {
    let asked = Request::get("/items/x").header("referer", "http://a/");
    let line: Value = serde_json::from_str(&line(json!("json"), asked).await.replace("LENGTH", "1")).unwrap();
    assert_eq!(
        line,
        json!({"time": "2024-02-29T12:34:56.789Z", "client": null, "method": "GET", "target": "/items/x",
            "version": "HTTP/1.1", "status": 422, "bytes": 1, "duration_ms": 0.0, "route": "GET /items/{id}",
            "request_id": "r-1", "referer": "http://a/", "user_agent": null})
    );
}

#[tokio::test]
async fn a_head_that_is_refused_and_a_client_who_leaves_have_a_line_too() {
    let (service, kept) = service(&json!(true));
    let unread = service.call(Request::head("/nowhere").body(Full::<Bytes>::default()).unwrap()).await;
    drop(unread);
    let waiting = Box::pin(service.call(Request::get("/items/1").body(Full::<Bytes>::default()).unwrap()));
    drop(waiting);
    let lines = kept.0.lock().unwrap();
    assert!(lines[0].contains(" HEAD /nowhere 404 0 B "), "{lines:?}");
    assert!(lines[1].contains(" GET /items/1 499 0 B "), "{lines:?}");
}

#[tokio::test]
async fn nothing_is_logged_where_it_is_off() {
    let (service, kept) = service(&json!(false));
    drop(service.call(Request::get("/nowhere").body(Full::<Bytes>::default()).unwrap()).await);
    assert!(kept.0.lock().unwrap().is_empty());
}
