//! The I/O thread of a worker: a tokio runtime that keeps time and reads files; where the loop cannot, it listens, serves
//! the connections and carries the answers too. It never attaches to the interpreter.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread::JoinHandle,
};

use bytes::Bytes;
use http_body_util::Full;
use pyo3::PyResult;
use spikard_core::config::Config;
use spikard_http::{
    Service,
    server::{Bound, Drained, Shutdown, bind, serve},
};
use tokio::{
    runtime::{Handle, Runtime},
    sync::Notify,
};

#[cfg(unix)]
use spikard_http::server::{Assignment, serve_assigned};

use crate::{
    engine::home::{Home, Remote},
    runtime::{Answer, Inbox},
    supervisor::Share,
};

/// Where connections come from.
pub(crate) enum Source {
    Opened(Bound),
    /// By the supervisor of this process.
    #[cfg(unix)]
    Assigned(Assignment),
}

impl Source {
    pub(crate) fn open(config: &Config, share: Option<&Share>) -> PyResult<Self> {
        match share {
            #[cfg(unix)]
            Some(share) => share.take().map(Self::Assigned),
            #[cfg(not(unix))]
            Some(_) => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
            None => Ok(bind(config).map(Self::Opened)?),
        }
    }

    pub(crate) fn place(&self) -> String {
        match self {
            Self::Opened(bound) => bound.location(),
            #[cfg(unix)]
            Self::Assigned(assignment) => assignment.location(),
        }
    }

    #[cfg(unix)]
    fn on(self, home: &Arc<Remote>) -> Self {
        match self {
            Self::Opened(bound) => Self::Opened(bound.on(home)),
            Self::Assigned(assignment) => Self::Assigned(assignment.on(home)),
        }
    }

    /// What a busy loop does not get to is left to the other workers; alone, nobody else would accept it.
    #[cfg(unix)]
    fn attended(self) -> Self {
        match self {
            Self::Opened(bound) => Self::Opened(bound),
            Self::Assigned(assignment) => Self::Assigned(assignment.attended()),
        }
    }

    /// The end that this worker has in common with others.
    fn shutdown(&self) -> Option<&Shutdown> {
        match self {
            Self::Opened(_) => None,
            #[cfg(unix)]
            Self::Assigned(assignment) => Some(assignment.shutdown()),
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
    shutdown: OnceLock<Shutdown>,
    /// Where connections live, if not here.
    home: Option<Arc<Remote>>,
}

impl Io {
    pub(crate) fn start(runtime: Runtime, service: &Service, home: Option<&Home>) -> io::Result<Self> {
        let (handle, over) = (runtime.handle().clone(), Arc::new(Notify::new()));
        let (end, home) = (over.clone(), home.map(Home::remote));
        let run = move || runtime.block_on(async move { end.notified().await });
        let thread = std::thread::Builder::new().name("spikard-io".into()).spawn(run)?;
        let io = Self { handle, over, thread: Mutex::new(Some(thread)), shutdown: OnceLock::new(), home };
        if io.home.is_some() {
            service.live_with_host();
        }
        io.spawn(service.bring_home());
        Ok(io)
    }

    /// Runs a task where the connections live.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match &self.home {
            Some(home) => home.spawn(Box::pin(task)),
            None => drop(self.handle.spawn(task)),
        }
    }

    /// Serves until the shutdown is over.
    pub(crate) fn serve(&self, service: &Service, inbox: &Arc<Inbox>, number: u64, source: Source) {
        // One that has begun before stays its own.
        let shutdown = self.shutdown.get_or_init(|| source.shutdown().cloned().unwrap_or_default()).clone();
        let (service, inbox) = (service.clone(), inbox.clone());
        #[cfg(unix)]
        let source = match &self.home {
            Some(home) => source.on(home),
            None => source.attended(),
        };
        self.handle.spawn(async move {
            let drained = source.serve(service, shutdown).await;
            inbox.answers.push((number, Answer::Drained(drained)));
            inbox.ring();
        });
    }

    /// Finishes the singletons.
    pub(crate) fn retire(&self, service: &Service, inbox: &Arc<Inbox>, number: u64) {
        let (retired, inbox) = (service.retire(), inbox.clone());
        self.handle.spawn(async move {
            retired.await;
            inbox.answers.push((number, Answer::Retired));
            inbox.ring();
        });
    }

    pub(crate) fn shutdown(&self) -> &Shutdown {
        self.shutdown.get_or_init(Shutdown::new)
    }

    /// Was the server told to leave no time? Asking makes no end of its own.
    pub(crate) fn is_aborted(&self) -> bool {
        self.shutdown.get().is_some_and(Shutdown::is_aborted)
    }

    /// Answers a request through the in-memory door.
    pub(crate) fn send(&self, service: &Service, inbox: &Arc<Inbox>, number: u64, request: http::Request<Full<Bytes>>) {
        let (service, inbox) = (service.clone(), inbox.clone());
        self.spawn(async move {
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
