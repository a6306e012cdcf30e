//! What the host decodes before anything else of the request runs.

use pyo3::prelude::*;
use spikard_core::{HostArg, HostId};
use spikard_ffi::Reply;

use crate::{
    convert,
    engine::{Loop, job::Job},
    error::Failure,
};

pub(super) fn begin(job: &mut Job, py: Python<'_>, here: &Loop, args: Vec<HostArg>, reply: Reply<Vec<HostId>>) {
    let mut bound = Vec::with_capacity(args.len());
    for input in args {
        let decoded = convert::decode(py, &here.host, input);
        job.values.keep_uploads(&here.host.uploads);
        match decoded {
            Ok(value) => bound.push(job.values.keep(value)),
            Err(Failure::Raised(raised)) => return reply.fail(job.raised(py, here, raised)),
            Err(Failure::Refused(refused)) => return reply.fail(*refused),
        }
    }
    reply.ok(bound);
}
