//! The forms of the access log: a switch, or a name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// See [`Config::access_log`](super::Config::access_log).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum AccessLog {
    /// `false`: none.
    #[default]
    Off,
    /// `true`: for people.
    Plain,
    /// `"combined"`: as Apache and nginx write it.
    Combined,
    /// `"json"`: an object on each line.
    Json,
}

impl TryFrom<Value> for AccessLog {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        Ok(match (&value, value.as_str()) {
            (Value::Bool(false), _) => Self::Off,
            (Value::Bool(true), _) => Self::Plain,
            (_, Some("combined")) => Self::Combined,
            (_, Some("json")) => Self::Json,
            _ => return Err("must be true, false, \"json\" or \"combined\""),
        })
    }
}

impl From<AccessLog> for Value {
    fn from(form: AccessLog) -> Self {
        match form {
            AccessLog::Off => Self::Bool(false),
            AccessLog::Plain => Self::Bool(true),
            AccessLog::Combined => "combined".into(),
            AccessLog::Json => "json".into(),
        }
    }
}

#[cfg(feature = "json-schema")]
impl schemars::JsonSchema for AccessLog {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AccessLog".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"enum": [false, true, "combined", "json"]})
    }
}
