//! One scalar type with its constraints: the closed table of what a parameter, or a leaf of a body, can be.

use serde_json::Value;

use super::{
    choices::Choices,
    label::{label, under},
    number::{self, DecimalRules, NumberRules},
    temporal::{Temporal, TemporalRules},
    text::{self, ByteRules, Matcher, TextRules},
};
use crate::{Arg, FieldError, Word};

/// How far a JSON value may be from what the schema says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// As a host type: `1.0` is no integer, times need no offset.
    Typed,
    /// As JSON Schema has it: `1.0` is an integer.
    AsWritten,
    /// As a form: text is read like a parameter's.
    Lenient,
}

/// A scalar.
#[derive(Debug)]
pub(crate) enum Scalar {
    Int(NumberRules),
    Float(NumberRules),
    Decimal(DecimalRules),
    Bool,
    Str(TextRules),
    Bytes(ByteRules),
    /// With JSON Schema's own rule, where the schema is read as written.
    Uuid(Option<Matcher>),
    Temporal(Temporal, TemporalRules),
    Choice(Choices),
    Null,
    /// Anything: text stays text.
    Any,
    Union(Vec<Scalar>),
}

/// The result of reading; several errors only where a union has several members.
pub(crate) type Read = Result<Arg, Vec<FieldError>>;

impl Scalar {
    /// Reads text, leniently.
    pub(crate) fn read_text(&self, text: &str) -> Read {
        let read = match self {
            Self::Int(rules) => number::int_from_text(text).and_then(|int| rules.check_int(int)),
            Self::Float(rules) => number::float_from_text(text).and_then(|float| rules.check_float(float)),
            Self::Decimal(rules) => number::decimal_from_text(text).and_then(|decimal| rules.check(decimal)),
            Self::Bool => text::bool_from_text(text),
            Self::Str(rules) => rules.check(text),
            Self::Bytes(rules) => rules.check(text),
            Self::Uuid(_) => text::uuid_from_text(text),
            Self::Temporal(kind, rules) => kind.read_text(text).and_then(|moment| rules.check(moment)),
            Self::Choice(choices) => choices.read_text(text),
            Self::Null => Err(Refusal::new(Word::NoneRequired)),
            Self::Any => Ok(Arg::Str(text.to_owned())),
            Self::Union(members) => {
                return first_of(members, |member| member.read_text(text), Self::takes_text_as_it_is);
            }
        };
        read.map_err(|refusal| {
            let mut error = refusal.of_input(&Value::from(text));
            if error.word == Word::TimeDeltaParsing.as_str() {
                // pydantic names the host's type for text, and JSON's for JSON.
                error.msg = error.msg.replacen("duration", "timedelta", 1).into();
            }
            vec![error]
        })
    }

    /// Reads a JSON value.
    pub(crate) fn read_json(&self, value: &Value, strictness: Strictness) -> Read {
        if let (Strictness::Lenient, Value::String(text)) = (strictness, value) {
            return self.read_text(text);
        }
        let read = match (self, value) {
            (Self::Int(rules), Value::Number(number)) => {
                number::int_from_json(number, strictness).and_then(|int| rules.check_int(int))
            }
            (Self::Float(rules), Value::Number(number)) => rules.check_json(number),
            (Self::Decimal(rules), Value::String(text)) => {
                number::decimal_from_text(text).and_then(|decimal| rules.check(decimal))
            }
            (Self::Decimal(rules), Value::Number(number)) => {
                number::decimal_from_text(&number.to_string()).and_then(|decimal| rules.check(decimal))
            }
            (Self::Bool, Value::Bool(bool)) => Ok(Arg::Bool(*bool)),
            (Self::Str(rules), Value::String(text)) => rules.check(text),
            (Self::Bytes(rules), Value::String(text)) => rules.check(text),
            (Self::Uuid(rule), Value::String(text)) => text::uuid_from_json(text, rule.as_ref()),
            (Self::Temporal(kind, rules), Value::String(text)) => rules.read_json(*kind, text),
            (Self::Choice(choices), value) => choices.read_json(value),
            (Self::Null, Value::Null) => Ok(Arg::Null),
            (Self::Any, value) => Ok(Arg::from(value.clone())),
            (Self::Union(members), value) => {
                return first_of(
                    members,
                    |member| member.read_json(value, strictness),
                    |member| member.is_exact(value),
                );
            }
            _ => Err(Refusal::new(self.type_word())),
        };
        read.map_err(|refusal| vec![refusal.of_input(value)])
    }

