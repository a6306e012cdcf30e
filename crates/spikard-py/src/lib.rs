//! `spikard._spikard`, the extension module. A [`Worker`] serves one app on one event loop; its I/O has a thread of its own.

mod convert;
mod engine;
mod error;
mod exchange;
mod runtime;
mod shape;
mod supervisor;
mod vectorcall;
mod view;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
#[cfg(unix)]
use pyo3::exceptions::PyNotImplementedError;
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    intern,
    prelude::*,
};
use spikard_core::{SpecError, config::HostSide, spec::AppSpec};
#[cfg(unix)]
use spikard_http::server::Alarm;
use spikard_http::{
    Service, Tokio,
    server::{Home, IoThread},
};

use crate::{
    engine::{
        Cause, Key, Loop,
        host::Host,
        pool::{self, Pool},
        slots,
        values::Values,
    },
    error::invalid,
    runtime::{Answer, Bell, Inbox},
    supervisor::Share,
};

#[global_allocator]
static ALLOCATOR: spikard_http::Allocator = spikard_http::Allocator;

/// Serves one app on one event loop, whose thread makes it, serves its requests and closes it.
#[pyclass(frozen, weakref, module = "spikard._spikard")]
struct Worker {
    key: Key,
    inbox: Arc<Inbox>,
    service: Service,
    io: IoThread,
    pool: Arc<Pool>,
    /// The descriptor of the connections, where they live on the loop's thread.
    watched: Option<i32>,
}

/// What the loop calls. It does not hold the worker, which may be forgotten.
#[pyclass(frozen, module = "spikard._spikard")]
struct Turn {
    key: Key,
    cause: Cause,
}

#[pymethods]
impl Turn {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        engine::find(self.key).map_or(Ok(()), |here| here.turn(py, self.cause))
    }
}

#[pymethods]
impl Worker {
    /// `document` is the app's specification as JSON, `callables` its user code by id, `names` what the package lends.
    #[new]
    fn new(
        document: &[u8],
        callables: &Bound<'_, PyAny>,
        event_loop: &Bound<'_, PyAny>,
        names: &Bound<'_, PyAny>,
    ) -> PyResult<Py<Self>> {
        let py = event_loop.py();
        let fault = names.getattr(intern!(py, "spec_error"))?;
        let refused =
            |error: SpecError| fault.call1((error.to_string(),)).map_or_else(|broken| broken, PyErr::from_value);
        let spec = AppSpec::from_json(document).map_err(refused)?;
        let host = Host::new(event_loop, callables, names)?;
        let called = Arc::new(OnceLock::new());
        let inbox = Arc::new(Inbox::new(bell(event_loop, &called)?, nests(event_loop)));
        let runtime = Tokio::runtime()?;
        let platform = Arc::new(Tokio::new(runtime.handle().clone()));
        let service = Service::new(&spec, inbox.clone(), platform).map_err(refused)?;
        let HostSide { threads, io_thread } = service.config().host_side;
        // A loop that watches no descriptors cannot be told of sockets either.
        let own = !io_thread && inbox.bell().descriptor().is_some();
        let rung = inbox.clone();
        let home = if own { Home::new(move || rung.ring())? } else { Home::default() };
        let io = IoThread::start(runtime, &service, &home)?;
        let watched = home.descriptor();
        let key = engine::open(event_loop, host, service.apart().clone(), inbox.clone(), threads, home)?;
        let pool = engine::find(key).expect("it was opened on this thread").pool.clone();
        let worker = Py::new(py, Self { key, inbox, service, io, pool, watched })?;
        worker.get().attend(event_loop, &called)?;
        Ok(worker)
    }

    /// What applies, as JSON.
    #[getter]
    fn config(&self) -> Vec<u8> {
        serde_json::to_vec(self.service.config()).expect("plain values")
    }

    /// Requests that have not ended, clean-up included, and background tasks.
    #[getter]
    fn in_flight(&self) -> usize {
        self.service.in_flight()
    }

    /// Whether the server was told to end at once.
    #[getter]
    fn aborted(&self) -> bool {
        self.io.is_aborted()
    }

    /// Listens where the configuration says, or on the socket that it shares, and returns the place. `told` is called on
    /// the loop when the server has ended, with the connections that were cut off and the requests that were still in
    /// flight.
    #[pyo3(signature = (told, share = None))]
    fn listen(&self, told: Py<PyAny>, share: Option<&Share>) -> PyResult<String> {
        let here = self.here()?;
        let source = supervisor::source(self.service.config(), share)?;
        let place = source.place();
        let (number, inbox) = (here.ask(told), self.inbox.clone());
        self.io.serve(&self.service, source, move |drained| inbox.tell(number, Answer::Drained(drained)));
        Ok(place)
    }

