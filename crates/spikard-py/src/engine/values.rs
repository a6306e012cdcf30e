//! What one request holds of Python: the objects that its work knows by a `HostId`, and its `Request`. The works that
//! it spawns share it, and the last of them lets it go.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pyo3::{PyTraverseError, PyVisit, intern, prelude::*};
use spikard_core::HostId;

use super::{host::Kind, request::RequestHead};

/// Ids from here on are those of the worker's own table, which outlives its requests.
const LASTING: u32 = 1 << 31;

/// Whether an id belongs to the worker's own table.
pub(crate) fn lasts(HostId(id): HostId) -> bool {
    id >= LASTING
}

/// Made when there is something to hold.
#[derive(Default)]
pub(crate) struct Values(Option<Arc<Mutex<Held>>>);

#[derive(Default)]
struct Held {
    objects: Vec<Py<PyAny>>,
    /// What stands at a `yield`, by the id of what it gave.
    generators: Vec<(HostId, Py<PyAny>, Kind)>,
    request: Option<Py<RequestHead>>,
    uploads: Uploads,
}

/// Files of the request's form, closed when nothing of it runs any more.
#[derive(Default)]
struct Uploads(Vec<Py<PyAny>>);

impl Drop for Uploads {
    fn drop(&mut self) {
        for upload in self.0.drain(..) {
            Python::attach(|py| {
                if let Err(raised) = upload.call_method0(py, intern!(py, "close")) {
                    raised.write_unraisable(py, Some(upload.bind(py)));
                }
            });
        }
    }
}

impl Values {
    /// Locked for a moment and never while Python code runs.
    fn held(&mut self) -> MutexGuard<'_, Held> {
        self.0.get_or_insert_default().lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keep(&mut self, object: Py<PyAny>) -> HostId {
        let mut held = self.held();
        held.objects.push(object);
        HostId(held.objects.len() as u32 - 1)
    }

    /// The same, in the worker's own table.
    pub(crate) fn keep_lasting(&mut self, object: Py<PyAny>) -> HostId {
        HostId(self.keep(object).0 | LASTING)
    }

    pub(crate) fn open(&mut self, id: HostId, generator: Py<PyAny>, kind: Kind) {
        self.held().generators.push((id, generator, kind));
    }

    /// How the steps of a generator run, if it stands at its `yield`.
    pub(crate) fn kind(&self, id: HostId) -> Option<Kind> {
        let held = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        held.generators.iter().find(|(known, ..)| *known == id).map(|(.., kind)| *kind)
    }

    pub(crate) fn close(&mut self, id: HostId) -> Option<(Py<PyAny>, Kind)> {
        let mut held = self.held();
        let place = held.generators.iter().position(|(known, ..)| *known == id)?;
        let (_, generator, kind) = held.generators.remove(place);
        Some((generator, kind))
    }

    pub(crate) fn get(&self, py: Python<'_>, HostId(id): HostId) -> Option<Py<PyAny>> {
        let held = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        held.objects.get((id & !LASTING) as usize).map(|object| object.clone_ref(py))
    }

    /// The one `Request` of this request, if somebody has asked for it.
    pub(crate) fn request(&self, py: Python<'_>) -> Option<Py<RequestHead>> {
        let held = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        held.request.as_ref().map(|request| request.clone_ref(py))
    }

    pub(crate) fn keep_request(&mut self, request: Py<RequestHead>) {
        let before = self.held().request.replace(request);
        drop(before);
    }

    /// Takes the files over that were made for the arguments of a call.
    pub(crate) fn keep_uploads(&mut self, made: &RefCell<Vec<Py<PyAny>>>) {
        let mut made = made.borrow_mut();
        if !made.is_empty() {
            self.held().uploads.0.append(&mut made);
        }
    }

    /// For a work that this one's spawns.
    pub(crate) fn share(&mut self) -> Self {
        Self(Some(self.0.get_or_insert_default().clone()))
    }

    /// What is shared has several owners of which the collector would count each reference once too often; what is
    /// locked is in use.
    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(held) = self.0.as_ref().filter(|held| Arc::strong_count(held) == 1) else { return Ok(()) };
        let Ok(held) = held.try_lock() else { return Ok(()) };
        visit.call(&held.request)?;
        held.generators.iter().try_for_each(|(_, generator, _)| visit.call(generator))?;
        held.objects.iter().chain(&held.uploads.0).try_for_each(|object| visit.call(object))
    }
}
