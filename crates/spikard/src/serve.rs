//! The server of an app: it listens where the configuration says, until it is told to end.

use std::{error, fmt, future::Future, io};

use spikard_core::SpecError;
use spikard_http::{
    Tokio,
    server::{Drained, Shutdown, bind, serve},
};
use tokio::runtime::Handle;

use crate::App;

/// Why a server could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The app cannot work.
    Spec(SpecError),
    /// The system refuses the address, or a runtime.
    Io(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl error::Error for RunError {}

impl From<SpecError> for RunError {
    fn from(error: SpecError) -> Self {
        Self::Spec(error)
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl App {
    /// Serves on a thread of its own runtime, this one, until Ctrl-C; then finishes what is in flight.
    ///
    /// # Errors
    /// As [`App::serve`].
    pub fn run(self) -> Result<(), RunError> {
        let runtime = Tokio::runtime()?;
        runtime.block_on(self.serve(async {
            // A system without this signal has other ways to end a process.
            let _ = tokio::signal::ctrl_c().await;
        }))?;
        Ok(())
    }

    /// Serves on the running tokio runtime until `end`; then finishes what is in flight.
    ///
    /// # Errors
    /// An app that cannot work, or an address that the system refuses.
    pub async fn serve(self, end: impl Future<Output = ()> + Send + 'static) -> Result<Drained, RunError> {
        let service = self.into_service(Handle::current())?;
        let listener = bind(service.config())?;
        let home = tokio::spawn(service.bring_home());
        let shutdown = Shutdown::new();
        let ended = shutdown.clone();
        let watch = tokio::spawn(async move {
            end.await;
            ended.begin();
        });
        let drained = serve(service, listener, shutdown).await;
        watch.abort();
        home.abort();
        Ok(drained)
    }
}
