//! The Rust half of `spikard.Request`: the head of a request, of which nothing is converted until somebody asks.

use std::{
    rc::Rc,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use pyo3::{
    exceptions::PyRuntimeError,
    intern,
    prelude::*,
    types::{PyBytes, PyString},
};
use spikard_core::{Entry, Head, RequestBody, Told, pairs};
use spikard_http::{Departure, Mount, Peer};

use super::{Key, Loop, find, host::Types, job::Stage};
use crate::{
    convert,
    error::{self, invalid},
    runtime::{Answer, Inbox},
    vectorcall,
};

/// What `spikard.Request` inherits.
#[pyclass(subclass, frozen, module = "spikard._spikard")]
#[derive(Default)]
pub(crate) struct RequestHead {
    seen: Mutex<Option<Seen>>,
    /// Something was handed out that can be changed.
    touched: AtomicBool,
}

#[derive(Clone)]
struct Seen {
    head: Arc<Head>,
    key: Key,
    inbox: Arc<Inbox>,
    types: Arc<Types>,
}

impl RequestHead {
    fn lock(&self) -> MutexGuard<'_, Option<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> PyResult<Seen> {
        self.lock().clone().ok_or_else(|| PyRuntimeError::new_err("this Request belongs to no request"))
    }

    fn head(&self) -> PyResult<Arc<Head>> {
        Ok(self.seen()?.head)
    }

    fn change(&self, change: impl FnOnce(&mut Head)) -> PyResult<()> {
        let mut head = Head::clone(&*self.head()?);
        change(&mut head);
        if let Some(seen) = &mut *self.lock() {
            seen.head = Arc::new(head);
        }
        Ok(())
    }
}

#[pymethods]
impl RequestHead {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    #[getter]
    fn method(&self) -> PyResult<String> {
        Ok(self.head()?.parts.method.to_string())
    }

    #[getter]
    fn path(&self) -> PyResult<String> {
        Ok(self.head()?.parts.uri.path().to_owned())
    }

    #[getter]
    fn query_string(&self) -> PyResult<String> {
        Ok(self.head()?.parts.uri.query().unwrap_or_default().to_owned())
    }

    #[getter]
    fn route(&self) -> PyResult<Option<String>> {
        Ok(self.head()?.matched.as_ref().map(|matched| matched.template.clone()))
    }

    #[getter]
    fn request_id(&self) -> PyResult<Option<String>> {
        Ok(self.head()?.request_id.as_ref().map(ToString::to_string))
    }

    /// Whether the client has left.
    fn _departed(&self) -> PyResult<bool> {
        Ok(Departure::is_over(&*self.head()?))
    }

    /// Host and port of the other end of the connection.
    fn _peer(&self) -> PyResult<Option<(String, u16)>> {
        Ok(Peer::address(&self.head()?.parts.extensions))
    }

    /// The scheme, and the prefix before the app's own path.
    fn _mount(&self) -> PyResult<(String, String)> {
        let mount = self.head()?.parts.extensions.get::<Mount>().cloned();
        Ok(mount.map_or_else(|| ("http".to_owned(), String::new()), |Mount { scheme, prefix }| (scheme, prefix)))
    }

