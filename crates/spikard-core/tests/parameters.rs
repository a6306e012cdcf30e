//! Every recorded text is read as pydantic reads it, or refused in its words.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Map, Value, json};
use spikard_core::{Arg, FieldError, parameter::Reader};

const RECORDED: &str = include_str!("../../../testing_data/pydantic/parameters.json");

/// The JSON Schema of a recorded type.
fn schema(kind: &str, constraints: &Map<String, Value>) -> Value {
    let mut schema = match kind.split_once(':') {
        Some(("enum", members)) => return named_enum(&json!(members.split(',').collect::<Vec<_>>())),
        Some(("int_enum", members)) => return named_enum(&numbers(members)),
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

fn named_enum(members: &Value) -> Value {
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

fn without_inputs(errors: &[FieldError]) -> Value {
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
            (Err(errors), None) => assert_eq!(without_inputs(&errors), vector["errors"], "{vector}"),
            (read, _) => panic!("{vector}: {read:?}"),
        }
    }
    assert_eq!(not_finite, 5);
}

#[test]
fn a_union_prefers_text_and_literals_then_the_first_that_reads() {
    let any_of = |members: Value| Reader::compile(&json!({ "anyOf": members })).unwrap();
    let (int, text) = (json!({"type": "integer"}), json!({"type": "string"}));
    let read = |reader: &Reader, text: &str| reader.read_texts(&[text]).unwrap();
    assert_eq!(read(&any_of(json!([int, text])), "1"), Arg::Str("1".into()));
    let literal_or_int = any_of(json!([{"enum": ["a"]}, int]));
    assert_eq!(read(&literal_or_int, "a"), Arg::Choice(0));
    assert_eq!(read(&literal_or_int, "1"), Arg::Int(1));
    let number = any_of(json!([int, {"type": "number"}]));
    assert_eq!((read(&number, "1"), read(&number, "1.5")), (Arg::Int(1), Arg::Float(1.5)));
    let short = any_of(json!([{"type": "string", "minLength": 3}, int]));
    assert_eq!(read(&short, "12"), Arg::Int(12));
    let date = any_of(json!([{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]));
    assert_eq!(read(&date, "2024-01-01T10:00:00"), Arg::DateTime("2024-01-01T10:00:00".into()));
    let either = Reader::compile(&json!({"type": ["integer", "boolean"]})).unwrap();
    assert_eq!(read(&either, "true"), Arg::Bool(true));
}

#[test]
fn a_union_lists_what_each_member_says() {
    let members = json!([{"type": "integer", "minimum": 3}, {"type": "boolean"}, {"enum": ["a", 1]}, {"type": "null"}]);
    let errors = Reader::compile(&json!({ "anyOf": members })).unwrap().read_texts(&["x"]).unwrap_err();
    let said: Vec<Value> = errors.iter().map(|error| json!([error.word, error.loc])).collect();
    let expected = json!([
        ["int_parsing", ["constrained-int"]],
        ["bool_parsing", ["bool"]],
        ["literal_error", ["literal['a',1]"]],
    ]);
    assert_eq!(json!(said), expected);
}

#[test]
fn json_is_read_strictly() {
    let read = |schema: Value, value: Value| Reader::compile(&schema).unwrap().read_json(&value);
    assert_eq!(read(json!({"type": "integer"}), json!(1)), Ok(Arg::Int(1)));
    assert_eq!(read(json!({"type": ["integer", "null"]}), json!(null)), Ok(Arg::Null));
    assert_eq!(read(json!({"type": "integer"}), json!(u64::MAX)), Ok(Arg::BigInt(u64::MAX.to_string())));
    let huge: Value = serde_json::from_str("123456789012345678901234567890").unwrap();
    assert_eq!(read(json!({"type": "integer"}), huge.clone()), Ok(Arg::BigInt(huge.to_string())));
    assert_eq!(read(json!({"type": "integer"}), json!(1e20)).unwrap_err()[0].word, "int_type");
    assert_eq!(read(json!({"type": "number"}), json!(1)), Ok(Arg::Float(1.0)));
    assert_eq!(read(json!({"type": "string", "format": "decimal"}), json!(1.5)), Ok(Arg::Decimal("1.5".into())));
    assert_eq!(read(json!({"type": "string", "format": "duration"}), json!("PT1S")), Ok(Arg::Duration(1_000_000)));
    for (schema, value, word) in [
        (json!({"type": "integer"}), json!("1"), "int_type"),
        (json!({"type": "boolean"}), json!(1), "bool_type"),
        (json!({"type": "array", "items": {"type": "integer"}}), json!(1), "list_type"),
        (json!({"type": "string", "format": "date"}), json!("2024-01-01T00:00:00"), "date_parsing"),
    ] {
        assert_eq!(read(schema, value).unwrap_err()[0].word, word);
    }
}

#[test]
fn what_a_parameter_cannot_be_is_a_fault_of_the_app() {
    for (schema, named) in [
        (json!({"type": "object"}), "`object`"),
        (json!({"type": "integer", "minLength": 1}), "`minLength`"),
        (json!({"type": "string", "not": {}}), "`not`"),
        (json!({"type": "string", "format": "colour"}), "colour"),
        (json!({"type": "string", "pattern": "(?=a)"}), "(?=a)"),
        (json!({"$ref": "#/schemas/Nobody"}), "`#/schemas/Nobody`"),
        (json!({"type": "array", "items": {"type": "array"}}), "list of lists"),
        (json!({"type": "integer", "minimum": "x"}), "`minimum`"),
        (json!({"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}}), "itself"),
    ] {
        let error = Reader::compile(&schema).expect_err(&schema.to_string());
        assert!(error.message.contains(named), "{error}");
    }
}

#[test]
fn a_named_schema_is_found_where_the_app_has_it() {
    let named = json!({"Level": {"type": "integer", "enum": [1, 2]}});
    let schema = json!({"type": "array", "items": {"$ref": "#/schemas/Level"}});
    let reader = Reader::compile_in(&schema, named.as_object().unwrap()).unwrap();
    let read = reader.read_texts(&["2", "1.0"]).unwrap();
    assert_eq!(read, Arg::List(vec![Arg::Choice(1), Arg::Choice(0)]));
    assert_eq!(reader.plain(read), Arg::List(vec![Arg::Int(2), Arg::Int(1)]));
    assert_eq!(reader.read_texts(&["3"]).unwrap_err()[0].word, "enum");
}

#[test]
fn a_pattern_that_is_no_regular_expression_is_called_so() {
    let fault = Reader::compile(&json!({"type": "string", "pattern": "("})).unwrap_err();
    assert!(fault.message.contains("not a regular expression"), "{}", fault.message);
}
