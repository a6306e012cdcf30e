//! Rust values become Python objects and results become responses. Everything here runs attached, on the loop's thread.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use pyo3::{
    exceptions::{PyNotImplementedError, PyRecursionError, PyTypeError},
    intern,
    prelude::*,
    pybacked::PyBackedBytes,
    types::{PyByteArray, PyBytes, PyDelta, PyDict, PyList, PyMemoryView, PyString, PyTuple},
};
use smallvec::SmallVec;
use spikard_core::{Arg, Args, Body, Content, FileBody, HostArg, Input, Response, Upload};
use spikard_http::Tokio;

use crate::{
    engine::{
        host::{Callable, Host, Types},
        job::Stage,
        request,
        values::{Values, lasts},
    },
    error::{self, Failure},
    vectorcall, view,
};

/// Up to here a copy is cheaper than an owner.
const COPIED: usize = 4096;

/// The arguments of one call.
pub(crate) type Argv = SmallVec<[Py<PyAny>; 8]>;

/// Turns bound arguments into objects, in declaration order.
pub(crate) fn arguments(on: &mut Stage<'_, '_>, callable: &Callable, args: Args) -> Result<Argv, Failure> {
    let (py, here) = (on.py, on.here);
    let host = &here.host;
    let convert = |(place, arg)| match arg {
        Arg::Input(input) => decode(py, host, *input),
        Arg::Host(id) => {
            let found = if lasts(id) { here.lasting.borrow().get(py, id) } else { on.job.values.get(py, id) };
            found.ok_or_else(|| PyTypeError::new_err(format!("there is no value {}", id.0)).into())
        }
        Arg::Request(head) => Ok(request::object(on, &head)?.into_any()),
        Arg::Absent => match callable.default(py, place) {
            Some(default) => Ok(default?),
            None => Err(PyTypeError::new_err(format!("argument {place} was not sent and has no default")).into()),
        },
        Arg::Choice(choice) => Ok(callable.choice(py, place, choice)?.unbind()),
        Arg::List(items) if items.iter().any(|item| matches!(item, Arg::Choice(_))) => {
            choices(py, host, callable, place, items)
        }
        arg => Ok(object(py, host, arg)?.unbind()),
    };
    args.into_iter().enumerate().map(convert).collect()
}

/// A list whose members are choices of its argument.
fn choices(
    py: Python<'_>,
    host: &Host,
    callable: &Callable,
    place: usize,
    items: Vec<Arg>,
) -> Result<Py<PyAny>, Failure> {
    let member = |item| match item {
        Arg::Choice(choice) => callable.choice(py, place, choice),
        other => object(py, host, other),
    };
    let items = items.into_iter().map(member).collect::<PyResult<Vec<_>>>()?;
    Ok(PyList::new(py, items)?.into_any().unbind())
}

/// Has a decoder make the host's own value.
pub(crate) fn decode(py: Python<'_>, host: &Host, input: HostArg) -> Result<Py<PyAny>, Failure> {
    let decoder = host.callable(input.decoder).ok_or_else(|| PyTypeError::new_err("there is no such decoder"))?;
    let encoded = match &input.input {
        Input::Json(text) if decoder.reads_buffers && text.len() > COPIED => view::lend(py, text)?,
        Input::Json(text) | Input::Msgpack(text) => PyBytes::new(py, text).into_any(),
        Input::Value(value) => object(py, host, value.clone())?,
    };
    let decoded = vectorcall::call_one(py, &decoder.function, &encoded);
    decoded.map_err(|error| error::undecoded(py, host, error, input))
}