    /// A place for one more background task. None: there is none.
    fn reserve(&self) -> Option<Place> {
        self.service.background().reserve().map(Place)
    }

    /// Runs a task whose request has ended. Its place has been reserved.
    fn run_in_background(&self, py: Python<'_>, task: Py<PyAny>) -> PyResult<()> {
        let here = self.here()?;
        let mut values = Values::default();
        let work = self.service.run_in_background(values.keep(task));
        here.spawn(work, values, vectorcall::copy_context(py)?);
        Ok(())
    }

    /// Begins the drain of the server: idle connections close, requests in flight are finished.
    fn shutdown(&self) {
        self.io.shutdown().begin();
    }

    /// Finishes the singletons that requests have made, the latest first; `told` is called on the loop when that is
    /// done. For when no request needs them any more.
    fn retire(&self, told: Py<PyAny>) -> PyResult<()> {
        let (number, inbox) = (self.here()?.ask(told), self.inbox.clone());
        self.io.retire(&self.service, move || inbox.tell(number, Answer::Retired));
        Ok(())
    }

    /// Ends the server now, whatever is in flight.
    fn abort(&self) {
        self.io.shutdown().abort();
    }

    /// Cancels the Tasks of everything that waits.
    fn cancel(&self, py: Python<'_>) -> PyResult<()> {
        let tasks = engine::find(self.key).map(|here| slots::tasks(py, &here.slots)).unwrap_or_default();
        tasks.into_iter().try_for_each(|task| task.call_method0(py, intern!(py, "cancel")).map(drop))
    }

    /// Sends a request through the in-memory door. `told` is called on the loop with status, headers and body; with
    /// the status 0 if the body broke off.
    fn send(
        &self,
        method: &str,
        target: &str,
        headers: &Bound<'_, PyAny>,
        body: Vec<u8>,
        told: Py<PyAny>,
    ) -> PyResult<()> {
        let request = head(method, target, headers)?.map(|()| Bytes::from(body));
        let service = self.service.clone();
        self.ask(told, async move {
            spikard_http::testing::send(&service, request).await.map_or(Answer::Broken, Answer::Response)
        })
    }

    /// Begins a request of somebody else's server, `src/exchange.rs`.
    fn exchange(
        slf: Py<Self>,
        py: Python<'_>,
        head: (String, String, Bound<'_, PyAny>),
        length: Option<u64>,
        peer: (String, u16),
        mount: (String, String),
        told: Py<PyAny>,
    ) -> PyResult<Py<exchange::Exchange>> {
        let (method, target, headers) = head;
        let request = crate::head(&method, &target, &headers)?;
        Py::new(py, exchange::begin(slf, request, length, peer, mount, told)?)
    }

    /// Ends the worker and whatever it still does. False: `def` code still runs after `grace` seconds; called again, it
    /// waits for that.
    #[pyo3(signature = (grace = None))]
    fn close(&self, py: Python<'_>, grace: Option<f64>) -> PyResult<bool> {
        let grace = grace.map(Duration::try_from_secs_f64).transpose().map_err(invalid)?;
        let Some(here) = engine::find(self.key) else { return Ok(self.pool.close(py, grace)) };
        for fd in [self.inbox.bell().descriptor(), self.watched].into_iter().flatten() {
            // A loop that is closed already watches nothing.
            let _ = here.host.event_loop.call_method1(py, intern!(py, "remove_reader"), (fd,));
        }
        py.detach(|| {
            self.io.stop();
            self.inbox.bell().end();
        });
        drop(here);
        Ok(engine::close(py, self.key, grace))
    }
}

impl Worker {
    /// Tells the loop what to watch and what to call.
    fn attend(&self, event_loop: &Bound<'_, PyAny>, called: &OnceLock<Py<PyAny>>) -> PyResult<()> {
        let py = event_loop.py();
        let turn = |cause| Ok::<_, PyErr>(Py::new(py, Turn { key: self.key, cause })?.into_any());
        let add_reader = intern!(py, "add_reader");
        match self.inbox.bell().descriptor() {
            Some(fd) => drop(event_loop.call_method1(add_reader, (fd, turn(Cause::Bell)?))?),
            None => drop(called.set(turn(Cause::Bell)?)),
        }
        if let Some(fd) = self.watched {
            event_loop.call_method1(add_reader, (fd, turn(Cause::Sockets)?))?;
        }
        if nests(event_loop) {
            return Ok(());
        }
        self.inbox.bell().rings_by(py, event_loop.getattr(intern!(py, "call_soon"))?.unbind(), turn(Cause::Work)?)
    }

