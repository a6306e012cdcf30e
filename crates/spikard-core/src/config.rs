//! The configuration: what call, configuration object and environment say, resolved here and nowhere else.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::SpecError;

/// What was said where. Each layer holds only what was given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Layers {
    /// Arguments of `run()` and its like.
    pub call: Map<String, Value>,
    /// The configuration object.
    pub given: Map<String, Value>,
    /// The environment's `SPIKARD_*` variables, verbatim. A variable that names no field is left alone.
    pub env: Map<String, Value>,
}

impl Layers {
    /// The variables that count for nothing, because a call or the configuration object says something else.
    pub fn overruled(&self) -> Vec<&str> {
        let overrules = |variable: &str, text: &Value| {
            let name = variable.strip_prefix("SPIKARD_").unwrap_or_default().to_ascii_lowercase();
            let said = self.call.get(&name).or_else(|| self.given.get(&name));
            said.is_some_and(|value| from_env(text, value) != *value)
        };
        self.env
            .iter()
            .filter(|(variable, text)| overrules(variable, text))
            .map(|(variable, _)| variable.as_str())
            .collect()
    }
}

/// What applies. Times are seconds; `None` lifts a limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address or name to listen on.
    pub host: String,
    /// TCP port; 0 takes any free one.
    pub port: u16,
    /// Path of a unix socket to listen on in place of host and port.
    pub uds: Option<String>,
    /// Number of an inherited descriptor that listens already, in place of host and port.
    pub fd: Option<u32>,
    /// Connections that the kernel keeps waiting.
    pub backlog: u32,
    /// Processes that serve, each with an app of its own.
    pub workers: usize,
    /// Workers are replaced when a source file changes.
    pub reload: bool,
    /// Requests after which a worker is replaced; up to a tenth is added at random, so that not all go at once.
    pub max_requests: Option<u64>,
    /// Age at which a worker is replaced; up to a tenth is added at random.
    pub max_worker_age: Option<f64>,
    /// Bytes of resident memory above which a worker is replaced. Linux only.
    pub max_worker_rss: Option<u64>,
    /// Open connections at most; above that the listener stops accepting.
    pub max_connections: Option<usize>,
    /// Requests in flight at most, clean-up included; above that 503.
    pub max_in_flight: usize,
    /// Bytes of a request's body at most.
    pub max_body_size: Option<u64>,
    /// Levels of nesting in a JSON body at most.
    pub max_json_depth: usize,
    /// Parts of a multipart form at most.
    pub max_form_parts: usize,
    /// Bytes of one text of a multipart form at most.
    pub max_form_text: usize,
    /// Bytes of a form's files that are kept in memory; what is longer goes to disk.
    pub upload_memory: usize,
    /// The directory of files on disk; none: the system's for temporary files.
    pub upload_dir: Option<String>,
    /// From the match to the response's head.
    pub request_timeout: Option<f64>,
    /// From the first byte of a request to the end of its head.
    pub header_timeout: Option<f64>,
    /// Without a byte of a body that is being read.
    pub body_timeout: Option<f64>,
    /// Without progress of a response that is being written.
    pub write_timeout: Option<f64>,
    /// Idle between two requests of a connection.
    pub keep_alive: Option<f64>,
    /// For requests in flight when the server stops.
    pub shutdown_timeout: f64,
    /// A client that leaves cancels its handler.
    pub cancel_on_disconnect: bool,
    /// For user code that was cancelled to end; after that it is given up.
    pub cancel_grace: f64,
    /// `x-request-id` on every response.
    pub enable_request_id: bool,
    /// What happens to a path that differs from a declared one in its last slash only.
    pub trailing_slash: TrailingSlash,
    /// `format` is asserted in JSON Schemas as they are written.
    pub assert_formats: bool,
    /// A client on this machine is shown what its exception was. Never where strangers are served.
    pub debug: bool,
    /// A JSON response that its route's `response_schema` refuses is a 500.
    pub validate_responses: bool,
    /// How background tasks are held; none takes them away.
    pub background_tasks: Option<BackgroundTasks>,
    /// What the binding itself needs.
    #[serde(flatten)]
    pub host_side: HostSide,
}

/// The part of the configuration that a binding reads: the core only resolves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HostSide {
    /// Threads for user code that may block.
    pub threads: usize,
    /// Connections are served by a thread of their own, even where the host's event loop could do it.
    pub io_thread: bool,
}

impl Default for HostSide {
    fn default() -> Self {
        Self { threads: 40, io_thread: false }
    }
}

