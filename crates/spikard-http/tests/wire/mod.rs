//! An app of a few paths and a client that speaks bytes, for the tests of connections.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use spikard_core::{Error, ErrorCode, config::Config};
use spikard_http::{
    BodyError, encode_error,
    server::{Handle, RequestBody, serve_connection},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::Notify,
    time::timeout,
};

pub(crate) type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Longer than anything that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The length of the answer of `/large`.
pub(crate) const LARGE: usize = 300 << 10;

/// The app. `/` says hello, `/echo` answers the body, `/ignore` and `/large` do not read it, `/late` answers 408, `/gate` waits for `gate`, `/departed`
/// for the departure, `/never` for ever, `/stream` never ends, `/host` answers the host, `/peer` the peer, `/upgrade` turns into an echo.
#[derive(Clone)]
pub(crate) struct App(Arc<State>);

pub(crate) struct State {
    pub(crate) config: Config,
    /// Requests that reached the app.
    pub(crate) calls: AtomicUsize,
    /// Calls that were made and neither answered nor dropped.
    pub(crate) running: AtomicUsize,
    pub(crate) begun: Notify,
    pub(crate) gate: Notify,
    pub(crate) streamed: AtomicUsize,
    /// Complete bodies that a handler got.
    pub(crate) bodies: AtomicUsize,
    /// Nobody looks at what is new until `back` is told.
    pub(crate) away: AtomicBool,
    pub(crate) back: Notify,
}

impl std::ops::Deref for App {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

impl App {
    pub(crate) fn new(config: Config) -> Self {
        Self(Arc::new(State {
            config,
            calls: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            begun: Notify::new(),
            gate: Notify::new(),
            streamed: AtomicUsize::new(0),
            bodies: AtomicUsize::new(0),
            away: AtomicBool::new(false),
            back: Notify::new(),
        }))
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }

    pub(crate) fn bodies(&self) -> usize {
        self.bodies.load(SeqCst)
    }

    /// A connection in memory.
    pub(crate) fn connect(&self) -> DuplexStream {
        let (client, server) = duplex(16 * 1024);
        tokio::spawn(serve_connection(self.clone(), server));
        client
    }

    /// Sends these bytes on a new connection and reads until the server closes it.
    pub(crate) async fn exchange(&self, bytes: impl AsRef<[u8]>) -> String {
        let (mut reader, mut writer) = tokio::io::split(self.connect());
        let bytes = bytes.as_ref();
        let send = async {
            // A server that has refused what came so far may not read the rest.
            let _ = writer.write_all(bytes).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answer = read_all(&mut reader) => answer,
            () = send => unreachable!("it waits for ever"),
        }
    }

    async fn answer(self, request: Request<RequestBody>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match path.as_str() {
            "/echo" => match request.into_body().collect().await {
                Ok(body) => {
                    self.bodies.fetch_add(1, SeqCst);
                    whole(body.to_bytes())
                }
                Err(error) => encode_error(&error).map(box_body),
            },
            "/gate" => {
                self.gate.notified().await;
                whole("opened")
            }
            "/departed" => {
                let departure = request.body().departure().clone();
                departure.departed().await;
                whole("departed")
            }
            "/never" => std::future::pending().await,
            "/stream" => Response::new(box_body(Endless(self))),
            "/host" => whole(format!("{} {}", request.headers()["host"].to_str().expect("text"), request.uri())),
            "/peer" => whole(format!("{:?}", request.body().departure().peer())),
            "/upgrade" => upgrade(request),
            "/ignore" => whole("ignored"),
            "/late" => encode_error(&Error::new(ErrorCode::RequestTimeout)).map(box_body),
            "/large" => whole(vec![b'.'; LARGE]),
            _ => whole("hello"),
        }
    }
}

/// Counts a call for as long as its future lives.
struct Running(App);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
        self.0.begun.notify_waiters();
    }
}

impl Handle for App {
    type Body = Body;

