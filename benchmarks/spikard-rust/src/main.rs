//! The benchmark's routes in Spikard for Rust, one thread: `spikard-rust PORT`.

mod model;

use std::{
    env,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use serde::{Serialize, de::DeserializeOwned};
use spikard::{App, Form, Json, JsonSchema, Path, Query, RunError};
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

trait Plain: Serialize + DeserializeOwned + JsonSchema + Send + 'static {}
impl<T: Serialize + DeserializeOwned + JsonSchema + Send + 'static> Plain for T {}

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

async fn slept(time: Duration) -> Json<Hello> {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(time).await;
    }
    HELLO
}

async fn busy() -> Json<Hello> {
    let end = Instant::now() + Duration::from_millis(1);
    while Instant::now() < end {}
    HELLO
}

fn app() -> App {
    let app = App::new()
        .post("/json/small", echoed::<model::Item>)
        .post("/json/medium", echoed::<model::Order>)
        .post("/json/large", echoed::<model::Batch>)
        .post("/json/very-large", echoed::<model::Batch>)
        .post("/form", filled::<model::Person>)
        .post("/form/complex", filled::<model::Profile>)
        .get("/plaintext", || async { "Hello, World!" })
        .get("/json", || async { HELLO })
        .get("/path/simple/{value}", valued::<String>)
        .get("/path/int/{value}", valued::<i64>)
        .get("/path/uuid/{value}", valued::<Uuid>)
        .get("/path/date/{value}", valued::<NaiveDate>)
        .get("/path/deep/one/two/three/four/five/six/seven/eight/{value}", valued::<i64>)
        .get("/shops/{shop}/users/{user}/orders/{order}", |Path(order): Path<model::Purchase>| async { Json(order) })
        .get("/query/few", asked::<model::Few>)
        .get("/query/medium", asked::<model::Medium>)
        .get("/query/many", asked::<model::Many>)
        .get("/sleep/none", || slept(Duration::ZERO))
        .get("/sleep/short", || slept(Duration::from_millis(10)))
        .get("/busy", busy);
    let routes = env::var("BENCH_ROUTES").ok().and_then(|count| count.parse().ok()).unwrap_or(0);
    (0..routes).fold(app, |app, place| app.get(&format!("/routes/{place}/{{value}}"), valued::<i64>))
}

fn main() -> Result<(), RunError> {
    let port = env::args().nth(1).and_then(|port| port.parse::<u16>().ok()).expect("a port is the only argument");
    app().config("port", port).run()
}
