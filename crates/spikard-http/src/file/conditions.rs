//! The conditions of a request, in the order of RFC 9110, section 13.2.2.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, header};
use spikard_core::Response;

pub(super) enum Verdict {
    Holds,
    NotModified,
    Failed,
}

/// `reads`: the method is GET or HEAD. The validators stand in the response's own fields.
pub(super) fn judge(asked: &HeaderMap, response: &Response, reads: bool) -> Verdict {
    let (tag, modified) = (field(response, &header::ETAG), date(field(response, &header::LAST_MODIFIED)));
    if let Some(tags) = said(asked, header::IF_MATCH) {
        if !matches(tags, tag, true) {
            return Verdict::Failed;
        }
    } else if let Some(since) = date(said(asked, header::IF_UNMODIFIED_SINCE))
        && modified.is_some_and(|modified| modified > since)
    {
        return Verdict::Failed;
    }
    let unchanged = if let Some(tags) = said(asked, header::IF_NONE_MATCH) {
        matches(tags, tag, false)
    } else {
        let since = date(said(asked, header::IF_MODIFIED_SINCE)).filter(|_| reads);
        since.zip(modified).is_some_and(|(since, modified)| modified <= since)
    };
    match (unchanged, reads) {
        (false, _) => Verdict::Holds,
        (true, true) => Verdict::NotModified,
        (true, false) => Verdict::Failed,
    }
}

/// Whether a range still fits: without `If-Range` always, else by a strong tag or by the very date.
pub(super) fn in_range(asked: &HeaderMap, response: &Response) -> bool {
    let Some(given) = asked.get(header::IF_RANGE) else { return true };
    let Ok(given) = given.to_str() else { return false };
    if given.starts_with('"') {
        return field(response, &header::ETAG) == Some(given);
    }
    field(response, &header::LAST_MODIFIED).is_some_and(|modified| date(Some(given)) == date(Some(modified)))
        && date(Some(given)).is_some()
}

fn said(asked: &HeaderMap, name: HeaderName) -> Option<&str> {
    asked.get(name)?.to_str().ok()
}

fn field<'a>(response: &'a Response, name: &HeaderName) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| known == name)?.1.to_str().ok()
}

/// Since 1970.
fn date(text: Option<&str>) -> Option<Duration> {
    httpdate::parse_http_date(text?).ok()?.duration_since(UNIX_EPOCH).ok()
}

/// Whether a list of entity tags holds this one. A strong comparison fits no weak tag.
fn matches(list: &str, tag: Option<&str>, strong: bool) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let Some(tag) = tag else { return false };
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    tags(list).any(|one| if strong { one == tag && !tag.starts_with("W/") } else { opaque(one) == opaque(tag) })
}

/// The tags of a list: a comma may stand within the quotes.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let open = if rest.starts_with("W/") { 2 } else { 0 };
        let inner = rest.get(open..)?.strip_prefix('"')?;
        let (tag, left) = rest.split_at(open + 2 + inner.find('"')?);
        rest = left;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_compared_weakly_or_strongly() {
        assert!(matches("\"a\", W/\"b,c\"", Some("\"b,c\""), false));
        assert!(!matches("\"a\", W/\"b,c\"", Some("\"b,c\""), true));
        assert!(matches("\"x\",\"a\"", Some("\"a\""), true));
        assert!(!matches("W/\"a\"", Some("W/\"a\""), true));
        assert!(matches("*", None, true));
        assert!(!matches("garbage", Some("\"a\""), false));
    }
}
