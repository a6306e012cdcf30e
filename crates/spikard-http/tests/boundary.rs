//! The boundary without any language: one suite of behaviour over four pretend runtimes.

#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "what supports a test fails loudly and reads simply"
)]

mod pretend;

use std::{
    sync::{Arc, LazyLock, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join;
use http::Request;
use http_body_util::{BodyExt, Full};
use pretend::{App, Kind, Watched, each};
use serde_json::{Value, json};
use spikard_ffi::Call;

/// A route whose arguments are its parameters, then its body, then these dependencies; `more` is merged in.
fn route(method: &str, path: &str, handler: u32, dependencies: &[&str], more: Value) -> Value {
    let mut route = json!({"method": method, "path": path, "handler": handler});
    let Value::Object(more) = more else { panic!("an object") };
    route.as_object_mut().unwrap().extend(more);
    let parameters = route["parameters"].as_array().map_or(0, Vec::len);
    let mut arguments: Vec<Value> = (0..parameters).map(|index| json!({"parameter": {"index": index}})).collect();
    arguments.extend(route.get("body").map(|_| json!("body")));
    arguments.extend(dependencies.iter().map(|name| json!({"provide": name})));
    route["arguments"] = arguments.into();
    route
}

fn app(routes: Vec<Value>, more: Value) -> Value {
    let generator = |name: &str, provider: u32| json!({"name": name, "provider": provider, "generator": true});
    let dependencies = [generator("db", 30), generator("session", 31), generator("translator", 32)];
    let mut app = json!({"routes": routes, "dependencies": dependencies});
    let Value::Object(more) = more else { panic!("an object") };
    app.as_object_mut().unwrap().extend(more);
    app
}

static APP: LazyLock<Value> = LazyLock::new(|| {
    let number = json!({"name": "n", "in": "path", "schema": {"type": "integer"}});
    let q = json!({"name": "q", "in": "query"});
    let body = json!({"decoder": 50, "schema": {"type": "object"}});
    let routes = vec![
        route("GET", "/echo/{n}", 0, &[], json!({"parameters": [number, q]})),
        route("GET", "/echo-after/{n}", 0, &[], json!({"parameters": [number, q], "hooks": {"on_response": [25]}})),
        route("POST", "/body", 0, &[], json!({"body": body})),
        route("POST", "/guarded", 0, &[], json!({"body": body, "hooks": {"on_request": [20], "pre_validation": [21]}})),
        route(
            "POST",
            "/early/{n}",
            0,
            &[],
            json!({"parameters": [number], "body": body,
            "hooks": {"on_request": [22], "pre_validation": [20], "on_response": [25]}}),
        ),
        route("POST", "/bind", 0, &["db"], json!({"body": body, "hooks": {"pre_handler": [20]}})),
        route("GET", "/deps", 0, &["db", "session"], json!({})),
        route("GET", "/plain-boom", 2, &[], json!({})),
        route("GET", "/stream", 3, &["db"], json!({})),
        route("GET", "/broken-stream", 7, &["db"], json!({})),
        route("GET", "/waits", 14, &["db"], json!({})),
        route("GET", "/stays", 15, &["db"], json!({})),
        route("GET", "/stays-cancel", 15, &["db"], json!({"options": {"cancel_on_disconnect": true}})),
        route(
            "GET",
            "/waits-timeout",
            14,
            &["db"],
            json!({"options": {"timeout": 0.2}, "hooks": {"on_response": [25]}}),
        ),
        route("GET", "/stubborn", 5, &["db"], json!({"options": {"timeout": 0.2}})),
        route("GET", "/background", 6, &["db"], json!({})),
        route("GET", "/lost", 4, &[], json!({})),
    ];
    app(routes, json!({}))
});

static RECOVERS: LazyLock<Value> = LazyLock::new(|| {
    let hooks = json!({"hooks": {"on_error": [25], "on_response": [25]}});
    let routes = vec![
        route("GET", "/boom", 2, &["db", "translator", "session"], hooks),
        route(
            "GET",
            "/plain/{n}",
            0,
            &[],
            json!({"parameters": [{"name": "n", "in": "path", "schema": {"type": "integer"}}]}),
        ),
    ];
    app(routes, json!({"recover": {"exceptions": 40, "statuses": {"422": 41}}}))
});

#[test]
fn a_request_is_answered() {
    each(&APP, async |app| {
        assert_eq!(app.get("/echo/5?q=a%20b").await, (200, r#"Int(5), Str("a b")"#.into()));
        assert_eq!(
            app.post("/body", "{}").await,
            (200, "raw {}".into()),
            "without hooks the host decodes inside Handle"
        );
        assert_eq!(app.traced().await, ["handle", "handle"]);
        assert_eq!(app.get("/nowhere").await.0, 404);
    });
}

#[test]
fn a_bad_argument_meets_no_user_code_but_on_response_hooks() {
    each(&APP, async |app| {
        assert_eq!(app.get("/echo/x?q=a").await.0, 422);
        assert_eq!((app.traced().await, app.begun.load(Ordering::Relaxed)), (vec![], 0));
        let (status, body) = app.get("/echo-after/x").await;
        assert_eq!((status, body.ends_with("}+")), (422, true));
        assert_eq!(body.matches("\"loc\"").count(), 2, "every error is listed: {body}");
        assert_eq!(app.traced().await, ["OnResponse"]);
    });
}

#[test]
fn a_pre_validation_hook_answers_before_the_body_is_read() {
    each(&APP, async |app| {
        let read = Arc::default();
        let request = Request::post("/guarded").body(Watched(Arc::clone(&read), Some("{}"))).unwrap();
        assert_eq!(app.send(request).await, (200, "early".into()));
        assert_eq!(app.traced().await, ["OnRequest", "PreValidation"]);
        assert!(read.lock().unwrap().is_empty(), "the body was read");
    });
}

#[test]
fn early_hooks_make_two_crossings_of_one_work() {
    each(&APP, async |app| {
        let read = Arc::default();
        let request = Request::post("/early/7").body(Watched(Arc::clone(&read), Some("{}"))).unwrap();
        assert_eq!(app.send(request).await, (200, "Int(7), raw {}+".into()));
        assert_eq!(app.traced().await, ["OnRequest", "PreValidation", "handle", "OnResponse"]);
        assert_eq!(app.begun.load(Ordering::Relaxed), 1);
        assert!(
            read.lock().unwrap().iter().all(|&thread| thread == std::thread::current().id()),
            "decoded off the I/O side"
        );
        let (status, _) = app.post("/early/x", "{}").await;
        assert_eq!(
            (status, app.traced().await),
            (422, vec!["OnRequest".into(), "PreValidation".into(), "OnResponse".into()])
        );
    });
}

#[test]
fn a_body_that_breaks_off_after_early_hooks_still_meets_on_response() {
    struct Breaks;
    impl http_body::Body for Breaks {
        type Data = Bytes;
        type Error = std::fmt::Error;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Ready(Some(Err(std::fmt::Error)))
        }
    }
    each(&APP, async |app| {
        assert_eq!(app.send(Request::post("/early/7").body(Breaks).unwrap()).await.0, 400);
        assert_eq!(app.traced().await, ["OnRequest", "PreValidation", "OnResponse"]);
    });
}

/// The body never comes, so nobody would ever give the request back.
#[test]
fn who_leaves_while_the_body_is_read_ends_the_work() {
    struct Never;
    impl http_body::Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::Poll::Pending
        }
    }
    let decode_stalls = app(
        vec![route("POST", "/", 0, &[], json!({"body": {"decoder": 50}, "hooks": {"on_request": [20]}}))],
        json!({}),
    );
    each(&decode_stalls, async |app| {
        let sent = app.service.call(Request::post("/").body(Never).unwrap());
        drop(futures_util::future::select(Box::pin(sent), app.platform.sleep(Duration::from_millis(20))).await);
        assert_eq!(app.traced().await, ["OnRequest"]);
    });
}

#[test]
fn a_refusal_of_bind_comes_before_pre_handler_and_providers() {
    each(&APP, async |app| {
        let (status, body) = app.post("/bind", "[]").await;
        assert_eq!((status, body.contains("dict_type")), (422, true), "{body}");
        assert_eq!(app.traced().await, ["bind"]);
        assert_eq!(app.post("/bind", "{}").await, (200, "decoded {}, db".into()));
        assert_eq!(app.traced().await, ["bind", "PreHandler", "open db", "handle", "finish db Sent(Complete)"]);
    });
}

#[test]
fn generators_are_finished_in_reverse_after_the_body_was_sent() {
    each(&APP, async |app| {
        let response = app.head("/deps").await;
        app.sleep(10).await;
        assert_eq!(
            *app.trace.lock().unwrap(),
            ["open db", "open session", "handle"],
            "finished before the body was sent"
        );
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "db, session");
        assert_eq!(app.traced().await[3..], ["finish session Sent(Complete)", "finish db Sent(Complete)"]);
    });
}

