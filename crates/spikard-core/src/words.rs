//! The table of error words.

use serde::Serialize;

/// pydantic's word for a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Word {
    /// Required and not sent.
    Missing,
    /// The host's decoder refused what the schema accepts.
    ValueError,
}

impl crate::FieldError {
    /// x
    pub fn new(
        _w: Word,
        _loc: Vec<crate::Loc>,
        _input: serde_json::Value,
        _ctx: serde_json::Map<String, serde_json::Value>,
    ) -> Self {
        todo!()
    }
}
