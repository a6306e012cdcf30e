//! The I/O thread of a worker: a tokio runtime that serves connections and carries answers. It never attaches to the
//! interpreter.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use bytes::Bytes;
use http_body_util::Full;
use spikard_core::config::Config;
use spikard_http::{
    Service,
    server::{Bound, Drained, Shutdown, bind, serve},
};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::Notify,
};

#[cfg(unix)]
use spikard_http::server::{Assignment, serve_assigned};

use crate::runtime::{Answer, Inbox};

/// Where connections come from.
pub(crate) enum Source {
    Opened(Bound),
    /// By the supervisor of this process.
    #[cfg(unix)]
    Assigned(Assignment),
}

impl Source {
    pub(crate) fn open(config: &Config, assignment: Option<&str>) -> io::Result<Self> {
        match assignment {
            #[cfg(unix)]
            Some(text) => Assignment::take(text).map(Self::Assigned),
            #[cfg(not(unix))]
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
            None => bind(config).map(Self::Opened),
        }
    }

    pub(crate) fn place(&self) -> String {
        match self {
            Self::Opened(bound) => bound.location(),
            #[cfg(unix)]
            Self::Assigned(assignment) => assignment.location(),
        }
    }

    async fn serve(self, service: Service, shutdown: Shutdown) -> Drained {
        match self {
            Self::Opened(bound) => serve(service, bound, shutdown).await,
            #[cfg(unix)]
            Self::Assigned(assignment) => serve_assigned(service, assignment, shutdown).await,
        }
    }
}

/// Ends with its worker.
pub(crate) struct Io {
    handle: Handle,
    over: Arc<Notify>,
    thread: Mutex<Option<JoinHandle<()>>>,
    shutdown: Shutdown,
}

impl Io {
    pub(crate) fn runtime() -> io::Result<Runtime> {
        Builder::new_current_thread().enable_all().build()
    }

    pub(crate) fn start(runtime: Runtime, service: &Service) -> io::Result<Self> {
        let (handle, over) = (runtime.handle().clone(), Arc::new(Notify::new()));
        let (home, end) = (service.bring_home(), over.clone());
        let run = move || {
            runtime.block_on(async move {
                tokio::spawn(home);
                end.notified().await;
            });
        };
        let thread = std::thread::Builder::new().name("spikard-io".into()).spawn(run)?;
        Ok(Self { handle, over, thread: Mutex::new(Some(thread)), shutdown: Shutdown::new() })
    }

    /// Serves until the shutdown is over.
    pub(crate) fn serve(&self, service: &Service, inbox: &Arc<Inbox>, number: u64, source: Source) {
        let (service, inbox, shutdown) = (service.clone(), inbox.clone(), self.shutdown.clone());
        self.handle.spawn(async move {
            let drained = source.serve(service, shutdown).await;
            inbox.answers.push((number, Answer::Drained(drained)));
            inbox.ring();
        });
    }

    pub(crate) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Answers a request through the in-memory door.
    pub(crate) fn send(&self, service: &Service, inbox: &Arc<Inbox>, number: u64, request: http::Request<Full<Bytes>>) {
        let (service, inbox) = (service.clone(), inbox.clone());
        self.handle.spawn(async move {
            let answer = spikard_http::testing::send(&service, request).await;
            let answer = answer.map_or(Answer::Broken, Answer::Response);
            inbox.answers.push((number, answer));
            inbox.ring();
        });
    }

    /// Lets the thread end by itself.
    pub(crate) fn leave(&self) {
        self.over.notify_one();
    }

    /// Cuts off whatever is still served. The interpreter must be let go of meanwhile.
    pub(crate) fn stop(&self) {
        self.leave();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