    /// The header fields as they came, or as a hook left them.
    fn _fields(&self) -> PyResult<Vec<(String, String)>> {
        self.touched.store(true, Ordering::Relaxed);
        let field =
            |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), pairs::field_text(value).into_owned());
        Ok(self.head()?.parts.headers.iter().map(field).collect())
    }

    fn _query(&self, py: Python<'_>) -> PyResult<Vec<(String, String)>> {
        self.touched.store(true, Ordering::Relaxed);
        self.head()?.query_pairs().or_else(|refused| Err(error::exception(py, &self.seen()?.here()?.host, &refused)))
    }

    fn _cookies(&self) -> PyResult<Vec<(String, String)>> {
        Ok(self.head()?.cookies())
    }

    fn _path_values<'py>(&self, py: Python<'py>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let Seen { head, types, .. } = self.seen()?;
        head.path_values().into_iter().map(|(name, value)| Ok((name, convert::scalar(py, &types, value)?))).collect()
    }

    /// Replaces the header fields.
    fn _set_fields(&self, fields: Vec<(String, String)>) -> PyResult<()> {
        let mut map = HeaderMap::with_capacity(fields.len());
        for (name, value) in fields {
            let name = HeaderName::try_from(name).map_err(invalid)?;
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).map_err(invalid)?);
        }
        self.change(|head| head.parts.headers = map)
    }

    /// Replaces path and query.
    fn _set_target(&self, target: &str) -> PyResult<()> {
        let target = Uri::try_from(target).map_err(invalid)?;
        self.change(|head| head.parts.uri = target)
    }

    /// Replaces the body.
    fn _set_body(&self, body: &[u8]) -> PyResult<()> {
        self.head()?.body.replace(Bytes::copy_from_slice(body));
        Ok(())
    }

    /// The body if it is there; else `told` is called on the loop with it, or with a status and what is wrong.
    fn _read<'py>(&self, py: Python<'py>, told: Py<PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let seen = self.seen()?;
        if let Some(whole) = seen.head.body.whole() {
            return Ok(Some(PyBytes::new(py, &whole)));
        }
        seen.ask(told, RequestBody::read)?;
        Ok(None)
    }

    /// The body if it has been read.
    fn _whole<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.head()?.body.whole().map(|whole| PyBytes::new(py, &whole)))
    }

    /// Refuses what is no JSON, as a bound body is refused.
    fn _check_json(&self, py: Python<'_>, body: &[u8]) -> PyResult<()> {
        let here = self.seen()?.here()?;
        here.apart.check_json(body).map_err(|error| error::exception(py, &here.host, &error))
    }

    /// The fields and files of a form, taken apart as a bound one is.
    fn _form<'py>(&self, py: Python<'py>, body: &[u8]) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
        let seen = self.seen()?;
        let here = seen.here()?;
        let entries = here.apart.form(body, &seen.head.parts);
        let entries = entries.map_err(|error| error::exception(py, &here.host, &error))?;
        let object = |entry| match entry {
            Entry::Text(text) => Ok(PyString::new(py, &text).into_any()),
            Entry::File(file) => convert::file(py, &here.host, &file),
        };
        entries.into_iter().map(|(name, entry)| Ok((name, object(entry)?))).collect()
    }

    /// As `_read`, for the next piece of it; an empty one is the end.
    fn _next(&self, told: Py<PyAny>) -> PyResult<()> {
        self.seen()?.ask(told, RequestBody::next)
    }
}

impl Seen {
    fn here(&self) -> PyResult<Rc<Loop>> {
        let elsewhere = || PyRuntimeError::new_err("a body can only be read on the loop of its request");
        find(self.key).ok_or_else(elsewhere)
    }

    fn ask(self, told: Py<PyAny>, ask: fn(&RequestBody, Told)) -> PyResult<()> {
        let number = self.here()?.ask(told);
        let Self { head, inbox, .. } = self;
        ask(&head.body, Box::new(move |read| inbox.tell(number, Answer::Body(read))));
        Ok(())
    }
}

/// The request's `Request`, made when it is first asked for.
pub(crate) fn object(on: &mut Stage<'_, '_>, head: &Arc<Head>) -> PyResult<Py<RequestHead>> {
    let Stage { py, here, job } = on;
    let py = *py;
    if let Some(made) = job.values.request(py) {
        return Ok(made);
    }
    let made = vectorcall::call(py, &here.host.request, &[], None)?.into_bound(py).cast_into::<RequestHead>()?;
    let (inbox, types) = (here.inbox.clone(), here.host.types.clone());
    *made.get().lock() = Some(Seen { head: head.clone(), key: job.key, inbox, types });
    let made = made.unbind();
    job.values.keep_request(made.clone_ref(py));
    Ok(made)
}

/// The head as user code has left it.
pub(super) fn seen(on: &Stage<'_, '_>) -> PyResult<Arc<Head>> {
    let gone = || PyRuntimeError::new_err("the request is over");
    let request = on.job.values.request(on.py).ok_or_else(gone)?;
    if request.get().touched.load(Ordering::Relaxed) {
        request.call_method0(on.py, intern!(on.py, "_write_back"))?;
    }
    request.get().head()
}
