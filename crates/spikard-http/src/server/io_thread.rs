//! The I/O thread of a worker whose user code runs on another: it keeps time and reads files; where the host's event
//! loop cannot, it listens, serves the connections and carries the answers too. It never enters the host.

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread::JoinHandle,
};

use spikard_core::config::Config;
use tokio::{
    runtime::{Handle, Runtime},
    sync::Notify,
};

#[cfg(unix)]
use super::{Assignment, Remote, serve_assigned};
use super::{Bound, Drained, Home, Shutdown, bind, serve};
use crate::Service;

/// Where connections come from.
pub enum Source {
    /// A socket of this process's own.
    Opened(Bound),
    /// The supervisor of this process.
    #[cfg(unix)]
    Assigned(Assignment),
}

impl Source {
    /// Opens the socket that the configuration says, or takes the share of the one worker of this process.
    pub fn open(config: &Config, assignment: Option<&str>) -> io::Result<Self> {
        match assignment {
            #[cfg(unix)]
            Some(text) => Assignment::take(text).map(Self::Assigned),
            #[cfg(not(unix))]
            Some(_) => Err(io::ErrorKind::Unsupported.into()),
            None => bind(config).map(Self::Opened),
        }
    }

    /// Where clients find it.
    pub fn place(&self) -> String {
        match self {
            Self::Opened(bound) => bound.location(),
            #[cfg(unix)]
            Self::Assigned(assignment) => assignment.location(),
        }
    }

    /// What a busy host does not get to is left to the other workers; alone, nobody else would accept it.
    #[cfg(unix)]
    fn on(self, home: Option<&Arc<Remote>>) -> Self {
        match (self, home) {
            (Self::Opened(bound), Some(home)) => Self::Opened(bound.on(home)),
            (Self::Assigned(assignment), Some(home)) => Self::Assigned(assignment.on(home)),
            (Self::Assigned(assignment), None) => Self::Assigned(assignment.attended()),
            (opened @ Self::Opened(_), None) => opened,
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
pub struct IoThread {
    handle: Handle,
    over: Arc<Notify>,
    thread: Mutex<Option<JoinHandle<()>>>,
    shutdown: OnceLock<Shutdown>,
    /// Where connections live, if not here.
    #[cfg(unix)]
    home: Option<Arc<Remote>>,
}

impl IoThread {
    /// Starts the thread, which brings the answers of a service home.
    pub fn start(runtime: Runtime, service: &Service, home: &Home) -> io::Result<Self> {
        let (handle, over) = (runtime.handle().clone(), Arc::new(Notify::new()));
        let end = over.clone();
        let run = move || runtime.block_on(async move { end.notified().await });
        let thread = Mutex::new(Some(std::thread::Builder::new().name("spikard-io".into()).spawn(run)?));
        let io = Self {
            handle,
            over,
            thread,
            shutdown: OnceLock::new(),
            #[cfg(unix)]
            home: home.remote(),
        };
        if home.descriptor().is_some() {
            service.live_with_host();
        }
        io.spawn(service.bring_home());
        Ok(io)
    }

    /// Runs a task where the connections live.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        #[cfg(unix)]
        if let Some(home) = &self.home {
            return home.spawn(Box::pin(task));
        }
        self.handle.spawn(task);
    }

    /// Serves until the shutdown is over, and says then how it went.
    pub fn serve(&self, service: &Service, source: Source, told: impl FnOnce(Drained) + Send + 'static) {
        // One that has begun before stays its own.
        let shutdown = self.shutdown.get_or_init(|| source.shutdown().cloned().unwrap_or_default()).clone();
        let service = service.clone();
        #[cfg(unix)]
        let source = source.on(self.home.as_ref());
        self.handle.spawn(async move { told(source.serve(service, shutdown).await) });
    }

    /// Finishes the singletons of a service, and says so.
    pub fn retire(&self, service: &Service, told: impl FnOnce() + Send + 'static) {
        let retired = service.retire();
        self.handle.spawn(async move {
            retired.await;
            told();
        });
    }

    /// What ends the server.
    pub fn shutdown(&self) -> &Shutdown {
        self.shutdown.get_or_init(Shutdown::new)
    }

    /// Was the server told to leave no time? Asking makes no end of its own.
    pub fn is_aborted(&self) -> bool {
        self.shutdown.get().is_some_and(Shutdown::is_aborted)
    }

    /// Lets the thread end by itself.
    pub fn leave(&self) {
        self.over.notify_one();
    }

    /// Cuts off whatever is still served, and waits for the thread. The host must not be held meanwhile.
    pub fn stop(&self) {
        self.leave();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}
