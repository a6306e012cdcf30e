//! Forms as they were received: texts and files by name. What a part said of a file crosses as data; its content stays
//! in memory, or wherever the platform has put it.

use std::{any::Any, fmt, sync::Arc};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::{Arg, FieldError};

/// A file of a form.
pub struct Upload {
    /// The last component of the name that the client gave.
    pub filename: Option<String>,
    /// The media type that its part names.
    pub content_type: Option<String>,
    /// The fields of its part.
    pub headers: HeaderMap,
    /// Bytes of its content.
    pub size: u64,
    /// Where they are.
    pub content: Content,
}

/// Where the content of an upload is.
#[derive(Clone)]
pub enum Content {
    /// In memory.
    Memory(Bytes),
    /// Where the platform put it. A binding knows its platform, and what this is.
    Spooled(Arc<dyn Any + Send + Sync>),
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({:?}, {} bytes)", self.filename, self.size)
    }
}

/// Two uploads are one if they are the same object.
impl PartialEq for Upload {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// What one name of a form holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A text.
    Text(String),
    /// A file.
    File(Arc<Upload>),
}

/// A form: names and what they hold, in the order in which they came.
pub type Entries = Vec<(String, Entry)>;

/// A body as it was received.
#[derive(Debug)]
pub enum Received {
    /// Its bytes.
    Whole(Bytes),
    /// The parts of a multipart form.
    Form(Entries),
}

/// No text makes an object of a form's field, and no name in JSON begins so by accident.
const MARK: &str = "\0upload";

/// What stands for the upload of this place while a form is judged as JSON.
pub(crate) fn placeholder(place: usize) -> Value {
    Value::Object(Map::from_iter([(MARK.to_owned(), place.into())]))
}

fn place(value: &Value) -> Option<usize> {
    let place = value.as_object()?.get(MARK)?.as_u64()?;
    usize::try_from(place).ok()
}

/// Whether a value of a form is a file.
pub(crate) fn is_file(value: &Value) -> bool {
    place(value).is_some()
}

/// Whether a file stands anywhere in it.
pub(crate) fn holds_file(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_file),
        Value::Object(members) => is_file(value) || members.values().any(holds_file),
        _ => false,
    }
}

/// The value with each file as `shown` has it.
pub(crate) fn replaced(value: Value, shown: &impl Fn(usize) -> Value) -> Value {
    if let Some(place) = place(&value) {
        return shown(place);
    }
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(|item| replaced(item, shown)).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, member)| (name, replaced(member, shown))).collect())
        }
        other => other,
    }
}

/// A form's value with its files.
#[derive(Debug)]
pub struct FormValue {
    pub(crate) value: Value,
    pub(crate) files: Vec<Arc<Upload>>,
}

impl FormValue {
    /// As JSON; a file is no JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// As plain data.
    pub fn into_arg(self) -> Arg {
        with_files(self.value, &self.files)
    }

    /// Gives members the names that they were sent under: `renamed` are pairs of their own and those.
    pub(crate) fn rename(&mut self, renamed: &[(&String, &String)]) {
        let Value::Object(members) = &mut self.value else { return };
        let named = std::mem::take(members).into_iter().map(|(name, member)| {
            let sent = renamed.iter().find(|(own, _)| **own == name);
            (sent.map_or(name, |(_, sent)| (*sent).clone()), member)
        });
        *members = named.collect();
    }

    /// Whether it is JSON, every file left out of sight.
    pub fn is_plain(&self) -> bool {
        self.files.is_empty() || !holds_file(&self.value)
    }
}

/// Plain data, in which the files stand.
pub(crate) fn with_files(value: Value, files: &[Arc<Upload>]) -> Arg {
    if let Some(file) = place(&value).and_then(|place| files.get(place)) {
        return Arg::Upload(file.clone());
    }
    match value {
        Value::Array(items) => Arg::List(items.into_iter().map(|item| with_files(item, files)).collect()),
        Value::Object(members) => {
            Arg::Map(members.into_iter().map(|(name, member)| (name, with_files(member, files))).collect())
        }
        other => Arg::from(other),
    }
}

/// Shows the files of a refused form by what their parts said.
pub(crate) fn show(errors: &mut [FieldError], files: &[Arc<Upload>]) {
    let shown = |place: usize| match files.get(place) {
        Some(file) => serde_json::json!({
            "filename": file.filename, "content_type": file.content_type, "size": file.size,
        }),
        None => Value::Null,
    };
    for error in errors {
        error.input = replaced(std::mem::take(&mut error.input), &shown);
    }
}
