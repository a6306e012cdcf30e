//! The benchmark's routes in axum, a thread for each worker: `raw-axum PORT [WORKERS]`.

mod model;

use std::{
    env,
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Form, Json, Router,
    extract::{Path, Query},
    response::IntoResponse,
    routing::{get, post},
    serve::ListenerExt,
};
use chrono::NaiveDate;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpSocket;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

#[derive(Serialize)]
struct Value<T> {
    value: T,
}

const HELLO: Json<Hello> = Json(Hello { message: "Hello, World!" });

trait Plain: Serialize + DeserializeOwned + Send + 'static {}
impl<T: Serialize + DeserializeOwned + Send + 'static> Plain for T {}

async fn echoed<T: Plain>(Json(body): Json<T>) -> Json<T> {
    Json(body)
}

async fn filled<T: Plain>(Form(form): Form<T>) -> Json<T> {
    Json(form)
}

async fn asked<T: Plain>(Query(query): Query<T>) -> Json<T> {
    Json(query)
}

async fn valued<T: Plain>(Path(value): Path<T>) -> Json<Value<T>> {
    Json(Value { value })
}

async fn slept(time: Duration) -> impl IntoResponse {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(time).await;
    }
    HELLO
}

async fn busy() -> impl IntoResponse {
    let end = Instant::now() + Duration::from_millis(1);
    while Instant::now() < end {}
    HELLO
}

fn app() -> Router {
    let app = Router::new()
        .route("/json/small", post(echoed::<model::Item>))
        .route("/json/medium", post(echoed::<model::Order>))
        .route("/json/large", post(echoed::<model::Batch>))
        .route("/json/very-large", post(echoed::<model::Batch>))
        .route("/form", post(filled::<model::Person>))
        .route("/form/complex", post(filled::<model::Profile>))
        .route("/plaintext", get(|| async { "Hello, World!" }))
        .route("/json", get(|| async { HELLO }))
        .route("/path/simple/{value}", get(valued::<String>))
        .route("/path/int/{value}", get(valued::<i64>))
        .route("/path/uuid/{value}", get(valued::<Uuid>))
        .route("/path/date/{value}", get(valued::<NaiveDate>))
        .route("/path/deep/one/two/three/four/five/six/seven/eight/{value}", get(valued::<i64>))
        .route(
            "/shops/{shop}/users/{user}/orders/{order}",
            get(|Path(order): Path<model::Purchase>| async { Json(order) }),
        )
        .route("/query/few", get(asked::<model::Few>))
        .route("/query/medium", get(asked::<model::Medium>))
        .route("/query/many", get(asked::<model::Many>))
        .route("/sleep/none", get(|| slept(Duration::ZERO)))
        .route("/sleep/short", get(|| slept(Duration::from_millis(10))))
        .route("/busy", get(busy));
    let routes = env::var("BENCH_ROUTES").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    (0..routes).fold(app, |app, place| app.route(&format!("/routes/{place}/{{value}}"), get(valued::<i64>)))
}

async fn serve(port: u16) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    let listener = socket.listen(2048)?.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app()).await
}

fn main() -> std::io::Result<()> {
    let mut numbers = env::args().skip(1).filter_map(|number| number.parse::<u16>().ok());
    let port = numbers.next().expect("a port is the first argument");
    let work = move || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(port));
    for _ in 1..numbers.next().unwrap_or(1) {
        std::thread::spawn(work);
    }
    work()
}