    /// What no lax decoder accepts either, in the words that every decoder has: texts and numbers stand for other scalars,
    /// and formats that are no types are the decoder's.
    pub(crate) fn read_lax(&self, value: &Value, strictness: Strictness) -> Vec<FieldError> {
        let Err(refused) = self.read_json(value, strictness) else { return Vec::new() };
        if refused.iter().all(|error| error.word == Word::Format.as_str()) {
            return Vec::new();
        }
        let read = match (self, value) {
            (Self::Union(members), _) => {
                let is_read = members.iter().any(|member| member.read_lax(value, strictness).is_empty());
                return if is_read { Vec::new() } else { refused };
            }
            (Self::Choice(choices), _) if choices.is_literal() => return refused,
            (Self::Int(_), Value::Number(_)) => self.read_json(value, Strictness::AsWritten),
            (Self::Int(_) | Self::Float(_), Value::Bool(bool)) => self.read_text(if *bool { "1" } else { "0" }),
            (Self::Bool, Value::Number(number)) => self.read_text(number.to_string().trim_end_matches(".0")),
            (Self::Temporal(..), Value::Number(_)) => Ok(Arg::Absent),
            (_, Value::String(text)) => self.read_text(text),
            _ => return refused,
        };
        let is_of_type = |error: &FieldError| error.word.ends_with("_type") || error.word.ends_with("_parsing");
        match read {
            Ok(_) => Vec::new(),
            Err(errors) if errors.iter().any(is_of_type) => refused,
            Err(errors) => errors.into_iter().map(|error| FieldError { input: value.clone(), ..error }).collect(),
        }
    }

    /// The word for a value of another JSON type.
    fn type_word(&self) -> Word {
        match self {
            Self::Int(_) => Word::IntType,
            Self::Float(_) => Word::FloatType,
            Self::Decimal(_) => Word::DecimalType,
            Self::Bool => Word::BoolType,
            Self::Str(_) | Self::Choice(_) | Self::Union(_) => Word::StringType,
            Self::Bytes(_) => Word::BytesType,
            Self::Uuid(_) => Word::UuidType,
            Self::Temporal(kind, _) => kind.type_word(),
            Self::Null | Self::Any => Word::NoneRequired,
        }
    }

    /// Whether a value is of the JSON type that the scalar speaks of.
    pub(crate) fn is_for(&self, value: &Value) -> bool {
        match self {
            Self::Int(_) | Self::Float(_) => value.is_number(),
            Self::Bool => value.is_boolean(),
            Self::Null => value.is_null(),
            Self::Any | Self::Choice(_) | Self::Union(_) => true,
            Self::Str(_) | Self::Bytes(_) | Self::Uuid(_) | Self::Temporal(..) | Self::Decimal(_) => value.is_string(),
        }
    }

    /// Whether no other member of a union could be a closer match for a value that it reads.
    fn is_exact(&self, value: &Value) -> bool {
        match self {
            Self::Float(_) => value.is_f64(),
            Self::Choice(choices) => choices.is_literal(),
            Self::Int(_) | Self::Bool | Self::Str(_) | Self::Null => true,
            _ => false,
        }
    }

    /// Whether text is this scalar's own form.
    pub(crate) fn takes_text_as_it_is(&self) -> bool {
        matches!(self, Self::Str(_)) || matches!(self, Self::Choice(choices) if choices.is_literal())
    }
}

/// The member of a union that matches exactly, else the first that matches at all; else every member's errors.
fn first_of(members: &[Scalar], read: impl Fn(&Scalar) -> Read, is_exact: impl Fn(&Scalar) -> bool) -> Read {
    let mut first = None;
    let mut errors = Vec::new();
    for member in members {
        match read(member) {
            Ok(arg) if is_exact(member) => return Ok(arg),
            Ok(arg) => {
                first.get_or_insert(arg);
            }
            Err(refused) => errors.push((member, refused)),
        }
    }
    if let Some(arg) = first {
        return Ok(arg);
    }
    errors.retain(|(member, _)| !matches!(member, Scalar::Null));
    let alone = errors.len() == 1;
    Err(errors
        .into_iter()
        .flat_map(|(member, refused)| if alone { refused } else { under(&label(member), refused) })
        .collect())
}

/// Why a value was refused; the value itself is added by the caller.
#[derive(Debug)]
pub(crate) struct Refusal {
    word: Word,
    about: Option<(&'static str, Value)>,
}

impl Refusal {
    pub(crate) fn new(word: Word) -> Self {
        Self { word, about: None }
    }

    pub(crate) fn about(word: Word, name: &'static str, value: impl Into<Value>) -> Self {
        Self { word, about: Some((name, value.into())) }
    }

    pub(crate) fn of_input(self, input: &Value) -> FieldError {
        FieldError::of(self.word, input, self.about)
    }
}
