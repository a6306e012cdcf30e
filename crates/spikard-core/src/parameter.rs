//! Reads the text of a parameter as its schema says.

use serde_json::Value;

use crate::{Arg, FieldError, SpecError};

/// A compiled reader of one parameter.
#[derive(Debug)]
pub struct Reader;

impl Reader {
    /// Compiles a scalar's schema, or a list of scalars'.
    pub fn compile(_schema: &Value) -> Result<Self, SpecError> {
        todo!()
    }
    /// Whether repeated texts make one list.
    pub fn is_list(&self) -> bool {
        todo!()
    }
    /// Choices as their values.
    pub fn plain(&self, _value: Arg) -> Arg {
        todo!()
    }
    /// Reads text, leniently.
    pub fn read_texts(&self, _texts: &[&str]) -> Result<Arg, Vec<FieldError>> {
        todo!()
    }
    /// Reads a JSON value, strictly.
    pub fn read_json(&self, _value: &Value) -> Result<Arg, Vec<FieldError>> {
        todo!()
    }
}
