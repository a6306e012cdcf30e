//! From a JSON Schema to a scalar or a list of scalars. A parameter's schema may say nothing that is not known here.

use serde_json::{Map, Value};

use super::{
    choices::Choices,
    list::{ListRules, Size},
    number::{DecimalRules, NumberRules, Shown},
    scalar::Scalar,
    temporal::{Temporal, TemporalRules},
    text::{ByteRules, Matcher, TextRules},
};
use crate::{SpecError, Word};

type Keywords = &'static [&'static str];

const ANNOTATIONS: Keywords = &[
    "$comment",
    "$defs",
    "$schema",
    "default",
    "deprecated",
    "contentMediaType",
    "description",
    "example",
    "examples",
    "readOnly",
    "title",
    "type",
    "writeOnly",
];
const NOTHING: Keywords = &[];
const NUMBER: Keywords = &["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"];
const DECIMAL: Keywords = &[
    "decimalPlaces",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxDigits",
    "maximum",
    "minimum",
    "multipleOf",
];
const TEXT: Keywords = &["format", "maxLength", "minLength", "pattern"];
const BYTES: Keywords = &["format", "maxLength", "minLength"];
const FORMAT: Keywords = &["format"];
const MOMENT: Keywords =
    &["format", "formatExclusiveMaximum", "formatExclusiveMinimum", "formatMaximum", "formatMinimum"];
const CHOICE: Keywords = &["const", "enum"];
const LIST: Keywords = &["items", "maxItems", "minItems", "prefixItems", "uniqueItems"];

/// References to references, and unions in unions, before a schema is taken to refer to itself.
const MAX_DEPTH: usize = 32;

/// What references are looked up in, and what has been found on the way.
pub(crate) struct Context<'a> {
    root: &'a Value,
    named: &'a Map<String, Value>,
    /// The members of all enumerations so far.
    choices: Vec<Value>,
    /// Unknown formats are annotations, as JSON Schema has them; a parameter's are an error.
    in_body: bool,
    /// Rules are JSON Schema's own, not those of a host type.
    as_written: bool,
    assert_formats: bool,
}

/// What a parameter is.
pub(crate) enum Found {
    Scalar(Scalar),
    /// A list, and whether null is accepted in its place.
    List(ListRules, bool),
}

impl<'a> Context<'a> {
    /// For a parameter, or for the leaves of a schema that stands for a host type.
    pub(crate) fn new(root: &'a Value, named: &'a Map<String, Value>) -> Self {
        Self { root, named, choices: Vec::new(), in_body: false, as_written: false, assert_formats: true }
    }

    /// For the leaves of a body's schema.
    pub(crate) fn for_body(mut self, as_written: bool, assert_formats: bool) -> Self {
        self.in_body = true;
        self.as_written = as_written;
        self.assert_formats = assert_formats;
        self
    }

    pub(crate) fn into_choices(self) -> Vec<Value> {
        self.choices
    }

