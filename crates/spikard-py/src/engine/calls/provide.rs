//! A dependency is made.

use pyo3::prelude::*;
use spikard_core::{Args, CallableId, HostId};
use spikard_ffi::Reply;

use super::{Owes, call_bound, callable};
use crate::engine::{Loop, job::Job};

pub(super) fn begin(
    job: &mut Job,
    py: Python<'_>,
    here: &Loop,
    provider: CallableId,
    args: Args,
    reply: Reply<HostId>,
) {
    match callable(here, provider) {
        Ok(callable) => call_bound(job, py, here, callable, args, Owes::Provide(reply)),
        Err(missing) => reply.fail(missing),
    }
}

pub(super) fn settle(job: &mut Job, reply: Reply<HostId>, value: Bound<'_, PyAny>) {
    reply.ok(job.values.keep(value.unbind()));
}
