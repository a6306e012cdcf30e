//! Cookies as responses set them (RFC 6265, section 4.1); how requests send them back is read in `pairs`.

use std::fmt::Write;

use serde::{Deserialize, Deserializer};

use crate::said::Fault;

/// What a host says of a cookie. The path is `/` and `SameSite` is `Lax` unless it says otherwise; null leaves them out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cookie {
    name: String,
    value: String,
    max_age: Option<i64>,
    expires: Option<String>,
    domain: Option<String>,
    #[serde(default = "everywhere")]
    path: Option<String>,
    #[serde(default = "lax")]
    same_site: Option<SameSite>,
    #[serde(default)]
    secure: bool,
    #[serde(default)]
    http_only: bool,
    #[serde(default)]
    partitioned: bool,
}

struct SameSite(&'static str);

impl<'de> Deserialize<'de> for SameSite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = String::deserialize(deserializer)?;
        let known = ["Lax", "Strict", "None"].into_iter().find(|known| known.eq_ignore_ascii_case(&said));
        known.map(Self).ok_or_else(|| serde::de::Error::custom(format!("expected lax, strict or none, got {said:?}")))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "serde asks for the type of the field")]
fn everywhere() -> Option<String> {
    Some("/".into())
}

#[expect(clippy::unnecessary_wraps, reason = "serde asks for the type of the field")]
fn lax() -> Option<SameSite> {
    Some(SameSite("Lax"))
}

/// The value of a `Set-Cookie` field. The text is JSON: `name` and `value`, and where they are said `max_age`, in seconds,
/// `expires`, a date as HTTP writes it, `domain`, `path`, `same_site`, `secure`, `http_only` and `partitioned`.
///
/// A value that cannot stand as it is is quoted so that it is read as it was. Fails where a name is no token, a value is not
/// of ISO 8859-1, or an attribute holds what would end it.
pub fn set_cookie(said: &[u8]) -> Result<String, Fault> {
    let said: serde_json::Value = serde_json::from_slice(said).map_err(Fault::new)?;
    let cookie: Cookie = serde_path_to_error::deserialize(said)
        .map_err(|error| Fault::new(format!("{} of a cookie: {}", error.path(), error.inner())))?;
    let is_token = |name: &str| !name.is_empty() && name.bytes().all(is_token_byte);
    if !is_token(&cookie.name) {
        return Err(Fault::new(format!("the name of a cookie is a token, got {:?}", cookie.name)));
    }
    let mut field = format!("{}={}", cookie.name, quoted(&cookie.value)?);
    let mut add = |name: &str, value: &str| {
        let separator = if value.is_empty() { "" } else { "=" };
        write!(field, "; {name}{separator}{value}").expect("a String takes all");
    };
    if let Some(seconds) = cookie.max_age {
        add("Max-Age", &seconds.to_string());
    }
    for (name, value) in [("Expires", &cookie.expires), ("Domain", &cookie.domain), ("Path", &cookie.path)] {
        if let Some(value) = value {
            add(name, attribute(name, value)?);
        }
    }
    if let Some(SameSite(site)) = cookie.same_site {
        add("SameSite", site);
    }
    let flags = [("Secure", cookie.secure), ("HttpOnly", cookie.http_only), ("Partitioned", cookie.partitioned)];
    flags.into_iter().filter(|(_, given)| *given).for_each(|(name, _)| add(name, ""));
    Ok(field)
}

/// The value of an attribute, where it cannot end it.
fn attribute<'a>(name: &str, value: &'a str) -> Result<&'a str, Fault> {
    let stays_within = |byte: u8| matches!(byte, b' '..=b'~') && byte != b';';
    let refused =
        |why: &str| Err(Fault::new(format!("the {} of a cookie {why}, got {value:?}", name.to_ascii_lowercase())));
    if name == "Expires" && !value.ends_with("GMT") {
        return refused("is a date as HTTP writes it");
    }
    if value.bytes().all(stays_within) { Ok(value) } else { refused("holds a character that it must not hold") }
}

