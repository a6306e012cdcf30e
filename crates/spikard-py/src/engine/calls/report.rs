//! A failure that nobody handled goes into the log.

use spikard_ffi::{Reply, Report};

use crate::engine::job::Stage;

pub(super) fn begin(on: &Stage<'_, '_>, report: &Report, reply: Reply<()>) {
    let py = on.py;
    let exception = report.exception.and_then(|id| on.job.values.get(py, id));
    let request_id = report.request_id.as_ref().map(ToString::to_string);
    let told = (exception, report.source.as_deref(), &*report.route, request_id);
    if let Err(broken) = on.here.host.report.call1(py, told) {
        broken.write_unraisable(py, None);
    }
    reply.ok(());
}