#[test]
fn an_exception_meets_the_generators_then_recover_then_on_response() {
    each(&RECOVERS, async |app| {
        assert_eq!(app.get("/boom").await, (418, "recovered translated+".into()));
        let trace = [
            "open db",
            "open translator",
            "open session",
            "handle",
            "session saw boom",
            "translator saw boom",
            "db saw translated",
            "recover translated",
            "OnResponse",
        ];
        assert_eq!(app.traced().await, trace);
    });
}

#[test]
fn an_error_of_the_core_may_be_recovered_by_its_status() {
    each(&RECOVERS, async |app| {
        assert_eq!(app.get("/plain/x").await.0, 418);
        let trace = app.traced().await;
        assert!(trace.len() == 1 && trace[0].starts_with("recover 422"), "{trace:?}");
    });
}

#[test]
fn an_exception_that_nobody_handles_is_a_500_and_is_reported() {
    each(&APP, async |app| {
        let (status, body) = app.get("/plain-boom").await;
        assert_eq!((status, body.contains("boom")), (500, false), "the client sees nothing of it");
        assert_eq!(app.traced().await, ["handle", "report boom of GET /plain-boom, id true"]);
    });
}

#[test]
fn a_stream_is_held_back_by_a_slow_reader() {
    each(&APP, async |app| {
        let mut body = app.head("/stream").await.into_body();
        let mut read = 0;
        while let Some(frame) = body.frame().await {
            read += 1;
            assert_eq!(frame.unwrap().into_data().unwrap().len(), 16 * 1024);
            if read <= 3 {
                app.sleep(15).await;
            }
            let pulled = app.trace.lock().unwrap().iter().filter(|note| *note == "pulled").count();
            assert!(pulled <= read + 17, "{pulled} pulled, {read} read");
        }
        assert_eq!(read, 64);
        drop(body);
        assert_eq!(app.traced().await.last().unwrap(), "finish db Sent(Complete)");
    });
}

