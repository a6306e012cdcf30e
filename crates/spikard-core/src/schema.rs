//! Compiled JSON Schemas, and the words of their refusals.

use serde_json::{Map, Value};

use crate::{FieldError, SpecError, spec::Reading};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema;

impl Schema {
    /// Compiles a schema.
    pub fn compile(
        _schema: &Value,
        _named: &Map<String, Value>,
        _reading: Reading,
        _assert_formats: bool,
    ) -> Result<Self, SpecError> {
        todo!()
    }
    /// Whether the instance is accepted.
    pub fn accepts(&self, _instance: &Value) -> bool {
        todo!()
    }
    /// Every refusal, in order; `loc` is relative.
    pub fn errors(&self, _instance: &Value) -> Vec<FieldError> {
        todo!()
    }
    /// Whether a pattern stands anywhere in it.
    pub fn has_pattern(&self) -> bool {
        todo!()
    }
    /// The pairs of a form as the JSON value that the schema asks for.
    pub fn read_form(&self, _pairs: &[(String, String)]) -> Result<Value, Vec<FieldError>> {
        todo!()
    }
}
