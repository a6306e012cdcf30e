//! The front door for Rust: routes with typed handlers become the same [`AppSpec`](spikard_core::spec::AppSpec) that every
//! other language hands over, and tokio is the [`Runtime`](spikard_ffi::Runtime) that calls them. Hooks, dependencies, streams
//! and uploads have no builder here.
//!
//! ```no_run
//! use spikard::{App, Json, Path};
//!
//! #[derive(serde::Serialize, serde::Deserialize, spikard::JsonSchema)]
//! #[schemars(crate = "spikard::schemars")]
//! struct User {
//!     name: String,
//!     age: u8,
//! }
//!
//! fn main() -> Result<(), spikard::RunError> {
//!     App::new()
//!         .get("/double/{number}", |Path(number): Path<i32>| async move { Json(number * 2) })
//!         .post("/users", |Json(user): Json<User>| async move { Json(user) })
//!         .run()
//! }
//! ```

mod answer;
mod app;
mod argument;
mod handler;
mod host;
mod serve;
mod value;

pub use answer::IntoResponse;
pub use app::App;
pub use argument::{Argument, Form, Json, Path, Query};
pub use handler::Handler;
pub use schemars::{self, JsonSchema};
pub use serve::RunError;
pub use spikard_core::{Error, ErrorCode, Response, SpecError};
pub use spikard_http::Service;
