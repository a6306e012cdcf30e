//! How a Task is made so that its first step runs at once: with `eager_start` from 3.12 on; before, by catching the
//! step that its constructor schedules. Where asyncio's private names are not what they were, the step waits a tick.

use std::cell::RefCell;

use pyo3::{
    intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyString, PyTuple},
};

use crate::{engine::task::Coro, vectorcall};

/// Makes the Tasks of one loop.
pub(crate) struct Tasks {
    class: Py<PyAny>,
    name: Py<PyAny>,
    keywords: Py<PyTuple>,
    /// `asyncio.Task` takes a context from 3.11 on; before, it copies the current one.
    takes_context: bool,
    eager_start: bool,
    /// The loop's attributes, where `call_soon` is replaced for a moment.
    captured: Option<Py<PyDict>>,
}

impl Tasks {
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = event_loop.py();
        let (takes_context, eager_start) = (py.version_info() >= (3, 11), py.version_info() >= (3, 12));
        let keywords = match (takes_context, eager_start) {
            (_, true) => PyTuple::new(py, ["loop", "name", "context", "eager_start"])?,
            (true, _) => PyTuple::new(py, ["loop", "name", "context"])?,
            _ => PyTuple::new(py, ["loop", "name"])?,
        };
        let attributes =
            event_loop.getattr_opt(intern!(py, "__dict__"))?.and_then(|dict| dict.cast_into::<PyDict>().ok());
        Ok(Self {
            class: py.import("asyncio")?.getattr("Task")?.unbind(),
            name: PyString::new(py, "request").into_any().unbind(),
            keywords: keywords.unbind(),
            takes_context,
            eager_start,
            captured: attributes.filter(|_| !eager_start && catch_registration(py)).map(Bound::unbind),
        })
    }

    /// Makes a Task in this context. `suspended` tells whether it still lives after its first step.
    pub(crate) fn make(
        &self,
        py: Python<'_>,
        event_loop: &Py<PyAny>,
        coro: &Py<Coro>,
        context: &Py<PyAny>,
        suspended: &dyn Fn() -> bool,
    ) -> PyResult<Py<PyAny>> {
        let construct = || self.construct(py, event_loop, coro, context);
        let Some(attributes) = &self.captured else {
            return if self.takes_context { construct() } else { vectorcall::in_context(py, context, construct)? };
        };
        let captured = || capture(py, event_loop, attributes.bind(py), construct);
        let (task, step) =
            if self.takes_context { captured()? } else { vectorcall::in_context(py, context, captured)?? };
        let Some(Step { step, context: of_step, .. }) = step else { return Ok(task) };
        let context = of_step.as_ref().unwrap_or(context);
        vectorcall::in_context(py, context, || step.call0(py))??;
        if suspended() {
            register(py, &task)?;
        }
        Ok(task)
    }

    fn construct(
        &self,
        py: Python<'_>,
        event_loop: &Py<PyAny>,
        coro: &Py<Coro>,
        context: &Py<PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let yes = || true.into_pyobject(py).map(|yes| yes.to_owned().into_any().unbind());
        let mut argv = smallvec::SmallVec::<[Py<PyAny>; 5]>::new();
        argv.extend([coro.clone_ref(py).into_any(), event_loop.clone_ref(py), self.name.clone_ref(py)]);
        if self.takes_context {
            argv.push(context.clone_ref(py));
        }
        if self.eager_start {
            argv.push(yes()?);
        }
        vectorcall::call(py, &self.class, &argv, Some(&self.keywords))
    }
}

/// What was given to `call_soon`.
struct Step {
    step: Py<PyAny>,
    args: Py<PyTuple>,
    context: Option<Py<PyAny>>,
}

thread_local! {
    /// Some while a Task is constructed: its step is the last; what comes before is a destructor's, which a collection
    /// of garbage called.
    static CAPTURED: RefCell<Option<Vec<Step>>> = const { RefCell::new(None) };
}

/// Stands in for `loop.call_soon` and for `_all_tasks.add`. Plain methods and not `__call__`: those take their
/// arguments without building a dict.
#[pyclass(frozen)]
struct Stand {
    add: Py<PyAny>,
}

#[pymethods]
impl Stand {
    #[pyo3(signature = (step, *args, context = None))]
    #[expect(clippy::unused_self, reason = "a method is called faster than a closure")]
    fn call_soon(&self, step: Py<PyAny>, args: Py<PyTuple>, context: Option<Py<PyAny>>) {
        CAPTURED.with_borrow_mut(|captured| {
            if let Some(steps) = captured {
                steps.push(Step { step, args, context });
            }
        });
    }

    fn add(&self, task: &Bound<'_, PyAny>) -> PyResult<()> {
        if CAPTURED.with_borrow(Option::is_some) {
            return Ok(());
        }
        vectorcall::call_one(task.py(), &self.add, task).map(drop)
    }
}

/// What stands in, once per process: asyncio's list of all Tasks is one per process, too.
struct Stands {
    call_soon: Py<PyAny>,
    add: Py<PyAny>,
}

static STANDS: PyOnceLock<Option<Stands>> = PyOnceLock::new();

/// False: the names are not there.
fn catch_registration(py: Python<'_>) -> bool {
    let install = || -> PyResult<Stands> {
        let all_tasks = py.import("asyncio.tasks")?.getattr("_all_tasks")?;
        let add = all_tasks.getattr("add")?.unbind();
        let stand = Py::new(py, Stand { add: add.clone_ref(py) })?;
        all_tasks.setattr("add", stand.getattr(py, "add")?)?;
        Ok(Stands { call_soon: stand.getattr(py, "call_soon")?, add })
    };
    STANDS.get_or_init(py, || install().ok()).is_some()
}

fn register(py: Python<'_>, task: &Py<PyAny>) -> PyResult<()> {
    match STANDS.get(py) {
        Some(Some(stands)) => vectorcall::call_one(py, &stands.add, task.bind(py)).map(drop),
        _ => Ok(()),
    }
}

/// Constructs a Task and takes its first step out of the constructor's hands. None: it was scheduled as ever.
fn capture(
    py: Python<'_>,
    event_loop: &Py<PyAny>,
    attributes: &Bound<'_, PyDict>,
    construct: impl FnOnce() -> PyResult<Py<PyAny>>,
) -> PyResult<(Py<PyAny>, Option<Step>)> {
    let Some(Some(stands)) = STANDS.get(py) else { return Ok((construct()?, None)) };
    let name = intern!(py, "call_soon");
    let before = attributes.get_item(name)?; // somebody else may have replaced it
    attributes.set_item(name, &stands.call_soon)?;
    CAPTURED.set(Some(Vec::with_capacity(1)));
    let task = construct();
    let mut steps = CAPTURED.take().unwrap_or_default();
    match before {
        Some(before) => attributes.set_item(name, before)?,
        None => attributes.del_item(name)?,
    }
    let own = if task.is_ok() { steps.pop() } else { None };
    for Step { step, args, context } in steps {
        let later = PyDict::new(py);
        later.set_item("context", context)?;
        let args = PyTuple::new(py, [step])?.as_sequence().concat(args.bind(py).as_sequence())?.to_tuple()?;
        event_loop.call_method(py, name, args, Some(&later))?;
    }
    let task = task?;
    if own.is_none() {
        register(py, &task)?;
    }
    Ok((task, own))
}
