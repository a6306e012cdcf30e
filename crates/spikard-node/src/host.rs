//! What is looked up once, when a worker is made: the app's user code by id, and what the engine calls of the package.

use http::StatusCode;
use spikard_core::CallableId;

use crate::{
    convert,
    js::{Fault, Js, Kept, Val},
};

macro_rules! host {
    ($($(#[$about:meta])* $name:ident),* $(,)?) => {
        /// Everything of the host that one worker uses. No function here throws but a decoder.
        pub(crate) struct Host {
            /// Statuses of results that do not say their own, by `CallableId`.
            statuses: Vec<StatusCode>,
            $($(#[$about])* pub(crate) $name: Kept,)*
        }

        impl Host {
            pub(crate) fn new(js: Js<'_>, names: Val<'_>) -> Result<Self, Fault> {
                let statuses = js.items(js.member(names, "statuses")?)?.into_iter();
                let statuses = statuses.map(|status| convert::read_status(js.read_number(status)?));
                let statuses = statuses.collect::<Result<_, _>>()?;
                Ok(Self { statuses, $($name: js.keep(js.member(names, stringify!($name))?)?,)* })
            }
        }
    };
}

host! {
    /// By `CallableId`. Of what they take and answer, `packages/js/src/wire.ts` tells.
    callables,
    /// Host values by `HostId`: those of all requests, and those that outlive them.
    table,
    /// `BigInt`.
    bigint,
    /// `upload(filename, type, size, fields, bytes or descriptor)`: the id of the package's file.
    upload,
    /// `keep(value)`: its id.
    keep,
    /// `refused(thrown)`: the refusals as JSON text, or a failure.
    refused,
    /// `pull(token, stream)`.
    pull,
    /// `finish(token, value, outcome, exception)`.
    finish,
    /// `background(token, task)`.
    background,
    /// `report(token, exception, source, route, request id)`.
    report,
    /// `cancel(shared)`: cancels, in the host's way, what shares this value.
    cancel,
    /// `release(ids)`: these host values are needed no more.
    release,
    /// `told(number, …)`: the answer to what was asked for by this number.
    told,
}

impl Host {
    pub(crate) fn callable<'a>(&self, js: Js<'a>, CallableId(id): CallableId) -> Result<Val<'a>, Fault> {
        js.item(js.kept(&self.callables), id)
    }

    pub(crate) fn status(&self, CallableId(id): CallableId) -> StatusCode {
        self.statuses.get(id as usize).copied().unwrap_or(StatusCode::OK)
    }
}
