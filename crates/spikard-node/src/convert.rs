//! Bound arguments become values of the host, and what the package makes of a result becomes a response.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use spikard_core::{Arg, Body, Content, Entry, FileBody, HostArg, HostId, Input, Response, Upload, said};
use spikard_http::Tokio;

use crate::{
    engine::Stage,
    js::{Fault, Js, Kind, Val},
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why an argument has no value.
pub(crate) enum Failure<'a> {
    /// A decoder threw this.
    Thrown(Val<'a>, Box<HostArg>),
    Fault(Fault),
}

impl From<Fault> for Failure<'_> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// One argument of a call. What was not sent is `undefined`: the package knows its default.
pub(crate) fn argument(on: Stage<'_>, arg: Arg) -> Result<Val<'_>, Failure<'_>> {
    match arg {
        Arg::Input(input) => decode(on, input),
        Arg::Host(HostId(id)) => Ok(on.js.item(on.js.kept(&on.host().table), id)?),
        Arg::Request(head) => {
            on.held.see(head);
            Ok(on.js.undefined())
        }
        arg => Ok(value(on, arg)?),
    }
}

/// Has a decoder make the host's own value.
pub(crate) fn decode(on: Stage<'_>, input: Box<HostArg>) -> Result<Val<'_>, Failure<'_>> {
    let js = on.js;
    let decoder = on.host().callable(js, input.decoder)?;
    let encoded = match &input.input {
        Input::Json(text) => js.text(text)?,
        Input::Msgpack(bytes) => js.buffer(bytes.clone())?,
        Input::Value(arg) => value(on, arg.clone())?,
    };
    js.call(decoder, &[encoded]).map_err(|thrown| Failure::Thrown(thrown, input))
}

/// One value that needs nothing but itself.
pub(crate) fn value(on: Stage<'_>, arg: Arg) -> Result<Val<'_>, Fault> {
    let js = on.js;
    Ok(match arg {
        Arg::Null => js.null(),
        Arg::Absent => js.undefined(),
        Arg::Bool(truth) => js.bool(truth),
        Arg::Int(integer) => js.integer(integer),
        Arg::BigInt(digits) => {
            let digits = js.text(&digits)?;
            js.call(js.kept(&on.host().bigint), &[digits])
                .map_err(|_| Fault::new("expected the digits of an integer"))?
        }
        Arg::Float(number) => js.number(number),
        Arg::Str(text)
        | Arg::Decimal(text)
        | Arg::Uuid(text)
        | Arg::Date(text)
        | Arg::Time(text)
        | Arg::DateTime(text) => js.text(&text)?,
        Arg::Duration(micros) => js.text(spikard_core::duration_text(micros))?,
        Arg::Bytes(bytes) => js.buffer(bytes)?,
        Arg::List(items) => {
            let items = items.into_iter().map(|item| value(on, item)).collect::<Result<Vec<_>, _>>()?;
            js.array(&items)?
        }
        Arg::Map(members) => {
            let sent = members.into_iter().filter(|(_, value)| *value != Arg::Absent);
            let members = sent.map(|(name, arg)| Ok((js.text(&name)?, value(on, arg)?)));
            js.object(&members.collect::<Result<Vec<_>, Fault>>()?)?
        }
        Arg::Upload(file) => upload(on, &file)?,
        other => return Err(Fault::new(format!("{other:?} cannot stand here"))),
    })
}

/// A file of a form: its name, type, size, header fields, and its bytes or the number of an open file.
fn upload<'a>(on: Stage<'a>, file: &Upload) -> Result<Val<'a>, Fault> {
    let (js, host) = (on.js, on.host());
    let content = match &file.content {
        Content::Memory(bytes) => js.buffer(bytes.clone())?,
        Content::Spooled(kept) => js.integer(Tokio::descriptor(&**kept).map_err(Fault::new)?),
    };
    let args = [
        js.optional(file.filename.as_deref())?,
        js.optional(file.content_type.as_deref())?,
        js.number(file.size as f64),
        fields_of(js, file.headers.iter())?,
        content,
    ];
    let id = js.call(js.kept(&host.upload), &args).map_err(|_| Fault::new("an upload was not taken"))?;
    let HostId(id) = on.held.keep(js.read_id(id)?);
    js.item(js.kept(&host.table), id)
}

