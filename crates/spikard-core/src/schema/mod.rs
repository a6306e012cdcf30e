//! Compiled JSON Schemas: whether a body is accepted, and the words of every refusal.

mod compile;
#[cfg(test)]
mod dice;
mod document;
mod filter;
mod form;
mod judge;
mod node;
mod quick;
mod rank;
mod reported;
mod scan;

pub use filter::Filter;
use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::{FieldError, MAX_ERRORS, SpecError, parameter::Strictness, sabotage, spec::Reading};
use judge::{Judge, Lax};
use node::Nodes;
use quick::Quick;

/// A compiled schema.
///
/// Read as written, the validator decides and the nodes word its refusals. Read for a host type, the nodes decide,
/// and the validator only where a keyword has no meaning for them.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    /// For most bodies that are read as written.
    quick: Option<Quick>,
    nodes: Nodes,
    reading: Reading,
    has_pattern: bool,
    has_foreign: bool,
    /// What the schema does not name is wanted all the same, by what it says.
    gathers: bool,
}

impl Schema {
    /// Compiles a schema. `named` are the schemas that `{"$ref": "#/schemas/Name"}` and `#/$defs/Name` may refer to;
    /// one whose name is an absolute URI is a document of its own.
    pub fn compile(
        schema: &Value,
        named: &Map<String, Value>,
        reading: Reading,
        assert_formats: bool,
    ) -> Result<Self, SpecError> {
        Self::compile_with(schema, named, reading, assert_formats, &BTreeMap::new())
    }

    /// The same, of a schema with parts that a lax decoder reads: see [`crate::spec::BodySpec::lax`].
    pub fn compile_with(
        schema: &Value,
        named: &Map<String, Value>,
        reading: Reading,
        assert_formats: bool,
        lax: &BTreeMap<String, bool>,
    ) -> Result<Self, SpecError> {
        document::check_is_one(schema)?;
        let document = document::with_named(schema, named);
        Ok(Self {
            validator: document::validator(&document, named, assert_formats)?,
            quick: if reading == Reading::JsonSchema { Quick::compile(&document, assert_formats) } else { None },
            nodes: Nodes::compile(&document, reading == Reading::JsonSchema, assert_formats, lax)?,
            reading,
            has_pattern: document::has_pattern(&document),
            has_foreign: document::has_foreign(&document),
            gathers: schema.get("additionalProperties") == Some(&Value::Bool(true)),
        })
    }

    /// Whether the instance is accepted.
    pub fn accepts(&self, instance: &Value) -> bool {
        let accepts = || match self.reading {
            Reading::JsonSchema => self.validator.is_valid(instance),
            Reading::Typed => self.errors(instance).is_empty(),
        };
        sabotage::takes_out("validation") || accepts()
    }

    /// Whether a text is surely accepted as it was sent, if it is JSON. What is not may be accepted as a value.
    pub fn accepts_text(&self, text: &[u8]) -> bool {
        self.quick.as_ref().is_some_and(|quick| quick.accepts(text))
    }

    /// Every refusal, in order; `loc` is relative. Empty where the instance is accepted.
    pub fn errors(&self, instance: &Value) -> Vec<FieldError> {
        match self.reading {
            Reading::JsonSchema if self.validator.is_valid(instance) => Vec::new(),
            Reading::JsonSchema => self.judge(instance, Strictness::AsWritten, Lax::Read),
            Reading::Typed => self.judge(instance, Strictness::Typed, Lax::Read),
        }
    }

    /// Every refusal beside those of a lax decoder, which has judged what it reads.
    pub fn errors_beside(&self, instance: &Value) -> Vec<FieldError> {
        if self.is_lax() { Vec::new() } else { self.judge(instance, Strictness::Typed, Lax::Judged) }
    }

    /// Whether a lax decoder reads all of it, with nothing inside that it does not.
    fn is_lax(&self) -> bool {
        self.nodes.is_lax() && self.nodes.all.iter().all(|node| node.lax != Some(false))
    }

    /// Whether a pattern stands anywhere in it.
    pub fn has_pattern(&self) -> bool {
        self.has_pattern
    }

    fn judge(&self, instance: &Value, strictness: Strictness, lax: Lax) -> Vec<FieldError> {
        let mut errors = Judge::new(&self.nodes, strictness, lax, instance).errors(instance);
        let as_written = self.reading == Reading::JsonSchema;
        if as_written || self.has_foreign {
            let reports =
                self.validator.iter_errors(instance).filter(|report| reported::is_foreign(report, as_written));
            reported::join(&mut errors, reports.flat_map(|report| reported::worded(&report)).take(MAX_ERRORS));
        }
        if as_written && errors.is_empty() {
            let reports = self.validator.iter_errors(instance).take(MAX_ERRORS);
            errors.extend(reports.flat_map(|report| reported::worded(&report)));
        }
        errors
    }
}
