//! Reads the body: by content type, as text or by its schema, and hands it on as it is or to the host's decoder.

use bytes::Bytes;
use http::{header, request::Parts};
use serde_json::{Map, Value, json};

use super::{Bound, From, Plan, head::missing};
use crate::{
    Arg, Args, CallableId, Error, ErrorCode, FieldError, HostArg, Input, Loc, SpecError, Word,
    config::Config,
    dependency::Wiring,
    json as grammar, pairs, sabotage,
    schema::Schema,
    spec::{AppSpec, BodyKind, BodySpec, ParameterSpec, Reading, RouteSpec, Source},
};

/// How a body's bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`, or any `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// UTF-8 text of any type.
    Text,
    /// Bytes of any type.
    Bytes,
}

#[derive(Debug)]
pub(super) struct BodyPlan {
    kind: BodyKind,
    /// Of the whole body; of an object of single members where `whole` is false.
    schema: Schema,
    reading: Reading,
    decoder: Option<CallableId>,
    required: bool,
    whole: bool,
    max_depth: usize,
}

impl BodyPlan {
    /// None: the route reads no body.
    pub(super) fn compile(
        app: &AppSpec,
        route: &RouteSpec,
        wiring: &Wiring,
        config: &Config,
    ) -> Result<Option<Self>, SpecError> {
        let assert_formats = route.options.assert_formats.unwrap_or(config.assert_formats);
        let max_depth = if sabotage::takes_out("limits") { usize::MAX } else { config.max_json_depth };
        let named = |error: SpecError| SpecError::new(format!("body: {}", error.message));
        let members: Vec<_> = wiring.parameters.iter().filter(|parameter| parameter.source == Source::Body).collect();
        let (spec, whole) = match (&route.body, members.is_empty()) {
            (Some(_), false) => {
                return Err(SpecError::new("a body is taken as a whole or by its members, not both ways"));
            }
            (Some(body), true) => (body.clone(), true),
            (None, false) => (object_of(&members), false),
            (None, true) => return Ok(None),
        };
        let schema = Schema::compile(&spec.schema, &app.schemas, spec.reading, assert_formats).map_err(named)?;
        let BodySpec { kind, reading, decoder, required, .. } = spec;
        Ok(Some(Self { kind, schema, reading, decoder, required, whole, max_depth }))
    }

    pub(super) fn is_decoded(&self) -> bool {
        self.decoder.is_some() && self.whole
    }

    /// By the request's content type; none counts as the first that the route reads.
    pub(super) fn media(&self, parts: &Parts) -> Result<Media, Error> {
        refuse_coding(parts)?;
        let sent = parts.headers.get(header::CONTENT_TYPE);
        let json_first = matches!(self.kind, BodyKind::Json | BodyKind::JsonOrForm);
        match self.kind {
            BodyKind::Text => return Ok(Media::Text),
            BodyKind::Bytes => return Ok(Media::Bytes),
            BodyKind::Json | BodyKind::Form | BodyKind::JsonOrForm => (),
        }
        let Some(sent) = sent else { return Ok(if json_first { Media::Json } else { Media::Form }) };
        // As nearly every client writes it.
        if json_first && sent.as_bytes() == b"application/json" {
            return Ok(Media::Json);
        }
        let text = String::from_utf8_lossy(sent.as_bytes());
        let readable = classify(&text).filter(|media| match (self.kind, media) {
            (BodyKind::Json, media) => *media == Media::Json,
            (BodyKind::Form, media) => *media == Media::Form,
            _ => true,
        });
        readable.ok_or_else(|| {
            let detail = format!("the content type \"{}\" is not supported", text.escape_debug());
            Error::new(ErrorCode::UnsupportedMediaType).with_detail(detail)
        })
    }

    /// `loc` is relative.
    pub(super) fn errors(&self, text: &[u8]) -> Vec<FieldError> {
        serde_json::from_slice(text).map_or_else(|_| Vec::new(), |value| self.schema.errors(&value))
    }

