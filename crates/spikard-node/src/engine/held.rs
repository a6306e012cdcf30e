//! What one request holds of the host: ids of values, and its head. The works that it spawns share it, and
//! the last of them lets it go.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use spikard_core::{Head, HostId};

/// Ids that nobody needs any more, until the host is told.
pub(super) type Released = RefCell<Vec<u32>>;

pub(crate) struct Held {
    ids: RefCell<Vec<u32>>,
    /// As the last hook left it.
    head: RefCell<Option<Arc<Head>>>,
    pub(crate) is_cancelled: Cell<bool>,
    /// What its user code shares.
    pub(super) shared: Cell<Option<u32>>,
    released: Rc<Released>,
}

impl Held {
    pub(super) fn new(released: &Rc<Released>) -> Self {
        let (ids, head) = (RefCell::default(), RefCell::default());
        let (shared, is_cancelled) = (Cell::new(None), Cell::new(false));
        Self { ids, head, is_cancelled, shared, released: released.clone() }
    }

    /// Lets an id go with the request.
    pub(crate) fn keep(&self, id: u32) -> HostId {
        self.ids.borrow_mut().push(id);
        HostId(id)
    }

    /// The first value that was shared.
    pub(crate) fn share(&self, id: u32) -> u32 {
        self.shared.get().unwrap_or_else(|| {
            self.shared.set(Some(id));
            self.keep(id).0
        })
    }

    /// The head as it came to the host.
    pub(crate) fn see(&self, head: Arc<Head>) {
        self.head.replace(Some(head));
    }

    pub(crate) fn head(&self) -> Option<Arc<Head>> {
        self.head.borrow().clone()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.released.borrow_mut().append(self.ids.get_mut());
    }
}
