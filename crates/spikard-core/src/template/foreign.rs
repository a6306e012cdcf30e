//! Parameters as other frameworks spell them, `:id`, `*`, `(.*)` and `<int:id>`, and what stands behind a path in an address,
//! `?x=1` and `#top`: taken as they stand they would be literal text, which no request has.

use std::borrow::Cow;

use super::Converter;
use crate::SpecError;

/// Refuses a path that has one, and says how the path is written here.
pub(super) fn check(path: &str) -> Result<(), SpecError> {
    let last = path.matches('/').count();
    let segments: Vec<_> = path.split('/').enumerate().map(|(at, one)| (one, written(one, at == last))).collect();
    let Some((found, _)) = segments.iter().find(|(_, written)| written.is_some()) else { return check_end(path) };
    let is_optional = segments.iter().any(|(one, written)| written.is_some() && one.ends_with('?'));
    let here: Vec<_> = segments.iter().map(|(one, written)| written.as_deref().unwrap_or(one)).collect();
    let without = if is_optional { ", and a second route without it" } else { "" };
    let message = format!("the path {path:?} has {found:?}: a parameter is written {:?}{without}", here.join("/"));
    Err(SpecError::new(message))
}

/// Refuses what is no part of a path any more. Inside of braces it belongs to a name, which is judged as one.
fn check_end(path: &str) -> Result<(), SpecError> {
    let Some(at) = path.find(['?', '#']) else { return Ok(()) };
    let (before, found) = path.split_at(at);
    let why = match found {
        _ if before.matches('{').count() != before.matches('}').count() => return Ok(()),
        "?" => ", and a second route where something is optional",
        _ if found.starts_with('?') => ", and take what follows as parameters of the query",
        _ => ", since no request has a fragment",
    };
    Err(SpecError::new(format!("the path {path:?} has {found:?}: write {before:?}{why}")))
}

/// The segment as it is written here, where it is a parameter elsewhere.
fn written(segment: &str, is_last: bool) -> Option<Cow<'static, str>> {
    let greedy = |name: &str| if is_last { format!("{{{name}:path}}").into() } else { format!("{{{name}}}").into() };
    if let Some(inside) = segment.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        let (converter, name) = inside.split_once(':').unwrap_or(("", inside));
        let known = Converter::NAMES.contains(&converter);
        return Some(if known { format!("{{{name}:{converter}}}") } else { format!("{{{name}}}") }.into());
    }
    if let Some((name, rest)) = segment.strip_prefix(':').map(named).filter(|(name, _)| !name.is_empty()) {
        return Some(if rest.starts_with(['*', '+']) { greedy(name) } else { format!("{{{name}}}").into() });
    }
    if let Some((name, _)) = segment.strip_prefix('*').map(named).filter(|(name, _)| !name.is_empty()) {
        return Some(greedy(name));
    }
    let takes_any = segment.starts_with('*') || segment.ends_with('*') || segment.starts_with('(');
    takes_any.then(|| greedy("rest"))
}

/// The name that a text begins with, and what follows it.
fn named(text: &str) -> (&str, &str) {
    let is_begun = text.starts_with(|first: char| first.is_alphabetic() || first == '_');
    let end = text.find(|each: char| !each.is_alphanumeric() && each != '_').unwrap_or(text.len());
    text.split_at(if is_begun { end } else { 0 })
}

#[cfg(test)]
mod tests {
    use crate::Template;

    #[test]
    fn a_parameter_as_it_is_written_elsewhere_is_told_how_it_is_written_here() {
        for (path, here) in [
            ("/x/:id", r#"":id": a parameter is written "/x/{id}""#),
            ("/x/:id/y/:name", r#"":id": a parameter is written "/x/{id}/y/{name}""#),
            ("/x/:id?", r#"":id?": a parameter is written "/x/{id}", and a second route without it"#),
            (r"/x/:id(\d+)", r#"":id(\\d+)": a parameter is written "/x/{id}""#),
            ("/x/:rest*", r#"":rest*": a parameter is written "/x/{rest:path}""#),
            ("/x/:rest+/y", r#"":rest+": a parameter is written "/x/{rest}/y""#),
            ("/x/*", r#""*": a parameter is written "/x/{rest:path}""#),
            ("/*", r#""*": a parameter is written "/{rest:path}""#),
            ("/x/*splat", r#""*splat": a parameter is written "/x/{splat:path}""#),
            ("/x/*/y", r#""*": a parameter is written "/x/{rest}/y""#),
            ("/x/a*", r#""a*": a parameter is written "/x/{rest:path}""#),
            ("/x/(.*)", r#""(.*)": a parameter is written "/x/{rest:path}""#),
            ("/x/<int:id>", r#""<int:id>": a parameter is written "/x/{id:int}""#),
            ("/x/<slug:id>/y", r#""<slug:id>": a parameter is written "/x/{id}/y""#),
            ("/x/<id>", r#""<id>": a parameter is written "/x/{id}""#),
            ("/{a:int}/:b", r#"":b": a parameter is written "/{a:int}/{b}""#),
        ] {
            let message = Template::parse(path).unwrap_err().message;
            assert_eq!(message, format!("the path {path:?} has {here}"));
        }
    }

    #[test]
    fn what_stands_behind_a_path_in_an_address_is_told_where_it_goes() {
        for (path, here) in [
            ("/a?x=1", r#""?x=1": write "/a", and take what follows as parameters of the query"#),
            ("/a/?x={x}#top", r#""?x={x}#top": write "/a/", and take what follows as parameters of the query"#),
            ("/a/{id}?x", r#""?x": write "/a/{id}", and take what follows as parameters of the query"#),
            ("/a/{id}?", r#""?": write "/a/{id}", and a second route where something is optional"#),
            ("/a#top", r##""#top": write "/a", since no request has a fragment"##),
            ("/a#top?x", r##""#top?x": write "/a", since no request has a fragment"##),
        ] {
            let message = Template::parse(path).unwrap_err().message;
            assert_eq!(message, format!("the path {path:?} has {here}"));
        }
    }

    #[test]
    fn what_is_no_parameter_anywhere_is_text() {
        for path in ["/v1:rename/:/:7", "/a*b", "/wiki/Foo_(bar)", "/a<b", "/{rest:path}", "/x/{{*}}", "/a%3Fx%23"] {
            assert!(Template::parse(path).is_ok(), "{path}");
        }
    }
}