    fn call(&self, request: Request<RequestBody>) -> impl Future<Output = Response<Body>> + Send + 'static + use<> {
        let app = self.clone();
        app.calls.fetch_add(1, SeqCst);
        app.running.fetch_add(1, SeqCst);
        let running = Running(self.clone());
        async move {
            app.begun.notify_waiters();
            app.begun.notify_one();
            let answer = app.answer(request).await;
            drop(running);
            answer
        }
    }

    fn refusal(&self, error: Error) -> Response<Body> {
        encode_error(&error).map(box_body)
    }

    fn presence(&self) -> Response<Body> {
        let mut response = whole("");
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    fn in_flight(&self) -> usize {
        self.running.load(SeqCst)
    }

    async fn idle(&self) {
        while self.running.load(SeqCst) > 0 {
            self.begun.notified().await;
        }
    }

    async fn attended(&self) {
        if self.away.load(SeqCst) {
            self.back.notified().await;
        }
    }

    fn config(&self) -> &Config {
        &self.config
    }
}

/// A body that is always ready with another 16 KiB.
struct Endless(App);

impl http_body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        static BYTES: [u8; 16 * 1024] = [b'.'; 16 * 1024];
        self.0.streamed.fetch_add(BYTES.len(), SeqCst);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&BYTES)))))
    }
}

fn whole(bytes: impl Into<Bytes>) -> Response<Body> {
    Response::new(box_body(Full::new(bytes.into())))
}

fn box_body<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + 'static,
{
    body.map_err(Into::into).boxed_unsync()
}

/// Answers what comes after the upgrade with the same bytes.
fn upgrade(mut request: Request<RequestBody>) -> Response<Body> {
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = upgraded.await.expect("an upgrade");
        let mut space = [0; 512];
        loop {
            let mut read = hyper::rt::ReadBuf::new(&mut space);
            let filled = poll_fn(|cx| hyper::rt::Read::poll_read(Pin::new(&mut stream), cx, read.unfilled())).await;
            filled.expect("the client is there");
            let bytes = read.filled();
            if bytes.is_empty() {
                return;
            }
            let written = poll_fn(|cx| hyper::rt::Write::poll_write(Pin::new(&mut stream), cx, bytes)).await;
            assert_eq!(written.expect("the client reads"), bytes.len());
        }
    });
    let mut response = whole("");
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("connection", HeaderValue::from_static("upgrade"));
    response.headers_mut().insert("upgrade", HeaderValue::from_static("x"));
    response
}

/// Everything until the end of the stream.
pub(crate) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    read.unwrap_or_else(|_| panic!("the connection was not closed after {text:?}")).ok();
    text
}

/// Everything until the text has come.
pub(crate) async fn read_until(stream: &mut (impl AsyncRead + Unpin), end: &str) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(end.as_bytes()) {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        let so_far = || String::from_utf8_lossy(&bytes).into_owned();
        let byte = byte.unwrap_or_else(|_| panic!("{end:?} did not come after {:?}", so_far()));
        bytes.push(byte.unwrap_or_else(|error| panic!("{error} after {:?}", so_far())));
    }
    String::from_utf8(bytes).expect("text")
}

/// The statuses of the answers in a text.
pub(crate) fn statuses(text: &str) -> Vec<u16> {
    let heads = text.split("HTTP/1.").skip(1).filter(|rest| rest.starts_with(['0', '1']));
    heads.filter_map(|rest| rest.get(1..5)?.trim_start().parse().ok()).collect()
}

/// Asserts that the text is one problem document after which the connection closes.
#[track_caller]
pub(crate) fn assert_problem(text: &str, status: u16) -> serde_json::Value {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let head = head.to_ascii_lowercase();
    assert!([0, 1].iter().any(|minor| head.starts_with(&format!("http/1.{minor} {status} "))), "{text}");
    for field in ["content-type: application/problem+json", "connection: close", "date: "] {
        assert_eq!(head.matches(&format!("\r\n{field}")).count(), 1, "{field} in {text}");
    }
    assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())), "{text}");
    assert!(!head.contains("\r\nserver:"), "{text}");
    let document: serde_json::Value = serde_json::from_str(body).expect("one document");
    assert_eq!(document["status"], status, "{text}");
    document
}