    /// Reads JSON text as far as the host's decoder does not. `strict`: something else was refused already, so the
    /// schema has to say what it thinks of the body.
    fn read_json(&self, text: Bytes, strict: bool) -> Result<Arg, Vec<FieldError>> {
        let left_to_host = self.decoder.is_some() && self.reading == Reading::Typed && !self.schema.has_pattern();
        if left_to_host && !strict {
            return Ok(self.input(text));
        }
        let value: Value = serde_json::from_slice(&text).map_err(|error| vec![value_error(&error.to_string())])?;
        if !self.schema.accepts(&value) {
            return Err(self.schema.errors(&value));
        }
        Ok(match self.decoder {
            // As judged, and not as sent: of a name sent twice one value was judged, and the decoder may look at both.
            Some(_) => self.input(serde_json::to_vec(&value).expect("a JSON value").into()),
            None => Arg::from(value),
        })
    }

    /// `null` stands for no body where the schema has no place for it.
    fn is_null(&self, text: &[u8]) -> bool {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let mut rest = text.iter().skip_while(|byte| blank(byte));
        let word = rest.by_ref().take(4).eq(b"null");
        word && rest.all(blank) && !self.schema.accepts(&Value::Null)
    }

    fn form_value(&self, text: &[u8]) -> Result<Value, Error> {
        let pairs = pairs::parse(text).map_err(|fault| Error::malformed(fault.message("form")))?;
        let pairs: Vec<(String, String)> =
            pairs.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        self.schema.read_form(&pairs).map_err(Error::invalid)
    }

    fn input(&self, text: Bytes) -> Arg {
        match self.decoder {
            // Its place is known when the argument list is laid out.
            Some(decoder) => Arg::Input(Box::new(HostArg { decoder, argument: 0, input: Input::Json(text) })),
            None => Arg::Null,
        }
    }
}

/// Bodies are read as they are: no content coding is taken off.
fn refuse_coding(parts: &Parts) -> Result<(), Error> {
    let mut codings = parts.headers.get_all(header::CONTENT_ENCODING).iter();
    match codings.find(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        Some(coding) => {
            let text = String::from_utf8_lossy(coding.as_bytes());
            let detail = format!("the content coding \"{}\" is not supported", text.escape_debug());
            Err(Error::new(ErrorCode::UnsupportedMediaType).with_detail(detail))
        }
        None => Ok(()),
    }
}

/// Single members as the one body that they make.
fn object_of(members: &[&ParameterSpec]) -> BodySpec {
    let properties: Map<String, Value> =
        members.iter().map(|member| (member.name.clone(), member.schema.clone())).collect();
    let required: Vec<&str> =
        members.iter().filter(|member| member.is_required()).map(|member| member.name.as_str()).collect();
    BodySpec {
        schema: json!({"type": "object", "properties": properties, "required": required}),
        reading: Reading::Typed,
        decoder: None,
        kind: BodyKind::JsonOrForm,
        required: true,
    }
}

/// The host refused what the schema accepts.
pub(super) fn value_error(message: &str) -> FieldError {
    let mut error = FieldError::new(Word::ValueError, Vec::<Loc>::new(), Value::Null, Map::new());
    error.msg = message.to_owned().into();
    error
}

