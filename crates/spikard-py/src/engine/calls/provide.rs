//! A dependency is made: by a function, or by the first step of a generator.

use pyo3::{
    exceptions::{PyRuntimeError, PyStopAsyncIteration, PyStopIteration},
    intern,
    prelude::*,
};
use smallvec::smallvec;
use spikard_core::{Args, CallableId, HostId};
use spikard_ffi::Reply;

use super::{Owes, callable};
use crate::{
    convert,
    engine::{
        host::{Callable, Code, Kind},
        job::Stage,
    },
    vectorcall,
};

/// A dependency on its way.
pub(crate) struct Making {
    /// It is kept in the worker's own table.
    lasting: bool,
    /// Where it is a generator: what steps it, and where.
    generator: Option<(Py<PyAny>, Kind)>,
}

pub(super) fn begin(on: &mut Stage<'_, '_>, provider: CallableId, lasting: bool, args: Args, reply: Reply<HostId>) {
    match callable(on, provider) {
        Ok(callable) if callable.generator => open(on, callable, lasting, args, reply),
        Ok(callable) => {
            on.call_bound(callable, args, Owes::Provide(Making { lasting, generator: None }, reply));
        }
        Err(missing) => reply.fail(missing),
    }
}

/// Calling it runs none of its code: that is done where it stands. Its first step runs where its kind says.
fn open(on: &mut Stage<'_, '_>, callable: &Callable, lasting: bool, args: Args, reply: Reply<HostId>) {
    let py = on.py;
    let opened = convert::arguments(on, callable, args).and_then(|argv| {
        let generator = vectorcall::call(py, &callable.function, &argv, callable.keywords.as_ref())?;
        let step = next(py, &generator, callable.kind)?;
        Ok((generator, step))
    });
    match opened {
        Ok((generator, step)) => {
            let owes = Owes::Provide(Making { lasting, generator: Some((generator, callable.kind)) }, reply);
            on.call(Code { function: &step, kind: callable.kind, keywords: None }, smallvec![], owes);
        }
        Err(failure) => reply.fail(on.failed(failure)),
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

pub(super) fn settle(on: &mut Stage<'_, '_>, making: Making, reply: Reply<HostId>, result: PyResult<Py<PyAny>>) {
    let py = on.py;
    let value = match result {
        Ok(value) => value,
        Err(mut raised) => {
            if let Some((generator, _)) = making.generator.filter(|_| is_end(py, &raised)) {
                let name = on.here.host.name_of(py, &generator);
                raised = PyRuntimeError::new_err(format!("the dependency {name} did not yield"));
            }
            return reply.fail(on.raised(raised));
        }
    };
    let mut lasting = on.here.lasting.borrow_mut();
    let values = if making.lasting { &mut *lasting } else { &mut on.job.values };
    let id = if making.lasting { values.keep_lasting(value) } else { values.keep(value) };
    if let Some((generator, kind)) = making.generator {
        values.open(id, generator, kind);
    }
    reply.ok(id);
}
