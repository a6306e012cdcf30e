//! The one error type of a request, the table of its codes, and the error of start-up.

use std::{
    borrow::Cow,
    fmt,
    ops::{Deref, DerefMut},
};

use http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{HostArg, HostId, Response, echo};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $title:literal;)*) => {
        /// What went wrong with a request; the table gives status and title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its status.
            pub fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// Its title: RFC 9110's phrase, but for [`ErrorCode::Validation`].
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Its name in tests and tools.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

codes! {
    /// Not parseable: malformed JSON, bad UTF-8, a body that breaks off.
    BadRequest = BAD_REQUEST, "Bad Request";
    /// No route matches the path.
    NotFound = NOT_FOUND, "Not Found";
    /// The path exists, not with this method.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "Method Not Allowed";
    /// The request, or its handling, took too long.
    RequestTimeout = REQUEST_TIMEOUT, "Request Timeout";
    /// The body is longer than the limit.
    ContentTooLarge = PAYLOAD_TOO_LARGE, "Content Too Large";
    /// The target is longer than 16 KiB.
    UriTooLong = URI_TOO_LONG, "URI Too Long";
    /// No reader for this content type or coding.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type";
    /// `If-Match` or `If-Unmodified-Since` does not hold.
    PreconditionFailed = PRECONDITION_FAILED, "Precondition Failed";
    /// No range that was asked for lies within the content.
    RangeNotSatisfiable = RANGE_NOT_SATISFIABLE, "Range Not Satisfiable";
    /// `Expect` asks for something other than `100-continue`.
    ExpectationFailed = EXPECTATION_FAILED, "Expectation Failed";
    /// Parameters or body were refused; `fields` lists every error.
    Validation = UNPROCESSABLE_ENTITY, "Request Validation Failed";
    /// Header fields over 64 KiB or more than 100.
    HeaderFieldsTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large";
    /// User code, or the server, failed.
    Internal = INTERNAL_SERVER_ERROR, "Internal Server Error";
    /// A method or feature that the server does not know.
    NotImplemented = NOT_IMPLEMENTED, "Not Implemented";
    /// As many requests are in flight as may be.
    ServiceUnavailable = SERVICE_UNAVAILABLE, "Service Unavailable";
    /// User code raised an error that names its own status (`status` of the error, with `title` and `extra`).
    Raised = INTERNAL_SERVER_ERROR, "Internal Server Error";
}

/// An error of a request. It always becomes a response: see [`Error::problem`].
#[derive(Debug)]
pub struct Error(Box<ErrorParts>);

/// The parts of an [`Error`].
#[derive(Debug)]
pub struct ErrorParts {
    /// What went wrong.
    pub code: ErrorCode,
    /// For the client: one sentence that names the value, lower case, no full stop. None: the code says it all.
    pub detail: Option<Cow<'static, str>>,
    /// Every refused value of the request.
    pub fields: Vec<FieldError>,
    /// There are more refused values than are told.
    pub more: bool,
    /// Sent with the response.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The object that user code raised.
    pub exception: Option<HostId>,
    /// The input that a host's decoder refused, so that the schema can word the refusal.
    pub refused: Option<HostArg>,
    /// For the log only: what the client must not see.
    pub source: Option<String>,
    /// The user's own status ([`ErrorCode::Raised`]).
    pub status: Option<StatusCode>,
    /// The user's own title.
    pub title: Option<String>,
    /// The user's own type URI.
    pub type_uri: Option<String>,
    /// Further members of the problem document.
    pub extra: Map<String, Value>,
    /// The framework's own answer where no route was matched and nothing failed: it goes the road of an error, past
    /// every handler.
    pub answer: Option<Response>,
}

impl Error {
    /// Ends the road of a request with an answer that is no failure.
    pub fn answered(answer: Response) -> Self {
        let mut error = Self::new(ErrorCode::NotFound);
        error.answer = Some(answer);
        error
    }

    /// An error with nothing but a code.
    pub fn new(code: ErrorCode) -> Self {
        Self(Box::new(ErrorParts {
            code,
            detail: None,
            fields: Vec::new(),
            more: false,
            headers: Vec::new(),
            exception: None,
            refused: None,
            source: None,
            status: None,
            title: None,
            type_uri: None,
            extra: Map::new(),
            answer: None,
        }))
    }

    /// Says more to the client.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says more to the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// 400: what could not be parsed.
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::BadRequest).with_detail(detail)
    }

    /// 422 with these refusals; of more than [`MAX_ERRORS`] the first.
    pub fn invalid(mut fields: Vec<FieldError>) -> Self {
        let mut error = Self::new(ErrorCode::Validation);
        error.more = fields.len() > MAX_ERRORS;
        fields.truncate(MAX_ERRORS);
        error.more |= echo::bound(&mut fields);
        error.fields = fields;
        error
    }

    /// A host's decoder refused `input`; `message` is its own, used where the schema finds nothing to say.
    pub fn refused(input: HostArg, message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(ErrorCode::Validation).with_detail(message);
        error.refused = Some(input);
        error
    }

    /// The same, where the decoder has words for several values. `complete`: for all that is wrong.
    pub fn refused_in_words(input: HostArg, fields: Vec<FieldError>, complete: bool) -> Self {
        let message = fields.first().map_or("value is not valid".into(), |first| first.msg.clone());
        let mut error = Self::refused(input, message);
        if complete {
            error.detail = None;
        }
        error.fields = fields;
        error
    }

    /// 500; `source` is for the log.
    pub fn internal(source: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal).with_source(source)
    }

    /// The status of the response.
    pub fn status_code(&self) -> StatusCode {
        self.status.unwrap_or_else(|| self.code.status())
    }
}

