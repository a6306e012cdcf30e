//! Several processes that serve one app. The supervisor owns the listening socket, starts the program again for each
//! worker, starts another one for each that ends, and replaces them without refusing a connection. It runs no user code.

mod assignment;
mod balance;
mod crew;
mod program;

use std::{
    io,
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

pub use assignment::{Assignment, serve_assigned};
pub(super) use balance::Balance;
pub use program::{ASSIGNMENT, Program};
use spikard_core::config::{Config, Layers};

use self::crew::{Crew, Event};
use super::{banner, bind};

/// What a worker gets beyond its `shutdown_timeout`, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Starts workers and keeps them. It may be told what to do from any thread.
#[derive(Debug)]
pub struct Supervisor {
    /// Until it runs.
    idle: Mutex<Option<(Crew, Receiver<Event>)>>,
    control: Sender<Event>,
}

impl Supervisor {
    /// Opens the listening socket. The error names the address.
    pub fn new(layers: &Layers, config: &Config, program: Program) -> io::Result<Self> {
        if config.max_worker_rss.is_some() && cfg!(not(target_os = "linux")) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "max_worker_rss: this system does not tell it"));
        }
        let (control, events) = channel();
        let listener = bind(config)?;
        let told = banner(layers, config, &listener.location());
        let crew = Crew::new(config, program, listener, told, control.clone());
        Ok(Self { idle: Mutex::new(Some((crew, events))), control })
    }

    /// Supervises until it was told to stop and every worker has ended. False: something was cut off, or no worker could
    /// be started. Fails the second time.
    pub fn run(&self) -> io::Result<bool> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (mut crew, events) = idle.ok_or_else(|| io::Error::other("a supervisor runs once"))?;
        crew.begin();
        while !crew.is_over() {
            let event = match crew.patience() {
                Some(time) => events.recv_timeout(time).ok(),
                None => events.recv().ok(),
            };
            if let Some(event) = event {
                crew.meet(event);
            }
            crew.look();
        }
        Ok(crew.has_succeeded())
    }

    /// Replaces the workers one by one: each new one is ready before the old one drains.
    pub fn replace(&self) {
        self.tell(Event::Replace);
    }

    /// Drains all workers; told a second time, cuts them off.
    pub fn stop(&self) {
        self.tell(Event::Stop);
    }

    fn tell(&self, event: Event) {
        // A supervisor that has ended has nothing left to do.
        let _ = self.control.send(event);
    }
}
