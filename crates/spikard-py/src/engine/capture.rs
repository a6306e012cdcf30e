//! How the first step of a Task is caught before 3.12: its constructor gives it to `loop.call_soon` and itself to asyncio's
//! list of all Tasks, and for that moment something else stands in for both. Plain C functions, since every request calls
//! them: what reads arguments for a method of a class costs five times as much.

use std::cell::RefCell;

use pyo3::{
    exceptions::PyTypeError,
    ffi, intern,
    prelude::*,
    sync::PyOnceLock,
    types::{PyDict, PyTuple},
};
use smallvec::SmallVec;

use crate::vectorcall;

/// What was given to `call_soon`.
pub(super) struct Step {
    pub(super) step: Py<PyAny>,
    args: Vec<Py<PyAny>>,
    pub(super) context: Option<Py<PyAny>>,
}

thread_local! {
    /// Some while a Task is constructed: its step is the last; what comes before is a destructor's, which a collection
    /// of garbage called.
    static CAPTURED: RefCell<Option<SmallVec<[Step; 1]>>> = const { RefCell::new(None) };
}

/// A definition that lives as long as the process, as the interpreter wants it.
struct Definition(ffi::PyMethodDef);

// SAFETY: nobody writes to it.
unsafe impl Sync for Definition {}

static CALL_SOON: Definition = Definition(ffi::PyMethodDef {
    ml_name: c"call_soon".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: call_soon },
    ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
    ml_doc: std::ptr::null(),
});

static ADD: Definition = Definition(ffi::PyMethodDef {
    ml_name: c"add".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer { PyCFunction: add },
    ml_flags: ffi::METH_O,
    ml_doc: std::ptr::null(),
});

/// `call_soon(callback, *args, context=None)`
// SAFETY: the interpreter keeps the rules of the slot, stated in the body.
unsafe extern "C" fn call_soon(
    _slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, so attached; `args` holds `count` objects and one for each of `names`, a tuple or null.
    unsafe {
        let py = Python::assume_attached();
        let named = if names.is_null() { 0 } else { ffi::PyTuple_Size(names) };
        let is_context = |name| ffi::PyUnicode_CompareWithASCIIString(name, c"context".as_ptr()) == 0;
        if count < 1 || named > 1 || named == 1 && !is_context(ffi::PyTuple_GetItem(names, 0)) {
            PyTypeError::new_err("call_soon(callback, *args, context=None)").restore(py);
            return std::ptr::null_mut();
        }
        let argument = |place: ffi::Py_ssize_t| Bound::from_borrowed_ptr(py, *args.offset(place)).unbind();
        let context = (named == 1).then(|| argument(count)).filter(|context| !context.is_none(py));
        let step = Step { step: argument(0), args: (1..count).map(argument).collect(), context };
        CAPTURED.with_borrow_mut(|captured| {
            if let Some(steps) = captured {
                steps.push(step);
            }
        });
        ffi::Py_NewRef(ffi::Py_None())
    }
}

/// `add(task)`, of which `slf` is the genuine one. Any thread may call it.
// SAFETY: the interpreter keeps the rules of the slot, stated in the body.
unsafe extern "C" fn add(slf: *mut ffi::PyObject, task: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by the interpreter, so attached; both are live objects.
    unsafe {
        if CAPTURED.with_borrow(Option::is_some) {
            return ffi::Py_NewRef(ffi::Py_None());
        }
        ffi::PyObject_CallFunctionObjArgs(slf, task, std::ptr::null_mut::<ffi::PyObject>())
    }
}

fn function(py: Python<'_>, definition: &'static Definition, slf: Option<&Py<PyAny>>) -> PyResult<Py<PyAny>> {
    let slf = slf.map_or(std::ptr::null_mut(), Py::as_ptr);
    let definition = std::ptr::from_ref(&definition.0).cast_mut();
    // SAFETY: attached; the definition is static and is only read, the function keeps `slf` alive.
    unsafe {
        let function = ffi::PyCFunction_NewEx(definition, slf, std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(py, function).map(Bound::unbind)
    }
}

/// What stands in, once per process: asyncio's list of all Tasks is one per process, too.
struct Stands {
    call_soon: Py<PyAny>,
    /// The genuine one.
    add: Py<PyAny>,
    /// What asyncio's list is completed with when somebody asks for it.
    suspended: Py<PyDict>,
}

static STANDS: PyOnceLock<Option<Stands>> = PyOnceLock::new();

/// False: the names are not there.
pub(super) fn catch_registration(py: Python<'_>) -> bool {
    let install = || -> PyResult<Stands> {
        let all_tasks = py.import("asyncio.tasks")?.getattr("_all_tasks")?;
        let add = all_tasks.getattr("add")?.unbind();
        let watched = py.import("spikard._watched")?;
        let suspended = watched.getattr("suspended")?.cast_into::<PyDict>()?.unbind();
        watched.call_method1("complete", (&all_tasks,))?;
        all_tasks.setattr("add", function(py, &ADD, Some(&add))?)?;
        Ok(Stands { call_soon: function(py, &CALL_SOON, None)?, add, suspended })
    };
    STANDS.get_or_init(py, || install().ok()).is_some()
}

/// A Task waits: whoever asks for all of them finds it.
pub(super) fn list(py: Python<'_>, task: &Py<PyAny>) -> PyResult<()> {
    match STANDS.get(py) {
        Some(Some(stands)) => stands.suspended.bind(py).set_item(task, py.None()),
        _ => Ok(()),
    }
}

/// A Task that waited ends.
pub(super) fn unlist(py: Python<'_>, task: &Py<PyAny>) {
    if let Some(Some(stands)) = STANDS.get(py) {
        // Of a loop whose steps cannot be caught, the Tasks are not there.
        let _ = stands.suspended.bind(py).del_item(task);
    }
}

/// A Task is given up and goes on alone: asyncio has it in its own list, as it would have any other.
pub(super) fn give_up(py: Python<'_>, task: &Py<PyAny>) {
    unlist(py, task);
    if let Some(Some(stands)) = STANDS.get(py)
        && let Err(raised) = vectorcall::call_one(py, &stands.add, task.bind(py))
    {
        raised.write_unraisable(py, Some(task.bind(py)));
    }
}

/// Constructs a Task and takes its first step out of the constructor's hands. None: it was scheduled as ever.
pub(super) fn capture(
    py: Python<'_>,
    event_loop: &Py<PyAny>,
    attributes: &Bound<'_, PyDict>,
    construct: impl FnOnce() -> PyResult<Py<PyAny>>,
) -> PyResult<(Py<PyAny>, Option<Step>)> {
    let Some(Some(stands)) = STANDS.get(py) else { return Ok((construct()?, None)) };
    let name = intern!(py, "call_soon");
    let before = attributes.get_item(name)?; // somebody else may have replaced it
    attributes.set_item(name, &stands.call_soon)?;
    CAPTURED.set(Some(SmallVec::new()));
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
        let args = PyTuple::new(py, std::iter::once(step).chain(args).collect::<Vec<_>>())?;
        event_loop.call_method(py, name, args, Some(&later))?;
    }
    let task = task?;
    if own.is_none() {
        list(py, &task)?;
    }
    Ok((task, own))
}
