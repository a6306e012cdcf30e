//! What each field takes: how the text of a variable is read, and the bounds in which a value lies.

use serde_json::{Map, Value};

use super::{BackgroundTasks, Config};
use crate::SpecError;

/// The longest time, in seconds, that a timeout may be: a year. `None` lifts it.
pub const MAX_SECONDS: f64 = 31_536_000.0;

/// The largest whole number that every language has.
const MAX_WHOLE: u64 = (1 << 53) - 1;

/// One field of the configuration.
pub(super) struct Field {
    takes: Takes,
    /// It may be null: then it says nothing, or lifts its limit.
    optional: bool,
}

enum Takes {
    /// Any text but the empty one.
    Text,
    Flag,
    /// Or one of these.
    FlagOr(&'static [&'static str]),
    Word(&'static [&'static str]),
    /// A whole number, from the one to the other.
    Whole(u64, u64),
    /// A time; zero where it says so.
    Seconds {
        zero: bool,
    },
    /// A configuration of its own: true stands for its defaults, false for none.
    Parts(fn(&Value) -> Result<(), SpecError>),
}

impl Field {
    /// Looks it up.
    pub(super) fn named(name: &str) -> Self {
        let nothing = Value::Object(Map::from_iter([(name.to_owned(), Value::Null)]));
        Self { takes: Takes::of(name), optional: serde_json::from_value::<Config>(nothing).is_ok() }
    }

    /// What the text of its variable says; an empty one says nothing.
    pub(super) fn read(&self, text: &Value) -> Option<Value> {
        let Value::String(text) = text else { return Some(text.clone()) };
        let word = text.trim().to_ascii_lowercase();
        let flag = match word.as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        };
        Some(match (&self.takes, word.as_str(), flag) {
            (_, "", _) => return None,
            (_, "none" | "null", _) if self.optional => Value::Null,
            (Takes::Text, ..) => Value::from(text.as_str()),
            (Takes::Flag | Takes::FlagOr(_) | Takes::Parts(_), _, Some(flag)) => Value::Bool(flag),
            (Takes::Word(_) | Takes::FlagOr(_), ..) => Value::from(word),
            _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())),
        })
    }

    /// The value with its shorthand written out, if it is one that the field takes; else what it must be.
    pub(super) fn checked(&self, value: &Value) -> Result<Value, SpecError> {
        let value = self.plain(value);
        if value.is_null() && self.optional {
            return Ok(value);
        }
        let or_none = if self.optional { ", or none" } else { "" };
        let fault = |error: SpecError| SpecError::new(format!("{}{or_none}", error.message));
        self.takes.check(&value).map(|()| value).map_err(fault)
    }

    /// The one form of values that mean the same.
    pub(super) fn plain(&self, value: &Value) -> Value {
        match (&self.takes, value) {
            (Takes::Parts(_), Value::Bool(false)) => Value::Null,
            (Takes::Parts(_), Value::Bool(true)) => Value::Object(Map::new()),
            (Takes::Seconds { .. }, Value::Number(_)) => value.as_f64().map_or_else(|| value.clone(), Value::from),
            _ => value.clone(),
        }
    }
}

impl Takes {
    fn of(name: &str) -> Self {
        match name {
            "host" | "uds" | "upload_dir" => Self::Text,
            "port" => Self::Whole(0, 65_535),
            "fd" | "backlog" => Self::Whole(0, 0x7fff_ffff),
            // Zero of these is a limit too.
            "max_body_size" | "upload_memory" => Self::Whole(0, MAX_WHOLE),
            // The parser itself goes no deeper.
            "max_json_depth" => Self::Whole(1, 127),
            "workers" | "threads" => Self::Whole(1, 65_535),
            "shutdown_timeout" => Self::Seconds { zero: true },
            "max_worker_age" | "request_timeout" | "header_timeout" | "body_timeout" | "write_timeout"
            | "keep_alive" | "cancel_grace" => Self::Seconds { zero: false },
            "reload"
            | "io_thread"
            | "graceful_shutdown"
            | "cancel_on_disconnect"
            | "enable_request_id"
            | "assert_formats"
            | "debug"
            | "validate_responses" => Self::Flag,
            "access_log" => Self::FlagOr(&["combined", "json"]),
            "trailing_slash" => Self::Word(&["redirect", "strict", "ignore"]),
            "background_tasks" => Self::Parts(background_tasks),
            _ => Self::Whole(1, MAX_WHOLE),
        }
    }

    fn check(&self, value: &Value) -> Result<(), SpecError> {
        let (fits, what) = match self {
            Self::Text => (value.as_str().is_some_and(|text| !text.is_empty()), "must be text, and not empty".into()),
            Self::Flag => (value.is_boolean(), "must be true or false".into()),
            Self::FlagOr(words) => (
                value.is_boolean() || value.as_str().is_some_and(|word| words.contains(&word)),
                format!("must be true, false, {}", words.join(" or ")),
            ),
            Self::Word(words) => (
                value.as_str().is_some_and(|word| words.contains(&word)),
                format!("must be one of {}", words.join(", ")),
            ),
            Self::Whole(least, most) => (
                value.as_u64().is_some_and(|number| (*least..=*most).contains(&number)),
                format!("must be a whole number from {least} to {most}"),
            ),
            Self::Seconds { zero } => (
                value.as_f64().is_some_and(|time| time <= MAX_SECONDS && (time > 0.0 || *zero && time == 0.0)),
                format!(
                    "must be {} and at most {MAX_SECONDS} seconds",
                    if *zero { "at least 0" } else { "more than 0" }
                ),
            ),
            Self::Parts(check) if value.is_object() => return check(value),
            Self::Parts(_) => (false, "must be an object, true or false".into()),
        };
        if fits { Ok(()) } else { Err(SpecError::new(what)) }
    }
}

/// What is wrong with the object.
fn background_tasks(value: &Value) -> Result<(), SpecError> {
    let Value::Object(members) = value else { unreachable!("an object is checked") };
    for (name, value) in members {
        let takes = match name.as_str() {
            "max_queue" | "max_concurrent" => Takes::Whole(1, MAX_WHOLE),
            "drain_timeout" => Takes::Seconds { zero: true },
            _ => continue,
        };
        takes.check(value).map_err(|error| SpecError::new(format!("{name} {}", error.message)))?;
    }
    serde_json::from_value::<BackgroundTasks>(value.clone())
        .map(drop)
        .map_err(|error| SpecError::new(error.to_string()))
}
