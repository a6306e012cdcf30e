//! What the host decodes before anything else of the request runs.

use spikard_core::{HostArg, HostId};
use spikard_ffi::Reply;

use crate::{convert, engine::job::Stage};

pub(super) fn begin(on: &mut Stage<'_, '_>, args: Vec<HostArg>, reply: Reply<Vec<HostId>>) {
    let mut bound = Vec::with_capacity(args.len());
    for input in args {
        let decoded = convert::decode(on.py, &on.here.host, input);
        on.job.values.keep_uploads(&on.here.host.uploads);
        match decoded {
            Ok(value) => bound.push(on.job.values.keep(value)),
            Err(failure) => return reply.fail(on.failed(failure)),
        }
    }
    reply.ok(bound);
}