fn classify(content_type: &str) -> Option<Media> {
    let mut pieces = content_type.split(';').map(str::trim);
    let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let charset =
        pieces.find_map(|piece| piece.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset")));
    let utf8 = charset.is_none_or(|(_, name)| {
        let name = name.trim_matches('"');
        name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8") || name.eq_ignore_ascii_case("us-ascii")
    });
    let (_, subtype) = kind.split_once('/')?;
    match kind.as_str() {
        _ if !utf8 => None,
        "application/json" => Some(Media::Json),
        "application/x-www-form-urlencoded" => Some(Media::Form),
        _ if subtype.ends_with("+json") => Some(Media::Json),
        _ => None,
    }
}

impl BodyPlan {
    /// A whole body. `loc` of a refusal is relative.
    fn read(&self, bytes: Bytes, media: Media, strict: bool) -> Result<Arg, Error> {
        match media {
            Media::Json => {
                self.check(&bytes)?;
                self.read_json(bytes, strict).map_err(Error::invalid)
            }
            Media::Form => {
                let value = self.form_value(&bytes)?;
                Ok(match self.decoder {
                    Some(_) => self.input(serde_json::to_vec(&value).expect("a JSON value").into()),
                    None => Arg::from(value),
                })
            }
            Media::Text => match String::from_utf8(bytes.into()) {
                Ok(text) => Ok(Arg::Str(text)),
                Err(_) => Err(Error::malformed("the body is not valid UTF-8")),
            },
            Media::Bytes => Ok(Arg::Bytes(bytes)),
        }
    }

    /// An object of single members, accepted by its schema.
    fn read_members(&self, bytes: &Bytes, media: Media) -> Result<Map<String, Value>, Error> {
        let value = if media == Media::Form {
            self.form_value(bytes)?
        } else {
            self.check(bytes)?;
            serde_json::from_slice(bytes).map_err(|error| Error::invalid(vec![value_error(&error.to_string())]))?
        };
        match value {
            Value::Object(members) if self.schema.accepts(&Value::Object(members.clone())) => Ok(members),
            other => Err(Error::invalid(self.schema.errors(&other))),
        }
    }

    fn check(&self, bytes: &[u8]) -> Result<(), Error> {
        grammar::check(bytes, self.max_depth).map_err(|fault| {
            Error::malformed(format!("the body is not valid JSON: {} at byte {}", fault.reason, fault.at))
        })
    }
}

impl Plan {
    /// Binds the body, if there is one, and lays the arguments out. Every error of the request comes out at once.
    pub fn finish(&self, mut bound: Bound, body: Option<Bytes>) -> Result<Args, Error> {
        let body = body.filter(|bytes| match (bound.media, &self.body) {
            (Some(Media::Text | Media::Bytes), _) => true,
            (Some(Media::Json), Some(plan)) if plan.whole => !(bytes.is_empty() || plan.is_null(bytes)),
            _ => !bytes.is_empty(),
        });
        let mut value = Arg::Absent;
        match (&self.body, body, bound.media) {
            (Some(plan), Some(bytes), Some(media)) if plan.whole => {
                let read = plan.read(bytes, media, !bound.errors.is_empty());
                value = bound.collect(read)?.unwrap_or(Arg::Null);
            }
            (Some(plan), Some(bytes), Some(media)) => {
                if let Some(members) = bound.collect(plan.read_members(&bytes, media))? {
                    self.spread(members, &mut bound);
                }
            }
            (Some(plan), ..) => self.miss_body(plan, &mut bound),
            (None, ..) => (),
        }
        if sabotage::takes_out("bodies") && self.body.is_some() {
            self.replace_body(&mut bound, &mut value);
        }
        if bound.errors.is_empty() || sabotage::takes_out("validation") {
            Ok(self.arguments(bound.values, value))
        } else {
            Err(Error::invalid(bound.errors))
        }
    }

    /// What the sabotage of bodies makes of one: text that nobody sent.
    fn replace_body(&self, bound: &mut Bound, whole: &mut Arg) {
        let members = self.parameters.iter().zip(&mut bound.values);
        let members = members.filter(|(one, _)| matches!(one.from, From::Body)).map(|(_, member)| member);
        members.chain([whole]).for_each(|value| *value = Arg::Str("sabotage".into()));
    }

    /// An empty body of a chunked request is no body either; members were then not looked for in the query.
    fn miss_body(&self, plan: &BodyPlan, bound: &mut Bound) {
        if plan.whole && plan.required {
            bound.errors.push(missing().under([Source::Body.loc().into()]));
        }
        if !plan.whole && bound.media.is_some() {
            let absent = self.parameters.iter().filter(|one| matches!(one.from, From::Body) && one.required);
            bound.errors.extend(absent.map(|parameter| missing().under(parameter.loc())));
        }
    }

    /// Puts the members of an accepted body where their arguments look for them.
    fn spread(&self, members: Map<String, Value>, bound: &mut Bound) {
        for (name, member) in members {
            let place = self.parameters.iter().position(|one| matches!(one.from, From::Body) && one.name == name);
            let Some(place) = place else { continue };
            let parameter = &self.parameters[place];
            match parameter.reader.read_json(&member) {
                Ok(value) => bound.values[place] = value,
                Err(errors) => bound.errors.extend(errors.into_iter().map(|error| error.under(parameter.loc()))),
            }
        }
    }
}

impl Bound {
    /// Refusals join those of the parameters; any other error ends the request.
    fn collect<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(mut error) if error.code == ErrorCode::Validation => {
                let fields = std::mem::take(&mut error.fields).into_iter();
                self.errors.extend(fields.map(|field| field.under([Source::Body.loc().into()])));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
