//! The app as a document. It crosses the boundary once, at start-up, as JSON; serde is its only parser, the only
//! place for defaults and the only list of options.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    CallableId, Converter, SpecError, Template,
    config::{Layers, MAX_SECONDS},
};

/// The version of the boundary that this core speaks; `docs/boundary.md` describes it.
pub const BOUNDARY_VERSION: u32 = 1;

/// The whole app. Every piece of user code in it is a [`CallableId`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// The version of the boundary that the document was written for; none is today's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<u32>,
    /// The routes, in the order of their registration.
    #[serde(default)]
    pub routes: Vec<RouteSpec>,
    /// Named schemas, for `{"$ref": "#/schemas/Name"}`.
    #[serde(default)]
    pub schemas: Map<String, Value>,
    /// Hooks of every request, unmatched ones too.
    #[serde(default)]
    pub hooks: HookSpec,
    /// Everything that a `provide` argument can name.
    #[serde(default)]
    pub dependencies: Vec<DependencySpec>,
    /// One callable that may turn an error into a response.
    #[serde(default)]
    pub recover: RecoverSpec,
    /// What call, configuration object and environment say.
    #[serde(default)]
    pub config: Layers,
}

impl AppSpec {
    /// Reads the document; the message names the place of what does not fit.
    pub fn from_json(text: &[u8]) -> Result<Self, SpecError> {
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let spec: Self = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| SpecError::new(format!("the app specification at {}: {}", error.path(), error.inner())))?;
        match spec.boundary {
            Some(other) if other != BOUNDARY_VERSION => {
                let message =
                    format!("the app specification is of boundary {other}, the core speaks {BOUNDARY_VERSION}");
                Err(SpecError::new(message))
            }
            _ => Ok(spec),
        }
    }
}

/// One route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RouteSpec {
    /// `GET`, `POST` … in capitals.
    pub method: String,
    /// A path template.
    pub path: String,
    /// The handler.
    pub handler: CallableId,
    /// The wire: one entry for each source and name, those of the route's dependencies included.
    #[serde(default)]
    pub parameters: Vec<ParameterSpec>,
    /// The body, where somebody takes it.
    #[serde(default)]
    pub body: Option<BodySpec>,
    /// JSON Schema 2020-12 of what a successful JSON response holds; judged where `validate_responses` is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_schema: Option<Value>,
    /// What `response_schema` does not name is taken out of a successful JSON response, and one that it refuses is a 500,
    /// whether or not `validate_responses` is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub filters_response: bool,
    /// What the handler answers by status, beside its usual success.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub responses: BTreeMap<u16, ResponseSpec>,
    /// The call: what the handler gets, in order.
    #[serde(default)]
    pub arguments: Vec<ArgumentSpec>,
    /// Dependencies that are resolved though no argument takes them, by name.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// Hooks of this route, after the app's.
    #[serde(default)]
    pub hooks: HookSpec,
    /// In place of the app's, each callable by itself.
    #[serde(default)]
    pub recover: RecoverSpec,
    /// Everything else.
    #[serde(default)]
    pub options: RouteOptions,
}

impl RouteSpec {
    /// Stands for all requests that no route matches.
    pub fn nowhere() -> Self {
        Self {
            method: "*".into(),
            path: "/".into(),
            handler: CallableId(u32::MAX),
            parameters: Vec::new(),
            body: None,
            response_schema: None,
            filters_response: false,
            responses: BTreeMap::new(),
            arguments: Vec::new(),
            dependencies: Vec::new(),
            hooks: HookSpec::default(),
            recover: RecoverSpec::default(),
            options: RouteOptions::default(),
        }
    }
}

/// One answer of a route.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResponseSpec {
    /// When it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema 2020-12 of its JSON; judged where `validate_responses` is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

/// Where a parameter is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A segment of the path.
    Path,
    /// The query string.
    Query,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// A member of the JSON or form body; of the query where the request has no body at all.
    Body,
}

impl Source {
    /// The first step of an error's `loc`.
    pub fn loc(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "headers",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }
}

/// One parameter on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ParameterSpec {
    /// As it is sent. Header names are compared without case.
    pub name: String,
    /// Where it is sent.
    #[serde(rename = "in")]
    pub source: Source,
    /// Its type: a scalar, or a list of scalars. Where none is said: what its converter in the path reads, or text.
    #[serde(default)]
    pub schema: Value,
    /// Absent and required is an error. A parameter with a `default` is not required.
    #[serde(default)]
    pub required: Option<bool>,
    /// For documents; the host puts in its own default where the value is absent.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub default: Option<Value>,
    /// Splits one text into a list, instead of repeated parameters.
    #[serde(default)]
    pub separator: Option<String>,
    /// Further names: where it was not sent under `name`, the first of these that was sent counts. Not of a path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// It is no single parameter but the rest of its source: every name there that no other parameter of the route has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
    /// For documents.
    #[serde(default)]
    pub description: Option<String>,
    /// For documents.
    #[serde(default)]
    pub deprecated: bool,
    /// Whether documents list it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub include_in_schema: bool,
}

