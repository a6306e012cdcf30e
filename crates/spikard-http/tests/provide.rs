//! Dependencies without any language: their scopes, their order and their company, over four pretend runtimes.

#![allow(clippy::unwrap_used, reason = "what supports a test fails loudly and reads simply")]

mod pretend;

use std::sync::LazyLock;

use futures_util::future::join;
use pretend::each;
use serde_json::{Value, json};

static APP: LazyLock<Value> = LazyLock::new(|| {
    let takes = |path: &str, names: &[&str]| {
        let arguments: Vec<Value> = names.iter().map(|name| json!({"provide": name})).collect();
        json!({"method": "GET", "path": path, "handler": 0, "arguments": arguments})
    };
    let mut hasty = takes("/hasty", &["pool"]);
    hasty["options"] = json!({"timeout": 0.01});
    let shared = json!({"method": "POST", "path": "/shared", "handler": 0, "body": {"decoder": 50},
        "arguments": ["body", {"provide": "reader"}]});
    let guarded = json!({"method": "GET", "path": "/guarded", "handler": 0, "arguments": [{"provide": "db"}],
        "dependencies": ["session", "db"]});
    let singleton = |name: &str, provider: u32, arguments: Value| json!({"name": name, "provider": provider, "scope": "singleton", "generator": true, "arguments": arguments});
    let beside = |name: &str, provider: u32| json!({"name": name, "provider": provider, "concurrent": true});
    json!({
        "routes": [takes("/pool", &["pool"]), takes("/cache", &["cache", "db"]), takes("/flaky", &["flaky"]), hasty,
            takes("/beside", &["left", "right"]), takes("/twice", &["fresh", "fresh"]), shared, guarded],
        "dependencies": [
            {"name": "db", "provider": 30, "generator": true},
            {"name": "session", "provider": 31, "generator": true},
            singleton("pool", 33, json!([])),
            singleton("cache", 34, json!([{"provide": "pool"}, "absent"])),
            singleton("flaky", 35, json!([])),
            beside("left", 36), beside("right", 37),
            {"name": "fresh", "provider": 34, "scope": "call"},
            {"name": "reader", "provider": 34, "arguments": ["body"]}]})
});

#[test]
fn a_singleton_is_made_once_and_finished_when_the_service_is_retired() {
    each(&APP, async |app| {
        let (one, two) = join(app.get("/pool"), app.get("/pool")).await;
        assert_eq!((one, two), ((200, "pool".into()), (200, "pool".into())));
        assert_eq!(app.traced().await, ["open pool", "handle", "handle"], "the second waits for the first");
        assert_eq!(app.get("/cache").await, (200, "cache, db".into()));
        let made = ["open cache with pool, Absent", "open db", "handle", "finish db Sent(Complete)"];
        assert_eq!(app.traced().await, made);
        assert_eq!(app.get("/cache").await.0, 200);
        assert_eq!(app.traced().await, ["open db", "handle", "finish db Sent(Complete)"], "read back without a call");
        app.service.retire().await;
        assert_eq!(app.traced().await, ["finish cache Sent(Complete)", "finish pool Sent(Complete)"]);
        app.service.retire().await;
        assert_eq!(app.traced().await, Vec::<String>::new(), "finished once");
    });
}

#[test]
fn a_singleton_that_fails_is_tried_again_by_the_next_request() {
    each(&APP, async |app| {
        assert_eq!(app.get("/flaky").await.0, 500);
        assert_eq!(app.get("/flaky").await, (200, "flaky".into()));
        assert_eq!(app.get("/flaky").await, (200, "flaky".into()));
        let trace = app.traced().await;
        let opened = trace.iter().filter(|note| *note == "open flaky").count();
        assert_eq!((opened, trace.iter().filter(|note| *note == "handle").count()), (2, 2), "{trace:?}");
    });
}

#[test]
fn who_waits_for_a_singleton_makes_it_when_its_maker_is_cancelled() {
    each(&APP, async |app| {
        let (hasty, patient) = join(app.get("/hasty"), app.get("/pool")).await;
        assert_eq!((hasty.0, patient), (408, (200, "pool".into())));
        let trace = app.traced().await;
        let opened = trace.iter().filter(|note| *note == "open pool").count();
        assert_eq!(opened, if app.suspends() { 2 } else { 1 }, "{trace:?}");
        let (patient, hasty) = join(app.get("/pool"), app.get("/hasty")).await;
        assert_eq!((patient.0, hasty.0), (200, 200), "it is there: nobody waits");
    });
}

#[test]
fn a_request_that_waits_for_a_singleton_may_time_out() {
    each(&APP, async |app| {
        let (patient, hasty) = join(app.get("/pool"), app.get("/hasty")).await;
        assert_eq!((patient.0, hasty.0), (200, 408));
        let trace = app.traced().await;
        assert_eq!(trace.iter().filter(|note| *note == "open pool").count(), 1, "{trace:?}");
    });
}

#[test]
fn neighbours_that_say_so_are_made_side_by_side() {
    each(&APP, async |app| {
        assert_eq!(app.get("/beside").await, (200, "left, right".into()));
        let side_by_side = ["open left", "open right", "made left", "made right", "handle"];
        let in_turn = ["open left", "made left", "open right", "made right", "handle"];
        assert_eq!(app.traced().await, if app.suspends() { side_by_side } else { in_turn });
    });
}

#[test]
fn what_is_not_cached_is_made_for_each_argument() {
    each(&APP, async |app| {
        assert_eq!(app.get("/twice").await, (200, "cache, cache".into()));
        assert_eq!(app.traced().await, ["open cache", "open cache", "handle"]);
    });
}

#[test]
fn a_body_is_decoded_once_for_all_that_take_it() {
    each(&APP, async |app| {
        let (status, body) =
            app.send(http::Request::post("/shared").body(http_body_util::Full::from("{}")).unwrap()).await;
        assert_eq!((status, body), (200, "decoded {}, cache".into()));
        assert_eq!(app.traced().await, ["bind", "open cache with decoded {}", "handle"]);
    });
}

#[test]
fn what_a_route_names_beside_its_arguments_is_made_first() {
    each(&APP, async |app| {
        assert_eq!(app.get("/guarded").await, (200, "db".into()));
        assert_eq!(app.traced().await[..3], ["open session", "open db", "handle"]);
    });
}