impl Deref for Error {
    type Target = ErrorParts;
    fn deref(&self) -> &ErrorParts {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut ErrorParts {
        &mut self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status_code().as_u16(), self.code.title())?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Refusals that one problem document lists at most.
pub const MAX_ERRORS: usize = 1000;

/// One refused value. It is written as one member of `errors` in a problem document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldError {
    /// pydantic's word for it: one of [`crate::Word`], or the word of a host library that reports itself.
    #[serde(rename = "type")]
    pub word: Cow<'static, str>,
    /// Where the value stands: source, then names and indexes.
    #[serde(default)]
    pub loc: Vec<Loc>,
    /// For people.
    pub msg: Cow<'static, str>,
    /// What was sent; null for a missing parameter, the enclosing object for a missing member.
    #[serde(default)]
    pub input: Value,
    /// What the words refer to: limits, expected values.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ctx: Map<String, Value>,
}

impl FieldError {
    /// Puts the place of the enclosing value before its own.
    #[must_use]
    pub fn under(mut self, outer: impl IntoIterator<Item = Loc>) -> Self {
        self.loc.splice(..0, outer);
        self
    }
}

/// One step of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loc {
    /// A source, a parameter's name or a member's.
    Key(Cow<'static, str>),
    /// A place in a list.
    Index(usize),
}

impl Serialize for Loc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Key(key) => serializer.serialize_str(key),
            Self::Index(index) => serializer.serialize_u64(*index as u64),
        }
    }
}

impl Loc {
    /// The name of a member that was sent; of a long one its beginning.
    pub fn named(name: &str) -> Self {
        Self::Key(echo::beginning(name).unwrap_or_else(|| name.to_owned()).into())
    }
}

impl<'de> Deserialize<'de> for Loc {
    /// By way of a value: numbers of any size cannot be told apart by trying one type after another.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let step = Value::deserialize(deserializer)?;
        Ok(match (step.as_u64(), step) {
            (Some(index), _) => Self::Index(index as usize),
            (None, Value::String(key)) => key.into(),
            (None, other) => other.to_string().into(),
        })
    }
}

impl From<&'static str> for Loc {
    fn from(key: &'static str) -> Self {
        Self::Key(Cow::Borrowed(key))
    }
}

impl From<String> for Loc {
    fn from(key: String) -> Self {
        Self::Key(Cow::Owned(echo::beginning(&key).unwrap_or(key)))
    }
}

impl From<usize> for Loc {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A fault of the app itself, found at start-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    /// `GET /users/{id}`, or none where no single route is at fault.
    pub route: Option<String>,
    /// What is wrong: lower case, no full stop, names the value.
    pub message: String,
}

impl SpecError {
    /// A fault that no single route has.
    pub fn new(message: impl Into<String>) -> Self {
        Self { route: None, message: message.into() }
    }

    /// Names the route, unless one is named already.
    #[must_use]
    pub fn in_route(mut self, method: &str, path: &str) -> Self {
        self.route.get_or_insert_with(|| format!("{method} {path}"));
        self
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.route {
            Some(route) => write!(f, "{route}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for SpecError {}
