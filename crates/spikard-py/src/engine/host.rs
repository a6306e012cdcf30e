//! What is looked up once, when a worker is made: the app's callables, and the Python names that the engine calls.

use std::{cell::RefCell, sync::Arc};

use http::{HeaderValue, StatusCode};
use pyo3::{
    exceptions::PyValueError,
    intern,
    prelude::*,
    types::{PyString, PyTuple},
};
use spikard_core::CallableId;

use crate::{error, shape::Shape};

/// How a callable is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `async def`: a step of the request's Task.
    Async,
    /// `def` that may block: called on the pool.
    Thread,
    /// `def` that does not block, and decoders: called where it stands.
    Inline,
    /// Answers which callable handles an exception.
    Chooser,
}

/// One piece of user code, as the package's `HostCallable` describes it, in one line of the cache.
#[repr(align(64))]
pub(crate) struct Callable {
    pub(crate) function: Py<PyAny>,
    pub(crate) kind: Kind,
    arguments: Box<[Argument]>,
    /// The names of the last arguments.
    pub(crate) keywords: Option<Py<PyTuple>>,
    /// Of a result that does not say its own.
    pub(crate) status: StatusCode,
    /// Of such a result, in place of what its kind says.
    pub(crate) media_type: Option<Box<HeaderValue>>,
    /// Whether a `str` is sent as text.
    pub(crate) text: bool,
    /// To the annotated model, before a result is encoded.
    pub(crate) convert: Option<Py<PyAny>>,
    /// Which results are what is annotated already.
    pub(crate) exact: Option<Py<Shape>>,
    /// It gives a generator, whose first step gives the value.
    pub(crate) generator: bool,
    /// It is a decoder, and takes any buffer.
    pub(crate) reads_buffers: bool,
}

struct Argument {
    default: Option<Py<PyAny>>,
    factory: bool,
    choices: Option<Py<PyTuple>>,
}

/// A function and the way in which it is called.
#[derive(Clone, Copy)]
pub(crate) struct Code<'a> {
    pub(crate) function: &'a Py<PyAny>,
    pub(crate) kind: Kind,
    pub(crate) keywords: Option<&'a Py<PyTuple>>,
}

impl Callable {
    pub(crate) fn code(&self) -> Code<'_> {
        Code { function: &self.function, kind: self.kind, keywords: self.keywords.as_ref() }
    }

    fn read(given: &Bound<'_, PyAny>, missing: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let named = given.getattr(intern!(py, "kind"))?;
        let named = named.cast::<PyString>()?.to_str()?;
        let kind = match named {
            "async" => Kind::Async,
            "thread" => Kind::Thread,
            "inline" | "decoder" | "reader" => Kind::Inline,
            "chooser" => Kind::Chooser,
            other => return Err(PyValueError::new_err(format!("{other:?} is not a kind of callable"))),
        };
        let keywords: Bound<'_, PyTuple> = given.getattr(intern!(py, "keywords"))?.extract()?;
        let arguments = given.getattr(intern!(py, "arguments"))?;
        Ok(Self {
            function: given.getattr(intern!(py, "function"))?.unbind(),
            kind,
            arguments: arguments.try_iter()?.map(|one| Argument::read(&one?, missing)).collect::<PyResult<_>>()?,
            keywords: (!keywords.is_empty()).then(|| keywords.unbind()),
            status: error::status(&given.getattr(intern!(py, "status"))?)?,
            media_type: error::media_type(&given.getattr(intern!(py, "media_type"))?)?.map(Box::new),
            text: given.getattr(intern!(py, "text"))?.is_truthy()?,
            convert: given.getattr(intern!(py, "convert"))?.extract()?,
            exact: given.getattr(intern!(py, "exact"))?.extract()?,
            generator: given.getattr(intern!(py, "generator"))?.is_truthy()?,
            reads_buffers: named == "reader" && cfg!(not(feature = "abi3")),
        })
    }

    /// What stands for an argument that was not sent. None: there is nothing.
    pub(crate) fn default(&self, py: Python<'_>, argument: usize) -> Option<PyResult<Py<PyAny>>> {
        let Argument { default, factory, .. } = self.arguments.get(argument)?;
        let default = default.as_ref()?;
        Some(if *factory { default.call0(py) } else { Ok(default.clone_ref(py)) })
    }

    /// Whether a hook on the way out takes the request before the response.
    pub(crate) fn takes_two(&self) -> bool {
        self.arguments.len() == 2
    }

    /// The member of an argument's choices.
    pub(crate) fn choice<'py>(&self, py: Python<'py>, argument: usize, place: u32) -> PyResult<Bound<'py, PyAny>> {
        let choices = self.arguments.get(argument).and_then(|argument| argument.choices.as_ref());
        match choices {
            Some(choices) => choices.bind(py).get_item(place as usize),
            None => Err(PyValueError::new_err(format!("argument {argument} has no choices"))),
        }
    }
}