/// RFC 9110, section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The value as it is where nothing in it could end it, else in quotes: what must be escaped as three octal digits.
fn quoted(value: &str) -> Result<String, Fault> {
    let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && !br#"",;\"#.contains(&byte);
    if value.bytes().all(is_plain) {
        return Ok(value.to_owned());
    }
    let mut text = String::from('"');
    for letter in value.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            ' '..='~' if !matches!(letter, ',' | ';') => text.push(letter),
            '\0'..='\u{ff}' => write!(text, "\\{:03o}", letter as u32).expect("a String takes all"),
            _ => {
                let message = format!("the value of a cookie is text of ISO 8859-1, got {value:?}: percent-encode it");
                return Err(Fault::new(message));
            }
        }
    }
    text.push('"');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::pairs;

    fn set(said: &Value) -> Result<String, Fault> {
        set_cookie(said.to_string().as_bytes())
    }

    #[test]
    fn a_cookie_says_what_was_said_of_it_and_its_path_and_site() {
        let field = |said| set(&said).unwrap();
        assert_eq!(field(json!({"name": "a", "value": "1"})), "a=1; Path=/; SameSite=Lax");
        assert_eq!(field(json!({"name": "a", "value": "", "path": null, "same_site": null})), "a=");
        let all = json!({
            "name": "__Host-a", "value": "b c", "max_age": -1, "expires": "Thu, 01 Jan 1970 00:00:00 GMT",
            "domain": "example.com", "path": "/x", "same_site": "none", "secure": true, "http_only": true,
            "partitioned": true,
        });
        assert_eq!(
            field(all),
            "__Host-a=\"b c\"; Max-Age=-1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example.com; Path=/x; \
             SameSite=None; Secure; HttpOnly; Partitioned"
        );
    }

    #[test]
    fn any_text_of_latin_1_is_read_as_it_was_set() {
        let all: String = (0..=0xff_u8).map(char::from).collect();
        for value in ["", "a=b", r#"{"a": 1, "b": [2]}"#, "a;b,c", r"back\slash", "é", "\r\nset-cookie: b=2", &all] {
            let field = set(&json!({"name": "a", "value": value})).unwrap();
            assert!(field.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{field}");
            let (sent, _) = field.split_once("; Path").unwrap();
            let read: Vec<_> = pairs::cookies(sent).map(|(_, value)| value.into_owned()).collect();
            assert_eq!(read, [value]);
        }
    }

    #[test]
    fn what_would_end_a_part_is_refused_by_name() {
        let told = |name: &str, value: Value| {
            let mut said = json!({"name": "a", "value": "1"});
            said[name] = value;
            set(&said).unwrap_err().to_string()
        };
        for name in ["", "a b", "a;b", "a=b", "a\n", "é"] {
            assert_eq!(told("name", name.into()), format!("the name of a cookie is a token, got {name:?}"));
        }
        let held = "holds a character that it must not hold, got";
        assert_eq!(told("path", "/;x".into()), format!("the path of a cookie {held} \"/;x\""));
        assert_eq!(told("domain", "a\nb".into()), format!("the domain of a cookie {held} \"a\\nb\""));
        assert_eq!(told("expires", "éGMT".into()), format!("the expires of a cookie {held} \"éGMT\""));
        let date = "the expires of a cookie is a date as HTTP writes it, got \"Invalid Date\"";
        assert_eq!(told("expires", "Invalid Date".into()), date);
        let percent = "the value of a cookie is text of ISO 8859-1, got \"€\": percent-encode it";
        assert_eq!(told("value", "€".into()), percent);
        assert!(
            told("same_site", "laxer".into())
                .starts_with("same_site of a cookie: expected lax, strict or none, got \"laxer\"")
        );
        assert!(told("max_age", "60".into()).starts_with("max_age of a cookie: invalid type: string \"60\""));
    }
}