impl ParameterSpec {
    /// A parameter of which nothing else is said.
    pub fn new(name: &str, source: Source, schema: Value) -> Self {
        Self {
            name: name.to_owned(),
            source,
            schema,
            required: None,
            default: None,
            separator: None,
            also: Vec::new(),
            rest: None,
            description: None,
            deprecated: false,
            include_in_schema: true,
        }
    }

    /// The same with its schema, whoever says it.
    pub(crate) fn typed(mut self, template: &Template) -> Self {
        if self.schema.is_null() {
            let read = |(name, _): &(&str, Converter)| self.source == Source::Path && *name == self.name;
            self.schema =
                template.parameters().find(read).map_or(Converter::Plain, |(_, converter)| converter).schema();
        }
        self
    }

    /// Whether its absence is an error: as `required` says, else unless it has a default.
    pub fn is_required(&self) -> bool {
        self.required.unwrap_or(self.default.is_none())
    }
}

/// What becomes of names that no parameter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Rest {
    /// Each is refused. Not of header fields.
    Refused,
    /// Whoever takes the parameter gets them by name: a text, or a list where there are several.
    Gathered,
}

/// `"default": null` is a default too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// The body of a route.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct BodySpec {
    /// JSON Schema 2020-12; `true` accepts everything.
    #[serde(default = "anything")]
    pub schema: Value,
    /// How the schema is read.
    #[serde(default)]
    pub reading: Reading,
    /// What makes the host's value of it; none hands over the plain value.
    #[serde(default)]
    pub decoder: Option<CallableId>,
    /// `decoder` refuses what is no JSON to the letter, and runs nothing of the user's before it has read the last byte: the
    /// grammar is left to it.
    #[serde(default)]
    pub strict_decoder: bool,
    /// As `decoder`, of MessagePack; none: it is not read into a host's value.
    #[serde(default)]
    pub msgpack_decoder: Option<CallableId>,
    /// The same, of plain values: forms with files, and whatever had to be judged before.
    #[serde(default)]
    pub value_decoder: Option<CallableId>,
    /// Which media types are read.
    #[serde(default)]
    pub kind: BodyKind,
    /// A request without a body is an error; otherwise its argument is absent.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether documents describe it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub include_in_schema: bool,
    /// Further names of a form's members: where one was not sent under its own, the first of these that was sent counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, Vec<String>>,
    /// Members of the schema that documents leave out, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<String>,
    /// Parts of the schema, by JSON pointers, that the decoder reads laxly (true: a text for a number) and judges itself. The
    /// schema refuses there what no such decoder accepts, and nothing beside the decoder. False: a part inside that it does not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lax: BTreeMap<String, bool>,
}

impl BodySpec {
    /// A body that has to be sent, handed over as plain values, of which nothing else is said.
    pub fn new(schema: Value, kind: BodyKind) -> Self {
        Self {
            schema,
            reading: Reading::Typed,
            decoder: None,
            strict_decoder: false,
            msgpack_decoder: None,
            value_decoder: None,
            kind,
            required: true,
            include_in_schema: true,
            also: BTreeMap::new(),
            hidden: Vec::new(),
            lax: BTreeMap::new(),
        }
    }
}

fn anything() -> Value {
    Value::Bool(true)
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

/// How a schema is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// It stands for a host type, whose decoder decides what is accepted; the schema words the refusals.
    #[default]
    Typed,
    /// As it is written.
    JsonSchema,
}

/// Which media types a body is read from; others are answered 415.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BodyKind {
    /// `application/json`, `+json`, and MessagePack.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded` and `multipart/form-data`.
    Form,
    /// Any of these, by the request's content type.
    JsonOrForm,
    /// Anything, as text in UTF-8.
    Text,
    /// Anything, as bytes.
    Bytes,
}

/// One argument of a handler.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ArgumentSpec {
    /// A parameter, by its index.
    Parameter(ParameterArgument),
    /// Several parameters as one host value; their names are its members.
    Model(ModelArgument),
    /// The whole body.
    Body,
    /// A dependency, by its name.
    Provide(String),
    /// Nothing crosses: the host puts in its own value, a constant.
    Absent,
    /// The request itself.
    Request,
}

