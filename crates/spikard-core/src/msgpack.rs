//! MessagePack: one pass over the text that checks its grammar and makes nothing, and the same pass making plain data.
//!
//! What JSON cannot say is refused, decoders differ there: floats that are not finite, keys other than texts and
//! integers, extensions other than timestamps.

use bytes::Bytes;
use serde_json::{Map, Number, Value};
use speedate::{DateTime, DateTimeConfig, ParseError, TimestampUnit};

use crate::Arg;

/// Where a text stops being MessagePack, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// For the client.
    pub reason: &'static str,
    /// Bytes before it.
    pub at: usize,
}

/// Checks the whole grammar, and that nothing nests deeper than `max_depth`.
pub fn check(text: &[u8], max_depth: usize) -> Result<(), Fault> {
    read(text, max_depth)
}

/// How many values stand in it.
pub(crate) fn count(text: &[u8], max_depth: usize) -> Result<usize, Fault> {
    let mut reader = Reader { text, at: 0, left: max_depth, seen: 0 };
    reader.value::<()>()?;
    Ok(reader.seen)
}

/// The value as plain data. Of a name sent twice the last counts.
pub fn to_arg(text: &[u8], max_depth: usize) -> Result<Arg, Fault> {
    read(text, max_depth)
}

fn read<M: Make>(text: &[u8], max_depth: usize) -> Result<M, Fault> {
    let mut reader = Reader { text, at: 0, left: max_depth, seen: 0 };
    let value = reader.value()?;
    if reader.at < text.len() { Err(reader.fault("more follows")) } else { Ok(value) }
}

