//! The supervisor of several workers, for the process that only starts and keeps them; and what needs no worker.

#[cfg(unix)]
use std::sync::Arc;

#[cfg(unix)]
use napi::{Status, bindgen_prelude::Function, threadsafe_function::ThreadsafeFunctionCallMode};
use napi_derive::napi;
use spikard_core::config::{Config, Layers};
use spikard_http::server;
#[cfg(unix)]
use spikard_http::server::Program;

use crate::refused;

/// What applies, as JSON, and whether it needs a supervisor.
#[napi]
pub fn resolve(layers: String) -> napi::Result<(String, bool)> {
    let (_, config) = read(&layers)?;
    Ok((serde_json::to_string(&config).map_err(refused)?, config.is_supervised()))
}

/// The line that says where a server listens.
#[napi]
pub fn banner(layers: String, location: String) -> napi::Result<String> {
    let (layers, config) = read(&layers)?;
    Ok(server::banner(&layers, &config, &location))
}

/// The value of a `Set-Cookie` field.
#[napi]
pub fn set_cookie(said: String) -> napi::Result<String> {
    spikard_core::set_cookie(said.as_bytes()).map_err(refused)
}

fn read(layers: &str) -> napi::Result<(Layers, Config)> {
    Layers::from_json(layers.as_bytes()).map_err(refused)
}

/// Owns the listening socket and starts the program again for each worker.
#[cfg(unix)]
#[napi]
pub struct Supervisor(Arc<server::Supervisor>);

#[cfg(unix)]
#[napi]
impl Supervisor {
    /// `command` starts the program in `folder`, and `run` names its call of `run()`.
    #[napi(constructor)]
    pub fn new(layers: String, command: Vec<String>, folder: String, run: String) -> napi::Result<Self> {
        let (layers, config) = read(&layers)?;
        let command = command.into_iter().map(Into::into).collect();
        let program = Program { command, folder: folder.into(), processes: config.workers, run };
        Ok(Self(Arc::new(server::Supervisor::new(&layers, &config, program)?)))
    }

    /// Supervises until `stop`, beside the main thread; `ended` is called with whether everything ended well.
    #[napi]
    pub fn run(&self, ended: Function<bool, ()>) -> napi::Result<()> {
        let supervisor = self.0.clone();
        let ended = ended.build_threadsafe_function::<bool>().error_status::<Status>().build()?;
        let run = move || {
            ended.call(supervisor.run().unwrap_or(false), ThreadsafeFunctionCallMode::NonBlocking);
        };
        std::thread::Builder::new().name("spikard-supervisor".into()).spawn(run)?;
        Ok(())
    }

    /// Replaces the workers one by one.
    #[napi]
    pub fn replace(&self) {
        self.0.replace();
    }

    /// Drains the workers; called again, cuts them off.
    #[napi]
    pub fn stop(&self) {
        self.0.stop();
    }
}
