//! Compiled JSON Schemas: whether a body is accepted, and the words of every refusal.

mod document;
mod reported;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::{FieldError, SpecError, sabotage, spec::Reading};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    validator: Validator,
    has_pattern: bool,
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
        let _ = reading;
        let document = document::with_named(schema, named);
        Ok(Self {
            validator: document::validator(&document, named, assert_formats)?,
            has_pattern: document::has_pattern(&document),
        })
    }

    /// Whether the instance is accepted.
    pub fn accepts(&self, instance: &Value) -> bool {
        sabotage::takes_out("validation") || self.validator.is_valid(instance)
    }

    /// Every refusal, in order; `loc` is relative.
    pub fn errors(&self, instance: &Value) -> Vec<FieldError> {
        self.validator.iter_errors(instance).flat_map(|error| reported::worded(&error)).collect()
    }

    /// Whether a pattern stands anywhere in it.
    pub fn has_pattern(&self) -> bool {
        self.has_pattern
    }

    /// The pairs of a form as the JSON value that the schema asks for, or every refusal.
    pub fn read_form(&self, pairs: &[(String, String)]) -> Result<Value, Vec<FieldError>> {
        let texts = pairs.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str())));
        let value = Value::Object(texts.collect());
        if self.accepts(&value) { Ok(value) } else { Err(self.errors(&value)) }
    }
}
