//! The configuration: what call, configuration object and environment say, resolved in one place.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What was said where. Each layer holds only what was given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Layers {
    /// Arguments of `run()` and its like.
    pub call: Map<String, Value>,
    /// The configuration object.
    pub given: Map<String, Value>,
    /// The environment's `SPIKARD_*` variables, verbatim.
    pub env: Map<String, Value>,
}