/// One value that needs nothing but itself.
fn object<'py>(py: Python<'py>, host: &Host, arg: Arg) -> PyResult<Bound<'py, PyAny>> {
    Ok(match arg {
        Arg::Str(text) => PyString::new(py, &text).into_any(),
        Arg::Int(number) => number.into_pyobject(py)?.into_any(),
        Arg::List(items) => {
            let items = items.into_iter().map(|item| object(py, host, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Arg::Map(members) => map(py, host, members)?,
        Arg::Upload(file) => upload(py, host, &file)?,
        arg => scalar(py, &host.types, arg)?,
    })
}

/// The same of one that holds no others, on any thread.
pub(crate) fn scalar<'py>(py: Python<'py>, types: &Types, arg: Arg) -> PyResult<Bound<'py, PyAny>> {
    let read = |reader: &Py<PyAny>, text: &str| {
        vectorcall::call_one(py, reader, PyString::new(py, text).as_any()).map(|value| value.into_bound(py))
    };
    Ok(match arg {
        Arg::Str(text) => PyString::new(py, &text).into_any(),
        Arg::Int(number) => number.into_pyobject(py)?.into_any(),
        Arg::Float(number) => number.into_pyobject(py)?.into_any(),
        Arg::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Arg::Null => py.None().into_bound(py),
        Arg::BigInt(digits) => read(&types.int, &digits)?,
        Arg::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
        Arg::Decimal(text) => read(&types.decimal, &text)?,
        Arg::Uuid(text) => read(&types.uuid, &text)?,
        Arg::Date(text) => read(&types.date, &text)?,
        Arg::Time(text) => read(&types.time, &with_offset(&text))?,
        Arg::DateTime(text) => read(&types.datetime, &with_offset(&text))?,
        Arg::Duration(micros) => duration(py, micros)?,
        other => return Err(PyNotImplementedError::new_err(format!("{other:?} cannot stand here"))),
    })
}

/// A file of a form, which is closed with its request.
fn upload<'py>(py: Python<'py>, host: &Host, upload: &Upload) -> PyResult<Bound<'py, PyAny>> {
    let made = file(py, host, upload)?;
    host.uploads.borrow_mut().push(made.clone().unbind());
    Ok(made)
}

/// A file of a form.
pub(crate) fn file<'py>(py: Python<'py>, host: &Host, file: &Upload) -> PyResult<Bound<'py, PyAny>> {
    let fields: Vec<_> = file.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let content = match &file.content {
        Content::Memory(bytes) => PyBytes::new(py, bytes).into_any(),
        // The package opens it, and owns it from then on.
        Content::Spooled(kept) => Tokio::descriptor(&**kept)?.into_pyobject(py)?.into_any(),
    };
    let told = (file.filename.as_deref(), file.content_type.as_deref(), file.size, fields, content);
    host.upload.bind(py).call1(told)
}

/// Members that were not sent stay away: the decoder knows their defaults.
fn map<'py>(py: Python<'py>, host: &Host, members: Vec<(String, Arg)>) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for (name, value) in members {
        if value != Arg::Absent {
            dict.set_item(name, object(py, host, value)?)?;
        }
    }
    Ok(dict.into_any())
}

/// `fromisoformat` of 3.10 does not know `Z`.
fn with_offset(text: &str) -> Cow<'_, str> {
    match text.strip_suffix(['Z', 'z']) {
        Some(local) => format!("{local}+00:00").into(),
        None => text.into(),
    }
}

fn duration(py: Python<'_>, micros: i64) -> PyResult<Bound<'_, PyAny>> {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    let days = i32::try_from(days)?;
    Ok(PyDelta::new(py, days, seconds as i32, micros as i32, false)?.into_any())
}

/// Turns what a handler returned into a response.
pub(crate) fn response(
    py: Python<'_>,
    host: &Host,
    callable: &Callable,
    values: &mut Values,
    value: &Bound<'_, PyAny>,
) -> PyResult<Response> {
    if value.is_none() {
        return nothing(py, host, callable, value);
    }
    if is_exact(callable, value)? {
        return written(py, host, callable, value);
    }
    if value.is_exact_instance_of::<PyDict>() || value.is_exact_instance_of::<PyList>() {
        return encoded(py, host, callable, value);
    }
    if let (true, Ok(text)) = (callable.text, value.cast::<PyString>()) {
        let body = Bytes::copy_from_slice(text.to_cow()?.as_bytes());
        return Ok(typed(callable, body, TEXT));
    }
    if let Some(bytes) = bytes(value)? {
        promised(py, callable, value)?;
        return Ok(typed(callable, content(bytes), BYTES));
    }
    if value.is_exact_instance_of::<PyTuple>() {
        let media_type = callable.media_type.as_ref().and_then(|said| said.to_str().ok());
        let given = (value, callable.status.as_u16(), callable.text, callable.convert.as_ref(), media_type);
        let made = host.from_tuple.bind(py).call1(given)?;
        return parts(py, values, &made);
    }
    if value.is_instance(host.response.bind(py))? {
        return parts(py, values, value);
    }
    encoded(py, host, callable, value)
}

/// What a result of raw bytes holds.
fn bytes<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyBytes>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(bytes.clone()));
    }
    let is_buffer = value.is_instance_of::<PyByteArray>() || value.is_instance_of::<PyMemoryView>();
    let copied = || value.py().get_type::<PyBytes>().call1((value,))?.cast_into::<PyBytes>().map_err(PyErr::from);
    is_buffer.then(copied).transpose()
}

