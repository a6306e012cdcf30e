//! Reads the parameters of a head.

use std::borrow::Cow;

use http::{header, request::Parts};

use super::{Bound, From, Media, Parameter, PathValues, Plan, form::form_media};
use crate::{
    Arg, Error, FieldError, Loc, Word,
    pairs::{self, Pair},
    sabotage,
};

/// What the parameters of one request are read from.
pub(super) struct Head<'a> {
    path: &'a [String],
    pub query: Vec<Pair<'a>>,
    pub headers: &'a http::HeaderMap,
    pub cookies: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Members of the body are read from the query where there is no body.
    has_body: bool,
}

impl Plan {
    /// Reads the head. A body of a content type that the route does not read is an error at once; refused parameters
    /// wait for those of the body.
    pub fn bind(&self, path: &PathValues, parts: &Parts, has_body: bool) -> Result<Bound, Error> {
        let media = match &self.body {
            Some(body) if has_body => Some(body.media(parts)?),
            Some(body) => body.said_form(parts),
            None => None,
        };
        let boundary = match media {
            Some(Media::Multipart) => Some(boundary(parts)?),
            _ => None,
        };
        let query = match parts.uri.query() {
            Some(query) if self.reads.query => {
                pairs::parse(query.as_bytes()).map_err(|fault| Error::malformed(fault.message("query")))?
            }
            _ => Vec::new(),
        };
        let cookies = if self.reads.cookies { read_cookies(&parts.headers) } else { Vec::new() };
        let head = Head { path, query, headers: &parts.headers, cookies, has_body };
        let mut bound =
            Bound { values: Vec::with_capacity(self.parameters.len()), errors: Vec::new(), media, boundary };
        for parameter in &self.parameters {
            let value = head.read(parameter).unwrap_or_else(|errors| {
                bound.errors.extend(errors);
                Arg::Absent
            });
            bound.values.push(value);
        }
        for &(place, source, rest) in &self.rests {
            match head.rest(source, rest, &self.parameters) {
                Ok(value) => bound.values[place] = value,
                Err(errors) => bound.errors.extend(errors),
            }
        }
        Ok(bound)
    }
}

impl Head<'_> {
    fn read(&self, parameter: &Parameter) -> Result<Arg, Vec<FieldError>> {
        if sabotage::takes_out("parameters") {
            return Ok(Arg::Str("sabotage".into()));
        }
        let (mut name, mut texts) = match &parameter.from {
            From::Header(name) => (name.as_str(), header_texts(self.headers, name)),
            From::Body if self.has_body => return Ok(Arg::Absent),
            From::Rest(..) => return Ok(Arg::Absent),
            _ => (parameter.name.as_str(), self.texts(parameter, &parameter.name)),
        };
        if texts.is_empty() && !parameter.also.is_empty() {
            name = self.found(parameter);
            texts = self.texts(parameter, name);
        }
        let read = parameter.read(&texts);
        if sabotage::takes_out("validation") && read.is_err() {
            return Ok(texts.last().map_or(Arg::Absent, |text| Arg::Str(text.to_string())));
        }
        read.map_err(|errors| {
            let outer = parameter.loc_under(name);
            errors.into_iter().map(|error| error.under(outer.clone())).collect()
        })
    }
}

