//! The worker's side: what it was handed, what it says to its supervisor, and when it asks to be replaced.

use std::{
    io::{self, Read},
    os::unix::net::UnixStream as StdUnixStream,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustix::process::{Signal, getpid, getppid, kill_process};
use spikard_core::config::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::{Instant, interval, sleep},
};

use super::{
    GRACE,
    balance::{Balance, Counts},
    program::word,
};
use crate::server::{
    Bound, Drained, Handle, Shutdown,
    accept::serve_watched,
    clock::Open,
    listen::{
        Kind,
        descriptor::{inherit, of},
    },
    reactor::Remote,
};

/// How often a worker looks at itself.
const LOOK: Duration = Duration::from_millis(100);

/// What a supervisor handed to this process: the share of one of its workers.
#[derive(Debug)]
pub struct Assignment {
    listener: Bound,
    /// The first one speaks for all.
    line: Option<StdUnixStream>,
    company: Arc<Company>,
}

/// The workers of this process, which end together.
#[derive(Debug, Default)]
struct Company {
    shutdown: Shutdown,
    open: Mutex<Vec<Arc<Open>>>,
}

impl Company {
    fn enter(&self, open: Arc<Open>) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push(open);
    }

    /// Of the one that has had the most.
    fn requests(&self) -> u64 {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().map(|open| open.requests()).max().unwrap_or_default()
    }
}

impl Assignment {
    /// Takes what the variable [`ASSIGNMENT`](super::ASSIGNMENT) names, once. It is honoured only for a child of the
    /// process that it names, and only if that process said the same nonce on the line.
    pub fn take(text: &str) -> io::Result<Self> {
        let refused = || io::Error::new(io::ErrorKind::PermissionDenied, "this process is no worker of a supervisor");
        let mut parts = text.splitn(7, ':');
        let nonce = parts.next().filter(|nonce| nonce.len() == 32).ok_or_else(refused)?;
        let mut number = || parts.next()?.parse::<i32>().ok();
        let (Some(parent), Some(listener), Some(line)) = (number(), number(), number()) else { return Err(refused()) };
        let (counts, place) = (number(), number().and_then(|place| usize::try_from(place).ok()));
        if getppid().is_none_or(|pid| pid.as_raw_nonzero().get() != parent) {
            return Err(refused());
        }
        let mut line = StdUnixStream::from(inherit(line)?);
        line.set_read_timeout(Some(Duration::from_secs(1)))?;
        let mut said = [0; 32];
        line.read_exact(&mut said).map_err(|_| refused())?;
        if said != nonce.as_bytes() {
            return Err(refused());
        }
        line.set_nonblocking(true)?;
        let mut listener = Bound::unowned(of(inherit(listener)?)?);
        if let (Some(counts), Some(place)) = (counts, place) {
            listener.balance = Some(Arc::new(Balance::new(Counts::of(inherit(counts)?.into()), place)));
        }
        Ok(Self { listener, line: Some(line), company: Arc::default() })
    }

    /// The share of one more worker of this process, the `number`th behind the first one. It is served beside that one,
    /// which speaks with the supervisor.
    pub fn share(&self, number: usize) -> io::Result<Self> {
        let socket = match &self.listener.socket {
            Kind::Tcp(socket) => Kind::Tcp(socket.try_clone()?),
            Kind::Unix(socket) => Kind::Unix(socket.try_clone()?),
        };
        let balance = self.listener.balance.as_ref().map(|first| Arc::new(first.beside(number)));
        let listener = Bound { balance, ..Bound::unowned(socket) };
        Ok(Self { listener, line: None, company: Arc::clone(&self.company) })
    }

    /// Ends all workers of this process.
    pub fn shutdown(&self) -> &Shutdown {
        &self.company.shutdown
    }

    /// Where clients find it.
    pub fn location(&self) -> String {
        self.listener.location()
    }

    /// See [`Bound::on`].
    #[must_use]
    pub fn on(self, reactor: &Arc<Remote>) -> Self {
        Self { listener: self.listener.on(reactor), ..self }
    }

    /// See [`Bound::attended`].
    #[must_use]
    pub fn attended(self) -> Self {
        Self { listener: self.listener.attended(), ..self }
    }
}

/// Serves as a worker: says that it is ready, drains when the supervisor says so or has gone, and asks to be replaced.
pub async fn serve_assigned<H: Handle>(handle: H, assignment: Assignment, shutdown: Shutdown) -> Drained {
    let (company, line, config) = (assignment.company, assignment.line, handle.config().clone());
    let told = shutdown.clone();
    let watch = |open| {
        company.enter(open);
        if let Some(line) = line {
            let line = UnixStream::from_std(line).expect("the runtime has I/O and room for one more socket");
            drop(tokio::spawn(attend(line, company, told, config)));
        }
    };
    serve_watched(handle, assignment.listener, shutdown, watch).await
}

async fn attend(mut line: UnixStream, company: Arc<Company>, shutdown: Shutdown, config: Config) {
    let mut bounds = Bounds::new(&config);
    let mut looks = interval(LOOK);
    let mut gone = line.write_all(&[word::READY]).await.is_err();
    while !gone {
        tokio::select! {
            said = line.read_u8() => match said {
                Ok(word::LEAVE) => shutdown.leave(),
                Ok(word::DRAIN) => shutdown.begin(),
                Ok(word::ABORT) => shutdown.abort(),
                Ok(_) => {}
                Err(_) => gone = true,
            },
            _ = looks.tick(), if bounds.watched => if bounds.passed(company.requests()) {
                bounds.watched = false;
                gone = line.write_all(&[word::RETIRE]).await.is_err();
            },
        }
    }
    shutdown.begin();
    sleep(Duration::try_from_secs_f64(config.shutdown_timeout).unwrap_or(Duration::MAX).saturating_add(GRACE)).await;
    // Nobody else would end a worker whose user code does not return.
    let _ = kill_process(getpid(), Signal::KILL);
}

/// What a worker may reach before it is replaced.
struct Bounds {
    watched: bool,
    requests: Option<u64>,
    age: Option<Duration>,
    memory: Option<u64>,
    born: Instant,
    looks: u32,
}

impl Bounds {
    fn new(config: &Config) -> Self {
        let requests = config.max_requests.map(|most| most.saturating_add(fastrand::u64(..=most / 10)));
        let age = config.max_worker_age.map(|most| most * (1.0 + fastrand::f64() / 10.0));
        let age = age.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let memory = config.max_worker_rss;
        let watched = requests.is_some() || age.is_some() || memory.is_some();
        Self { watched, requests, age, memory, born: Instant::now(), looks: 0 }
    }

    fn passed(&mut self, requests: u64) -> bool {
        self.looks += 1;
        // The system takes its time to say how much memory there is.
        let weighs = || self.memory.is_some_and(|most| resident().is_some_and(|bytes| bytes > most));
        self.requests.is_some_and(|most| requests >= most)
            || self.age.is_some_and(|most| self.born.elapsed() >= most)
            || self.looks.is_multiple_of(10) && weighs()
    }
}

/// The resident memory of this process, where the system tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_a_child_of_the_supervisor_is_a_worker() {
        let nonce = "0".repeat(32);
        for text in ["", "1:2:3:4:5", &format!("{nonce}:1"), &format!("{nonce}:{}:0:0:1", u16::MAX)] {
            let refused = Assignment::take(text).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied, "{text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_resident_memory_is_known() {
        assert!(resident().is_some_and(|bytes| bytes > 1 << 20));
    }
}
