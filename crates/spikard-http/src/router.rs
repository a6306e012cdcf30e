//! Finds the endpoint of a method and a path. What has one value for each segment stands in a tree; catch-alls stand in a
//! second table, longest prefix first.

mod catch_all;
mod paths;

use std::{collections::BTreeSet, sync::Arc};

use http::{HeaderValue, Method};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use spikard_core::{Converter, Error, SpecError, Template, config::TrailingSlash, plan::PathValues};

use catch_all::CatchAll;
use paths::Paths;

/// What the path segment of a URI has to escape (WHATWG URL's path percent-encode set).
const PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// The routes of an app; `T` is what a route leads to.
pub(crate) struct Router<T> {
    methods: Vec<(Method, Table<T>)>,
    trailing_slash: TrailingSlash,
    #[cfg(feature = "sabotage")]
    first: Option<Arc<T>>,
}

struct Table<T> {
    plain: Paths<Arc<T>>,
    catch_alls: Vec<CatchAll<Arc<T>>>,
}

/// What a method and a path lead to.
pub(crate) enum Found<T> {
    /// An endpoint, and its path values.
    Endpoint(Arc<T>, PathValues),
    /// `OPTIONS`, answered from the table of routes.
    Options(HeaderValue),
    /// Another method would have matched; the value is that of `Allow`.
    OtherMethod(HeaderValue),
    /// The declared form differs in its last slash.
    Redirect(HeaderValue),
    /// Nothing.
    Nothing,
}

impl<T> Router<T> {
    pub(crate) fn new(trailing_slash: TrailingSlash) -> Self {
        Self {
            methods: Vec::new(),
            trailing_slash,
            #[cfg(feature = "sabotage")]
            first: None,
        }
    }

    /// Fails where a route of the same method and shape is there already.
    pub(crate) fn add(&mut self, method: Method, template: &Template, target: T) -> Result<(), SpecError> {
        let known = self.methods.iter().position(|(known, _)| *known == method);
        let place = known.unwrap_or_else(|| {
            self.methods.push((method, Table { plain: Paths::new(), catch_alls: Vec::new() }));
            self.methods.len() - 1
        });
        let target = Arc::new(target);
        #[cfg(feature = "sabotage")]
        self.first.get_or_insert_with(|| target.clone());
        self.methods[place].1.add(template, target)
    }

    /// Fails on a path that is no text: bad UTF-8, or an encoded control character.
    pub(crate) fn find(&self, method: &Method, uri: &http::Uri) -> Result<Found<T>, Error> {
        let path = uri.path();
        #[cfg(feature = "sabotage")]
        if spikard_core::sabotage::takes_out("routing") {
            return Ok(self
                .first
                .clone()
                .map_or(Found::Nothing, |first| Found::Endpoint(first, vec![String::new(); 9])));
        }
        check(path)?;
        if let Some(found) = self.at(method, path)? {
            return Ok(found);
        }
        let allowed = self.allowed(path);
        if !allowed.is_empty() {
            return Ok(other_method(method, &allowed));
        }
        self.other_slash(method, uri)
    }

    fn at(&self, method: &Method, path: &str) -> Result<Option<Found<T>>, Error> {
        let table = |method: &Method| self.methods.iter().find(|(known, _)| known == method).map(|(_, table)| table);
        let mut found = table(method).and_then(|table| table.at(path));
        if found.is_none() && method == Method::HEAD {
            found = table(&Method::GET).and_then(|table| table.at(path));
        }
        found.map(|(target, values)| Ok(Found::Endpoint(target.clone(), decode(values)?))).transpose()
    }

    fn allowed(&self, path: &str) -> BTreeSet<&str> {
        let matching = self.methods.iter().filter(|(_, table)| table.at(path).is_some());
        let mut allowed: BTreeSet<&str> = matching.map(|(method, _)| method.as_str()).collect();
        if allowed.contains("GET") {
            allowed.insert("HEAD");
        }
        if !allowed.is_empty() {
            allowed.insert("OPTIONS");
        }
        allowed
    }

    /// A path that begins with two slashes would be another host's in a `Location`.
    fn other_slash(&self, method: &Method, uri: &http::Uri) -> Result<Found<T>, Error> {
        let path = uri.path();
        let other = match path.strip_suffix('/') {
            Some(shorter) => shorter.to_owned(),
            None => format!("{path}/"),
        };
        let declared = || !other.is_empty() && !self.allowed(&other).is_empty();
        if self.trailing_slash == TrailingSlash::Strict || path.starts_with("//") || !declared() {
            return Ok(Found::Nothing);
        }
        if self.trailing_slash == TrailingSlash::Ignore {
            let found = self.at(method, &other)?;
            return Ok(found.unwrap_or_else(|| other_method(method, &self.allowed(&other))));
        }
        let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let location = HeaderValue::try_from(other + &query);
        Ok(location.map_or(Found::Nothing, Found::Redirect))
    }
}

fn other_method<T>(method: &Method, allowed: &BTreeSet<&str>) -> Found<T> {
    let names: Vec<&str> = allowed.iter().copied().collect();
    let allow = HeaderValue::try_from(names.join(", ")).expect("method names are tokens");
    if method == Method::OPTIONS { Found::Options(allow) } else { Found::OtherMethod(allow) }
}

/// Raw values in the order of the template's parameters.
type RawValues<'p> = Vec<&'p str>;

impl<T> Table<T> {
    fn add(&mut self, template: &Template, target: Arc<T>) -> Result<(), SpecError> {
        let twice = || SpecError::new("another route has the same method and path");
        if template.parameters().any(|(_, converter)| converter == Converter::Path) {
            return CatchAll::insert(&mut self.catch_alls, template, target).map_err(|()| twice());
        }
        self.plain.insert(template, target).map_err(|()| twice())
    }

    fn at<'p>(&self, path: &'p str) -> Option<(&Arc<T>, RawValues<'p>)> {
        self.plain.at(path).or_else(|| self.catch_alls.iter().find_map(|catch_all| catch_all.at(path)))
    }
}

/// As it comes in a request's target.
fn literal(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

fn check(path: &str) -> Result<(), Error> {
    if !path.as_bytes().contains(&b'%') {
        return Ok(());
    }
    let decoded =
        percent_decode_str(path).decode_utf8().map_err(|_| Error::malformed("the path is not valid UTF-8"))?;
    if decoded.chars().any(|c| c.is_ascii_control()) {
        return Err(Error::malformed("the path holds a control character"));
    }
    Ok(())
}

fn decode(values: RawValues<'_>) -> Result<PathValues, Error> {
    let one = |value: &str| percent_decode_str(value).decode_utf8().map(std::borrow::Cow::into_owned);
    let decoded: Result<PathValues, _> = values.into_iter().map(one).collect();
    decoded.map_err(|_| Error::malformed("the path is not valid UTF-8"))
}

#[cfg(test)]
mod tests;