impl Argument {
    fn read(given: &Bound<'_, PyAny>, missing: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = given.py();
        let default = given.getattr(intern!(py, "default"))?;
        Ok(Self {
            default: (!default.is(missing)).then(|| default.unbind()),
            factory: given.getattr(intern!(py, "factory"))?.is_truthy()?,
            choices: given.getattr(intern!(py, "choices"))?.extract()?,
        })
    }
}

/// Everything of Python that one worker uses.
pub(crate) struct Host {
    callables: Vec<Callable>,
    /// `encode(value) -> bytes`.
    pub(crate) encode: Py<PyAny>,
    /// The same for what the JSON encoder knows by itself.
    pub(crate) encode_plain: Py<PyAny>,
    /// The class of the classes that it knows by itself.
    pub(crate) struct_meta: Py<PyAny>,
    /// `from_tuple(value, status, text, convert, media type) -> Response`.
    pub(crate) from_tuple: Py<PyAny>,
    /// `from_hook(value) -> Response | None`.
    pub(crate) from_hook: Py<PyAny>,
    /// `refusal(exception, size of the body) -> (list[dict], complete) | None`.
    pub(crate) refusal: Py<PyAny>,
    /// `said(HTTPException) -> bytes`: what it says of the answer.
    pub(crate) said: Py<PyAny>,
    /// `report(exception, source, route, request_id)`, the first two or the last may be None.
    pub(crate) report: Py<PyAny>,
    /// `named(function or generator) -> str`: what the log calls it.
    named: Py<PyAny>,
    /// The class of lists of background tasks, `set_scope(list)`, and `begin_late(list)` for those of a request that is
    /// over.
    pub(crate) scope: Py<PyAny>,
    pub(crate) set_scope: Py<PyAny>,
    pub(crate) begin_late: Py<PyAny>,
    /// The class of requests; it inherits `RequestHead`.
    pub(crate) request: Py<PyAny>,
    /// `upload(filename, content type, size, fields, bytes or number of a file)`.
    pub(crate) upload: Py<PyAny>,
    /// Those that were made for the call of the moment.
    pub(crate) uploads: RefCell<Vec<Py<PyAny>>>,
    /// The class of responses.
    pub(crate) response: Py<PyAny>,
    /// The class of those that hooks are shown; it inherits `ResponseHead`.
    pub(crate) made: Py<PyAny>,
    /// `framework_error(status, problem document, headers) -> HTTPException`.
    pub(crate) framework_error: Py<PyAny>,
    /// The class of exceptions that say their own status.
    pub(crate) http_exception: Py<PyAny>,
    pub(crate) event_loop: Py<PyAny>,
    pub(crate) create_future: Py<PyAny>,
    pub(crate) cancelled_error: Py<PyAny>,
    pub(crate) current_task: Py<PyAny>,
    /// The type of what an `async def` returns.
    pub(crate) coroutine: Py<PyAny>,
    pub(crate) types: Arc<Types>,
}

