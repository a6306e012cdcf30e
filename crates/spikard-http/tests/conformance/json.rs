//! JSON as the corpus compares it: `1` is not `1.0`, and integers of any size are exact.

use std::fmt;

use serde_json::Value;

use crate::fault::Fault;

/// A JSON value. Objects keep the order of their members; comparing them does not look at it.
#[derive(Clone, Debug)]
pub enum Json {
    Null,
    Bool(bool),
    /// Digits, with an optional minus.
    Int(String),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    /// Reads a whole text.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(text)?;
        let mut reader = Reader { text, at: 0 };
        let value = reader.value()?;
        reader.blanks();
        if reader.at == text.len() {
            Ok(value)
        } else {
            Err(Fault::new(format!("something stands behind byte {}", reader.at)))
        }
    }

    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a member.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Self::text)
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(digits) => digits.parse().ok(),
            Self::Float(float) => Some(*float),
            _ => None,
        }
    }

    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// A status code.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Int(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// As serde knows it: big integers become floats.
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.to_string()).expect("it was JSON")
    }

    /// One member that says the type of a value.
    pub fn tagged(tag: &str, value: Self) -> Self {
        Self::Map(vec![(tag.to_owned(), value)])
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        Self::parse(value.to_string().as_bytes()).expect("it is JSON")
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(one), Self::Bool(two)) => one == two,
            (Self::Float(one), Self::Float(two)) => one.to_bits() == two.to_bits() || one == two,
            (Self::Int(one), Self::Int(two)) | (Self::Text(one), Self::Text(two)) => one == two,
            (Self::List(one), Self::List(two)) => one == two,
            (Self::Map(one), Self::Map(_)) => {
                let Self::Map(two) = other else { return false };
                one.len() == two.len() && one.iter().all(|(name, value)| other.get(name) == Some(value))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(digits) => f.write_str(digits),
            Self::Float(float) => write!(f, "{float:?}"),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::List(items) => write_all(f, "[", items.iter().map(ToString::to_string), "]"),
            Self::Map(members) => {
                write_all(f, "{", members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))), "}")
            }
        }
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn write_all(f: &mut fmt::Formatter<'_>, open: &str, pieces: impl Iterator<Item = String>, close: &str) -> fmt::Result {
    write!(f, "{open}{}{close}", pieces.collect::<Vec<_>>().join(","))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn take(&mut self, piece: &str) -> bool {
        let found = self.text[self.at..].starts_with(piece);
        self.at += if found { piece.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Result<Json, Fault> {
        self.blanks();
        for (word, value) in [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))] {
            if self.take(word) {
                return Ok(value);
            }
        }
        match self.text.as_bytes().get(self.at) {
            Some(b'"') => self.string().map(Json::Text),
            Some(b'[') => self.between('[', ']', Self::value).map(Json::List),
            Some(b'{') => self.between('{', '}', Self::member).map(Json::Map),
            _ => self.number(),
        }
    }

    fn between<T>(
        &mut self,
        open: char,
        close: char,
        mut one: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.take(open.encode_utf8(&mut [0; 4]));
        let close = close.to_string();
        let mut all = Vec::new();
        loop {
            self.blanks();
            if self.take(&close) {
                return Ok(all);
            }
            if !all.is_empty() && !self.take(",") {
                return Err(Fault::new(format!("no comma at byte {}", self.at)));
            }
            all.push(one(self)?);
        }
    }

    fn member(&mut self) -> Result<(String, Json), Fault> {
        self.blanks();
        let name = self.string()?;
        self.blanks();
        if self.take(":") {
            Ok((name, self.value()?))
        } else {
            Err(Fault::new(format!("no colon at byte {}", self.at)))
        }
    }

    fn string(&mut self) -> Result<String, Fault> {
        let rest = &self.text[self.at..];
        let mut escaped = true;
        let end = rest.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let text = &rest[..=end.ok_or_else(|| Fault::new(format!("no string at byte {}", self.at)))?];
        self.at += text.len();
        serde_json::from_str(text).map_err(|error| Fault::from(error).at(text))
    }

    fn number(&mut self) -> Result<Json, Fault> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !"+-.eE0123456789".contains(c)).unwrap_or(rest.len());
        let text = &rest[..end];
        self.at += end;
        let float: f64 = serde_json::from_str(text).map_err(|error| Fault::from(error).at(format_args!("{text:?}")))?;
        let whole = !text.contains(['.', 'e', 'E']);
        Ok(if whole { Json::Int(if text == "-0" { "0" } else { text }.to_owned()) } else { Json::Float(float) })
    }
}

#[test]
fn numbers_are_compared_by_kind_and_exactly() {
    let json = |text: &str| Json::parse(text.as_bytes()).unwrap();
    assert_ne!(json("1"), json("1.0"));
    assert_eq!(json("1.50"), json("15e-1"));
    assert_ne!(json("123456789012345678901"), json("123456789012345678902"));
    assert_eq!(json(r#"{"a": [1, "\"\\"], "b": null}"#), json(r#"{"b":null,"a":[1,"\"\\"]}"#));
    assert_eq!(json(r#"[1.0,"é",{}]"#).to_string(), r#"[1.0,"é",{}]"#);
    assert!(Json::parse(b"[1 2]").is_err() && Json::parse(b"1 2").is_err());
}