/// What a pass makes of a value.
trait Make: Sized {
    fn scalar(scalar: Scalar<'_>) -> Self;
    fn list(items: Vec<Self>) -> Self;
    fn map(members: Vec<(Scalar<'_>, Self)>) -> Self;
    /// Whether members are kept at all.
    const KEEPS: bool;
}

enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Big(u64),
    Float(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Time(i64, u32),
}

impl Make for () {
    fn scalar(_: Scalar<'_>) {}
    fn list(_: Vec<()>) {}
    fn map(_: Vec<(Scalar<'_>, ())>) {}
    const KEEPS: bool = false;
}

impl Make for Arg {
    fn scalar(scalar: Scalar<'_>) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(value),
            Scalar::Int(value) => Self::Int(value),
            Scalar::Big(value) => Self::BigInt(value.to_string()),
            Scalar::Float(value) => Self::Float(value),
            Scalar::Text(text) => Self::Str(text.to_owned()),
            Scalar::Bytes(bytes) => Self::Bytes(Bytes::copy_from_slice(bytes)),
            Scalar::Time(seconds, nanos) => {
                // The reader has asked before.
                let time = moment(seconds, nanos).map(|time| format!("{time}Z"));
                Self::DateTime(time.unwrap_or_default())
            }
        }
    }

    fn list(items: Vec<Self>) -> Self {
        Self::List(items)
    }

    fn map(members: Vec<(Scalar<'_>, Self)>) -> Self {
        let named = |(key, value)| match key {
            Scalar::Text(name) => (name.to_owned(), value),
            Scalar::Int(number) => (number.to_string(), value),
            Scalar::Big(number) => (number.to_string(), value),
            _ => unreachable!("the reader takes no other keys"),
        };
        Self::Map(members.into_iter().map(named).collect())
    }

    const KEEPS: bool = true;
}

fn moment(seconds: i64, nanos: u32) -> Result<DateTime, ParseError> {
    let config = DateTimeConfig { timestamp_unit: TimestampUnit::Second, ..DateTimeConfig::default() };
    DateTime::from_timestamp_with_config(seconds, nanos / 1000, &config)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Levels that may still be entered.
    left: usize,
    /// Values that have begun.
    seen: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, reason: &'static str) -> Fault {
        Fault { reason, at: self.at }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let rest = &self.text[self.at..];
        let Some(taken) = rest.get(..count) else { return Err(self.fault("it ends early")) };
        self.at += count;
        Ok(taken)
    }

    /// A number of so many bytes, the highest first.
    fn number(&mut self, width: usize) -> Result<u64, Fault> {
        Ok(self.take(width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn size(&mut self, width: usize) -> Result<usize, Fault> {
        Ok(self.number(width)? as usize)
    }

    fn value<M: Make>(&mut self) -> Result<M, Fault> {
        let marker = self.take(1)?[0];
        self.seen += 1;
        match marker {
            0x80..=0x8f => self.map(usize::from(marker & 0x0f)),
            0xde | 0xdf => {
                let size = self.size(if marker == 0xde { 2 } else { 4 })?;
                self.map(size)
            }
            0x90..=0x9f => self.list(usize::from(marker & 0x0f)),
            0xdc | 0xdd => {
                let size = self.size(if marker == 0xdc { 2 } else { 4 })?;
                self.list(size)
            }
            _ => self.scalar(marker).map(M::scalar),
        }
    }

    fn scalar(&mut self, marker: u8) -> Result<Scalar<'a>, Fault> {
        let width = |first: u8| 1usize << (marker - first);
        Ok(match marker {
            0x00..=0x7f => Scalar::Int(i64::from(marker)),
            0xe0..=0xff => Scalar::Int(i64::from(marker.cast_signed())),
            0xc0 => Scalar::Null,
            0xc2 | 0xc3 => Scalar::Bool(marker == 0xc3),
            0xcc..=0xcf => {
                let number = self.number(width(0xcc))?;
                i64::try_from(number).map_or(Scalar::Big(number), Scalar::Int)
            }
            0xd0..=0xd3 => {
                let unused = 64 - 8 * width(0xd0);
                Scalar::Int((self.number(width(0xd0))? << unused).cast_signed() >> unused)
            }
            0xca => self.float(|bits| f64::from(f32::from_bits(bits as u32)), 4)?,
            0xcb => self.float(f64::from_bits, 8)?,
            0xa0..=0xbf => self.text(usize::from(marker & 0x1f))?,
            0xd9..=0xdb => {
                let size = self.size(width(0xd9))?;
                self.text(size)?
            }
            0xc4..=0xc6 => {
                let size = self.size(width(0xc4))?;
                Scalar::Bytes(self.take(size)?)
            }
            0xc7..=0xc9 => {
                let size = self.size(width(0xc7))?;
                self.extension(size)?
            }
            0xd4..=0xd8 => self.extension(width(0xd4))?,
            _ => return Err(self.fault("no value begins so")),
        })
    }

    fn float(&mut self, read: fn(u64) -> f64, width: usize) -> Result<Scalar<'a>, Fault> {
        let value = read(self.number(width)?);
        if value.is_finite() { Ok(Scalar::Float(value)) } else { Err(self.fault("a number is not finite")) }
    }

    fn text(&mut self, size: usize) -> Result<Scalar<'a>, Fault> {
        let bytes = self.take(size)?;
        std::str::from_utf8(bytes).map(Scalar::Text).map_err(|_| self.fault("a text is not valid UTF-8"))
    }

    /// Only timestamps: seconds in four bytes, nanoseconds and seconds in eight, the same further apart in twelve.
    fn extension(&mut self, size: usize) -> Result<Scalar<'a>, Fault> {
        if self.take(1)?[0].cast_signed() != -1 {
            return Err(self.fault("an extension other than a timestamp"));
        }
        let (seconds, nanos) = match size {
            4 => (self.number(4)?.cast_signed(), 0),
            8 => {
                let both = self.number(8)?;
                ((both & 0x3_ffff_ffff).cast_signed(), both >> 34)
            }
            12 => {
                let nanos = self.number(4)?;
                (self.number(8)?.cast_signed(), nanos)
            }
            _ => return Err(self.fault("a timestamp of another size")),
        };
        let nanos = nanos as u32;
        if nanos > 999_999_999 || moment(seconds, nanos).is_err() {
            return Err(self.fault("a timestamp out of range"));
        }
        Ok(Scalar::Time(seconds, nanos))
    }

    fn enter(&mut self) -> Result<(), Fault> {
        self.left = self.left.checked_sub(1).ok_or_else(|| self.fault("it nests too deeply"))?;
        Ok(())
    }

    /// Nothing is reserved for items that are only announced.
    fn list<M: Make>(&mut self, size: usize) -> Result<M, Fault> {
        self.enter()?;
        let mut items = Vec::new();
        for _ in 0..size {
            let item = self.value()?;
            if M::KEEPS {
                items.push(item);
            }
        }
        self.left += 1;
        Ok(M::list(items))
    }

    fn map<M: Make>(&mut self, size: usize) -> Result<M, Fault> {
        self.enter()?;
        let mut members = Vec::new();
        for _ in 0..size {
            let marker = self.take(1)?[0];
            let key = match marker {
                0x80..=0x9f | 0xdc..=0xdf => return Err(self.fault("a key that is no text and no integer")),
                _ => self.scalar(marker)?,
            };
            if !matches!(key, Scalar::Text(_) | Scalar::Int(_) | Scalar::Big(_)) {
                return Err(self.fault("a key that is no text and no integer"));
            }
            let value = self.value()?;
            if M::KEEPS {
                members.push((key, value));
            }
        }
        self.left += 1;
        Ok(M::map(members))
    }
}

/// Plain data as a schema judges it. Bytes stand as text with one character for each, so that lengths are right.
pub fn as_json(arg: &Arg) -> Value {
    match arg {
        Arg::Bool(value) => Value::Bool(*value),
        Arg::Int(value) => (*value).into(),
        Arg::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Arg::BigInt(digits) => serde_json::from_str(digits).unwrap_or_default(),
        Arg::Str(text) | Arg::DateTime(text) => Value::String(text.clone()),
        Arg::Bytes(bytes) => Value::String(bytes.iter().map(|byte| char::from(*byte)).collect()),
        Arg::List(items) => Value::Array(items.iter().map(as_json).collect()),
        Arg::Map(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), as_json(value))).collect::<Map<_, _>>())
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Value, &'static str> {
        let checked = check(bytes, 4);
        let made = to_arg(bytes, 4);
        assert_eq!(checked.err(), made.as_ref().err().copied(), "the two passes agree");
        made.map(|arg| as_json(&arg)).map_err(|fault| fault.reason)
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let text = b"\x8a\xa1a\x01\xa1b\xff\xa1c\xcd\x01\x00\xa1d\xd0\x80\xa1e\xcb\x3f\xf8\0\0\0\0\0\0\xa1f\xd9\x02hi\
            \xa1g\x92\xc0\xc3\xa1h\xc4\x02\x00\xff\xa1i\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x07\xd6\xff\0\0\0\x01";
        let expected = json!({"a": 1, "b": -1, "c": 256, "d": -128, "e": 1.5, "f": "hi", "g": [null, true],
            "h": "\0\u{ff}", "i": u64::MAX, "7": "1970-01-01T00:00:01Z"});
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn what_is_no_messagepack_is_a_fault() {
        for (text, reason) in [
            (&b""[..], "it ends early"),
            (b"\x01\x01", "more follows"),
            (b"\xdd\xff\xff\xff\xff", "it ends early"),
            (b"\xc6\xff\xff\xff\xff", "it ends early"),
            (b"\xc1", "no value begins so"),
            (b"\xa1\xff", "a text is not valid UTF-8"),
            (b"\xcb\x7f\xf8\0\0\0\0\0\0", "a number is not finite"),
            (b"\x91\x91\x91\x91\x91\x01", "it nests too deeply"),
            (b"\x81\xc0\x01", "a key that is no text and no integer"),
            (b"\x81\x90\x01", "a key that is no text and no integer"),
            (b"\xd4\x05\x00", "an extension other than a timestamp"),
            (b"\xc7\x03\xff\0\0\0", "a timestamp of another size"),
            (b"\xc7\x0c\xff\0\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", "a timestamp out of range"),
        ] {
            assert_eq!(read(text), Err(reason), "{text:x?}");
        }
    }

    #[test]
    fn a_text_cut_off_anywhere_is_a_fault() {
        let text = b"\x82\xa1a\x92\x01\xcd\x01\x00\xa1b\xd7\xff\0\0\0\0\0\0\0\x01";
        assert!(read(text).is_ok());
        for end in 0..text.len() {
            assert_eq!(read(&text[..end]), Err("it ends early"), "{end}");
        }
    }
}