impl<'a> Head<'a> {
    /// All that was sent under one of a parameter's names.
    fn texts(&'a self, parameter: &Parameter, name: &str) -> Vec<Cow<'a, str>> {
        match &parameter.from {
            From::Path(place) => vec![Cow::Borrowed(self.path[*place].as_str())],
            From::Header(_) => header_texts(self.headers, name),
            From::Cookie => named(&self.cookies, name),
            From::Query | From::Body => named(&self.query, name),
            From::Rest(..) => Vec::new(),
        }
    }

    /// The first of a parameter's names under which something was sent; else the first of all.
    fn found<'p>(&'a self, parameter: &'p Parameter) -> &'p str {
        let is_sent = |name: &&String| !self.texts(parameter, name).is_empty();
        std::iter::once(&parameter.name).chain(&parameter.also).find(is_sent).unwrap_or(&parameter.name)
    }

    /// Whether a parameter is read from what was sent under this name.
    pub(super) fn counts(&'a self, parameter: &Parameter, name: &str) -> bool {
        let is_it = |own: &str| match parameter.from {
            From::Header(_) => own.eq_ignore_ascii_case(name),
            _ => own == name,
        };
        is_it(&parameter.name) || (!parameter.also.is_empty() && is_it(self.found(parameter)))
    }
}

impl Parameter {
    /// `loc` of the errors is relative.
    fn read(&self, texts: &[Cow<'_, str>]) -> Result<Arg, Vec<FieldError>> {
        let Some(last) = texts.last() else {
            return if self.required { Err(vec![missing()]) } else { Ok(Arg::Absent) };
        };
        if !self.reader.is_list() {
            // Of several, the last counts; of header fields the first (RFC 9110, section 5.3, has no say in it).
            let one = if matches!(self.from, From::Header(_)) { &texts[0] } else { last };
            return self.reader.read_texts(&[one]);
        }
        match &self.separator {
            Some(_) if last.is_empty() => self.reader.read_texts(&[]),
            Some(separator) => {
                let pieces: Vec<&str> = last.split(separator.as_str()).collect();
                self.reader.read_texts(&pieces)
            }
            None => {
                let all: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
                self.reader.read_texts(&all)
            }
        }
    }
}

fn named<'a>(pairs: &'a [Pair<'_>], name: &str) -> Vec<Cow<'a, str>> {
    pairs.iter().filter(|pair| pair.0 == name).map(|pair| Cow::Borrowed(pair.1.as_ref())).collect()
}

pub(super) fn header_texts(headers: &http::HeaderMap, name: impl header::AsHeaderName) -> Vec<Cow<'_, str>> {
    headers.get_all(name).iter().map(pairs::field_text).collect()
}

/// How a form is written by what the request says of it: the boundary of a multipart one, None for pairs.
pub fn form_boundary(parts: &Parts) -> Result<Option<Box<str>>, Error> {
    match form_media(parts)? {
        Media::Multipart => boundary(parts).map(Some),
        _ => Ok(None),
    }
}

/// Of `multipart/form-data; boundary=…`: said once, up to seventy characters (RFC 2046, section 5.1.1).
fn boundary(parts: &Parts) -> Result<Box<str>, Error> {
    let sent = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let pieces = sent.split(';').skip(1).filter_map(|piece| piece.split_once('='));
    let mut named = pieces.filter(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"));
    let text = named.next().map(|(_, value)| value.trim()).unwrap_or_default();
    let text = text.strip_prefix('"').map_or(text, |quoted| quoted.strip_suffix('"').unwrap_or_default());
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let is_sound = (1..=70).contains(&text.len()) && text.bytes().all(allowed) && !text.ends_with(' ');
    if is_sound && named.next().is_none() {
        return Ok(text.into());
    }
    Err(Error::malformed("the content type names no valid boundary"))
}

fn read_cookies(headers: &http::HeaderMap) -> Vec<Pair<'_>> {
    let mut all = Vec::new();
    for value in headers.get_all(header::COOKIE) {
        match pairs::field_text(value) {
            Cow::Borrowed(text) => all.extend(pairs::cookies(text)),
            Cow::Owned(text) => {
                let owned = |(name, value): Pair<'_>| (name.into_owned().into(), value.into_owned().into());
                all.extend(pairs::cookies(&text).map(owned));
            }
        }
    }
    all
}

/// `loc` is relative, `input` null.
pub(super) fn missing() -> FieldError {
    FieldError::new(Word::Missing, Vec::<Loc>::new(), &serde_json::Value::Null, serde_json::Map::new())
}
