//! Time, tasks and chance of the I/O side. The server's are tokio's; a one-thread transport and wasm bring their own.

use std::{future::Future, pin::Pin, time::Duration};

/// Something that runs on the I/O side.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the I/O side stands on. Everything may be called from anywhere on that side, a `Drop` too.
pub trait Platform: Send + Sync + 'static {
    /// Time since some moment in the past; never goes back.
    fn now(&self) -> Duration;

    /// Ends after this time.
    fn sleep(&self, time: Duration) -> Task;

    /// Runs a task beside the others.
    fn spawn(&self, task: Task);

    /// Random bits: good enough to tell requests apart, no good as a secret.
    fn random(&self) -> u128;
}

/// The server's platform.
#[cfg(feature = "server")]
pub struct Tokio {
    handle: tokio::runtime::Handle,
    began: std::time::Instant,
}

#[cfg(feature = "server")]
impl Tokio {
    /// The platform of this tokio runtime, whose time driver must be on.
    pub fn new(handle: tokio::runtime::Handle) -> Self {
        Self { handle, began: std::time::Instant::now() }
    }
}

#[cfg(feature = "server")]
impl Platform for Tokio {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn sleep(&self, time: Duration) -> Task {
        let _entered = self.handle.enter();
        Box::pin(tokio::time::sleep(time))
    }

    fn spawn(&self, task: Task) {
        self.handle.spawn(task);
    }

    fn random(&self) -> u128 {
        fastrand::u128(..)
    }
}
