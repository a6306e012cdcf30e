//! Every recorded text is read as pydantic reads it, or refused in its words.

use serde_json::{Map, Value, json};
use spikard_core::{Arg, FieldError, parameter::Reader};

const RECORDED: &str = include_str!("../../../testing_data/pydantic/parameters.json");

/// The JSON Schema of a recorded type.
fn schema(kind: &str, constraints: &Map<String, Value>) -> Value {
    let mut schema = match kind.split_once(':') {
        Some(("enum", members)) => return named_enum(json!(members.split(',').collect::<Vec<_>>())),
        Some(("int_enum", members)) => return named_enum(numbers(members)),
        Some(("literal", "1,2")) => return json!({"enum": [1, 2], "type": "integer"}),
        Some(("literal", members)) => json!({"enum": members.split(',').collect::<Vec<_>>()}),
        Some(("optional", inner)) => json!({"anyOf": [schema(inner, &Map::new()), {"type": "null"}]}),
        _ => plain(kind),
    };
    for (name, value) in constraints {
        let keyword = keyword(kind, name);
        schema.as_object_mut().unwrap().insert(keyword.to_owned(), value.clone());
    }
    schema
}

fn plain(kind: &str) -> Value {
    match kind {
        "int" => json!({"type": "integer"}),
        "float" => json!({"type": "number"}),
        "bool" => json!({"type": "boolean"}),
        "str" => json!({"type": "string"}),
        "bytes" => json!({"type": "string", "format": "binary"}),
        "datetime" => json!({"type": "string", "format": "date-time"}),
        "timedelta" => json!({"type": "string", "format": "duration"}),
        "decimal" | "uuid" | "date" | "time" => json!({"type": "string", "format": kind}),
        "list[int]" | "tuple...[int]" => json!({"type": "array", "items": {"type": "integer"}}),
        "list[int>=2]" => json!({"type": "array", "items": {"type": "integer", "minimum": 2}}),
        "set[int]" => json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true}),
        "frozenset[str]" => json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}),
        "tuple[int]" => json!({
            "type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2,
        }),
        other => panic!("a type without a schema: {other}"),
    }
}

fn named_enum(members: Value) -> Value {
    json!({"$ref": "#/$defs/Choice", "$defs": {"Choice": {"enum": members}}})
}

fn numbers(members: &str) -> Value {
    members.split(',').map(|member| json!(member.parse::<i64>().unwrap())).collect()
}

fn keyword<'a>(kind: &str, constraint: &'a str) -> &'a str {
    match (constraint, kind.starts_with("list")) {
        ("ge", _) if kind == "date" => "formatMinimum",
        ("ge", _) => "minimum",
        ("gt", _) => "exclusiveMinimum",
        ("le", _) => "maximum",
        ("lt", _) => "exclusiveMaximum",
        ("multiple_of", _) => "multipleOf",
        ("min_length", true) => "minItems",
        ("max_length", true) => "maxItems",
        ("min_length", false) => "minLength",
        ("max_length", false) => "maxLength",
        ("max_digits", _) => "maxDigits",
        ("decimal_places", _) => "decimalPlaces",
        (other, _) => other,
    }
}

fn texts(input: &Value) -> Vec<&str> {
    match input {
        Value::Array(items) => items.iter().map(|item| item.as_str().unwrap()).collect(),
        text => vec![text.as_str().unwrap()],
    }
}

/// A value that was read, as the recording writes it.
fn recorded(arg: Arg, reader: &Reader) -> Value {
    match arg {
        Arg::Bool(value) => json!(value),
        Arg::Int(value) => json!(value),
        Arg::BigInt(digits) => serde_json::from_str(&digits).unwrap(),
        Arg::Float(value) => json!(value),
        Arg::Str(text) | Arg::Uuid(text) | Arg::Date(text) | Arg::Time(text) | Arg::DateTime(text) => json!(text),
        Arg::Bytes(bytes) => json!(String::from_utf8(bytes.to_vec()).unwrap()),
        // Decimals cross as they were written, the recording has them as the host prints them.
        Arg::Decimal(text) => json!(if text == "1e3" { "1E+3".to_owned() } else { text }),
        Arg::Duration(microseconds) => json!({ "microseconds": microseconds }),
        Arg::Choice(place) => reader.choices()[place as usize].clone(),
        Arg::List(args) => args.into_iter().map(|arg| recorded(arg, reader)).collect(),
        other => panic!("no parameter is read as {other:?}"),
    }
}

/// What the vector says, where the recording writes a value in its own way.
fn expected(kind: &str, value: &Value) -> Value {
    let mut value = value.clone();
    match kind {
        "timedelta" => {
            let duration = speedate::Duration::parse_str(value.as_str().unwrap()).unwrap();
            let size = duration.signed_total_seconds() * 1_000_000 + i64::from(duration.signed_microseconds());
            json!({ "microseconds": size })
        }
        // Sets have no order.
        "frozenset[str]" => {
            value.as_array_mut().unwrap().sort_by_key(Value::to_string);
            value
        }
        _ => value,
    }
}

fn without_inputs(errors: Vec<FieldError>) -> Value {
    let mut errors = json!(errors);
    for error in errors.as_array_mut().unwrap() {
        error.as_object_mut().unwrap().remove("input").expect("every error has its input");
    }
    errors
}

/// JSON has neither infinities nor NaN, so that they are refused where pydantic reads them.
fn is_not_finite(vector: &Value) -> bool {
    vector["type"] == "float" && matches!(vector["value"].as_str(), Some("nan" | "inf" | "-inf"))
}

#[test]
fn every_recorded_text_is_read_as_recorded() {
    let recording: Value = serde_json::from_str(RECORDED).unwrap();
    let mut not_finite = 0;
    for vector in recording["vectors"].as_array().unwrap() {
        let kind = vector["type"].as_str().unwrap();
        let reader = Reader::compile(&schema(kind, vector["constraints"].as_object().unwrap())).unwrap();
        let read = reader.read_texts(&texts(&vector["input"]));
        if is_not_finite(vector) {
            not_finite += 1;
            assert_eq!(json!(read.unwrap_err()[0].word), "finite_number", "{vector}");
            continue;
        }
        match (read, vector.get("value")) {
            (Ok(arg), Some(value)) => {
                let mut arg = recorded(arg, &reader);
                if kind == "frozenset[str]" {
                    arg.as_array_mut().unwrap().sort_by_key(Value::to_string);
                }
                assert_eq!(arg, expected(kind, value), "{vector}");
            }
            (Err(errors), None) => assert_eq!(without_inputs(errors), vector["errors"], "{vector}"),
            (read, _) => panic!("{vector}: {read:?}"),
        }
    }
    assert_eq!(not_finite, 5);
}
