//! A request that comes by somebody else's server: its body is fed and its answer is pulled, a piece at a time.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyTuple},
};
use spikard_http::{FedBody, Mount, Peer, Piece};

use crate::{Worker, runtime::Answer};

/// Of one request, on the loop's thread. Forgotten, its client has left.
#[pyclass(frozen, module = "spikard._spikard")]
pub(crate) struct Exchange {
    worker: Py<Worker>,
    way: Arc<spikard_http::Exchange>,
}

#[pymethods]
impl Exchange {
    /// Feeds a piece of the body. `told` is called with whether anybody reads it, when the next one may come.
    fn feed(&self, piece: &Bound<'_, PyBytes>, more: bool, told: Py<PyAny>) -> PyResult<()> {
        let (way, piece) = (self.way.clone(), Bytes::copy_from_slice(piece.as_bytes()));
        self.worker.get().ask(told, async move { Answer::Taken(way.feed(piece, more).await) })
    }

    /// Asks for the next piece of the answer's body. `told` is called with it and with whether another one follows;
    /// with None if the body broke off.
    fn pull(&self, told: Py<PyAny>) -> PyResult<()> {
        let way = self.way.clone();
        self.worker.get().ask(told, async move { Answer::Piece(way.piece().await.ok()) })
    }

    /// The client has left.
    fn leave(&self) {
        self.way.leave();
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.way.leave();
    }
}

/// Begins a request. `length` is that of its body, where it is known, the address that of the client, where it has one, the
/// mount its scheme and the prefix before the app's own path; `told` is called with status, headers, the first piece of the body and whether another one follows; with the status 0
/// if the client has left.
pub(crate) fn begin(
    worker: Py<Worker>,
    request: http::Request<()>,
    length: Option<u64>,
    (host, port): (String, u16),
    (scheme, prefix): (String, String),
    told: Py<PyAny>,
) -> PyResult<Exchange> {
    let (mut head, ()) = request.into_parts();
    if let Ok(host) = host.parse::<IpAddr>() {
        head.extensions.insert(Peer::Address((host, port).into()));
    }
    head.extensions.insert(Mount { scheme, prefix });
    let (way, request): (_, http::Request<FedBody>) = spikard_http::Exchange::new(head, length);
    let way = Arc::new(way);
    let (begun, service) = (way.clone(), worker.get().service.clone());
    worker.get().ask(told, async move { Answer::Head(begun.answer(&service, request).await) })?;
    Ok(Exchange { worker, way })
}

/// What `told` of `begin` is called with.
pub(crate) fn head(py: Python<'_>, head: Option<(http::response::Parts, Piece)>) -> PyResult<Bound<'_, PyTuple>> {
    let Some((head, Piece { bytes, more })) = head else {
        return (0, Vec::<()>::new(), PyBytes::new(py, b""), false).into_pyobject(py);
    };
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (PyBytes::new(py, name.as_str().as_bytes()), PyBytes::new(py, value.as_bytes()))
    };
    let headers: Vec<_> = head.headers.iter().map(field).collect();
    (head.status.as_u16(), headers, PyBytes::new(py, &bytes), more).into_pyobject(py)
}
