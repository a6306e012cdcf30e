//! The configuration: what call, configuration object and environment say, resolved here and nowhere else.

mod access_log;
mod field;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::access_log::AccessLog;
use self::field::Field;
pub use self::field::MAX_SECONDS;
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
    /// Reads them, and resolves what applies.
    pub fn from_json(text: &[u8]) -> Result<(Self, Config), SpecError> {
        let layers: Self = serde_json::from_slice(text).map_err(|fault| SpecError::new(fault.to_string()))?;
        let config = Config::resolve(&layers)?;
        Ok((layers, config))
    }

    /// The variables that count for nothing, because a call or the configuration object says something else.
    pub fn overruled(&self) -> Vec<&str> {
        let overrules = |variable: &str, text: &Value| {
            let Some(name) = variable.strip_prefix(PREFIX).map(str::to_ascii_lowercase) else { return false };
            let Some(said) = self.call.get(&name).or_else(|| self.given.get(&name)) else { return false };
            let field = Field::named(&name);
            field.read(text).is_some_and(|value| field.plain(&value) != field.plain(said))
        };
        self.env
            .iter()
            .filter(|(variable, text)| overrules(variable, text))
            .map(|(variable, _)| variable.as_str())
            .collect()
    }

    /// The variables that nearly name a field, each with the one that may have been meant. One that is like no field may
    /// be the app's own, or a tool's.
    pub fn misspelt(&self) -> Vec<(&str, String)> {
        let known: Vec<_> = Config::defaults().keys().map(|name| variable_of(name)).collect();
        let unknown = self.env.keys().filter(|name| name.starts_with(PREFIX) && !known.contains(name));
        unknown.filter_map(|name| Some((name.as_str(), nearest(name, &known)?.clone()))).collect()
    }
}

/// The name that may be meant by one that is not known.
fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a String>) -> Option<&'a String> {
    let near = known.into_iter().map(|known| (strsim::osa_distance(name, known), known));
    near.min().filter(|(slips, _)| *slips <= MOST_SLIPS).map(|(_, known)| known)
}

const PREFIX: &str = "SPIKARD_";

/// A name with more slips of a finger is another name.
const MOST_SLIPS: usize = 2;

fn variable_of(field: &str) -> String {
    format!("{PREFIX}{}", field.to_ascii_uppercase())
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
    /// A server that stops waits for requests in flight. False: it has resolved to a `shutdown_timeout` of 0.
    pub graceful_shutdown: bool,
    /// For requests in flight when the server stops.
    pub shutdown_timeout: f64,
    /// A client that leaves cancels its handler.
    pub cancel_on_disconnect: bool,
    /// For user code that was cancelled to end; after that it is given up.
    pub cancel_grace: f64,
    /// `x-request-id` on every response.
    pub enable_request_id: bool,
    /// One line for each request on standard output.
    pub access_log: AccessLog,
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
            graceful_shutdown: true,
            shutdown_timeout: 30.0,
            cancel_on_disconnect: false,
            cancel_grace: 5.0,
            enable_request_id: true,
            access_log: AccessLog::default(),
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
        let defaults = Self::defaults();
        if let Some(unknown) = layers.call.keys().chain(layers.given.keys()).find(|name| !defaults.contains_key(*name))
        {
            let meant = nearest(unknown, defaults.keys()).map(|meant| format!(", did you mean {meant:?}?"));
            let meant = meant.unwrap_or_default();
            return Err(SpecError::new(format!("there is no configuration field {unknown:?}{meant}")));
        }
        let mut resolved = defaults.clone();
        for name in defaults.keys() {
            let field = Field::named(name);
            let variable = variable_of(name);
            let said = [&layers.call, &layers.given].into_iter().find_map(|layer| layer.get(name));
            let (value, origin) = match (said, layers.env.get(&variable).and_then(|text| field.read(text))) {
                (Some(value), _) => (value.clone(), name),
                (None, Some(value)) => (value, &variable),
                (None, None) => continue,
            };
            let fault = |error: SpecError| SpecError::new(format!("{origin}: {}, got {value}", error.message));
            resolved.insert(name.clone(), field.checked(&value).map_err(fault)?);
        }
        if resolved["graceful_shutdown"] == false {
            resolved.insert("shutdown_timeout".into(), 0.0.into());
        }
        serde_json::from_value(Value::Object(resolved)).map_err(|error| SpecError::new(error.to_string()))
    }

    /// Every field by name.
    fn defaults() -> Map<String, Value> {
        match serde_json::to_value(Self::default()).expect("plain values") {
            Value::Object(defaults) => defaults,
            _ => unreachable!("a struct is an object"),
        }
    }

    /// Whether a supervisor has to start the workers: there are several, or they are replaced.
    pub fn is_supervised(&self) -> bool {
        let recycled = self.max_requests.is_some() || self.max_worker_age.is_some() || self.max_worker_rss.is_some();
        self.workers > 1 || self.reload || recycled
    }
}