/// See [`Config::background_tasks`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BackgroundTasks {
    /// Tasks that were asked for and have not begun, at most.
    pub max_queue: usize,
    /// Tasks that run at a time, at most.
    pub max_concurrent: usize,
    /// For tasks to end when the server stops; never longer than `shutdown_timeout`.
    pub drain_timeout: f64,
}

impl Default for BackgroundTasks {
    fn default() -> Self {
        Self { max_queue: 1024, max_concurrent: 128, drain_timeout: 30.0 }
    }
}

impl BackgroundTasks {
    /// What is wrong with it.
    fn fault(&self) -> Option<String> {
        let drain = self.drain_timeout;
        match self {
            Self { max_queue: 0, .. } => Some("max_queue must be greater than 0".into()),
            Self { max_concurrent: 0, .. } => Some("max_concurrent must be greater than 0".into()),
            _ if (0.0..=MAX_SECONDS).contains(&drain) => None,
            _ => Some(format!("drain_timeout must be between 0 and {MAX_SECONDS} seconds, got {drain}")),
        }
    }
}

/// See [`Config::trailing_slash`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TrailingSlash {
    /// 308 to the declared form.
    #[default]
    Redirect,
    /// 404.
    Strict,
    /// Served as if it were the declared form.
    Ignore,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 8000,
            uds: None,
            fd: None,
            backlog: 2048,
            workers: 1,
            reload: false,
            max_requests: None,
            max_worker_age: None,
            max_worker_rss: None,
            max_connections: None,
            max_in_flight: 1024,
            max_body_size: Some(10 * 1024 * 1024),
            max_json_depth: 64,
            max_form_parts: 1000,
            max_form_text: 1024 * 1024,
            upload_memory: 1024 * 1024,
            upload_dir: None,
            request_timeout: Some(30.0),
            header_timeout: Some(10.0),
            body_timeout: Some(30.0),
            write_timeout: Some(30.0),
            keep_alive: Some(75.0),
            shutdown_timeout: 30.0,
            cancel_on_disconnect: false,
            cancel_grace: 5.0,
            enable_request_id: true,
            trailing_slash: TrailingSlash::default(),
            assert_formats: true,
            debug: false,
            validate_responses: false,
            background_tasks: Some(BackgroundTasks::default()),
            host_side: HostSide::default(),
        }
    }
}

impl Config {
    /// Resolves the layers: call, then configuration object, then environment, then default. The message names the
    /// field and where its value was given.
    pub fn resolve(layers: &Layers) -> Result<Self, SpecError> {
        let Value::Object(defaults) = serde_json::to_value(Self::default()).expect("plain values") else {
            unreachable!("a struct is an object")
        };
        let mut resolved = defaults.clone();
        for (name, default) in &defaults {
            let variable = format!("SPIKARD_{}", name.to_ascii_uppercase());
            let said = [&layers.call, &layers.given].into_iter().find_map(|layer| layer.get(name));
            let value = match (said, layers.env.get(&variable)) {
                (Some(value), _) => value.clone(),
                (None, Some(text)) => from_env(text, default),
                (None, None) => continue,
            };
            let origin = if said.is_some() { name.as_str() } else { variable.as_str() };
            Self::check(name, origin, &value)?;
            resolved.insert(name.clone(), value);
        }
        if let Some(unknown) = layers.call.keys().chain(layers.given.keys()).find(|name| !defaults.contains_key(*name))
        {
            return Err(SpecError::new(format!("there is no configuration field {unknown:?}")));
        }
        serde_json::from_value(Value::Object(resolved)).map_err(|error| SpecError::new(error.to_string()))
    }

    /// Whether a supervisor has to start the workers: there are several, or they are replaced.
    pub fn is_supervised(&self) -> bool {
        let recycled = self.max_requests.is_some() || self.max_worker_age.is_some() || self.max_worker_rss.is_some();
        self.workers > 1 || self.reload || recycled
    }

