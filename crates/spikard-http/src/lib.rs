//! An `AppSpec` and a `Runtime` become an HTTP service: routing, reading, the road to user code and back, writing.
//! Knows no host language.

mod access;
#[cfg(feature = "allocator")]
mod allocator;
mod apart;
mod background;
mod body;
mod conduct;
mod deadline;
mod decode;
mod departure;
mod encode;
mod endpoint;
mod exchange;
mod file;
mod hooks;
mod judging;
mod keeper;
mod mount;
mod notice;
mod peer;
mod platform;
mod promise;
mod provide;
mod router;
#[cfg(feature = "server")]
pub mod server;
mod service;
mod singletons;
mod tail;
pub mod testing;
mod transit;

#[cfg(feature = "allocator")]
pub use allocator::Allocator;
pub use apart::Apart;
pub use background::{Background, Place, Places};
pub use body::{Body, Broken};
pub use departure::Departure;
pub use encode::encode_error;
pub use exchange::{Exchange, FedBody, Piece, head};
pub use mount::Mount;
pub use peer::Peer;
#[cfg(feature = "server")]
pub use platform::Tokio;
pub use platform::{File, Opening, Platform, Reading, Spool, Task};
pub use service::Service;

/// The error of a request's body.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