/// The constructors of scalars that Rust has no words for.
pub(crate) struct Types {
    pub(crate) int: Py<PyAny>,
    pub(crate) decimal: Py<PyAny>,
    pub(crate) uuid: Py<PyAny>,
    pub(crate) date: Py<PyAny>,
    pub(crate) time: Py<PyAny>,
    pub(crate) datetime: Py<PyAny>,
}

impl Host {
    /// `names` has the attributes above, and `missing`, which stands for a default that is not there.
    pub(crate) fn new(
        event_loop: &Bound<'_, PyAny>,
        callables: &Bound<'_, PyAny>,
        names: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let py = event_loop.py();
        let missing = names.getattr(intern!(py, "missing"))?;
        let callables = callables.try_iter()?.map(|callable| Callable::read(&callable?, &missing));
        Ok(Self {
            callables: callables.collect::<PyResult<_>>()?,
            encode: names.getattr(intern!(py, "encode"))?.unbind(),
            encode_plain: names.getattr(intern!(py, "encode_plain"))?.unbind(),
            struct_meta: names.getattr(intern!(py, "struct_meta"))?.unbind(),
            from_tuple: names.getattr(intern!(py, "from_tuple"))?.unbind(),
            from_hook: names.getattr(intern!(py, "from_hook"))?.unbind(),
            refusal: names.getattr(intern!(py, "refusal"))?.unbind(),
            said: names.getattr(intern!(py, "said"))?.unbind(),
            report: names.getattr(intern!(py, "report"))?.unbind(),
            named: names.getattr(intern!(py, "named"))?.unbind(),
            scope: names.getattr(intern!(py, "scope"))?.unbind(),
            set_scope: names.getattr(intern!(py, "set_scope"))?.unbind(),
            begin_late: names.getattr(intern!(py, "begin_late"))?.unbind(),
            request: names.getattr(intern!(py, "request"))?.unbind(),
            upload: names.getattr(intern!(py, "upload"))?.unbind(),
            uploads: RefCell::default(),
            response: names.getattr(intern!(py, "response"))?.unbind(),
            made: names.getattr(intern!(py, "made"))?.unbind(),
            framework_error: names.getattr(intern!(py, "framework_error"))?.unbind(),
            http_exception: names.getattr(intern!(py, "http_exception"))?.unbind(),
            event_loop: event_loop.clone().unbind(),
            create_future: event_loop.getattr(intern!(py, "create_future"))?.unbind(),
            cancelled_error: py.import(intern!(py, "asyncio"))?.getattr(intern!(py, "CancelledError"))?.unbind(),
            current_task: py.import(intern!(py, "asyncio"))?.getattr(intern!(py, "current_task"))?.unbind(),
            coroutine: py.import(intern!(py, "types"))?.getattr(intern!(py, "CoroutineType"))?.unbind(),
            types: Arc::new(Types::new(py)?),
        })
    }

    /// A function or a generator in words.
    pub(crate) fn name_of(&self, py: Python<'_>, code: &Py<PyAny>) -> String {
        let named = self.named.call1(py, (code,)).and_then(|name| name.extract(py));
        named.unwrap_or_else(|_| "a function".to_owned())
    }

    pub(crate) fn callable(&self, id: CallableId) -> Option<&Callable> {
        self.callables.get(id.0 as usize)
    }
}

impl Types {
    fn new(py: Python<'_>) -> PyResult<Self> {
        let datetime = py.import("datetime")?;
        let reader = |class| Ok::<_, PyErr>(datetime.getattr(class)?.getattr("fromisoformat")?.unbind());
        Ok(Self {
            int: py.import("builtins")?.getattr("int")?.unbind(),
            decimal: py.import("decimal")?.getattr("Decimal")?.unbind(),
            uuid: py.import("uuid")?.getattr("UUID")?.unbind(),
            date: reader("date")?,
            time: reader("time")?,
            datetime: reader("datetime")?,
        })
    }
}
