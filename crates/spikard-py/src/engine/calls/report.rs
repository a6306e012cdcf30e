//! A failure that nobody handled goes into the log.

use pyo3::prelude::*;
use spikard_ffi::{Reply, Report};

use crate::engine::{Loop, job::Job};

pub(super) fn begin(job: &Job, py: Python<'_>, here: &Loop, report: &Report, reply: Reply<()>) {
    let exception = report.exception.and_then(|id| job.values.get(py, id));
    let request_id = report.request_id.as_ref().map(ToString::to_string);
    let told = (exception, report.source.as_deref(), &*report.route, request_id);
    if let Err(broken) = here.host.report.call1(py, told) {
        broken.write_unraisable(py, None);
    }
    reply.ok(());
}
