//! Forms become the JSON that their schema asks for, or are refused in the words for text.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Map, Value, json};
use spikard_core::{schema::Schema, spec::Reading};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 2},
            "age": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
            "paid": {"type": "boolean", "default": false},
            "tags": {"type": "array", "items": {"type": "string"}},
            "sizes": {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]},
            "level": {"$ref": "#/schemas/Level"},
            "day": {"type": "string", "format": "date"},
            "wait": {"type": "string", "format": "duration"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        },
        "required": ["name"],
        "additionalProperties": false,
    })
}

fn read(pairs: &[(&str, &str)]) -> Result<Value, Value> {
    let named = json!({"Level": {"type": "integer", "enum": [1, 2]}});
    let schema = Schema::compile(&schema(), named.as_object().unwrap(), Reading::Typed, true).unwrap();
    let pairs: Vec<_> = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    schema.read_form(&pairs).map_err(|errors| json!(errors))
}

#[test]
fn texts_become_what_the_schema_asks_for() {
    let pairs = [
        ("name", "Ann"),
        ("age", " 7 "),
        ("paid", "on"),
        ("tags", "a"),
        ("tags", "b"),
        ("sizes", "1"),
        ("level", "2"),
        ("day", "2024-02-29T00:00:00"),
        ("wait", "1 day, 00:00:01.5"),
        ("either", "1"),
    ];
    let expected = json!({
        "name": "Ann", "age": 7, "paid": true, "tags": ["a", "b"], "sizes": [1], "level": 2, "day": "2024-02-29",
        "wait": "P1DT1.500000S", "either": "1",
    });
    assert_eq!(read(&pairs), Ok(expected));
}

#[test]
fn what_is_not_sent_stays_absent_and_of_repeated_single_values_the_last_counts() {
    assert_eq!(read(&[("name", "Ann"), ("name", "Bob")]), Ok(json!({"name": "Bob"})));
}

#[test]
fn refusals_have_the_words_for_text_and_show_what_was_sent() {
    let errors = read(&[("age", "x"), ("sizes", "1"), ("sizes", "y"), ("level", "3"), ("paid", "2"), ("other", "1")]);
    let errors = errors.unwrap_err();
    let brief: Vec<Value> =
        errors.as_array().unwrap().iter().map(|e| json!([e["type"], e["loc"], e["input"]])).collect();
    let sent = json!({"age": "x", "sizes": ["1", "y"], "level": "3", "paid": "2", "other": "1"});
    let expected = json!([
        ["missing", ["name"], sent],
        ["int_parsing", ["age"], "x"],
        ["bool_parsing", ["paid"], "2"],
        ["int_parsing", ["sizes", 1], "y"],
        ["enum", ["level"], "3"],
        ["extra_forbidden", ["other"], "1"],
    ]);
    assert_eq!(json!(brief), expected);
}

#[test]
fn constraints_are_judged_on_the_value_and_show_the_text() {
    let errors = read(&[("name", "Ann"), ("age", "-1")]).unwrap_err();
    assert_eq!(errors[0]["type"], "greater_than_equal");
    assert_eq!(errors[0]["input"], "-1");
}

#[test]
fn a_form_that_json_schema_refuses_is_refused() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "minProperties": 2});
    let schema = Schema::compile(&schema, &Map::new(), Reading::JsonSchema, true).unwrap();
    let errors = schema.read_form(&[("n".to_owned(), "1".to_owned())]).unwrap_err();
    assert_eq!(errors[0].word, "min_properties");
    assert_eq!(schema.read_form(&[("n".into(), "1".into()), ("m".into(), "x".into())]), Ok(json!({"n": 1, "m": "x"})));
}
