//! The rest of a source: names that no parameter of the route has there. They are refused, or gathered for one argument.

use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
};

use serde_json::{Map, Value};

use super::{
    From, Parameter,
    head::{Head, header_texts},
};
use crate::{
    Arg, FieldError, MAX_ERRORS, SpecError, Word,
    pairs::Pair,
    sabotage,
    spec::{ParameterSpec, Rest, Source},
};

/// A name and all that was sent under it.
type Stranger<'h> = (&'h str, Vec<Cow<'h, str>>);

/// Fails on what has no rest, or none that can be refused.
pub(super) fn check(spec: &ParameterSpec, rest: Rest) -> Result<(), SpecError> {
    match (spec.source, rest) {
        (Source::Path, _) => Err(SpecError::new("a path is matched as a whole")),
        (Source::Header, Rest::Refused) => {
            let why = "every client sends some that no route names";
            Err(SpecError::new(format!("unknown header fields cannot be forbidden: {why}")))
        }
        _ => Ok(()),
    }
}

impl Head<'_> {
    /// What becomes of it. That of a body is looked after where the body is read.
    pub(super) fn rest(&self, source: Source, rest: Rest, parameters: &[Parameter]) -> Result<Arg, Vec<FieldError>> {
        if sabotage::takes_out("parameters") {
            return Ok(Arg::Str("sabotage".into()));
        }
        // One more says that there are more.
        let limit = if rest == Rest::Refused { MAX_ERRORS + 1 } else { usize::MAX };
        let known = |name: &str| parameters.iter().any(|one| one.is_of(source) && self.counts(one, name));
        let strangers = match source {
            Source::Query => strangers(pairs(&self.query), known, limit),
            Source::Cookie => strangers(pairs(&self.cookies), known, limit),
            Source::Header => {
                let fields = self.headers.keys().flat_map(|name| {
                    header_texts(self.headers, name).into_iter().map(move |text| (name.as_str(), text))
                });
                strangers(fields, known, limit)
            }
            Source::Path | Source::Body => return Ok(Arg::Absent),
        };
        match rest {
            Rest::Refused if !strangers.is_empty() => Err(refusals(source, strangers)),
            Rest::Refused => Ok(Arg::Absent),
            Rest::Gathered => Ok(Arg::Map(strangers.into_iter().map(gathered).collect())),
        }
    }
}

impl Parameter {
    /// Whether it is one that is read there. A member of a body is one of the query, where it stands if there is no body.
    fn is_of(&self, source: Source) -> bool {
        match self.from {
            From::Query | From::Body => source == Source::Query,
            From::Header(_) => source == Source::Header,
            From::Cookie => source == Source::Cookie,
            From::Path(_) | From::Rest(..) => false,
        }
    }
}

fn pairs<'h>(pairs: &'h [Pair<'_>]) -> impl Iterator<Item = (&'h str, Cow<'h, str>)> {
    pairs.iter().map(|(name, value)| (name.as_ref(), Cow::Borrowed(value.as_ref())))
}

/// What nobody knows, in the order in which it was sent: `limit` names at most.
fn strangers<'h>(
    sent: impl Iterator<Item = (&'h str, Cow<'h, str>)>,
    known: impl Fn(&str) -> bool,
    limit: usize,
) -> Vec<Stranger<'h>> {
    let mut found: Vec<Stranger<'h>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, value) in sent.filter(|(name, _)| !known(name)) {
        match places.entry(name) {
            Entry::Occupied(place) => found[*place.get()].1.push(value),
            Entry::Vacant(_) if found.len() == limit => break,
            Entry::Vacant(place) => {
                place.insert(found.len());
                found.push((name, vec![value]));
            }
        }
    }
    found
}

fn refusals(source: Source, strangers: Vec<Stranger<'_>>) -> Vec<FieldError> {
    let refusal = |(name, values): Stranger<'_>| {
        let input = match &values[..] {
            [only] => Value::from(only.as_ref()),
            several => several.iter().map(AsRef::as_ref).collect(),
        };
        FieldError::new(Word::ExtraForbidden, vec![source.loc().into(), name.to_owned().into()], &input, Map::new())
    };
    strangers.into_iter().map(refusal).collect()
}

fn gathered((name, values): Stranger<'_>) -> (String, Arg) {
    let mut texts = values.into_iter().map(|text| Arg::Str(text.into_owned()));
    let value = if texts.len() == 1 { texts.next().unwrap_or(Arg::Null) } else { Arg::List(texts.collect()) };
    (name.to_owned(), value)
}