#[test]
fn a_reader_that_vanishes_finishes_the_generator_and_then_the_dependencies() {
    each(&APP, async |app| {
        let mut body = app.head("/stream").await.into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        let trace = app.traced().await;
        assert_eq!(trace[trace.len() - 2..], ["finish stream Sent(Gone)", "finish db Cancelled(Departed)"]);
        assert!(trace.len() < 20, "{trace:?}");
    });
}

#[test]
fn a_stream_that_fails_breaks_the_body_off() {
    each(&APP, async |app| {
        assert_eq!(app.get("/broken-stream").await, (200, "broken".into()));
        let trace = app.traced().await;
        let end = ["finish stream Sent(Failed)", "db saw thirteen"];
        assert_eq!(trace[trace.len() - 3..trace.len() - 1], end);
        assert!(trace.last().unwrap().starts_with("report thirteen"), "{trace:?}");
    });
}

#[test]
fn who_leaves_does_not_cancel_the_handler() {
    each(&APP, async |app| {
        app.leave("/waits").await;
        assert_eq!(app.traced().await, ["open db", "handle", "go on", "slept", "finish db Sent(Gone)"]);
    });
}

#[test]
fn who_leaves_cancels_the_handler_where_the_route_says_so() {
    each(&APP, async |app| cancels_for_who_leaves(app, "/stays-cancel").await);
}

// covers config: cancel_on_disconnect
#[test]
fn who_leaves_cancels_every_handler_where_the_configuration_says_so() {
    let mut app = APP.clone();
    app["config"] = json!({"given": {"cancel_on_disconnect": true}});
    each(&app, async |app| cancels_for_who_leaves(app, "/stays").await);
}

async fn cancels_for_who_leaves(app: &App, path: &str) {
    app.leave(path).await;
    let mut trace = app.traced().await;
    // The host may be told before the client can say that it has left.
    let left = trace.iter().position(|note| note == "go on").unwrap();
    trace.remove(left);
    let cancelled = ["open db", "handle", "cancel Departed", "handler cancelled", "finish db Cancelled(Departed)"];
    // A blocked host cannot be told.
    let blocked = ["open db", "handle", "slept", "finish db Cancelled(Departed)"];
    assert!(if app.suspends() { trace == cancelled } else { trace == blocked }, "{trace:?}");
}

#[test]
fn a_timeout_answers_at_once_and_cleans_up_afterwards() {
    each(&APP, async |app| {
        let (status, answer) = app.get("/waits-timeout").await;
        assert_eq!((status, app.noted("slept")), (408, 0), "the client waited for user code");
        assert!(answer.contains("there was no answer within "), "{answer}");
        let cancelled = ["open db", "handle", "cancel TimedOut", "handler cancelled", "finish db Cancelled(TimedOut)"];
        let blocked = ["open db", "handle", "go on", "slept", "finish db Cancelled(TimedOut)"];
        if !app.suspends() {
            app.go_on();
        }
        let (trace, told) = app.traced_and_told(1).await;
        assert!(told[0].starts_with("report 408, for there was no answer within `request_timeout` ("), "{told:?}");
        assert!(told[0].ends_with(" s) of GET /waits-timeout, id true"), "{told:?}");
        assert!(if app.suspends() { trace == cancelled } else { trace == blocked }, "{trace:?}");
        assert_eq!(app.service.given_up(), 0);
    });
}

