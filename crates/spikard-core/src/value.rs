//! What crosses to user code: ids of host objects, and one closed list of values that every binding converts once.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Head, Upload};

/// A piece of user code: an index into the table that the binding keeps for the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct CallableId(pub u32);

/// A host value (a decoded body, a dependency, a generator, an exception): an index into the table that the binding
/// keeps for one request and for the works that it spawns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostId(pub u32);

/// One bound argument.
///
/// Dates, times and durations cross as text in the one canonical form (RFC 3339; ISO 8601 for durations), which
/// every host reads with its own parser.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// JSON's null, or an optional value that is empty.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer of any size, in decimal digits with an optional minus.
    BigInt(String),
    /// A finite number.
    Float(f64),
    /// Text.
    Str(String),
    /// Raw bytes.
    Bytes(Bytes),
    /// A decimal number as it was written.
    Decimal(String),
    /// A UUID in its hyphenated lower-case form.
    Uuid(String),
    /// A date, `2026-01-31`.
    Date(String),
    /// A time of day, with an offset or without.
    Time(String),
    /// A date and time, with an offset or without.
    DateTime(String),
    /// A duration in whole microseconds.
    Duration(i64),
    /// A place in the list of choices that the argument names.
    Choice(u32),
    /// Several values.
    List(Vec<Arg>),
    /// Named values in the order in which they came.
    Map(Vec<(String, Arg)>),
    /// A file of a form.
    Upload(Arc<Upload>),
    /// Not sent: the host puts in its own default.
    Absent,
    /// Still to be decoded by the host, straight to its own type.
    Input(Box<HostArg>),
    /// The host has it already: `Bind` decoded it, or a provider made it.
    Host(HostId),
    /// The request itself.
    Request(Arc<Head>),
}

/// The arguments of one call, in the order of the route's argument list.
///
/// A `Vec` and not an inline array: a request is moved several times on its way.
pub type Args = Vec<Arg>;

/// An argument that the host decodes itself.
#[derive(Clone, Debug, PartialEq)]
pub struct HostArg {
    /// The host's decoder.
    pub decoder: CallableId,
    /// The place in the argument list.
    pub argument: u32,
    /// What to decode.
    pub input: Input,
}

/// What a host decoder reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// JSON text that has passed [`crate::json::check`], or will have once a strict decoder has accepted it.
    Json(Bytes),
    /// MessagePack that has passed [`crate::msgpack::check`].
    Msgpack(Bytes),
    /// A value that the core has read already.
    Value(Arg),
}

/// A duration of whole microseconds in ISO 8601, for a host that has no type for it: in seconds alone.
///
/// ```
/// assert_eq!(spikard_core::duration_text(-90_500_000), "-PT90.5S");
/// ```
pub fn duration_text(micros: i64) -> String {
    let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let fraction = format!("{:06}", micros % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}PT{}{point}{fraction}S", micros / 1_000_000)
}

impl From<serde_json::Value> for Arg {
    /// Plain data: objects keep their order, integers beyond 64 bits become [`Arg::BigInt`].
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match number.as_i64() {
                Some(small) => Self::Int(small),
                None if number.is_f64() => Self::Float(number.as_f64().unwrap_or_default()),
                None => Self::BigInt(number.to_string()),
            },
            Value::String(text) => Self::Str(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Map(members.into_iter().map(|(name, value)| (name, Self::from(value))).collect())
            }
        }
    }
}
