//! The listener: sockets, connections, their timeouts and the drain. It takes a [`Handle`] and serves it by HTTP/1.1.
//! Nothing here knows routes or user code, and no connection has a timer or a task beside its own.

mod accept;
#[cfg(unix)]
mod alarm;
mod banner;
mod chunks;
mod clock;
mod connection;
mod door;
#[cfg(unix)]
mod ear;
mod guard;
mod handle;
mod head;
mod home;
mod io_thread;
mod last_words;
mod link;
mod listen;
#[cfg(unix)]
mod local;
#[cfg(not(unix))]
mod no_reactor;
#[cfg(unix)]
mod reactor;
mod refuse;
mod request_body;
mod shutdown;
#[cfg(unix)]
mod supervisor;

pub use accept::{serve, serve_from};
#[cfg(unix)]
pub use alarm::Alarm;
pub use banner::banner;
pub use connection::serve_connection;
pub(crate) use connection::unasked;
pub use door::Listener;
pub use guard::Wire;
pub use handle::Handle;
pub use home::{BATCH, Home, due};
pub use io_thread::{IoThread, Source};
pub use listen::{Bound, bind};
#[cfg(not(unix))]
pub use no_reactor::{LoopWatch, Reactor};
#[cfg(unix)]
pub use reactor::{LoopWatch, Reactor, Remote};
pub use refuse::refuse;
pub use request_body::RequestBody;
pub use shutdown::{Drained, Shutdown};
#[cfg(unix)]
pub use supervisor::{ASSIGNMENT, Assignment, Program, Supervisor, serve_assigned};
