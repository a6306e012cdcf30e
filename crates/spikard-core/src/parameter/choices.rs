//! Enumerations and literals: a value is accepted where it is one of those listed.

use serde_json::Value;

use super::{
    number::{self, Int},
    scalar::Refusal,
};
use crate::{Arg, Word, words::listed};

/// The values of one `enum` or `const`.
#[derive(Debug)]
pub(crate) struct Choices {
    values: Vec<Value>,
    /// What [`Arg::Choice`] counts from: a schema may hold several enumerations.
    first: u32,
    word: Word,
    name: Option<String>,
}

impl Choices {
    /// A named enumeration is refused with `enum`, a list in place with `literal_error` or, as JSON Schema, `const`.
    pub(crate) fn new(values: Vec<Value>, first: u32, word: Word, name: Option<String>) -> Self {
        Self { values, first, word, name }
    }

    pub(crate) fn is_literal(&self) -> bool {
        self.word != Word::Enum
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Text is the member itself, or the number of a named enumeration of numbers.
    pub(crate) fn read_text(&self, text: &str) -> Result<Arg, Refusal> {
        let place = self.values.iter().position(|value| value.as_str() == Some(text));
        match place {
            None if self.is_literal() => Err(self.refusal()),
            None => self.place(self.number_from_text(text)),
            found => self.place(found),
        }
    }

    fn number_from_text(&self, text: &str) -> Option<usize> {
        if self.values.iter().all(|value| value.is_i64() || value.is_u64()) {
            return match number::int_from_text(text).ok()? {
                Int::Small(int) => self.values.iter().position(|value| value.as_i64() == Some(int)),
                Int::Big(digits) => {
                    let int = digits.parse().ok();
                    self.values.iter().position(|value| int.is_some() && value.as_u64() == int)
                }
            };
        }
        if !self.values.iter().all(Value::is_number) {
            return None;
        }
        let float = number::float_from_text(text).ok()?;
        self.values.iter().position(|value| value.as_f64() == Some(float))
    }

    /// JSON is the member itself; numbers are compared by value.
    pub(crate) fn read_json(&self, value: &Value) -> Result<Arg, Refusal> {
        self.place(self.values.iter().position(|choice| same(choice, value)))
    }

    fn place(&self, place: Option<usize>) -> Result<Arg, Refusal> {
        place.map(|place| Arg::Choice(self.first + place as u32)).ok_or_else(|| self.refusal())
    }

    fn refusal(&self) -> Refusal {
        Refusal::about(self.word, "expected", listed(&self.values))
    }
}

/// Equality of JSON Schema: numbers by value, inside arrays and objects too.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| same(one, other)))
        }
        (one, other) => one == other,
    }
}
