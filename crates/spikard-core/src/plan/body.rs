//! Reads the body: by content type, as text or by its schema, and hands it on as it is or to the host's decoder.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{header, request::Parts};
use serde_json::{Map, Value};

use super::{Bound, From, Plan, head::missing, members::object_of};
use crate::{
    Arg, Args, CallableId, Entries, Error, ErrorCode, FieldError, FormValue, HostArg, Input, Loc, Received, SpecError,
    Word,
    config::Config,
    dependency::Wiring,
    echo::{self, is_worded},
    json as grammar, msgpack, sabotage,
    schema::Schema,
    spec::{AppSpec, BodyKind, BodySpec, Reading, Rest, RouteSpec, Source},
    upload::{holds_file, with_files},
};

/// How a body's bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// `application/json`, or any `+json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// `application/msgpack` and its two other names.
    Msgpack,
    /// UTF-8 text of any type.
    Text,
    /// Bytes of any type.
    Bytes,
}

#[derive(Debug)]
pub(super) struct BodyPlan {
    kind: BodyKind,
    /// Of the whole body; of an object of single members where `whole` is false.
    pub(super) schema: Schema,
    reading: Reading,
    pub(super) decoder: Option<CallableId>,
    strict_decoder: bool,
    msgpack_decoder: Option<CallableId>,
    pub(super) value_decoder: Option<CallableId>,
    required: bool,
    whole: bool,
    max_depth: usize,
    /// Further names of a form's members.
    pub(super) also: BTreeMap<String, Vec<String>>,
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
        let schema = Schema::compile_with(&spec.schema, &app.schemas, spec.reading, assert_formats, &spec.lax);
        let schema = schema.map_err(named)?;
        let BodySpec { kind, reading, decoder, strict_decoder, msgpack_decoder, value_decoder, required, also, .. } =
            spec;
        let names_file = members.iter().any(|member| schema.is_file(&member.name));
        let kind = if names_file { BodyKind::Form } else { kind };
        Ok(Some(Self {
            kind,
            schema,
            reading,
            decoder,
            strict_decoder,
            msgpack_decoder,
            value_decoder,
            required,
            whole,
            max_depth,
            also,
        }))
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
            (BodyKind::Json, media) => matches!(media, Media::Json | Media::Msgpack),
            (BodyKind::Form, media) => matches!(media, Media::Form | Media::Multipart),
            _ => true,
        });
        readable.ok_or_else(|| unsupported(&text))
    }

    /// `loc` is relative.
    pub(super) fn errors(&self, input: &Input) -> Vec<FieldError> {
        match sent(input, self.max_depth) {
            Some(value) => self.schema.errors(&value),
            None => outermost(input).map_or_else(Vec::new, |value| self.type_errors(&value)),
        }
    }

    /// What there is to say beside a decoder that has spoken for all that it judges: its own refusals, in the words that every
    /// decoder has, and those of the schema elsewhere.
    pub(super) fn errors_with(&self, input: &Input, mut own: Vec<FieldError>) -> Vec<FieldError> {
        let Some(value) = sent(input, self.max_depth).filter(|_| !matches!(input, Input::Value(_))) else { return own };
        let mut all = self.schema.errors_beside(&value);
        let is_related =
            |own: &FieldError, known: &FieldError| known.loc.starts_with(&own.loc) || own.loc.starts_with(&known.loc);
        own.retain(|own| !all.iter().any(|known| is_related(own, known)));
        if own.is_empty() {
            return all;
        }
        let words = self.schema.errors(&value);
        let is_alone = all.is_empty();
        all.extend(own.into_iter().map(|field| reworded(field, &words)));
        if !is_alone {
            self.schema.sort(&mut all);
        }
        all
    }

    /// What is wrong with the type of a value of which nothing else is known.
    fn type_errors(&self, value: &Value) -> Vec<FieldError> {
        let is_of_type = |error: &FieldError| error.loc.is_empty() && error.word.ends_with("_type");
        let found = self.schema.errors(value).into_iter().filter(is_of_type);
        found.map(|error| FieldError { input: Value::Null, ..error }).collect()
    }

    /// Where a refused member was sent.
    pub(super) fn source(&self, error: &FieldError) -> Loc {
        match error.loc.first() {
            Some(Loc::Key(name)) if self.schema.is_file(name) => FILES.into(),
            _ => Source::Body.loc().into(),
        }
    }

    /// Whether the host's decoder judges JSON, and only what it lets through is looked for before.
    fn is_left_to_host(&self) -> bool {
        self.decoder.is_some() && self.reading == Reading::Typed && !self.schema.has_pattern()
    }

    /// Whether to judge so much takes a noticeable time.
    fn takes_long(&self, length: usize, media: Media) -> bool {
        let judges = match media {
            Media::Json => !self.is_left_to_host(),
            Media::Msgpack | Media::Form => true,
            Media::Multipart | Media::Text | Media::Bytes => false,
        };
        judges && length > LONG
    }

    /// Reads JSON text as far as the host's decoder does not. `strict`: something else was refused already, so the
    /// schema has to say what it thinks of the body.
    fn read_json(&self, text: Bytes, strict: bool) -> Result<Arg, Error> {
        if self.is_left_to_host() && !(strict && is_worded(echo::values(&text))) {
            // Of a request that is refused already the host hears nothing.
            if strict || !self.strict_decoder || !self.is_bounded(&text) {
                self.check(&text)?;
            }
            return Ok(self.input(text));
        }
        // As above: the grammar is left to the decoder.
        let to_decoder = self.decoder.is_some() && self.strict_decoder && !strict;
        if to_decoder && self.is_bounded(&text) && self.schema.accepts_text(&text) {
            return Ok(self.input(text));
        }
        let value = self.parse(&text)?;
        if !self.schema.accepts(&value) {
            return Err(Error::invalid(self.schema.errors(&value)));
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

    /// Reads MessagePack as far as the host's decoder does not; as `read_json` does.
    fn read_msgpack(&self, text: Bytes, strict: bool) -> Result<Arg, Error> {
        if let (Some(decoder), Reading::Typed, false, false) =
            (self.msgpack_decoder, self.reading, self.schema.has_pattern(), strict)
        {
            msgpack::check(&text, self.max_depth).map_err(not_msgpack)?;
            return Ok(input(decoder, Input::Msgpack(text)));
        }
        let value = msgpack::to_arg(&text, self.max_depth).map_err(not_msgpack)?;
        let judged = msgpack::as_json(&value);
        if !self.schema.accepts(&judged) {
            return Err(Error::invalid(self.schema.errors(&judged)));
        }
        Ok(match self.value_decoder {
            Some(decoder) => input(decoder, Input::Value(value)),
            None => value,
        })
    }

    pub(super) fn input(&self, text: Bytes) -> Arg {
        self.decoder.map_or(Arg::Null, |decoder| input(decoder, Input::Json(text)))
    }
}

fn not_msgpack(fault: msgpack::Fault) -> Error {
    Error::malformed(format!("the body is not valid MessagePack: {} at byte {}", fault.reason, fault.at))
}

/// Judging a byte takes up to a quarter of a microsecond.
const LONG: usize = 64 * 1024;

/// The first step of a refused file's `loc`.
const FILES: &str = "files";

/// Its place is known when the argument list is laid out.
pub(super) fn input(decoder: CallableId, input: Input) -> Arg {
    Arg::Input(Box::new(HostArg { decoder, argument: 0, input }))
}

/// What a decoder refused, as JSON. None of what is too large to be looked at again.
pub(super) fn sent(input: &Input, max_depth: usize) -> Option<Value> {
    match input {
        Input::Json(text) if is_worded(echo::values(text)) => serde_json::from_slice(text).ok(),
        Input::Msgpack(text) if is_worded(msgpack::count(text, max_depth).ok()?) => {
            msgpack::to_arg(text, max_depth).ok().map(|arg| msgpack::as_json(&arg))
        }
        _ => None,
    }
}

/// Refuses a body that is no JSON.
pub fn check_json(body: &[u8], max_depth: usize) -> Result<(), Error> {
    grammar::check(body, max_depth)
        .map_err(|fault| Error::malformed(format!("the body is not valid JSON: {} at byte {}", fault.reason, fault.at)))
}

pub(super) fn unsupported(content_type: &str) -> Error {
    let detail = format!("the content type \"{}\" is not supported", content_type.escape_debug());
    Error::new(ErrorCode::UnsupportedMediaType).with_detail(detail)
}

/// Of a text that is too large to be looked at again: whether it is an array or an object.
fn outermost(input: &Input) -> Option<Value> {
    let is_array = match input {
        Input::Json(text) => text.iter().find(|byte| !byte.is_ascii_whitespace())? == &b'[',
        Input::Msgpack(text) => matches!(text.first()?, 0x90..=0x9f | 0xdc | 0xdd),
        Input::Value(_) => return None,
    };
    // A scalar is not that large.
    Some(if is_array { Value::Array(Vec::new()) } else { Value::Object(Map::new()) })
}

/// Bodies are read as they are: no content coding is taken off.
pub(super) fn refuse_coding(parts: &Parts) -> Result<(), Error> {
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

/// What the schema says of the same value, unless it calls of another type what the host has read; only of a format the
/// host's decoder knows more.
fn reworded(own: FieldError, words: &[FieldError]) -> FieldError {
    let is_of_type = |error: &FieldError| {
        error.word.ends_with("_type") || error.word.ends_with("_parsing") || error.word == "int_from_float"
    };
    let mut better = words.iter().filter(|said| said.loc == own.loc && said.word != Word::Format.as_str());
    better.find(|said| is_of_type(&own) || !is_of_type(said)).cloned().unwrap_or(own)
}

/// The host refused what the schema accepts.
pub(super) fn value_error(message: &str) -> FieldError {
    let mut error = FieldError::new(Word::ValueError, Vec::<Loc>::new(), &Value::Null, Map::new());
    error.msg = message.to_owned().into();
    error
}

pub(super) fn classify(content_type: &str) -> Option<Media> {
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
        "multipart/form-data" => Some(Media::Multipart),
        "application/msgpack" | "application/x-msgpack" | "application/vnd.msgpack" => Some(Media::Msgpack),
        _ if subtype.ends_with("+json") => Some(Media::Json),
        _ => None,
    }
}

impl BodyPlan {
    /// A whole body. `loc` of a refusal is relative.
    fn read(&self, body: Received, media: Media, strict: bool) -> Result<Arg, Error> {
        let bytes = match body {
            Received::Whole(bytes) if media != Media::Form => bytes,
            form => return self.read_form(form, strict),
        };
        match media {
            Media::Msgpack => self.read_msgpack(bytes, strict),
            Media::Json => self.read_json(bytes, strict),
            Media::Text => match String::from_utf8(bytes.into()) {
                Ok(text) => Ok(Arg::Str(text)),
                Err(_) => Err(Error::malformed("the body is not valid UTF-8")),
            },
            Media::Bytes | Media::Form | Media::Multipart => Ok(Arg::Bytes(bytes)),
        }
    }

    /// What is not there was said to be a form, where it could be JSON too: browsers send no byte of a form whose boxes are
    /// all unticked.
    pub(super) fn said_form(&self, parts: &Parts) -> Option<Media> {
        let sent =
            parts.headers.get(header::CONTENT_TYPE).filter(|_| self.whole && self.kind == BodyKind::JsonOrForm)?;
        classify(&String::from_utf8_lossy(sent.as_bytes())).filter(|media| *media == Media::Form)
    }

    /// A required form that nobody sent is one without fields: those that it requires are missed.
    fn is_empty_form(&self, media: Option<Media>) -> bool {
        self.whole && self.required && (self.kind == BodyKind::Form || media == Some(Media::Form))
    }

    /// An object of single members, accepted by its schema.
    fn read_members(&self, body: Received, media: Media) -> Result<FormValue, Error> {
        let value = match (body, media) {
            (Received::Whole(bytes), Media::Json) => self.parse(&bytes)?,
            (Received::Whole(bytes), Media::Msgpack) => {
                let value = msgpack::to_arg(&bytes, self.max_depth).map_err(not_msgpack)?;
                msgpack::as_json(&value)
            }
            (form, _) => return self.form_value(form),
        };
        if value.is_object() && self.schema.accepts(&value) {
            return Ok(FormValue { value, files: Vec::new() });
        }
        Err(Error::invalid(self.schema.errors(&value)))
    }

    fn check(&self, text: &[u8]) -> Result<(), Error> {
        check_json(text, self.max_depth)
    }

    fn is_bounded(&self, text: &[u8]) -> bool {
        grammar::is_bounded(text, self.max_depth)
    }

    /// The parser is strict: it judges the grammar.
    fn parse(&self, text: &[u8]) -> Result<Value, Error> {
        if !self.is_bounded(text) {
            self.check(text)?;
        }
        serde_json::from_slice(text).map_err(|error| match self.check(text) {
            Ok(()) => Error::invalid(vec![value_error(&error.to_string())]),
            Err(malformed) => malformed,
        })
    }

    /// Why a text that its decoder has refused is no JSON, if the grammar was left to the decoder.
    pub(super) fn malformed(&self, input: &Input) -> Option<Error> {
        match input {
            Input::Json(text) if self.strict_decoder => self.check(text).err(),
            _ => None,
        }
    }
}

impl Plan {
    /// Binds the body, if there is one, and lays the arguments out. Every error of the request comes out at once.
    pub fn finish(&self, mut bound: Bound, body: Option<Received>) -> Result<Args, Error> {
        let body = body.filter(|body| match (body, bound.media, &self.body) {
            (Received::Form(_), ..) | (_, Some(Media::Text | Media::Bytes), _) => true,
            (Received::Whole(bytes), Some(Media::Json), Some(plan)) if plan.whole => {
                !(bytes.is_empty() || plan.is_null(bytes))
            }
            (Received::Whole(bytes), ..) => !bytes.is_empty(),
        });
        let mut value = Arg::Absent;
        match (&self.body, body, bound.media) {
            (Some(plan), Some(body), Some(media)) if plan.whole => {
                let read = plan.read(body, media, !bound.errors.is_empty());
                value = bound.collect(plan, read)?.unwrap_or(Arg::Null);
            }
            (Some(plan), Some(body), Some(media)) => {
                if let Some(members) = bound.collect(plan, plan.read_members(body, media))? {
                    self.spread(members, &mut bound);
                }
            }
            (Some(plan), ..) if plan.is_empty_form(bound.media) => {
                let read = plan.read_form(Received::Form(Entries::new()), !bound.errors.is_empty());
                value = bound.collect(plan, read)?.unwrap_or(Arg::Null);
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

    /// Whether [`Plan::finish`] is better done where nobody waits for it.
    pub fn takes_long(&self, bound: &Bound, body: Option<&Received>) -> bool {
        match (&self.body, bound.media, body) {
            (Some(plan), Some(media), Some(Received::Whole(text))) => plan.takes_long(text.len(), media),
            _ => false,
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
            bound.errors.extend(absent.map(|parameter| {
                let [mut source, name] = parameter.loc();
                if plan.schema.is_file(&parameter.name) {
                    source = FILES.into();
                }
                missing().under([source, name])
            }));
        }
    }

    /// Puts the members of an accepted body where their arguments look for them.
    fn spread(&self, members: FormValue, bound: &mut Bound) {
        let FormValue { value: Value::Object(members), files } = members else { return };
        let mut rest = Vec::new();
        for (name, member) in members {
            let place = self.parameters.iter().position(|one| matches!(one.from, From::Body) && one.name == name);
            let Some(place) = place else {
                rest.push((name, with_files(member, &files)));
                continue;
            };
            if holds_file(&member) {
                bound.values[place] = with_files(member, &files);
                continue;
            }
            let parameter = &self.parameters[place];
            match parameter.reader.read_json(&member) {
                Ok(value) => bound.values[place] = value,
                Err(errors) => bound.errors.extend(errors.into_iter().map(|error| error.under(parameter.loc()))),
            }
        }
        if let Some((place, ..)) = self.rests.iter().find(|rest| (rest.1, rest.2) == (Source::Body, Rest::Gathered)) {
            bound.values[*place] = Arg::Map(rest);
        }
    }
}

impl Bound {
    /// Refusals join those of the parameters; any other error ends the request.
    fn collect<T>(&mut self, plan: &BodyPlan, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(mut error) if error.code == ErrorCode::Validation => {
                let fields = std::mem::take(&mut error.fields).into_iter();
                self.errors.extend(fields.map(|field| {
                    let source = plan.source(&field);
                    field.under([source])
                }));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
