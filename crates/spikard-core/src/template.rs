//! Path templates: `/users/{id:int}/files/{rest:path}`.

mod foreign;

use crate::SpecError;

/// A path template, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The segments in order.
    pub parts: Vec<Part>,
}

/// Literal text or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Matched as it stands, slashes included.
    Literal(String),
    /// `{name}` or `{name:converter}`.
    Parameter {
        /// The parameter's name.
        name: String,
        /// How its text is read.
        converter: Converter,
    },
}

/// How the text of a path parameter is read. It decides what is a 422, never what matches, except for `path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Converter {
    /// None was written: the parameter's own schema decides.
    Plain,
    /// `int`
    Int,
    /// `float`
    Float,
    /// `str`
    Str,
    /// `uuid`
    Uuid,
    /// `bool`
    Bool,
    /// `date`
    Date,
    /// `datetime`
    DateTime,
    /// `time`
    Time,
    /// `path`: greedy, takes slashes too; stands last.
    Path,
}

impl Converter {
    /// Every name that may stand behind the colon.
    pub const NAMES: &'static [&'static str] =
        &["int", "float", "str", "uuid", "bool", "date", "datetime", "time", "path"];

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "int" => Self::Int,
            "float" => Self::Float,
            "str" => Self::Str,
            "uuid" => Self::Uuid,
            "bool" => Self::Bool,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "time" => Self::Time,
            "path" => Self::Path,
            _ => return None,
        })
    }

    /// Whether what it reads is more than text.
    pub fn converts(self) -> bool {
        !matches!(self, Self::Plain | Self::Str | Self::Path)
    }

    /// The JSON Schema of a parameter for which nothing else was said.
    pub fn schema(self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Plain | Self::Str | Self::Path => json!({"type": "string"}),
            Self::Int => json!({"type": "integer"}),
            Self::Float => json!({"type": "number"}),
            Self::Bool => json!({"type": "boolean"}),
            Self::Uuid => json!({"type": "string", "format": "uuid"}),
            Self::Date => json!({"type": "string", "format": "date"}),
            Self::DateTime => json!({"type": "string", "format": "date-time"}),
            Self::Time => json!({"type": "string", "format": "time"}),
        }
    }
}

impl Template {
    /// Takes a template apart. `{{` and `}}` stand for literal braces.
    ///
    /// Fails where a brace is unbalanced, a name is no identifier or stands twice, a converter is unknown, a `path`
    /// parameter is not last, a parameter shares its segment or is spelled as elsewhere, the template does not begin with a
    /// slash, or goes on with a query or a fragment.
    pub fn parse(path: &str) -> Result<Self, SpecError> {
        if !path.starts_with('/') {
            return Err(SpecError::new(format!("the path {path:?} does not begin with a slash")));
        }
        foreign::check(path)?;
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = path;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if after.starts_with(brace) {
                literal.push_str(brace);
                rest = &after[1..];
                continue;
            }
            let end = after.find('}').filter(|_| brace == "{");
            let Some(end) = end else { return Err(SpecError::new(format!("unbalanced brace in the path {path:?}"))) };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(parameter(&after[..end], path)?);
            rest = &after[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        let template = Self { parts };
        template.check(path)?;
        Ok(template)
    }

    fn check(&self, path: &str) -> Result<(), SpecError> {
        let mut seen: Vec<&str> = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let Part::Parameter { name, converter } = part else { continue };
            if seen.contains(&name.as_str()) {
                return Err(SpecError::new(format!("the path {path:?} names {name:?} twice")));
            }
            seen.push(name);
            let opens = |part: &Part| matches!(part, Part::Literal(text) if text.ends_with('/'));
            let closes = |part: &Part| matches!(part, Part::Literal(text) if text.starts_with('/'));
            let before = index.checked_sub(1).and_then(|index| self.parts.get(index));
            let after = self.parts.get(index + 1);
            if !before.is_some_and(opens) || !after.is_none_or(closes) {
                return Err(SpecError::new(format!("{{{name}}} must be a whole segment of the path {path:?}")));
            }
            if *converter == Converter::Path && after.is_some() {
                return Err(SpecError::new(format!("{{{name}:path}} must stand last in the path {path:?}")));
            }
        }
        Ok(())
    }

    /// Its parameters in order.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Converter)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Parameter { name, converter } => Some((name.as_str(), *converter)),
            Part::Literal(_) => None,
        })
    }

    /// The template with names and converters taken out: two routes of one method and shape are one too many.
    pub fn shape(&self) -> String {
        let piece = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Parameter { converter: Converter::Path, .. } => "{*}".to_owned(),
            Part::Parameter { .. } => "{}".to_owned(),
        };
        self.parts.iter().map(piece).collect()
    }
}

fn parameter(text: &str, path: &str) -> Result<Part, SpecError> {
    let (name, converter) = text.split_once(':').map_or((text, None), |(name, converter)| (name, Some(converter)));
    let identifier = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(identifier) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(SpecError::new(format!("{{{text}}} in the path {path:?} is no parameter name")));
    }
    let converter = match converter {
        None => Converter::Plain,
        Some(known) => Converter::named(known).ok_or_else(|| {
            let names = Converter::NAMES.join(", ");
            SpecError::new(format!("{{{text}}} in the path {path:?} names no converter, which are {names}"))
        })?,
    };
    Ok(Part::Parameter { name: name.to_owned(), converter })
}
