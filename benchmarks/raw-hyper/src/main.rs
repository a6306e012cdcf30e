//! The benchmark's routes on bare hyper, one thread: `raw-hyper PORT`.

mod model;

use std::{convert::Infallible, fmt::Display, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Answer = Response<Full<Bytes>>;

#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

#[derive(Serialize)]
struct Value<T> {
    value: T,
}

const HELLO: Hello = Hello { message: "Hello, World!" };

fn with(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn json(value: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(value).expect("plain data has a JSON form");
    with(StatusCode::OK, "application/json", body)
}

fn refused(error: impl Display) -> Answer {
    let body = serde_json::json!({ "detail": format!("value: {error}") }).to_string();
    with(StatusCode::UNPROCESSABLE_ENTITY, "application/json", body)
}

fn judged<T: Serialize, E: Display>(read: Result<T, E>) -> Answer {
    read.map_or_else(refused, |value| json(&value))
}

async fn posted<T: Serialize + DeserializeOwned>(request: Request<Incoming>) -> Answer {
    match request.into_body().collect().await {
        Ok(body) => judged(serde_json::from_slice::<T>(&body.to_bytes())),
        Err(broken) => refused(broken),
    }
}

async fn form(request: Request<Incoming>) -> Answer {
    match request.into_body().collect().await {
        Ok(body) => judged(serde_urlencoded::from_bytes::<model::Person>(&body.to_bytes())),
        Err(broken) => refused(broken),
    }
}

fn query<T: Serialize + DeserializeOwned>(request: &Request<Incoming>) -> Answer {
    judged(serde_urlencoded::from_str::<T>(request.uri().query().unwrap_or_default()))
}

fn path(kind: &str, value: &str) -> Answer {
    match kind {
        "simple" => json(&Value { value }),
        "int" => judged(value.parse::<i64>().map(|value| Value { value })),
        _ => judged(value.parse::<uuid::Uuid>().map(|value| Value { value })),
    }
}

async fn slept(time: Duration) -> Answer {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(time).await;
    }
    json(&HELLO)
}

async fn answer(request: Request<Incoming>) -> Result<Answer, Infallible> {
    Ok(match request.uri().path() {
        "/json" | "/sync" => json(&HELLO),
        "/plaintext" => with(StatusCode::OK, "text/plain; charset=utf-8", "Hello, World!"),
        "/json/small" => posted::<model::Item>(request).await,
        "/json/medium" => posted::<model::Order>(request).await,
        "/json/large" | "/json/very-large" => posted::<model::Batch>(request).await,
        "/form" => form(request).await,
        "/query/few" => query::<model::Few>(&request),
        "/query/medium" => query::<model::Medium>(&request),
        "/query/many" => query::<model::Many>(&request),
        "/sleep/none" => slept(Duration::ZERO).await,
        "/sleep/short" => slept(Duration::from_millis(10)).await,
        other => match other.strip_prefix("/path/").and_then(|rest| rest.split_once('/')) {
            Some((kind, value)) => path(kind, value),
            None => with(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "Not Found"),
        },
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).expect("a port is the only argument");
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}
