//! How much of what a client sent its refusal shows: a small body must not be answered by a large one, and a large one not
//! be copied for each of its faults.

use serde_json::{Map, Value};

use crate::{FieldError, Loc};

/// Bytes, roughly, of a value that is shown; a larger one is null.
const SHOWN: usize = 8 * 1024;

/// Bytes, roughly, of all values that one answer shows: the same one may stand behind many refusals.
const SHOWN_IN_ALL: usize = 64 * 1024;

/// Bytes of a member's name, or of a message, up to which it is shown whole; of a longer one so many characters.
const TEXT: usize = 512;

/// Bytes, roughly, of everything else that is said; what follows is not told.
const SAID: usize = 512 * 1024;

/// Values of a body up to which the schema words its refusal: for that they are all made.
const WORDED: usize = 256 * 1024;

/// The value as a refusal shows it.
pub(crate) fn shown(value: &Value) -> Value {
    if weight(value, SHOWN) <= SHOWN { value.clone() } else { Value::Null }
}

/// A text as a refusal shows it: its beginning, if it is long.
pub(crate) fn beginning(text: &str) -> Option<String> {
    (text.len() > TEXT).then(|| text.chars().take(TEXT).chain(['…']).collect())
}

/// Whether a text of so many values may be taken apart once more, to say what is wrong with it.
pub(crate) fn is_worded(values: usize) -> bool {
    values <= WORDED
}

/// Values that a JSON text holds at most.
pub(crate) fn values(text: &[u8]) -> usize {
    text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count() + 1
}

/// Keeps a whole answer within bounds, and tells whether refusals were left out.
pub(crate) fn bound(fields: &mut Vec<FieldError>) -> bool {
    let (mut left, mut said) = (SHOWN_IN_ALL, 0);
    let mut kept = 0;
    for field in fields.iter_mut() {
        if let Some(short) = beginning(&field.msg) {
            field.msg = short.into();
        }
        said += field.msg.len() + field.loc.iter().map(length).sum::<usize>() + members(&field.ctx);
        if said > SAID {
            break;
        }
        kept += 1;
        match left.checked_sub(weight(&field.input, left)) {
            Some(rest) => left = rest,
            None => field.input = Value::Null,
        }
    }
    let all = fields.len();
    fields.truncate(kept);
    kept < all
}

fn length(step: &Loc) -> usize {
    match step {
        Loc::Key(name) => name.len(),
        Loc::Index(_) => 8,
    }
}

fn members(ctx: &Map<String, Value>) -> usize {
    ctx.values().map(|value| weight(value, SAID)).sum()
}

/// Roughly the bytes of a value's text; counting ends above `limit`.
fn weight(value: &Value, limit: usize) -> usize {
    match value {
        Value::Array(_) | Value::Object(_) => weight_of_all(value, limit),
        Value::String(text) => 8 + text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

/// The same of a value that may hold others.
fn weight_of_all(value: &Value, limit: usize) -> usize {
    let mut weight = 0;
    let mut left = vec![value];
    while let Some(value) = left.pop().filter(|_| weight <= limit) {
        weight += 8;
        match value {
            Value::String(text) => weight += text.len(),
            Value::Array(items) => left.extend(items.iter().take(limit)),
            Value::Object(members) => {
                weight += members.keys().take(limit).map(String::len).sum::<usize>();
                left.extend(members.values().take(limit));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => (),
        }
    }
    weight
}
