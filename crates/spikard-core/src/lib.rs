//! What an app is and what a request becomes: the specification, values, parameters, schemas and errors.
//! Pure data and functions: no runtime, no I/O, no host language. It builds for `wasm32-unknown-unknown`.

mod backtracking;
pub mod config;
mod cookie;
mod dependency;
mod echo;
mod error;
pub mod json;
pub mod msgpack;
pub mod pairs;
pub mod parameter;
pub mod plan;
mod problem;
mod request;
mod request_body;
mod response;
pub mod sabotage;
pub mod said;
pub mod schema;
pub mod spec;
mod template;
mod upload;
mod value;
mod words;

pub use backtracking::backtracks;
pub use cookie::set_cookie;
pub use error::{Error, ErrorCode, ErrorParts, FieldError, Loc, MAX_ERRORS, SpecError};
pub use request::{Head, Matched, Request, RequestId};
pub use request_body::{RequestBody, Told, Wanted};
pub use response::{Body, FileBody, Flow, Outcome, Phase, Reason, Response, Sent};
pub use template::{Converter, Part, Template};
pub use upload::{Content, Entries, Entry, FormValue, Received, Upload};
pub use value::{Arg, Args, CallableId, HostArg, HostId, Input, duration_text};
pub use words::Word;
