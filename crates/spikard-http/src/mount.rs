//! Where an app stands that another server has below a path of its own.

use http::{Extensions, HeaderValue};

/// What a client has to write before the app's own path. A request that came by a listener of ours has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// `http`, or `https`.
    pub scheme: String,
    /// The prefix, as it stands in a URL: empty, or from a slash to no slash.
    pub prefix: String,
}

impl Mount {
    /// A path of the app, and its query, as a client knows it.
    pub(crate) fn outside(extensions: &Extensions, path: HeaderValue) -> HeaderValue {
        let Some(Self { prefix, .. }) = extensions.get() else { return path };
        let whole = [prefix.as_bytes(), path.as_bytes()].concat();
        HeaderValue::from_maybe_shared(bytes::Bytes::from(whole)).unwrap_or(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_behind_the_prefix_where_there_is_one() {
        let outside = |prefix: Option<&str>| {
            let mut extensions = Extensions::new();
            if let Some(prefix) = prefix {
                extensions.insert(Mount { scheme: "http".into(), prefix: prefix.into() });
            }
            Mount::outside(&extensions, HeaderValue::from_static("/a?b=1"))
        };
        assert_eq!(
            [None, Some(""), Some("/x/y"), Some("\n")].map(outside),
            ["/a?b=1", "/a?b=1", "/x/y/a?b=1", "/a?b=1"]
        );
    }
}