/// An argument that is one parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ParameterArgument {
    /// The parameter.
    pub index: usize,
    /// The host has a value for each of the schema's `enum` members: cross as the member's place.
    #[serde(default)]
    pub choices: bool,
    /// What makes the host's value of it.
    #[serde(default)]
    pub decoder: Option<CallableId>,
}

/// An argument that gathers parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ModelArgument {
    /// The parameters.
    pub parameters: Vec<usize>,
    /// What makes the host's value of them.
    pub decoder: CallableId,
}

/// Something that is made for a request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DependencySpec {
    /// What arguments and other dependencies call it.
    pub name: String,
    /// Makes it.
    pub provider: CallableId,
    /// Its own parameters on the wire; every route that needs it takes them over.
    #[serde(default)]
    pub parameters: Vec<ParameterSpec>,
    /// What the provider gets; a parameter is an index into its own list.
    #[serde(default)]
    pub arguments: Vec<ArgumentSpec>,
    /// The provider is a generator and must be finished.
    #[serde(default)]
    pub generator: bool,
    /// Dependencies that are made before it though no argument takes them, by name.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// How long it is kept.
    #[serde(default)]
    pub scope: Scope,
    /// When a generator of a request is finished.
    #[serde(default)]
    pub ends: Ends,
    /// It may be made beside its neighbours that say the same.
    #[serde(default)]
    pub concurrent: bool,
}

/// How long a dependency is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Not at all: each argument that names it gets one of its own.
    Call,
    /// For the request: everybody in it gets the same.
    #[default]
    Request,
    /// For the service: made when the first request needs it, and finished when the service is retired.
    Singleton,
}

/// When a generator of a request is finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Ends {
    /// When the handler has returned what can be sent, before anybody else sees it.
    Handler,
    /// When the whole response has been sent.
    #[default]
    Response,
}

/// Hooks, in the order of their registration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HookSpec {
    /// On the head.
    pub on_request: Vec<CallableId>,
    /// On the head, before the body is read.
    pub pre_validation: Vec<CallableId>,
    /// After binding.
    pub pre_handler: Vec<CallableId>,
    /// For a response of 500 and above that was made from an exception.
    pub on_error: Vec<CallableId>,
    /// For every response.
    pub on_response: Vec<CallableId>,
}

/// Who may turn an error into a response. A route with neither never crosses for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RecoverSpec {
    /// For exceptions of user code.
    pub exceptions: Option<CallableId>,
    /// By status, for errors of the framework too.
    pub statuses: BTreeMap<u16, CallableId>,
    /// Shows a developer what nobody handled: asked only where `debug` is on, for a client on this machine.
    pub debug: Option<CallableId>,
}

impl RecoverSpec {
    /// What a route says goes before what its app says.
    #[must_use]
    pub fn within(&self, app: &Self) -> Self {
        let mut statuses = app.statuses.clone();
        statuses.extend(&self.statuses);
        Self { exceptions: self.exceptions.or(app.exceptions), statuses, debug: self.debug.or(app.debug) }
    }

    /// Nobody wants an error.
    pub fn is_empty(&self) -> bool {
        self.exceptions.is_none() && self.statuses.is_empty() && self.debug.is_none()
    }

    /// Who is asked for an error of user code, or of the framework: a status that was raised as such is more than its
    /// class says.
    pub fn handler_of(&self, error: &crate::Error) -> Option<CallableId> {
        let by_status = self.statuses.get(&error.status_code().as_u16()).copied();
        match error.exception {
            Some(_) if error.code != crate::ErrorCode::Raised => self.exceptions.or(by_status),
            Some(_) => by_status.or(self.exceptions),
            None => by_status,
        }
    }
}

/// What else can be said of a route. Each field overrides the app's configuration.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RouteOptions {
    /// Bytes of the body at most; `null` lifts the limit.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "nullable")]
    pub max_body_size: Option<Option<u64>>,
    /// Seconds until the head of the response; `null` lifts the limit.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "nullable")]
    pub timeout: Option<Option<f64>>,
    /// Whether a client that leaves cancels the handler.
    pub cancel_on_disconnect: Option<bool>,
    /// Whether `format` is asserted in the route's JSON Schemas.
    pub assert_formats: Option<bool>,
}

impl RouteOptions {
    /// Fails on a timeout that is no time.
    pub fn check(&self) -> Result<(), SpecError> {
        match self.timeout.flatten() {
            Some(seconds) if !(seconds > 0.0 && seconds <= MAX_SECONDS) => {
                let bounds = format!("must be greater than 0 and at most {MAX_SECONDS} seconds");
                Err(SpecError::new(format!("timeout: {bounds}, got {seconds}")))
            }
            _ => Ok(()),
        }
    }
}

/// Tells `null` from absent.
fn nullable<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
