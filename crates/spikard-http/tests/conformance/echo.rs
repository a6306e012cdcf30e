//! How a script's `echo` writes the values that arrived: what JSON has plainly, everything else as an object with one
//! member that says the type.

use std::{fs::File, io::Read, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use spikard_core::{Arg, Content, Upload, msgpack::as_json};

use crate::json::Json;

/// Writes a bound argument. `schema` tells sets and tuples from lists, `choices` the members of its enumerations.
pub fn argument(arg: &Arg, schema: &Value, choices: &[Value]) -> Json {
    match arg {
        Arg::Null | Arg::Absent => Json::Null,
        Arg::Bool(value) => Json::Bool(*value),
        Arg::Int(value) => Json::Int(value.to_string()),
        Arg::BigInt(digits) => Json::Int(digits.clone()),
        Arg::Float(value) => Json::Float(*value),
        Arg::Str(text) => Json::Text(text.clone()),
        Arg::Bytes(bytes) => Json::tagged("$bytes", Json::Text(STANDARD.encode(bytes))),
        Arg::Decimal(text) => Json::tagged("$decimal", Json::Text(plain_decimal(text))),
        Arg::Uuid(text) => Json::tagged("$uuid", Json::Text(text.to_ascii_lowercase())),
        Arg::Date(text) => Json::tagged("$date", Json::Text(text.clone())),
        Arg::Time(text) => Json::tagged("$time", Json::Text(clock(text))),
        Arg::DateTime(text) => Json::tagged("$datetime", Json::Text(moment(text))),
        Arg::Duration(micros) => {
            let seconds = Duration::from_micros(micros.unsigned_abs()).as_secs_f64();
            Json::tagged("$duration", Json::Float(if *micros < 0 { -seconds } else { seconds }))
        }
        Arg::Choice(place) => Json::tagged("$enum", Json::from(&choices[*place as usize])),
        Arg::List(items) => {
            let items = items.iter().map(|item| argument(item, schema, choices)).collect();
            list(items, list_of(schema).unwrap_or(&Map::new()))
        }
        Arg::Map(members) => {
            Json::Map(members.iter().map(|(name, value)| (name.clone(), argument(value, schema, choices))).collect())
        }
        Arg::Upload(file) => upload(file),
        Arg::Input(_) | Arg::Host(_) | Arg::Request(_) => Json::from("a value that echo does not know"),
    }
}

/// A file: what its part said, and its content.
pub fn upload(file: &Upload) -> Json {
    let text = |text: &Option<String>| text.as_ref().map_or(Json::Null, |text| Json::Text(text.clone()));
    let content = match &file.content {
        Content::Memory(bytes) => bytes.to_vec(),
        Content::Spooled(kept) => {
            let mut file = kept.downcast_ref::<File>().expect("the server's platform keeps files");
            let mut content = Vec::new();
            file.read_to_end(&mut content).expect("a file that can be read");
            content
        }
    };
    let members = [
        ("filename", text(&file.filename)),
        ("content_type", text(&file.content_type)),
        ("size", Json::Int(file.size.to_string())),
        ("base64", Json::Text(STANDARD.encode(content))),
    ];
    Json::tagged("$upload", Json::Map(members.map(|(name, value)| (name.to_owned(), value)).into()))
}

/// Puts files where a decoded value has the texts that stood for them.
pub fn with_uploads(value: Json, files: &[Arc<Upload>]) -> Json {
    match value {
        Json::Text(text) => match text.strip_prefix(STANDS_FOR).and_then(|place| place.parse::<usize>().ok()) {
            Some(place) => upload(&files[place]),
            None => Json::Text(text),
        },
        Json::List(items) => Json::List(items.into_iter().map(|item| with_uploads(item, files)).collect()),
        Json::Map(members) => {
            Json::Map(members.into_iter().map(|(name, value)| (name, with_uploads(value, files))).collect())
        }
        other => other,
    }
}

/// How the text begins that stands for a file while a body is decoded.
const STANDS_FOR: &str = "\u{1}upload ";

/// Plain data as JSON; each file goes to `files`, and a text stands for it.
pub fn without_uploads(arg: &Arg, files: &mut Vec<Arc<Upload>>) -> Value {
    match arg {
        Arg::Upload(file) => {
            files.push(file.clone());
            format!("{STANDS_FOR}{}", files.len() - 1).into()
        }
        Arg::List(items) => items.iter().map(|item| without_uploads(item, files)).collect(),
        Arg::Map(members) => {
            let named = members.iter().map(|(name, value)| (name.clone(), without_uploads(value, files)));
            Value::Object(named.collect())
        }
        other => as_json(other),
    }
}

/// The schema of the array among a schema's alternatives.
fn list_of(schema: &Value) -> Option<&Map<String, Value>> {
    match schema.get("anyOf") {
        Some(Value::Array(members)) => members.iter().find_map(list_of),
        _ => schema.as_object().filter(|object| object.get("type") == Some(&Value::from("array"))),
    }
}

/// A list, a set or a tuple, as its schema says.
pub fn list(mut items: Vec<Json>, schema: &Map<String, Value>) -> Json {
    if schema.contains_key("prefixItems") {
        return Json::tagged("$tuple", Json::List(items));
    }
    if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
        items.sort_by_key(ToString::to_string);
        items.dedup();
        return Json::tagged("$set", Json::List(items));
    }
    Json::List(items)
}

/// `2026-01-31T10:00:00+00:00`, from any text that RFC 3339 allows.
pub fn moment(text: &str) -> String {
    let (date, time) = text.split_at(10);
    format!("{date}T{}", clock(&time[1..]))
}

/// `10:00:00.500000+00:00`: seconds always, six digits of fraction or none.
pub fn clock(text: &str) -> String {
    let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = text.split_at(zone);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let seconds = if whole.len() == 5 { ":00" } else { "" };
    let fraction = format!("{fraction:0<6}");
    let fraction = if fraction.trim_matches('0').is_empty() { String::new() } else { format!(".{}", &fraction[..6]) };
    let zone = if zone.eq_ignore_ascii_case("z") { "+00:00" } else { zone };
    format!("{whole}{seconds}{fraction}{zone}")
}

/// Digits without an exponent.
pub fn plain_decimal(text: &str) -> String {
    let text = text.trim_start_matches('+');
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return text.to_owned() };
    let exponent: usize = exponent.trim_start_matches('+').parse().expect("cases keep to positive exponents");
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let moved = format!("{fraction:0<exponent$}");
    let (moved, rest) = moved.split_at(exponent);
    if rest.is_empty() { format!("{whole}{moved}") } else { format!("{whole}{moved}.{rest}") }
}

#[test]
fn texts_are_brought_to_one_form() {
    assert_eq!(moment("2026-01-31 10:00Z"), "2026-01-31T10:00:00+00:00");
    assert_eq!(clock("10:00:00.5"), "10:00:00.500000");
    assert_eq!(clock("10:00:00.000-05:30"), "10:00:00-05:30");
    assert_eq!((plain_decimal("1e3"), plain_decimal("+1.25E1")), ("1000".to_owned(), "12.5".to_owned()));
}
