//! Text and what is made of it without arithmetic: strings, bytes, booleans, UUIDs.

use std::sync::Arc;

use bytes::Bytes;
use regex::Regex;
use serde_json::{Map, Value, json};

use super::scalar::Refusal;
use crate::{Arg, SpecError, Word};

/// Reads a boolean in any of its usual spellings.
pub(crate) fn bool_from_text(text: &str) -> Result<Arg, Refusal> {
    let is = |words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(["1", "true", "t", "yes", "y", "on"]) {
        Ok(Arg::Bool(true))
    } else if is(["0", "false", "f", "no", "n", "off"]) {
        Ok(Arg::Bool(false))
    } else {
        Err(Refusal::new(Word::BoolParsing))
    }
}

/// Reads a UUID: simple, hyphenated, in braces, or as a URN.
pub(crate) fn uuid_from_text(text: &str) -> Result<Arg, Refusal> {
    match uuid::Uuid::parse_str(text) {
        Ok(uuid) => Ok(Arg::Uuid(uuid.hyphenated().to_string())),
        Err(error) => Err(Refusal::about(Word::UuidParsing, "error", error.to_string())),
    }
}

/// Reads a UUID that stands in JSON; where the schema is read as written, its own rule for the format decides.
pub(crate) fn uuid_from_json(text: &str, rule: Option<&Matcher>) -> Result<Arg, Refusal> {
    match rule {
        None => uuid_from_text(text),
        Some(rule) if rule.accepts(text) => Ok(Arg::Str(text.to_owned())),
        Some(_) => {
            uuid_from_text(text)?;
            Err(Refusal::about(Word::Format, "format", "uuid"))
        }
    }
}

/// A keyword that counts; `2.0` is a whole number in JSON Schema.
pub(crate) fn whole(schema: &Map<String, Value>, keyword: &str) -> Result<Option<u64>, SpecError> {
    let Some(value) = schema.get(keyword) else { return Ok(None) };
    let text = value.to_string();
    let count = text.strip_suffix(".0").unwrap_or(&text).parse().ok();
    count.map(Some).ok_or_else(|| SpecError::new(format!("`{keyword}` is no whole number: {value}")))
}

/// How long something may be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Length {
    min: Option<u64>,
    max: Option<u64>,
}

impl Length {
    /// Reads a keyword for the least and one for the most.
    pub(crate) fn compile(schema: &Map<String, Value>, min: &str, max: &str) -> Result<Self, SpecError> {
        let read = |keyword: &str| whole(schema, keyword);
        Ok(Self { min: read(min)?, max: read(max)? })
    }

    pub(crate) fn is_empty(self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// The least, where `count` is below it.
    pub(crate) fn below(self, count: u64) -> Option<u64> {
        self.min.filter(|min| count < *min)
    }

    /// The most, where `count` is above it.
    pub(crate) fn above(self, count: u64) -> Option<u64> {
        self.max.filter(|max| count > *max)
    }

    fn check(self, count: u64, too_short: Word, too_long: Word) -> Result<(), Refusal> {
        if let Some(max) = self.above(count) {
            return Err(Refusal::about(too_long, "max_length", max));
        }
        match self.below(count) {
            Some(min) => Err(Refusal::about(too_short, "min_length", min)),
            None => Ok(()),
        }
    }
}

/// The constraints of a string.
#[derive(Debug, Default)]
pub(crate) struct TextRules {
    length: Length,
    pattern: Option<Pattern>,
    format: Option<(String, Matcher)>,
}

/// Decides about a text by a rule that JSON Schema defines.
#[derive(Clone)]
pub(crate) struct Matcher(Arc<jsonschema::Validator>);

impl Matcher {
    /// Compiles a schema that only looks at text.
    pub(crate) fn compile(keyword: &str, value: &Value) -> Result<Self, SpecError> {
        let built = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(false)
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .build(&json!({ keyword: value }));
        match built {
            Ok(validator) => Ok(Self(Arc::new(validator))),
            Err(_) => Err(SpecError::new(format!("unknown `{keyword}`: {value}"))),
        }
    }

    pub(crate) fn accepts(&self, text: &str) -> bool {
        self.0.is_valid(&Value::from(text))
    }
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Matcher")
    }
}

#[derive(Debug)]
struct Pattern {
    source: String,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    /// A host type's pattern: Unicode classes, as its library has them.
    Typed(Regex),
    /// JSON Schema's dialect.
    AsWritten(Matcher),
}

impl Pattern {
    fn compile(source: &Value, as_written: bool) -> Result<Self, SpecError> {
        let Value::String(source) = source else {
            return Err(SpecError::new(format!("`pattern` is no text: {source}")));
        };
        let fault =
            || SpecError::new(format!("`pattern` is not a regular expression that runs in linear time: {source}"));
        let engine = if as_written {
            Engine::AsWritten(Matcher::compile("pattern", &json!(source)).map_err(|_| fault())?)
        } else {
            Engine::Typed(Regex::new(source).map_err(|_| fault())?)
        };
        Ok(Self { source: source.clone(), engine })
    }

    fn matches(&self, text: &str) -> bool {
        match &self.engine {
            Engine::Typed(regex) => regex.is_match(text),
            Engine::AsWritten(matcher) => matcher.accepts(text),
        }
    }
}

impl TextRules {
    /// Reads `minLength`, `maxLength` and `pattern`; `format` is one that is no type of its own.
    pub(crate) fn compile(
        schema: &Map<String, Value>,
        as_written: bool,
        format: Option<(String, Matcher)>,
    ) -> Result<Self, SpecError> {
        let pattern = schema.get("pattern").map(|source| Pattern::compile(source, as_written)).transpose()?;
        Ok(Self { length: Length::compile(schema, "minLength", "maxLength")?, pattern, format })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length.is_empty() && self.pattern.is_none() && self.format.is_none()
    }

    pub(crate) fn check(&self, text: &str) -> Result<Arg, Refusal> {
        if !self.length.is_empty() {
            let count = text.chars().count() as u64;
            self.length.check(count, Word::StringTooShort, Word::StringTooLong)?;
        }
        if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
            return Err(Refusal::about(Word::StringPatternMismatch, "pattern", pattern.source.as_str()));
        }
        match &self.format {
            Some((name, matcher)) if !matcher.accepts(text) => {
                Err(Refusal::about(Word::Format, "format", name.as_str()))
            }
            _ => Ok(Arg::Str(text.to_owned())),
        }
    }
}

/// The constraints of bytes, which are sent as text.
#[derive(Debug)]
pub(crate) struct ByteRules(Length);

impl ByteRules {
    /// Reads `minLength` and `maxLength`, counted in bytes.
    pub(crate) fn compile(schema: &Map<String, Value>) -> Result<Self, SpecError> {
        Length::compile(schema, "minLength", "maxLength").map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn check(&self, text: &str) -> Result<Arg, Refusal> {
        self.0.check(text.len() as u64, Word::BytesTooShort, Word::BytesTooLong)?;
        Ok(Arg::Bytes(Bytes::copy_from_slice(text.as_bytes())))
    }
}
