//! Processes that user code forks: they share our sockets, have none of our threads, and are not to serve.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use pyo3::{intern, prelude::*};

/// How many forks lie between this process and the one that imported the package.
static DEPTH: AtomicU32 = AtomicU32::new(0);

/// Called in each new process.
#[pyfunction]
pub(crate) fn forked() {
    DEPTH.fetch_add(1, Relaxed);
}

/// A process, told from its forks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn this() -> Self {
        Self(DEPTH.load(Relaxed))
    }

    /// Goes on in this process. In a fork of it user code is over, which `raised` in the end: so is the fork.
    pub(crate) fn end_fork(self, py: Python<'_>, raised: Option<&PyErr>) {
        if DEPTH.load(Relaxed) != self.0 {
            end(py, raised);
        }
    }
}

#[cold]
fn end(py: Python<'_>, raised: Option<&PyErr>) -> ! {
    let raised = raised.map(|raised| raised.value(py));
    let processes = py.import(intern!(py, "spikard._processes"));
    let ended = processes.and_then(|module| module.call_method1(intern!(py, "end_fork"), (raised,)));
    // It does not return, whatever it meets.
    drop(ended);
    std::process::abort()
}
