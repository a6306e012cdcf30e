//! Several processes that serve one app. The supervisor owns the listening socket, starts the program again for each
//! worker, starts another one for each that ends, and replaces them without refusing a connection. It runs no user code.

mod assignment;
mod crew;
mod program;

use std::{
    io,
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

pub use assignment::{Assignment, serve_assigned};
pub use program::{ASSIGNMENT, Program};
use spikard_core::config::{Config, Layers};

use self::crew::{Crew, Event};
use super::{banner, bind};

/// What a worker gets beyond its `shutdown_timeout`, before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Starts workers and keeps them.
#[derive(Debug)]
pub struct Supervisor {
    crew: Crew,
    events: Receiver<Event>,
    control: Control,
}

/// Tells a supervisor what to do, from any thread.
#[derive(Clone, Debug)]
pub struct Control(Sender<Event>);

impl Supervisor {
    /// Opens the listening socket. The error names the address.
    pub fn new(layers: &Layers, config: &Config, program: Program) -> io::Result<Self> {
        if config.max_worker_rss.is_some() && cfg!(not(target_os = "linux")) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "max_worker_rss: this system does not tell it"));
        }
        let (sender, events) = channel();
        let listener = bind(config)?;
        let told = banner(layers, config, &listener.location());
        let control = Control(sender.clone());
        Ok(Self { crew: Crew::new(config, program, listener, told, sender), events, control })
    }

    /// A handle for the time of `run`.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Supervises until it was told to stop and every worker has ended. False: something was cut off, or no worker could
    /// be started.
    pub fn run(mut self) -> bool {
        self.crew.begin();
        while !self.crew.is_over() {
            let event = match self.crew.patience() {
                Some(time) => self.events.recv_timeout(time).ok(),
                None => self.events.recv().ok(),
            };
            if let Some(event) = event {
                self.crew.meet(event);
            }
            self.crew.look();
        }
        self.crew.has_succeeded()
    }
}

impl Control {
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
        let _ = self.0.send(event);
    }
}
