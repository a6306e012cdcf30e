//! The one boundary between the core and a host language: a [`Runtime`] that can run user code, the [`Driver`] that
//! its thread loops over, and the [`Call`]s that it answers. Knows neither an HTTP server nor a language.

mod call;
mod driver;
mod inbox;
mod jobs;
mod slots;

use std::{future::Future, pin::Pin};

pub use call::{Answer, Call, Reply, Report, call, cancel, spawn};
pub use driver::{Driver, Step, Ticket};
pub use inbox::{Bell, Inbox};
pub use jobs::{Job, JobQueue, Worker};
pub use slots::Slots;

/// The rest of a request, from the first need of user code on. It hands its result to the I/O side itself.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A language runtime that can run user code. This, and a loop over its [`Driver`], is all that a binding implements.
pub trait Runtime: Send + Sync + 'static {
    /// Moves the rest of a request to the runtime's own thread or loop, and returns at once.
    fn run(&self, work: Work);

    /// Asks the thread of one driver to look at [`Driver::woken`] soon. From any thread; the runtime coalesces.
    fn wake(&self);
}
