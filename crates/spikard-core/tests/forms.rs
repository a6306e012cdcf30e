//! Forms become the JSON that their schema asks for, or are refused in the words for text.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use spikard_core::{Arg, Content, Entry, FieldError, Upload, schema::Schema, spec::Reading};

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
    read_by(&schema, pairs).map_err(|errors| json!(errors))
}

fn read_by(schema: &Schema, pairs: &[(&str, &str)]) -> Result<Value, Vec<FieldError>> {
    let entries = pairs.iter().map(|(name, text)| ((*name).to_owned(), Entry::Text((*text).to_owned())));
    schema.read_form(entries.collect()).map(|form| form.value().clone())
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
    let errors = read_by(&schema, &[("n", "1")]).unwrap_err();
    assert_eq!(errors[0].word, "min_properties");
    assert_eq!(read_by(&schema, &[("n", "1"), ("m", "x")]), Ok(json!({"n": 1, "m": "x"})));
}

fn file(name: &str) -> Arc<Upload> {
    let content = Content::Memory(Bytes::from_static(b"content"));
    let filename = Some(name.to_owned());
    Arc::new(Upload { filename, content_type: None, headers: HeaderMap::new(), size: 7, content })
}

fn with_files() -> Schema {
    let file = json!({"type": "string", "contentMediaType": "application/octet-stream"});
    let schema = json!({
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "one": {"anyOf": [file, {"type": "null"}]},
            "many": {"type": "array", "items": file, "maxItems": 2},
        },
        "required": ["one"],
    });
    Schema::compile(&schema, &Map::new(), Reading::Typed, true).unwrap()
}

#[test]
fn files_stand_where_the_schema_has_files() {
    let [one, first, second] = ["1", "2", "3"].map(file);
    let sent = [("one", &one), ("many", &first), ("many", &second)];
    let entries = sent.map(|(name, file)| (name.to_owned(), Entry::File(file.clone())));
    let read = with_files().read_form(entries.into()).unwrap();
    assert!(!read.is_plain());
    let many = Arg::List(vec![Arg::Upload(first), Arg::Upload(second)]);
    assert_eq!(read.into_arg(), Arg::Map(vec![("one".into(), Arg::Upload(one)), ("many".into(), many)]));
}

#[test]
fn a_text_is_no_file_and_a_file_no_text() {
    let entries = vec![
        ("one".to_owned(), Entry::Text("x".to_owned())),
        ("title".to_owned(), Entry::File(file("t.txt"))),
        ("many".to_owned(), Entry::File(file("a"))),
        ("many".to_owned(), Entry::File(file("b"))),
        ("many".to_owned(), Entry::File(file("c"))),
    ];
    let errors = with_files().read_form(entries).unwrap_err();
    let brief: Vec<Value> = errors.iter().map(|e| json!([e.word, e.loc, e.msg])).collect();
    let too_long = "List should have at most 2 items after validation, not 3";
    let expected = json!([
        ["string_type", ["title"], "Input should be a valid string"],
        ["value_error", ["one"], "Value error, expected a file"],
        ["too_long", ["many"], too_long],
    ]);
    assert_eq!(json!(brief), expected);
    assert_eq!(errors[0].input, json!({"filename": "t.txt", "content_type": null, "size": 7}));
}