    /// One field alone, so that the message can name it.
    fn check(name: &str, origin: &str, value: &Value) -> Result<(), SpecError> {
        let fault = |what: String| Err(SpecError::new(format!("{origin}: {what}, got {value}")));
        let alone = Map::from_iter([(name.to_owned(), value.clone())]);
        let alone = match serde_json::from_value::<Self>(Value::Object(alone)) {
            Ok(alone) => alone,
            Err(error) => return fault(error.to_string()),
        };
        if let Some(error) = alone.background_tasks.as_ref().and_then(BackgroundTasks::fault) {
            return fault(error);
        }
        let Some(number) = value.as_f64() else { return Ok(()) };
        match name {
            "port" => Ok(()),
            _ if TIMES.contains(&name) && number > MAX_SECONDS => {
                fault(format!("must be at most {MAX_SECONDS} seconds"))
            }
            _ if number < 0.0 => fault("must not be negative".into()),
            // Zero of these would refuse every request.
            "max_body_size" | "shutdown_timeout" | "backlog" | "upload_memory" | "fd" => Ok(()),
            // The parser itself goes no deeper.
            "max_json_depth" if number > 127.0 => fault("must be at most 127".into()),
            _ if number == 0.0 => fault("must be greater than 0".into()),
            _ => Ok(()),
        }
    }
}

/// The fields that are times.
const TIMES: &[&str] = &[
    "request_timeout",
    "header_timeout",
    "body_timeout",
    "write_timeout",
    "keep_alive",
    "shutdown_timeout",
    "cancel_grace",
    "max_worker_age",
];

/// The longest time, in seconds, that a timeout may be: a year. `None` lifts it.
pub const MAX_SECONDS: f64 = 31_536_000.0;

/// A variable is text: it is read as the type of the field's default, and `none` lifts a limit.
fn from_env(text: &Value, default: &Value) -> Value {
    let Some(text) = text.as_str() else { return text.clone() };
    match (default, text.to_ascii_lowercase().as_str()) {
        (Value::String(_), _) => Value::from(text),
        (Value::Bool(_), "1" | "true" | "yes" | "on") => Value::Bool(true),
        (Value::Bool(_), "0" | "false" | "no" | "off") => Value::Bool(false),
        (_, "none" | "null" | "") => Value::Null,
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layers(layers: Value) -> Layers {
        serde_json::from_value(layers).unwrap()
    }

    #[test]
    fn a_call_goes_before_the_object_before_the_environment_before_the_default() {
        let said = json!({"call": {"port": 1}, "given": {"port": 2, "host": "h"},
            "env": {"SPIKARD_PORT": "3", "SPIKARD_HOST": "e", "SPIKARD_THREADS": "4", "SPIKARD_OTHER": "x"}});
        let config = Config::resolve(&layers(said)).unwrap();
        assert_eq!((config.port, config.host.as_str(), config.host_side.threads), (1, "h", 4));
        assert_eq!(config.keep_alive, Some(75.0));
    }

    #[test]
    fn a_variable_that_says_something_else_is_overruled() {
        let said = json!({"call": {"port": 1, "reload": true}, "given": {"host": "h", "workers": 2},
            "env": {"SPIKARD_PORT": "3", "SPIKARD_HOST": "h", "SPIKARD_RELOAD": "yes", "SPIKARD_WORKERS": "4",
                    "SPIKARD_BACKLOG": "9", "OTHER": "x"}});
        assert_eq!(layers(said).overruled(), ["SPIKARD_PORT", "SPIKARD_WORKERS"]);
    }

    #[test]
    fn null_lifts_a_limit_from_every_layer() {
        let said = json!({"given": {"max_body_size": null}, "env": {"SPIKARD_REQUEST_TIMEOUT": "none"}});
        let config = Config::resolve(&layers(said)).unwrap();
        assert_eq!((config.max_body_size, config.request_timeout), (None, None));
    }

    #[test]
    fn a_value_that_does_not_fit_names_its_field_or_variable() {
        for (said, start) in [
            (json!({"given": {"port": 70000}}), "port: "),
            (json!({"given": {"keep_alive": -1}}), "keep_alive: must not be negative, got -1"),
            (json!({"given": {"threads": 0}}), "threads: must be greater than 0, got 0"),
            (json!({"env": {"SPIKARD_PORT": "many"}}), "SPIKARD_PORT: "),
            (json!({"call": {"trailing_slash": "maybe"}}), "trailing_slash: "),
            (json!({"call": {"keep_alive": 1e300}}), "keep_alive: must be at most 31536000 seconds"),
            (json!({"given": {"background_tasks": {"max_queue": 0}}}), "background_tasks: max_queue must be"),
            (json!({"given": {"background_tasks": {"max_quue": 1}}}), "background_tasks: unknown field `max_quue`"),
            (json!({"given": {"prot": 1}}), "there is no configuration field \"prot\""),
        ] {
            let message = Config::resolve(&layers(said)).unwrap_err().message;
            assert!(message.starts_with(start), "{message}");
        }
    }
}
