//! A body that takes long to judge stands in nobody's way.

#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{join, poll_immediate};
use http::Request;
use http_body_util::Full;
use serde_json::json;
use spikard_ffi::{Runtime, Work};
use spikard_http::{Body, Platform, Service, Task};

/// What is done beside the I/O side is done when the test says so.
#[derive(Default)]
struct Beside(Mutex<Vec<Box<dyn FnOnce() + Send>>>);

impl Beside {
    fn waiting(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn work(&self) {
        let work = std::mem::take(&mut *self.0.lock().unwrap());
        work.into_iter().for_each(|work| work());
    }
}

impl Platform for Beside {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn unix_time(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&self, _: Duration) -> Task {
        Box::pin(std::future::pending())
    }
    fn spawn(&self, _: Task) {}
    fn random(&self) -> u128 {
        7
    }
    fn offload(&self, work: Box<dyn FnOnce() + Send>) {
        self.0.lock().unwrap().push(work);
    }
}

/// What comes so far is dropped, which is answered 500.
struct Nobody;

impl Runtime for Nobody {
    fn run(&self, _: Work) {}
    fn wake(&self) {}
}

fn service() -> (Service, Arc<Beside>) {
    let schema = json!({"type": "array", "items": {"type": "integer"}});
    let route = |path: &str, body: serde_json::Value| json!({"method": "POST", "path": path, "handler": 0, "body": body, "arguments": ["body"]});
    let routes = [
        route("/judged", json!({"schema": schema, "reading": "json-schema"})),
        route("/decoded", json!({"schema": schema, "decoder": 1})),
    ];
    let beside = Arc::new(Beside::default());
    let spec = serde_json::from_value(json!({"routes": routes})).unwrap();
    (Service::new(&spec, Arc::new(Nobody), beside.clone()).unwrap(), beside)
}

fn post(service: &Service, path: &str, text: String) -> impl Future<Output = http::Response<Body>> + Unpin + use<> {
    let request = Request::post(path).header("content-type", "application/json");
    Box::pin(service.call(request.body(Full::new(Bytes::from(text))).unwrap()))
}

/// So many members of which none is an integer.
fn wrong(members: usize) -> String {
    format!("[{}]", vec!["null"; members].join(","))
}

#[tokio::test]
async fn others_are_answered_while_a_long_body_is_judged() {
    let (service, beside) = service();
    let mut long = post(&service, "/judged", wrong(20_000));
    assert!(poll_immediate(&mut long).await.is_none());
    assert_eq!(beside.waiting(), 1);
    assert_eq!(post(&service, "/judged", wrong(20)).await.status(), 422);
    assert_eq!(beside.waiting(), 1, "a short one is judged at once");
    beside.work();
    assert_eq!(long.await.status(), 422);
}

#[tokio::test]
async fn long_bodies_are_judged_one_after_the_other() {
    let (service, beside) = service();
    let [mut one, mut two] = [(); 2].map(|()| post(&service, "/judged", wrong(20_000)));
    assert!(poll_immediate(join(&mut one, &mut two)).await.is_none());
    assert_eq!(beside.waiting(), 1);
    drop(one);
    beside.work();
    assert!(poll_immediate(&mut two).await.is_none(), "who has left is out of the way when it was judged");
    beside.work();
    assert_eq!(two.await.status(), 422);
}

#[tokio::test]
async fn a_long_body_that_its_decoder_judges_goes_to_it_at_once() {
    let (service, beside) = service();
    assert_eq!(post(&service, "/decoded", wrong(20_000)).await.status(), 500);
    assert_eq!(beside.waiting(), 0);
}
