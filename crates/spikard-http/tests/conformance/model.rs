//! A typed body: the driver's decoder accepts what the schema accepts, and writes the values by their formats, defaults
//! filled in.

use serde_json::{Map, Value};
use spikard_core::{schema::Schema, spec::Reading};

use crate::{
    echo::{clock, list, moment, plain_decimal},
    json::Json,
};

/// The decoder of one body.
pub struct Model {
    root: Value,
    schema: Schema,
}

impl Model {
    pub fn new(root: &Value) -> Self {
        let schema = Schema::compile(root, &Map::new(), Reading::Typed, true).expect("models compile");
        Self { root: root.clone(), schema }
    }

    /// Decodes and writes. None: refused.
    pub fn decode(&self, text: &[u8]) -> Option<Json> {
        let value = Json::parse(text).ok()?;
        self.schema.accepts(&value.to_value()).then(|| self.write(&value, &self.root))
    }

    /// Writes a value that the schema accepts, or a default.
    pub fn write(&self, value: &Json, schema: &Value) -> Json {
        let (schema, named) = self.resolve(schema);
        if let Some(Value::Array(members)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
            let chosen = members.iter().find(|member| self.takes(member, value));
            return chosen.map_or_else(|| value.clone(), |member| self.write(value, member));
        }
        match value {
            Json::Map(members) => self.object(members, schema),
            Json::List(items) => self.list(items, schema),
            _ if named && schema.get("enum").is_some() => Json::tagged("$enum", value.clone()),
            Json::Text(text) => scalar(text, schema.get("format").and_then(Value::as_str)),
            Json::Int(digits) if schema.get("type") == Some(&Value::from("number")) => {
                Json::Float(digits.parse().expect("digits"))
            }
            _ => value.clone(),
        }
    }

    /// Follows a reference; true where there was one.
    fn resolve<'a>(&'a self, schema: &'a Value) -> (&'a Value, bool) {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let target = self.root.pointer(reference.trim_start_matches('#'));
                (self.resolve(target.expect("models name what they define")).0, true)
            }
            None => (schema, false),
        }
    }

    /// Whether a member of a union is meant.
    fn takes(&self, member: &Value, value: &Json) -> bool {
        let mut alone = member.clone();
        if let (Value::Object(alone), Some(definitions)) = (&mut alone, self.root.get("$defs")) {
            alone.insert("$defs".to_owned(), definitions.clone());
        }
        let schema = Schema::compile(&alone, &Map::new(), Reading::Typed, true).expect("a part of a model");
        schema.accepts(&value.to_value())
    }

    fn object(&self, members: &[(String, Json)], schema: &Value) -> Json {
        let anything = Value::Bool(true);
        let Some(Value::Object(properties)) = schema.get("properties") else {
            let of = schema.get("additionalProperties").unwrap_or(&anything);
            return Json::Map(members.iter().map(|(name, value)| (name.clone(), self.write(value, of))).collect());
        };
        let field = |(name, property): (&String, &Value)| {
            let sent = members.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.clone());
            let value = sent.or_else(|| property.get("default").map(Json::from));
            value.map(|value| (name.clone(), self.write(&value, property)))
        };
        Json::Map(properties.iter().filter_map(field).collect())
    }

    fn list(&self, items: &[Json], schema: &Value) -> Json {
        let anything = Value::Bool(true);
        let places = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let rest = schema.get("items").unwrap_or(&anything);
        let written = items.iter().enumerate().map(|(place, item)| self.write(item, places.get(place).unwrap_or(rest)));
        list(written.collect(), schema.as_object().unwrap_or(&Map::new()))
    }
}

fn scalar(text: &str, format: Option<&str>) -> Json {
    let tagged = |tag, text: String| Json::tagged(tag, Json::Text(text));
    match format {
        Some("uuid") => tagged("$uuid", text.to_ascii_lowercase()),
        Some("date") => tagged("$date", text.to_owned()),
        Some("time") => tagged("$time", clock(text)),
        Some("date-time") => tagged("$datetime", moment(text)),
        Some("decimal") => tagged("$decimal", plain_decimal(text)),
        Some("duration") => Json::tagged("$duration", Json::Float(seconds(text))),
        _ => Json::from(text),
    }
}

/// ISO 8601, as far as models use it: days and a clock.
fn seconds(text: &str) -> f64 {
    let (sign, text) = text.strip_prefix('-').map_or((1.0, text), |rest| (-1.0, rest));
    let mut sum = 0.0;
    let mut digits = String::new();
    for letter in text.chars() {
        let factor = match letter {
            'W' => 604_800.0,
            'D' => 86_400.0,
            'H' => 3_600.0,
            'M' => 60.0,
            'S' => 1.0,
            'P' | 'T' => continue,
            digit => {
                digits.push(digit);
                continue;
            }
        };
        sum += factor * std::mem::take(&mut digits).parse::<f64>().expect("a number before its unit");
    }
    sign * sum
}
