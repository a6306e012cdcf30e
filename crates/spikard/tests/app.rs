//! What a user of the crate sees, through the service that the server serves.

#![allow(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use spikard::{App, Error, ErrorCode, Form, IntoResponse, Json, JsonSchema, Path, Query, Service};
use spikard_http::testing::send;
use tokio::runtime::Handle;

#[derive(Serialize, Deserialize, JsonSchema)]
struct User {
    name: String,
    age: u8,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Place {
    shop: String,
    order: i64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Page {
    page: u32,
    ratio: f64,
    active: bool,
    limit: Option<i64>,
}

fn app() -> App {
    App::new()
        .get("/hello", || async { "hello" })
        .get("/double/{number}", |Path(number): Path<i32>| async move { Json(number * 2) })
        .get("/shops/{shop}/{order}", |Path(place): Path<Place>| async move { Json(place) })
        .get("/pages", |Query(page): Query<Page>| async move { Json(page) })
        .post("/users", |Json(user): Json<User>| async move { (StatusCode::CREATED, Json(user)) })
        .put(
            "/users/{id}",
            |Path(id): Path<u32>, Form(user): Form<User>| async move { Json((id, user.name, user.age)) },
        )
        .get("/later", || async {
            tokio::task::yield_now().await;
            Json(1)
        })
        .get("/missing", || async { Err::<&str, _>(Error::new(ErrorCode::NotFound).with_detail("no such thing")) })
        .get("/panics", || async { panics() })
}

fn panics() -> &'static str {
    panic!("a handler's own fault")
}

fn service(app: App) -> Service {
    let service = app.into_service(Handle::current()).unwrap();
    tokio::spawn(service.bring_home());
    service
}

async fn ask(method: &str, target: &str, kind: &str, body: impl AsRef<[u8]>) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(target).header("host", "test").header("content-type", kind);
    let response = send(&service(app()), request.body(Bytes::copy_from_slice(body.as_ref())).unwrap()).await.unwrap();
    let text = response.body();
    let value = serde_json::from_slice(text).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(text)));
    (response.status(), value)
}

async fn get(target: &str) -> (StatusCode, Value) {
    let response =
        send(&service(app()), Request::get(target).header("host", "test").body(Bytes::new()).unwrap()).await.unwrap();
    let text = response.body();
    let value = serde_json::from_slice(text).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(text)));
    (response.status(), value)
}

/// The fields that a refusal names.
fn refused(answer: &(StatusCode, Value)) -> Vec<Value> {
    assert_eq!(answer.0, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.1);
    answer.1["errors"].as_array().unwrap().iter().map(|error| error["loc"].clone()).collect()
}

#[tokio::test]
async fn a_handler_without_arguments_answers() {
    assert_eq!(get("/hello").await, (StatusCode::OK, json!("hello")));
    assert_eq!(get("/later").await, (StatusCode::OK, json!(1)));
}

#[tokio::test]
async fn a_scalar_of_the_path_has_the_handlers_type() {
    assert_eq!(get("/double/21").await, (StatusCode::OK, json!(42)));
    assert_eq!(refused(&get("/double/many").await), [json!(["path", "number"])]);
}

#[tokio::test]
async fn a_struct_gathers_the_path() {
    assert_eq!(get("/shops/acme/7").await, (StatusCode::OK, json!({"shop": "acme", "order": 7})));
    assert_eq!(refused(&get("/shops/acme/seven").await), [json!(["path", "order"])]);
}

#[tokio::test]
async fn a_struct_gathers_the_query_and_options_may_be_missing() {
    let sent = get("/pages?page=2&ratio=0.5&active=true").await;
    assert_eq!(sent, (StatusCode::OK, json!({"page": 2, "ratio": 0.5, "active": true, "limit": null})));
    let wrong = refused(&get("/pages?page=-1&active=perhaps").await);
    assert_eq!(wrong, [json!(["query", "page"]), json!(["query", "ratio"]), json!(["query", "active"])]);
}

#[tokio::test]
async fn a_body_is_validated_and_every_error_is_told() {
    let sent = ask("POST", "/users", "application/json", r#"{"name": "Ada", "age": 36}"#).await;
    assert_eq!(sent, (StatusCode::CREATED, json!({"name": "Ada", "age": 36})));
    let wrong = refused(&ask("POST", "/users", "application/json", r#"{"name": 7, "age": 300}"#).await);
    assert_eq!(wrong, [json!(["body", "name"]), json!(["body", "age"])]);
    assert_eq!(ask("POST", "/users", "application/json", "{").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn messagepack_is_read_into_the_same_types() {
    let sent = ask("POST", "/users", "application/msgpack", b"\x82\xa4name\xa3Ada\xa3age\x24").await;
    assert_eq!(sent, (StatusCode::CREATED, json!({"name": "Ada", "age": 36})));
    let wrong = refused(&ask("POST", "/users", "application/msgpack", b"\x81\xa4name\x07").await);
    assert_eq!(wrong, [json!(["body", "name"]), json!(["body", "age"])]);
}

#[tokio::test]
async fn a_form_is_read_into_the_same_types() {
    let sent = ask("PUT", "/users/3", "application/x-www-form-urlencoded", "name=Ada&age=36").await;
    assert_eq!(sent, (StatusCode::OK, json!([3, "Ada", 36])));
    let parts = ["name\"\r\n\r\nAda", "age\"\r\n\r\n36"]
        .map(|part| format!("--b\r\ncontent-disposition: form-data; name=\"{part}\r\n"));
    let sent = ask("PUT", "/users/3", "multipart/form-data; boundary=b", parts.concat() + "--b--").await;
    assert_eq!(sent, (StatusCode::OK, json!([3, "Ada", 36])));
    let wrong = refused(&ask("PUT", "/users/3", "application/x-www-form-urlencoded", "name=Ada&age=old").await);
    assert_eq!(wrong, [json!(["body", "age"])]);
}

#[tokio::test]
async fn a_handlers_error_is_a_problem_document() {
    let (status, problem) = get("/missing").await;
    assert_eq!((status, &problem["detail"]), (StatusCode::NOT_FOUND, &json!("no such thing")));
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_service_goes_on() {
    assert_eq!(get("/panics").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(get("/hello").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_cancelled() {
    let slow = App::new().config("request_timeout", 0.02).get("/", || async {
        std::future::pending::<()>().await;
        "never"
    });
    let service = service(slow);
    let answer = send(&service, Request::get("/").header("host", "test").body(Bytes::new()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    service.idle().await;
}

#[tokio::test]
async fn what_cannot_work_is_told_at_the_start_with_its_route() {
    let scalar = App::new().get("/{a}/{b}", |Path(_): Path<i32>| async { "" });
    let twice = App::new().post("/", |Json(_): Json<User>, Form(_): Form<User>| async { "" });
    let field = App::new().config("prot", 1);
    for (app, word) in [(scalar, "/{a}/{b}"), (twice, "one body"), (field, "prot")] {
        let message = app.into_service(Handle::current()).err().unwrap().to_string();
        assert!(message.contains(word), "{message}");
    }
}

#[tokio::test]
async fn a_server_listens_where_the_configuration_says_and_ends_when_told() {
    let told = app().config("port", 0).serve(async {}).await.unwrap();
    assert_eq!((told.connections, told.in_flight), (0, 0));
}

#[test]
fn a_result_is_either_of_its_two() {
    let fine: Result<&str, Error> = Ok("fine");
    assert_eq!(fine.into_response().unwrap().status, StatusCode::OK);
}