    /// Has the I/O side find out what `told` is called with.
    fn ask(&self, told: Py<PyAny>, answer: impl Future<Output = Answer> + Send + 'static) -> PyResult<()> {
        let (number, inbox) = (self.here()?.ask(told), self.inbox.clone());
        self.io.spawn(async move { inbox.tell(number, answer.await) });
        Ok(())
    }

    fn here(&self) -> PyResult<std::rc::Rc<Loop>> {
        engine::find(self.key)
            .ok_or_else(|| PyRuntimeError::new_err("the worker is closed, or belongs to another thread"))
    }
}

/// The head of a request that comes by no connection of ours.
fn head(method: &str, target: &str, headers: &Bound<'_, PyAny>) -> PyResult<http::Request<()>> {
    spikard_http::head(method, target, error::headers(headers)?).map_err(invalid)
}

/// A place in the queue of background tasks, given back when it is dropped.
#[pyclass(frozen, module = "spikard._spikard")]
struct Place(#[expect(dead_code, reason = "held until it is dropped")] spikard_http::Place);

impl Drop for Worker {
    /// Forgotten without `close`: its threads end all the same.
    fn drop(&mut self) {
        self.io.leave();
        Python::attach(|py| engine::close(py, self.key, Some(Duration::ZERO)));
    }
}

/// Whether `nest_asyncio` lets user code run this loop within its own callbacks: then nothing that the loop calls again
/// and again, always in the same context, may run user code.
fn nests(event_loop: &Bound<'_, PyAny>) -> bool {
    event_loop.getattr(intern!(event_loop.py(), "_nest_patched")).and_then(|nests| nests.is_truthy()).unwrap_or(false)
}

/// Watched by the loop where it can, else rung by a thread.
fn bell(event_loop: &Bound<'_, PyAny>, drain: &Arc<OnceLock<Py<PyAny>>>) -> PyResult<Bell> {
    let py = event_loop.py();
    #[cfg(unix)]
    if !nests(event_loop) {
        let alarm = Alarm::open()?;
        // Replaced when there is a worker: for now it only tells whether the loop watches descriptors at all.
        let nothing = py.get_type::<PyAny>();
        match event_loop.call_method1(intern!(py, "add_reader"), (alarm.descriptor(), nothing)) {
            Ok(_) => return Ok(Bell::watched(alarm)),
            Err(error) if error.is_instance_of::<PyNotImplementedError>(py) => (),
            Err(error) => return Err(error),
        }
    }
    Bell::called(py, event_loop.getattr(intern!(py, "call_soon_threadsafe"))?.unbind(), drain.clone())
}

/// The engine of `spikard`.
#[pymodule(gil_used = false)]
mod _spikard {
    use pyo3::prelude::*;

    #[cfg(unix)]
    #[pymodule_export]
    use super::supervisor::{Share, Supervisor, shares};
    #[pymodule_export]
    use super::{
        Worker, backtracks,
        engine::{request::RequestHead, response::ResponseHead},
        set_cookie,
        shape::Shape,
        supervisor::{banner, resolve},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add_function(wrap_pyfunction!(super::engine::calls::background::use_background, module)?)?;
        module.add_function(wrap_pyfunction!(super::engine::fork::forked, module)?)?;
        let join = wrap_pyfunction!(super::join_threads, module)?;
        module.py().import("atexit")?.call_method1("register", (join,))?;
        Ok(())
    }
}

/// Whether Python's `re` would run a pattern for longer than its text is long.
#[pyfunction]
fn backtracks(pattern: &str) -> bool {
    spikard_core::backtracks(pattern)
}

/// The value of a `Set-Cookie` field.
#[pyfunction]
fn set_cookie(said: &[u8]) -> PyResult<String> {
    spikard_core::set_cookie(said).map_err(|fault| PyValueError::new_err(fault.to_string()))
}

/// Before the interpreter goes down.
#[pyfunction]
fn join_threads(py: Python<'_>) -> PyResult<()> {
    pool::close_all(py)
}