    /// The schema that a reference names.
    pub(crate) fn lookup(&self, reference: &str) -> Option<&'a Value> {
        let pointer = reference.strip_prefix('#')?;
        self.root.pointer(pointer).or_else(|| {
            let name = pointer.strip_prefix("/schemas/").or_else(|| pointer.strip_prefix("/$defs/"))?;
            self.named.get(&name.replace("~1", "/").replace("~0", "~"))
        })
    }

    /// Compiles a parameter's schema.
    pub(crate) fn parameter(&mut self, schema: &Value) -> Result<Found, SpecError> {
        self.found(schema, None, 0)
    }

    fn found(&mut self, schema: &Value, name: Option<&str>, depth: usize) -> Result<Found, SpecError> {
        let Value::Object(object) = schema else {
            return match schema {
                Value::Bool(true) => Ok(Found::Scalar(Scalar::Any)),
                other => Err(SpecError::new(format!("a parameter's schema cannot be {other}"))),
            };
        };
        if depth > MAX_DEPTH {
            return Err(SpecError::new("a parameter's schema cannot refer to itself"));
        }
        if let Some(Value::String(reference)) = object.get("$ref") {
            refuse_unknown(object, &["$ref"])?;
            let target = self.lookup(reference);
            let target = target.ok_or_else(|| SpecError::new(format!("no schema is called `{reference}`")))?;
            return self.found(target, reference.rsplit('/').next(), depth + 1);
        }
        if let Some(Value::Array(members)) = object.get("anyOf") {
            refuse_unknown(object, &["anyOf"])?;
            return self.union(members, depth);
        }
        if let Some(Value::Array(_)) = object.get("type") {
            return self.union(&one_for_each_type(object), depth);
        }
        if object.get("type").and_then(Value::as_str) == Some("array") {
            refuse_unknown(object, LIST)?;
            return Ok(Found::List(self.list(object, depth)?, false));
        }
        let (scalar, keywords) = self.scalar(object, name)?;
        refuse_unknown(object, keywords)?;
        Ok(Found::Scalar(scalar))
    }

    fn union(&mut self, members: &[Value], depth: usize) -> Result<Found, SpecError> {
        let (mut scalars, mut lists) = (Vec::new(), Vec::new());
        for member in members {
            match self.found(member, None, depth + 1)? {
                Found::Scalar(Scalar::Union(inner)) => scalars.extend(inner),
                Found::Scalar(scalar) => scalars.push(scalar),
                Found::List(rules, _) => lists.push(rules),
            }
        }
        let only_null = scalars.iter().all(|scalar| matches!(scalar, Scalar::Null));
        match (lists.pop(), lists.is_empty()) {
            (Some(rules), true) if only_null => Ok(Found::List(rules, !scalars.is_empty())),
            (Some(_), _) => Err(SpecError::new("a parameter cannot be a list or something else")),
            (None, _) if scalars.is_empty() => Err(SpecError::new("a parameter's `anyOf` is empty")),
            (None, _) => Ok(Found::Scalar(Scalar::Union(scalars))),
        }
    }

    fn list(&mut self, schema: &Map<String, Value>, depth: usize) -> Result<ListRules, SpecError> {
        let mut item = |schema: &Value| match self.found(schema, None, depth + 1)? {
            Found::Scalar(scalar) => Ok(scalar),
            Found::List(..) => Err(SpecError::new("a parameter cannot be a list of lists")),
        };
        let places = schema.get("prefixItems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Ok(ListRules {
            size: Size::compile(schema)?,
            places: places.iter().map(&mut item).collect::<Result<_, _>>()?,
            items: match schema.get("items") {
                None | Some(Value::Bool(false)) => Scalar::Any,
                Some(items) => item(items)?,
            },
        })
    }

    /// A schema of one scalar type, and the keywords that mean something beside this type. `name` is what a reference
    /// called it.
    pub(crate) fn scalar(
        &mut self,
        schema: &Map<String, Value>,
        name: Option<&str>,
    ) -> Result<(Scalar, Keywords), SpecError> {
        if let Some(choices) = self.choices(schema, name)? {
            return Ok((Scalar::Choice(choices), CHOICE));
        }
        let format = schema.get("format").and_then(Value::as_str);
        Ok(match (schema.get("type").and_then(Value::as_str), format) {
            (Some("integer"), _) => (Scalar::Int(NumberRules::compile(schema, Shown::Int)?), NUMBER),
            (Some("number" | "string"), Some("decimal")) => (Scalar::Decimal(DecimalRules::compile(schema)?), DECIMAL),
            (Some("number"), _) => (Scalar::Float(NumberRules::compile(schema, Shown::Float)?), NUMBER),
            (Some("boolean"), _) => (Scalar::Bool, NOTHING),
            (Some("null"), _) => (Scalar::Null, NOTHING),
            (Some("string"), _) | (None, Some(_)) => self.text(schema, format)?,
            (Some(other), _) => return Err(SpecError::new(format!("a parameter cannot be of type `{other}`"))),
            (None, None) => (Scalar::Any, NOTHING),
        })
    }

    fn text(&self, schema: &Map<String, Value>, format: Option<&str>) -> Result<(Scalar, Keywords), SpecError> {
        // Those of host types are types, which no option turns into annotations.
        let format = format.filter(|_| self.assert_formats || !self.as_written);
        let kind = format.and_then(Temporal::of_format);
        Ok(match (format, kind) {
            (Some(format), Some(kind)) => {
                let rules = TemporalRules::compile(kind, schema, self.rule_of_json_schema(format)?)?;
                (Scalar::Temporal(kind, rules), MOMENT)
            }
            (Some("uuid"), _) => (Scalar::Uuid(self.rule_of_json_schema("uuid")?), FORMAT),
            // JSON Schema counts characters, not bytes.
            (Some("binary"), _)
                if !self.as_written || !TEXT.iter().any(|rule| *rule != "format" && schema.contains_key(*rule)) =>
            {
                (Scalar::Bytes(ByteRules::compile(schema)?), BYTES)
            }
            (format, _) => {
                let rule = format.map(|format| self.rule(format)).transpose()?.flatten();
                (Scalar::Str(TextRules::compile(schema, self.as_written, rule)?), TEXT)
            }
        })
    }

    fn rule_of_json_schema(&self, format: &str) -> Result<Option<Matcher>, SpecError> {
        self.as_written.then(|| Matcher::compile("format", &Value::from(format))).transpose()
    }

    /// The rule of a format that is no type of its own.
    fn rule(&self, format: &str) -> Result<Option<(String, Matcher)>, SpecError> {
        match Matcher::compile("format", &Value::from(format)) {
            _ if !self.assert_formats || format == "password" => Ok(None),
            Ok(matcher) => Ok(Some((format.to_owned(), matcher))),
            Err(_) if self.in_body => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The values of an `enum` or a `const`.
    pub(crate) fn choices(
        &mut self,
        schema: &Map<String, Value>,
        name: Option<&str>,
    ) -> Result<Option<Choices>, SpecError> {
        let (values, word) = match (schema.get("enum"), schema.get("const")) {
            (Some(Value::Array(values)), _) if name.is_some() => (values.clone(), Word::Enum),
            (Some(Value::Array(values)), _) => (values.clone(), Word::LiteralError),
            (Some(other), _) => return Err(SpecError::new(format!("`enum` is no list: {other}"))),
            (None, Some(value)) if self.as_written => (vec![value.clone()], Word::Const),
            (None, Some(value)) => (vec![value.clone()], Word::LiteralError),
            (None, None) => return Ok(None),
        };
        let first = self.choices.len() as u32;
        self.choices.extend_from_slice(&values);
        Ok(Some(Choices::new(values, first, word, name.map(str::to_owned))))
    }
}

/// `{"type": ["integer", "null"], …}` as one schema for each type.
pub(crate) fn one_for_each_type(schema: &Map<String, Value>) -> Vec<Value> {
    let types = schema.get("type").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let only = |kind: &Value| {
        let mut one = schema.clone();
        one.insert("type".to_owned(), kind.clone());
        if kind == "null" {
            one.retain(|keyword, _| keyword == "type");
        }
        Value::Object(one)
    };
    types.iter().map(only).collect()
}

fn refuse_unknown(schema: &Map<String, Value>, known: &[&str]) -> Result<(), SpecError> {
    let unknown = schema.keys().find(|keyword| {
        let keyword = keyword.as_str();
        !known.contains(&keyword) && !ANNOTATIONS.contains(&keyword)
    });
    match unknown {
        Some(keyword) => Err(SpecError::new(format!("a parameter's schema cannot say `{keyword}` here"))),
        None => Ok(()),
    }
}
