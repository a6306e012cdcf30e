//! The two header fields that a form stands on: `content-type` with its boundary, and `content-disposition` with a
//! part's name and file name.

use std::borrow::Cow;

use http::HeaderValue;
use percent_encoding::percent_decode_str;

use super::multipart::Fault;

/// Bytes of a file name at most.
pub(crate) const MAX_FILENAME: usize = 255;

/// What `content-disposition` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Disposition {
    /// Of the field.
    pub name: String,
    /// None: the part is a text. Empty: a file without a name.
    pub filename: Option<String>,
}

/// `form-data; name="…"; filename="…"`.
pub(crate) fn parse(value: &HeaderValue) -> Result<Disposition, Fault> {
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| "a name is not valid UTF-8")?;
    let (kind, rest) = text.split_once(';').ok_or("a part has no name")?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err("a part is no form-data");
    }
    let (mut name, mut filename, mut extended) = (None, None, None);
    for (key, value) in parameters(rest)? {
        match key.to_ascii_lowercase().as_str() {
            "name" => name = Some(value),
            "filename" => filename = Some(value),
            "filename*" => extended = Some(decode_extended(&value)?),
            // No form has it (RFC 7578, section 4.2): one reader would take it for the name, another would not.
            "name*" => return Err("the name of a part is said in another way than as name"),
            _ => (),
        }
    }
    let name = name.ok_or("a part has no name")?.into_owned();
    let filename = extended.or(filename.map(Cow::into_owned));
    Ok(Disposition { name, filename: filename.map(|given| last_component(&given)).transpose()? })
}

/// A file name is no path, whatever system its client runs on.
fn last_component(given: &str) -> Result<String, Fault> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    match last {
        "." | ".." => Ok(String::new()),
        _ if last.len() > MAX_FILENAME => Err("a file name is too long"),
        _ if last.chars().any(char::is_control) => Err("a file name holds a control character"),
        _ => Ok(last.to_owned()),
    }
}

/// `utf-8''na%C3%AFve.txt` (RFC 8187).
fn decode_extended(value: &str) -> Result<String, Fault> {
    const BAD: Fault = "a file name is not valid UTF-8";
    let mut pieces = value.splitn(3, '\'');
    let (Some(charset), Some(_), Some(encoded)) = (pieces.next(), pieces.next(), pieces.next()) else {
        return Err(BAD);
    };
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err(BAD);
    }
    percent_decode_str(encoded).decode_utf8().map(Cow::into_owned).map_err(|_| BAD)
}

type Parameter<'a> = (&'a str, Cow<'a, str>);

/// `key=token; key="quoted"`.
fn parameters(mut rest: &str) -> Result<Vec<Parameter<'_>>, Fault> {
    const BAD: Fault = "a content-disposition is malformed";
    let mut found: Vec<Parameter<'_>> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Ok(found);
        }
        let (key, behind) = rest.split_once('=').ok_or(BAD)?;
        let (key, behind) = (key.trim(), behind.trim_start_matches([' ', '\t']));
        if key.is_empty() || key.contains([' ', '\t', '"', ';']) {
            return Err(BAD);
        }
        if found.iter().any(|(known, _)| known.eq_ignore_ascii_case(key)) {
            return Err("a content-disposition says something twice");
        }
        let value;
        (value, rest) = if let Some(quoted) = behind.strip_prefix('"') {
            unquote(quoted).ok_or(BAD)?
        } else {
            let end = behind.find(';').unwrap_or(behind.len());
            (behind[..end].trim().into(), &behind[end..])
        };
        if !behind.starts_with('"') && value.contains('"') {
            return Err(BAD);
        }
        if !rest.trim_start().is_empty() && !rest.trim_start().starts_with(';') {
            return Err(BAD);
        }
        found.push((key, value));
    }
}

/// Up to the closing quote. Browsers write a quote as `%22`, others as `\"`; a backslash before anything else is the
/// separator of an old path.
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut characters = text.char_indices();
    let end = loop {
        match characters.next()? {
            (at, '"') => break at,
            (at, '\\') if matches!(text.as_bytes().get(at + 1), Some(b'"' | b'\\')) => drop(characters.next()),
            _ => (),
        }
    };
    let (quoted, rest) = (&text[..end], &text[end + 1..]);
    let plain = !quoted.contains(['\\', '%']);
    let value = if plain {
        quoted.into()
    } else {
        quoted.replace("%22", "\"").replace("\\\"", "\"").replace("\\\\", "\\").into()
    };
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<(String, Option<String>), Fault> {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        parse(&value).map(|found| (found.name, found.filename))
    }

    #[test]
    fn names_are_read_in_all_their_spellings() {
        for (value, name, filename) in [
            ("form-data; name=a", "a", None),
            ("Form-Data; NAME=\"a b\"; filename=\"x.txt\"", "a b", Some("x.txt")),
            ("form-data; name=\"a;b\"; filename=\"\"", "a;b", Some("")),
            ("form-data; name=\"a\\\"b\"; filename=\"%22q%22.txt\"", "a\"b", Some("\"q\".txt")),
            ("form-data; name=\"a\"; filename=\"C:\\Users\\x\\y.txt\"", "a", Some("y.txt")),
            ("form-data; name=\"a\"; filename=\"../../etc/passwd\"", "a", Some("passwd")),
            ("form-data; name=\"a\"; filename=\"..\"", "a", Some("")),
            ("form-data; name=\"a\"; filename=\"naïve.txt\"", "a", Some("naïve.txt")),
            ("form-data; name=\"a\"; filename=\"x\"; filename*=utf-8''na%C3%AFve.txt", "a", Some("naïve.txt")),
            ("form-data; filename=x.txt; name=a;", "a", Some("x.txt")),
            ("form-data; name = \"a\" ; filename =\t\"x y.txt\"", "a", Some("x y.txt")),
            ("form-data; name=a; filename=x y.txt", "a", Some("x y.txt")),
        ] {
            assert_eq!(read(value), Ok((name.to_owned(), filename.map(str::to_owned))), "{value}");
        }
    }

    #[test]
    fn what_is_no_disposition_of_a_form_is_a_fault() {
        for value in [
            "form-data",
            "form-data; filename=x",
            "attachment; name=a",
            "form-data; name=\"a",
            "form-data; name",
            "form-data; name=\"a\"x",
            "form-data; name=a; name=b",
            "form-data; name=a; filename*=latin-1''x",
            "form-data; name=a; filename*=utf-8''%ff",
            "form-data; name=a; filename*=utf-8''a%0Ab",
            "form-data; name=a; filename*=x",
            "form-data; name=a; =x",
            "form-data; name=a; name*=utf-8''b",
            "form-data; name*=utf-8''b",
            "form-data; name=a filename=\"x\"",
            "form-data; name=a; filename=x\"y\"",
        ] {
            assert!(read(value).is_err(), "{value}");
        }
        assert!(read(&format!("form-data; name=a; filename={}", "x".repeat(256))).is_err());
        assert!(read(&format!("form-data; name=a; filename=a/{}", "x".repeat(255))).is_ok());
    }
}