/// Whether it is what is annotated already. Of what has no end the converter says why.
fn is_exact(callable: &Callable, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let Some(exact) = &callable.exact else { return Ok(false) };
    let fits = exact.borrow(value.py()).fits(value);
    fits.or_else(|error| if error.is_instance_of::<PyRecursionError>(value.py()) { Ok(false) } else { Err(error) })
}

fn nothing(py: Python<'_>, host: &Host, callable: &Callable, value: &Bound<'_, PyAny>) -> PyResult<Response> {
    if matches!(callable.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED) {
        return Ok(Response::new(callable.status, Bytes::new()));
    }
    if callable.convert.is_some() && !is_exact(callable, value)? {
        return encoded(py, host, callable, value);
    }
    Ok(typed(callable, Bytes::from_static(b"null"), JSON))
}

/// Raises where the handler is annotated as something else.
fn promised(py: Python<'_>, callable: &Callable, value: &Bound<'_, PyAny>) -> PyResult<()> {
    callable.convert.as_ref().map_or(Ok(()), |convert| vectorcall::call_one(py, convert, value).map(drop))
}

fn encoded(py: Python<'_>, host: &Host, callable: &Callable, value: &Bound<'_, PyAny>) -> PyResult<Response> {
    match &callable.convert {
        Some(convert) => {
            let converted = vectorcall::call_one(py, convert, value)?;
            written(py, host, callable, converted.bind(py))
        }
        None => written(py, host, callable, value),
    }
}

fn written(py: Python<'_>, host: &Host, callable: &Callable, value: &Bound<'_, PyAny>) -> PyResult<Response> {
    let encode = if is_plain(host, value) { &host.encode_plain } else { &host.encode };
    let text = vectorcall::call_one(py, encode, value);
    // The other encoder says which part of the value it is that cannot be written.
    let text = text.or_else(|_| vectorcall::call_one(py, &host.encode, value))?;
    Ok(typed(callable, content(text.into_bound(py).cast_into::<PyBytes>()?), JSON))
}

/// Whether the encoder can be asked at once: most results are one of these.
fn is_plain(host: &Host, value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.get_type().get_type().is(&host.struct_meta)
}

/// What a response of the package says of itself. Streams and background tasks are kept with the request's values.
pub(crate) fn parts(py: Python<'_>, values: &mut Values, response: &Bound<'_, PyAny>) -> PyResult<Response> {
    let made = response.call_method0(intern!(py, "_parts"))?;
    let (status, headers, body, tasks): (Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>, Vec<Py<PyAny>>) =
        made.extract()?;
    let mut response = Response::new(error::status(&status)?, Bytes::new());
    response.headers = error::headers(&headers)?;
    response.tasks = tasks.into_iter().map(|task| values.keep(task)).collect();
    response.body = match body.cast_into::<PyBytes>() {
        Ok(whole) => Body::Whole(content(whole)),
        Err(other) => rest(values, other.into_inner())?,
    };
    Ok(response)
}

/// A file says path, name and whether it is shown; anything else is an iterator.
fn rest(values: &mut Values, body: Bound<'_, PyAny>) -> PyResult<Body> {
    if !body.is_exact_instance_of::<PyTuple>() {
        return Ok(Body::Stream(values.keep(body.unbind())));
    }
    let (path, name, inline) = body.extract()?;
    Ok(Body::File(Box::new(FileBody { path, name, inline })))
}

const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

fn typed(callable: &Callable, body: Bytes, content_type: HeaderValue) -> Response {
    const NAME: HeaderName = CONTENT_TYPE;
    let media_type = callable.media_type.as_deref().cloned().unwrap_or(content_type);
    Response::new(callable.status, body).with_header(NAME, media_type)
}

/// A long body is handed over without a copy.
pub(crate) fn content(bytes: Bound<'_, PyBytes>) -> Bytes {
    match bytes.as_bytes() {
        short if short.len() <= COPIED => Bytes::copy_from_slice(short),
        _ => Bytes::from_owner(PyBackedBytes::from(bytes)),
    }
}
