//! What users of the pretend language wrote, the same for every runtime. A callable is known by its number.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::StatusCode;
use spikard_core::{Arg, Args, Body, Error, FileBody, Flow, HostArg, HostId, Input, Outcome, Reason, Response};
use spikard_ffi::{Call, Reply};
use spikard_http::Platform;

pub(crate) type Trace = Arc<Mutex<Vec<String>>>;
pub(crate) type Coroutine = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Clone)]
pub(crate) enum Value {
    Plain(String),
    Generator(&'static str),
    Stream { left: usize, size: usize },
    Exception(String),
    Task(&'static str),
}

/// One request, as its user code sees it.
#[derive(Clone)]
pub(crate) struct Ctx {
    values: Rc<RefCell<Vec<Value>>>,
    pub trace: Trace,
    pub cancel: Rc<Cell<Option<Reason>>>,
    clock: Option<Arc<dyn Platform>>,
}

struct Cancelled;

/// By their numbers, from 30 on.
const PROVIDERS: [&str; 11] =
    ["db", "session", "translator", "pool", "cache", "flaky", "left", "right", "unit", "conflict", "torn"];

/// A stream with pieces of this size never says that it has ended.
const ENDLESS: usize = 16;
/// A stream with pieces of this size goes on with empty ones.
const EMPTIES: usize = 32;
/// Ids from here on are those of lasting values.
const LASTING: u32 = 1 << 16;

impl Ctx {
    pub(crate) fn new(trace: Trace, clock: Option<Arc<dyn Platform>>) -> Self {
        Ctx { values: Rc::default(), trace, cancel: Rc::default(), clock }
    }
    /// Another task with the same values.
    pub(crate) fn child(&self) -> Self {
        Ctx { cancel: Rc::default(), ..self.clone() }
    }
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.trace.lock().unwrap().push(text.into());
    }
    fn keep(&self, value: Value) -> HostId {
        let mut values = self.values.borrow_mut();
        values.push(value);
        HostId(values.len() as u32 - 1)
    }
    fn value(&self, id: HostId) -> Value {
        if let Some(provider) = id.0.checked_sub(LASTING) {
            return Value::Generator(PROVIDERS[provider as usize - 30]);
        }
        self.values.borrow()[id.0 as usize].clone()
    }
    fn raise(&self, what: &str) -> Error {
        let mut error = Error::internal(what);
        error.exception = Some(self.keep(Value::Exception(what.into())));
        error
    }
    fn show(&self, id: HostId) -> String {
        match self.value(id) {
            Value::Plain(text) | Value::Exception(text) => text,
            Value::Generator(name) | Value::Task(name) => name.into(),
            Value::Stream { .. } => "stream".into(),
        }
    }
    fn args(&self, args: &Args) -> String {
        let one = |arg: &Arg| match arg {
            Arg::Host(id) => self.show(*id),
            Arg::Input(input) => format!("raw {}", raw(input)),
            other => format!("{other:?}"),
        };
        args.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Until the test lets it go on, at most ten seconds; where the host suspends, that long beyond it.
    async fn stay(&self, time: u64) -> Result<(), Cancelled> {
        for _ in 0..10_000 {
            if self.trace.lock().unwrap().iter().any(|note| note == "go on") {
                break;
            }
            self.sleep(1).await?;
        }
        if self.clock.is_some() { self.sleep(time).await } else { Ok(()) }
    }

    /// Raises once where it stands when the task is cancelled. A host without suspension blocks.
    async fn sleep(&self, time: u64) -> Result<(), Cancelled> {
        let time = Duration::from_millis(time);
        let Some(clock) = &self.clock else {
            std::thread::sleep(time);
            return Ok(());
        };
        let mut sleep = clock.sleep(time);
        poll_fn(|cx| match self.cancel.take() {
            Some(_) => Poll::Ready(Err(Cancelled)),
            None => sleep.as_mut().poll(cx).map(Ok),
        })
        .await
    }
}

fn raw(arg: &HostArg) -> String {
    match &arg.input {
        Input::Json(text) | Input::Msgpack(text) => String::from_utf8_lossy(text).into_owned(),
        Input::Value(value) => format!("{value:?}"),
    }
}

fn text(body: impl Into<Bytes>) -> Response {
    Response::new(StatusCode::OK, body)
}

fn file(name: &str) -> Response {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let file = FileBody { path, name: Some("d.txt".into()), inline: false };
    Response { body: Body::File(Box::new(file)), ..text("") }.with_header(http::header::CONTENT_TYPE, TEXT)
}

const TEXT: http::HeaderValue = http::HeaderValue::from_static("text/plain");

/// A way to a file that Linux does not walk without waiting.
const OPENED_LATER: &str = if cfg!(target_os = "linux") {
    concat!("/proc/self/root", env!("CARGO_TARGET_TMPDIR"), "/digits.txt")
} else {
    "digits.txt"
};

/// Calls user code. What it returns answers the call when it ends.
pub(crate) fn begin(ctx: Ctx, call: Call) -> Coroutine {
    Box::pin(async move {
        match call {
            Call::Before { hook, phase, request, reply } => {
                ctx.note(format!("{phase:?}"));
                match hook.0 {
                    21 => reply.ok(Flow::Respond(text("early"))),
                    22 => match ctx.sleep(2).await {
                        Ok(()) => reply.ok(Flow::Continue(request)),
                        Err(Cancelled) => reply.fail(ctx.raise("cancelled")),
                    },
                    _ => reply.ok(Flow::Continue(request)),
                }
            }
            Call::Bind { args, reply } => {
                ctx.note("bind");
                let bad = args.iter().position(|arg| !raw(arg).starts_with('{'));
                let mut args = args;
                match bad {
                    Some(bad) => reply.fail(Error::refused(args.swap_remove(bad), "not an object")),
                    None => reply
                        .ok(args.iter().map(|arg| ctx.keep(Value::Plain(format!("decoded {}", raw(arg))))).collect()),
                }
            }
            Call::Provide { provider, args, lasting, reply } => provide(&ctx, provider.0, &args, lasting, reply).await,
            Call::Handle { handler, args, reply } => match handle(&ctx, handler.0, args).await {
                Some(Ok(response)) => reply.ok(response),
                Some(Err(error)) => reply.fail(error),
                None => drop(reply),
            },
            Call::Recover { error, reply, .. } => {
                let what = error.exception.map_or_else(|| error.to_string(), |id| ctx.show(id));
                ctx.note(format!("recover {what}"));
                reply.ok(Some(Response { status: StatusCode::IM_A_TEAPOT, ..text(format!("recovered {what}")) }));
            }
            Call::After { phase, mut response, reply, .. } => {
                ctx.note(format!("{phase:?}"));
                if let Body::Whole(body) = &response.body {
                    response.body = Body::Whole(Bytes::from([body, &b"+"[..]].concat()));
                }
                reply.ok(Flow::Continue(response));
            }
            Call::Pull { stream, reply } => {
                let Value::Stream { left, size } = ctx.value(stream) else { unreachable!() };
                let pause = if size == 0 { 10_000 } else { 1 }; // a stream without a size says nothing for a long time
                if left % 4 == 0 && ctx.sleep(pause).await.is_err() {
                    ctx.note("pull cancelled");
                    return reply.fail(ctx.raise("cancelled"));
                }
                if (left, size) == (13, 10) {
                    return reply.fail(ctx.raise("thirteen"));
                }
                ctx.values.borrow_mut()[stream.0 as usize] = Value::Stream { left: left.saturating_sub(1), size };
                if left > 0 {
                    ctx.note("pulled");
                }
                if left == 0 && size == ENDLESS && ctx.sleep(10_000).await.is_err() {
                    ctx.note("end cancelled");
                    return reply.fail(ctx.raise("cancelled"));
                }
                let empty = (left == 0 && size == EMPTIES).then(Bytes::new);
                reply.ok((left > 0).then(|| Bytes::from(vec![b'x'; size])).or(empty));
            }
            Call::Finish { value, outcome, reply } => {
                let _ = ctx.sleep(1).await; // clean-up may suspend, and is not cancelled
                let name = ctx.show(value);
                match outcome {
                    Outcome::Raised(Some(exception)) => ctx.note(format!("{name} saw {}", ctx.show(exception))),
                    outcome => ctx.note(format!("finish {name} {outcome:?}")),
                }
                match (outcome, name.as_str()) {
                    (Outcome::Raised(_), "translator") => reply.fail(ctx.raise("translated")),
                    (Outcome::Returned, "conflict") => reply.fail(ctx.raise("conflict")),
                    (Outcome::Sent(_), "torn") => reply.fail(ctx.raise("torn")),
                    _ => reply.ok(()),
                }
            }
            Call::Report { report, reply } => {
                let what = report.exception.map_or_else(|| report.source.unwrap_or_default(), |id| ctx.show(id));
                ctx.note(format!("report {what} of {}, id {}", report.route, report.request_id.is_some()));
                reply.ok(());
            }
            Call::Run { task, reply } => {
                let name = ctx.show(task);
                ctx.note(format!("begin {name}"));
                if ctx.sleep(if name == "long" { 60_000 } else { 5 }).await.is_err() {
                    return reply.fail(ctx.raise("cancelled"));
                }
                if name == "failing" {
                    return reply.fail(ctx.raise("failed"));
                }
                ctx.note(format!("ran {name}"));
                reply.ok(());
            }
            other => panic!("an unknown call: {other:?}"),
        }
    })
}

async fn provide(ctx: &Ctx, provider: u32, args: &Args, lasting: bool, reply: Reply<HostId>) {
    let name = PROVIDERS[provider as usize - 30];
    let first = !ctx.trace.lock().unwrap().iter().any(|note| note == "open flaky");
    let taken = if args.is_empty() { String::new() } else { format!(" with {}", ctx.args(args)) };
    ctx.note(format!("open {name}{taken}"));
    let slow = matches!(name, "left" | "right" | "pool");
    if slow && ctx.sleep(20).await.is_err() {
        return reply.fail(ctx.raise("cancelled"));
    }
    match name {
        "flaky" if first => return reply.fail(ctx.raise("flaky")),
        "left" | "right" => ctx.note(format!("made {name}")),
        _ => (),
    }
    reply.ok(if lasting { HostId(LASTING + provider) } else { ctx.keep(Value::Generator(name)) });
}

async fn handle(ctx: &Ctx, handler: u32, args: Args) -> Option<Result<Response, Error>> {
    ctx.note("handle");
    Some(Ok(match handler {
        0 => text(ctx.args(&args)),
        1 => return Some(slept(ctx, ctx.sleep(40).await)),
        2 => return Some(Err(ctx.raise("boom"))),
        3 => Response { body: Body::Stream(ctx.keep(Value::Stream { left: 64, size: 16 * 1024 })), ..text("") },
        4 => return None,
        5 => {
            for _ in 0..100 {
                let _ = ctx.sleep(10).await; // whatever happens
            }
            ctx.note("stubborn");
            text("stubborn")
        }
        6 => Response { tasks: vec![ctx.keep(Value::Task("one")), ctx.keep(Value::Task("two"))], ..text("sent") },
        7 => Response { body: Body::Stream(ctx.keep(Value::Stream { left: 16, size: 10 })), ..text("") },
        8 => Response { body: Body::Stream(ctx.keep(Value::Stream { left: 64, size: 0 })), ..text("") },
        9 => Response { tasks: vec![ctx.keep(Value::Task("failing"))], ..text("sent") },
        10 => Response { tasks: vec![ctx.keep(Value::Task("long"))], ..text("sent") },
        11 => file("digits.txt"),
        12 => file("no-such-file.txt"),
        13 => Response { tasks: vec![ctx.keep(Value::Task("one"))], ..file("digits.txt") },
        14 => return Some(slept(ctx, ctx.stay(10).await)),
        15 => return Some(slept(ctx, ctx.stay(60_000).await)),
        16 => Response { status: StatusCode::CONTINUE, ..text("") },
        17 => file(OPENED_LATER),
        18 => sized(ctx, "20"),
        19 => sized(ctx, "40"),
        20 => sized(ctx, "32 bytes"),
        21 => sized(ctx, "32"),
        22 => Response { status: StatusCode::NO_CONTENT, ..sized(ctx, "32") },
        23 => Response { status: StatusCode::RESET_CONTENT, ..file("digits.txt") },
        24 => pieces(ctx, "32", ENDLESS),
        25 => pieces(ctx, "32", EMPTIES),
        _ => unreachable!(),
    }))
}

/// A stream of 32 bytes, whatever it says.
/// 32 bytes in pieces of `size`, which says what follows them.
fn sized(ctx: &Ctx, length: &'static str) -> Response {
    pieces(ctx, length, 8)
}

fn pieces(ctx: &Ctx, length: &'static str, size: usize) -> Response {
    let body = Body::Stream(ctx.keep(Value::Stream { left: 32 / size, size }));
    Response { body, ..text("") }.with_header(http::header::CONTENT_LENGTH, http::HeaderValue::from_static(length))
}

fn slept(ctx: &Ctx, slept: Result<(), Cancelled>) -> Result<Response, Error> {
    if let Ok(()) = slept {
        ctx.note("slept");
        Ok(text("slept"))
    } else {
        ctx.note("handler cancelled");
        Err(ctx.raise("cancelled"))
    }
}
