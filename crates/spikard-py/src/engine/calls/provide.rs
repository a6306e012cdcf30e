//! A dependency is made: by a function, or by the first step of a generator.

use pyo3::{
    exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration},
    intern,
    prelude::*,
};
use smallvec::smallvec;
use spikard_core::{Args, CallableId, HostId};
use spikard_ffi::Reply;

use super::{Owes, call_bound, callable};
use crate::{
    convert,
    engine::{
        Loop,
        host::{Callable, Code, Kind},
        job::Job,
    },
    error::Failure,
    vectorcall,
};

/// A dependency on its way.
pub(crate) struct Making {
    /// It is kept in the worker's own table.
    lasting: bool,
    /// Where it is a generator: what steps it, and where.
    generator: Option<(Py<PyAny>, Kind)>,
}

pub(super) fn begin(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    provider: CallableId,
    lasting: bool,
    args: Args,
    reply: Reply<HostId>,
) {
    match callable(here, provider) {
        Ok(callable) if callable.generator => open(job, py, here, callable, lasting, args, reply),
        Ok(callable) => {
            call_bound(job, py, here, callable, args, Owes::Provide(Making { lasting, generator: None }, reply));
        }
        Err(missing) => reply.fail(missing),
    }
}

/// Calling it runs none of its code: that is done where it stands. Its first step runs where its kind says.
fn open(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    callable: &Callable,
    lasting: bool,
    args: Args,
    reply: Reply<HostId>,
) {
    let opened = convert::arguments(py, here, callable, args, job).and_then(|argv| {
        let generator = vectorcall::call(py, &callable.function, &argv, callable.keywords.as_ref())?;
        let step = next(py, &generator, callable.kind)?;
        Ok((generator, step))
    });
    match opened {
        Ok((generator, step)) => {
            let owes = Owes::Provide(Making { lasting, generator: Some((generator, callable.kind)) }, reply);
            job.call(py, here, Code { function: &step, kind: callable.kind, keywords: None }, smallvec![], owes);
        }
        Err(Failure::Raised(raised)) => reply.fail(job.raised(py, here, raised)),
        Err(Failure::Refused(refused)) => reply.fail(*refused),
    }
}

/// What takes a generator one step on.
pub(super) fn next(py: Python<'_>, generator: &Py<PyAny>, kind: Kind) -> PyResult<Py<PyAny>> {
    generator.getattr(py, if kind == Kind::Async { intern!(py, "__anext__") } else { intern!(py, "__next__") })
}

/// Whether an exception is the end of a generator.
pub(super) fn is_end(py: Python<'_>, raised: &PyErr) -> bool {
    raised.is_instance_of::<PyStopIteration>(py) || raised.is_instance_of::<PyStopAsyncIteration>(py)
}

pub(super) fn settle(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    making: Making,
    reply: Reply<HostId>,
    result: PyResult<Py<PyAny>>,
) {
    let value = match result {
        Ok(value) => value,
        Err(mut raised) => {
            if let Some((generator, _)) = making.generator.filter(|_| is_end(py, &raised)) {
                let name = here.host.name_of(py, &generator);
                raised = PyRuntimeError::new_err(format!("the dependency {name} did not yield"));
            }
            return reply.fail(job.raised(py, here, raised));
        }
    };
    let mut lasting = here.lasting.borrow_mut();
    let values = if making.lasting { &mut *lasting } else { &mut job.values };
    let id = if making.lasting { values.keep_lasting(value) } else { values.keep(value) };
    if let Some((generator, kind)) = making.generator {
        values.open(id, generator, kind);
    }
    reply.ok(id);
}
