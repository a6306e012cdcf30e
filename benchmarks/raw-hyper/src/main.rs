//! The benchmark's routes on bare hyper, a thread for each worker: `raw-hyper PORT [WORKERS]`.

mod model;

use std::{
    convert::Infallible,
    fmt::Display,
    net::SocketAddr,
    time::{Duration, Instant},
};

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
use tokio::net::{TcpListener, TcpSocket};

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

async fn form<T: Serialize + DeserializeOwned>(request: Request<Incoming>) -> Answer {
    match request.into_body().collect().await {
        Ok(body) => judged(serde_urlencoded::from_bytes::<T>(&body.to_bytes())),
        Err(broken) => refused(broken),
    }
}

fn query<T: Serialize + DeserializeOwned>(request: &Request<Incoming>) -> Answer {
    judged(serde_urlencoded::from_str::<T>(request.uri().query().unwrap_or_default()))
}

fn path(kind: &str, value: &str) -> Answer {
    match kind {
        "simple" => json(&Value { value }),
        "deep" => judged(value.rsplit('/').next().unwrap_or(value).parse::<i64>().map(|value| Value { value })),
        "date" => judged(value.parse::<chrono::NaiveDate>().map(|value| Value { value })),
        "int" => judged(value.parse::<i64>().map(|value| Value { value })),
        _ => judged(value.parse::<uuid::Uuid>().map(|value| Value { value })),
    }
}

fn order(rest: &str) -> Answer {
    let parts: Vec<&str> = rest.split('/').collect();
    let [shop, "users", user, "orders", order] = parts[..] else { return lost() };
    match (user.parse(), order.parse()) {
        (Ok(user), Ok(order)) => json(&model::Purchase { shop, user, order }),
        _ => refused("user or order is no integer"),
    }
}

/// Routes by their number: as many as there may be.
fn routed(rest: &str) -> Answer {
    match rest.split_once('/') {
        Some((_, value)) => judged(value.parse::<i64>().map(|value| Value { value })),
        None => lost(),
    }
}

fn lost() -> Answer {
    with(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "Not Found")
}

fn busy() -> Answer {
    let end = Instant::now() + Duration::from_millis(1);
    while Instant::now() < end {}
    json(&HELLO)
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
        "/form" => form::<model::Person>(request).await,
        "/form/complex" => form::<model::Profile>(request).await,
        "/busy" => busy(),
        "/query/few" => query::<model::Few>(&request),
        "/query/medium" => query::<model::Medium>(&request),
        "/query/many" => query::<model::Many>(&request),
        "/sleep/none" => slept(Duration::ZERO).await,
        "/sleep/short" => slept(Duration::from_millis(10)).await,
        other => match other[1..].split_once('/') {
            Some(("path", rest)) => rest.split_once('/').map_or_else(lost, |(kind, value)| path(kind, value)),
            Some(("shops", rest)) => order(rest),
            Some(("routes", rest)) => routed(rest),
            _ => lost(),
        },
    })
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    socket.listen(2048)
}

async fn serve(port: u16) -> std::io::Result<()> {
    let listener = listen(port)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

fn main() -> std::io::Result<()> {
    let mut numbers = std::env::args().skip(1).filter_map(|number| number.parse::<u16>().ok());
    let port = numbers.next().expect("a port is the first argument");
    let work = move || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(port));
    for _ in 1..numbers.next().unwrap_or(1) {
        std::thread::spawn(work);
    }
    work()
}
