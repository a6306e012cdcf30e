//! Sources that are closed: a name that is no parameter of the route is refused there.

use std::collections::{HashMap, hash_map::Entry};

use serde_json::{Map, Value};

use super::{From, Parameter, head::Head};
use crate::{
    FieldError, MAX_ERRORS, SpecError, Word,
    pairs::Pair,
    spec::{ParameterSpec, Source},
};

/// Which parts of a head are closed.
#[derive(Debug)]
pub(super) struct Closed {
    query: bool,
    cookies: bool,
}

impl Closed {
    /// None: nothing is. A body is closed by its own schema.
    pub(super) fn of(parameters: &[ParameterSpec]) -> Result<Option<Self>, SpecError> {
        let is = |source| parameters.iter().any(|parameter| parameter.closed && parameter.source == source);
        if is(Source::Header) {
            let why = "every client sends some that no route names";
            return Err(SpecError::new(format!("unknown header fields cannot be forbidden: {why}")));
        }
        let closed = Self { query: is(Source::Query), cookies: is(Source::Cookie) };
        Ok((closed.query || closed.cookies).then_some(closed))
    }

    /// The refusals of what nobody takes, one for each name.
    pub(super) fn strangers(&self, head: &Head<'_>, parameters: &[Parameter]) -> Vec<FieldError> {
        let known = |name: &str, is_source: fn(&From, bool) -> bool| {
            parameters.iter().any(|one| one.name == name && is_source(&one.from, head.has_body))
        };
        let mut errors = Vec::new();
        if self.query {
            let in_query = |from: &From, has_body: bool| match from {
                From::Query => true,
                From::Body => !has_body,
                From::Path(_) | From::Header(_) | From::Cookie => false,
            };
            errors = refusals(Source::Query, &head.query, |name| known(name, in_query));
        }
        if self.cookies {
            let in_cookies = |from: &From, _: bool| matches!(from, From::Cookie);
            errors.extend(refusals(Source::Cookie, &head.cookies, |name| known(name, in_cookies)));
        }
        errors
    }
}

fn refusals(source: Source, pairs: &[Pair<'_>], is_known: impl Fn(&str) -> bool) -> Vec<FieldError> {
    let mut strangers: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (name, value) in pairs.iter().filter(|(name, _)| !is_known(name)) {
        match places.entry(name) {
            Entry::Occupied(place) => strangers[*place.get()].1.push(value),
            // One more says that there are more.
            Entry::Vacant(_) if strangers.len() > MAX_ERRORS => break,
            Entry::Vacant(place) => {
                place.insert(strangers.len());
                strangers.push((name, vec![value]));
            }
        }
    }
    let refusal = |(name, values): (&str, Vec<&str>)| {
        let input = match values[..] {
            [only] => Value::from(only),
            _ => Value::from(values),
        };
        FieldError::new(Word::ExtraForbidden, vec![source.loc().into(), name.to_owned().into()], &input, Map::new())
    };
    strangers.into_iter().map(refusal).collect()
}