// covers config: cancel_grace
#[test]
fn user_code_that_ignores_its_cancellation_is_given_up_after_the_grace() {
    each(&APP, async |app| {
        let began = app.platform.now();
        assert_eq!(app.get("/stubborn").await.0, 408);
        let (trace, told) = app.traced_and_told(1 + usize::from(app.suspends())).await;
        if app.suspends() {
            let given_up = "its code was cancelled, went on for `cancel_grace` (0.2 s) and is given up";
            assert_eq!(told[1], format!("report {given_up} of GET /stubborn, id true"));
            assert_eq!(trace, ["open db", "handle", "cancel TimedOut", "given up"]);
            assert!(app.platform.now().checked_sub(began).unwrap() < Duration::from_millis(800));
            assert_eq!(app.service.given_up(), 1);
        } else {
            assert_eq!(
                trace,
                ["open db", "handle", "stubborn", "finish db Cancelled(TimedOut)"],
                "blocked until its code returned"
            );
        }
    });
}

#[test]
fn background_runs_after_the_clean_up() {
    each(&APP, async |app| {
        assert_eq!(app.get("/background").await, (200, "sent".into()));
        let mut trace = app.traced().await;
        assert_eq!(trace[..3], ["open db", "handle", "finish db Sent(Complete)"]);
        trace[3..].sort();
        assert_eq!(trace[3..], ["begin one", "begin two", "ran one", "ran two"]);
    });
}

#[test]
fn a_dropped_reply_is_a_500() {
    each(&APP, async |app| {
        assert_eq!(app.get("/lost").await.0, 500);
    });
}

// covers config: max_in_flight
#[test]
fn a_full_queue_is_a_503() {
    each(&APP, async |app| {
        let (one, two) = (app.get("/waits"), app.get("/waits"));
        let three = async {
            while app.service.in_flight() < pretend::IN_FLIGHT {
                app.sleep(1).await;
            }
            let response = app.head("/echo/5?q=").await;
            assert_eq!((response.status().as_u16(), response.headers().contains_key("retry-after")), (503, true));
            let answer = response.into_body().collect().await.unwrap().to_bytes();
            let said = "there are as many requests in flight as the server takes";
            assert!(answer.windows(said.len()).any(|part| part == said.as_bytes()), "{answer:?}");
            assert_eq!(app.service.in_flight(), pretend::IN_FLIGHT);
            app.go_on();
        };
        let ((one, two), ()) = join(join(one, two), three).await;
        assert_eq!((one.0, two.0), (200, 200));
        let (_, told) = app.traced_and_told(1).await;
        let full = "503, for as many requests are in flight as `max_in_flight` allows (2)";
        assert_eq!(told, [format!("report {full} of GET /echo/{{n}}, id true")]);
        assert_eq!(app.get("/echo/5?q=").await.0, 200);
    });
}

#[test]
fn works_of_a_loop_interleave() {
    each(&APP, async |app| {
        let at_once = if app.kind == Kind::Queue { 1 } else { 2 };
        let meet = async {
            while app.noted("handle") < at_once {
                app.sleep(1).await;
            }
            app.sleep(20).await;
            assert_eq!((app.noted("handle"), app.noted("slept")), (at_once, 0));
            app.go_on();
        };
        let ((one, two), ()) = join(join(app.get("/waits"), app.get("/waits")), meet).await;
        assert_eq!((one.0, two.0), (200, 200));
    });
}

/// Whatever these futures hold is copied several times per request, used or not.
#[test]
fn futures_stay_small() {
    each(&APP, async |app| {
        let served = app.service.call(Request::get("/lost").body(Full::<Bytes>::default()).unwrap());
        println!(
            "service future {} Request {} Response {} Error {} Call {} Step {}",
            size_of_val(&served),
            size_of::<spikard_core::Request>(),
            size_of::<spikard_core::Response>(),
            size_of::<spikard_core::Error>(),
            size_of::<Call>(),
            size_of::<spikard_ffi::Step>()
        );
        assert!(size_of_val(&served) <= 768, "the service future has grown to {} bytes", size_of_val(&served));
        drop(served);
        app.get("/lost").await; // the engine looks at the size of its work
        app.traced().await;
    });
}
