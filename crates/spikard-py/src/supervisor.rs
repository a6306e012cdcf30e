//! The supervisor of several workers, for the process that only starts and keeps them.

#[cfg(unix)]
pub(crate) use processes::{Share, Supervisor, shares};
use pyo3::prelude::*;
use spikard_core::config::{Config, Layers};
use spikard_http::server::{self, Source};

use crate::error::invalid;

/// What a worker shares with others, where there is a supervisor.
#[cfg(not(unix))]
#[allow(dead_code, reason = "this system has none, and nobody makes one")]
#[pyclass(frozen, module = "spikard._spikard")]
pub(crate) struct Share;

/// Where a worker's connections come from.
pub(crate) fn source(config: &Config, share: Option<&Share>) -> PyResult<Source> {
    match share {
        #[cfg(unix)]
        Some(share) => share.take().map(Source::Assigned),
        #[cfg(not(unix))]
        Some(_) => Err(std::io::Error::from(std::io::ErrorKind::Unsupported).into()),
        None => Ok(Source::open(config, None)?),
    }
}

/// What applies, as JSON, and whether it needs a supervisor.
#[pyfunction]
pub(crate) fn resolve(layers: &[u8]) -> PyResult<(Vec<u8>, bool)> {
    let (_, config) = read(layers)?;
    Ok((serde_json::to_vec(&config).map_err(invalid)?, config.is_supervised()))
}

/// The line that says where a server listens.
#[pyfunction]
pub(crate) fn banner(layers: &[u8], location: &str) -> PyResult<String> {
    let (layers, config) = read(layers)?;
    Ok(server::banner(&layers, &config, location))
}

fn read(layers: &[u8]) -> PyResult<(Layers, Config)> {
    Layers::from_json(layers).map_err(invalid)
}

#[cfg(unix)]
mod processes {
    use std::{
        ffi::OsString,
        path::PathBuf,
        sync::{Mutex, PoisonError},
    };

    use pyo3::{exceptions::PyRuntimeError, prelude::*};
    use spikard_http::server::{self, Assignment, Program};

    use super::read;

    /// Owns the listening socket and starts the program again for each worker.
    #[pyclass(frozen, module = "spikard._spikard")]
    pub(crate) struct Supervisor(server::Supervisor);

    /// What a worker of this process got of its supervisor, to listen with it once.
    #[pyclass(frozen, module = "spikard._spikard")]
    pub(crate) struct Share(Mutex<Option<Assignment>>);

    impl Share {
        pub(crate) fn take(&self) -> PyResult<Assignment> {
            let assignment = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            assignment.ok_or_else(|| PyRuntimeError::new_err("a share is listened with once"))
        }
    }

    /// The shares of so many workers in what `text` names.
    #[pyfunction]
    pub(crate) fn shares(text: &str, workers: usize) -> PyResult<Vec<Share>> {
        let first = Assignment::take(text)?;
        let others = (1..workers).map(|number| first.share(number)).collect::<Result<Vec<_>, _>>()?;
        Ok(std::iter::once(first).chain(others).map(|one| Share(Mutex::new(Some(one)))).collect())
    }

    #[pymethods]
    impl Supervisor {
        /// `command` starts the program in `folder`, so many times, and `run` names its call of `run()`.
        #[new]
        fn new(
            layers: &[u8],
            command: Vec<OsString>,
            folder: PathBuf,
            processes: usize,
            run: String,
        ) -> PyResult<Self> {
            let (layers, config) = read(layers)?;
            let program = Program { command, folder, processes, run };
            Ok(Self(server::Supervisor::new(&layers, &config, program)?))
        }

        /// Supervises until `stop`, and answers whether everything ended well.
        fn run(&self, py: Python<'_>) -> PyResult<bool> {
            Ok(py.detach(|| self.0.run())?)
        }

        /// Replaces the workers one by one.
        fn replace(&self) {
            self.0.replace();
        }

        /// Drains the workers; called again, cuts them off.
        fn stop(&self) {
            self.0.stop();
        }
    }
}