/// What one name of a form holds: a text, or the content of a file in memory, with its name and type.
pub(crate) fn entry<'a>(js: Js<'a>, (name, entry): &(String, Entry)) -> Result<Val<'a>, Fault> {
    let name = js.text(name)?;
    match entry {
        Entry::Text(text) => js.array(&[name, js.text(text)?]),
        Entry::File(file) => {
            let Content::Memory(bytes) = &file.content else { return Err(Fault::new("a file that is not in memory")) };
            let said = [&file.filename, &file.content_type].map(|text| js.optional(text.as_deref()));
            let [filename, content_type] = said;
            js.array(&[name, js.buffer(bytes.clone())?, filename?, content_type?])
        }
    }
}

/// Names and values in turn. A value is text of one letter for each byte, as the WHATWG has it.
pub(crate) fn fields_of<'a, 'f>(
    js: Js<'a>,
    fields: impl Iterator<Item = (&'f HeaderName, &'f HeaderValue)>,
) -> Result<Val<'a>, Fault> {
    let mut flat = Vec::new();
    for (name, value) in fields {
        flat.push(js.text(name.as_str())?);
        flat.push(js.latin1(value.as_bytes())?);
    }
    js.array(&flat)
}

/// Header fields from names and values in turn. Text beyond ASCII is sent as ISO 8859-1, as HTTP has it.
pub(crate) fn fields(js: Js<'_>, flat: Val<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let flat = js.items(flat)?;
    let pair = |pair: &[Val<'_>]| said::header_field(&js.read_text(pair[0])?, &js.read_text(pair[1])?);
    flat.chunks_exact(2).map(pair).collect()
}

/// What the package says of a response. A text is JSON with the route's own status; else `[status, fields, body, tasks]`:
/// the fields null or flat, the body a text, bytes, the id of a stream, `[path, name, inline]`, or null.
pub(crate) fn response(js: Js<'_>, made: Val<'_>, status: StatusCode) -> Result<Response, Fault> {
    if js.kind(made) == Kind::napi_string {
        let response = Response::new(status, js.read_sent(made)?);
        return Ok(response.with_header(CONTENT_TYPE, JSON));
    }
    let mut response = Response::new(status, Bytes::new());
    let (said, flat, tasks) = (js.item(made, 0)?, js.item(made, 1)?, js.item(made, 3)?);
    if js.kind(said) == Kind::napi_number {
        response.status = read_status(js.read_number(said)?)?;
    }
    if js.is_array(flat) {
        response.headers = fields(js, flat)?;
    }
    if js.is_array(tasks) {
        let ids = js.items(tasks)?.into_iter().map(|task| Ok(HostId(js.read_id(task)?)));
        response.tasks = ids.collect::<Result<_, Fault>>()?;
    }
    response.body = body(js, js.item(made, 2)?)?;
    Ok(response)
}

/// A status from its number.
pub(crate) fn read_status(number: f64) -> Result<StatusCode, Fault> {
    let whole = Some(number).filter(|number| number.fract() == 0.0 && (0.0..=999.0).contains(number));
    let status = whole.and_then(|number| StatusCode::from_u16(number as u16).ok());
    status.ok_or_else(|| Fault::new(format!("{number} is not a status")))
}

/// The body of a response.
pub(crate) fn body(js: Js<'_>, body: Val<'_>) -> Result<Body, Fault> {
    Ok(match js.kind(body) {
        Kind::napi_undefined | Kind::napi_null => Body::Whole(Bytes::new()),
        Kind::napi_string => Body::Whole(js.read_sent(body)?),
        Kind::napi_number => Body::Stream(HostId(js.read_id(body)?)),
        _ if js.is_array(body) => {
            let (path, name, inline) = (js.item(body, 0)?, js.item(body, 1)?, js.item(body, 2)?);
            let name = (js.kind(name) == Kind::napi_string).then(|| js.read_text(name)).transpose()?;
            let path = js.read_text(path)?.into();
            Body::File(Box::new(FileBody { path, name, inline: js.read_bool(inline)? }))
        }
        _ => Body::Whole(js.read_bytes(body)?),
    })
}

/// A piece of a stream; none where it has ended.
pub(crate) fn piece(js: Js<'_>, piece: Val<'_>) -> Result<Option<Bytes>, Fault> {
    match js.kind(piece) {
        Kind::napi_null => Ok(None),
        Kind::napi_string => js.read_sent(piece).map(Some),
        _ => js.read_bytes(piece).map(Some),
    }
}
