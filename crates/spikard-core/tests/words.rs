//! Every word of the table is said about something.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use spikard_core::{FieldError, Word, parameter::Reader, schema::Schema, spec::Reading};

/// The words for texts that a parameter's schema refuses.
fn of_text(schema: &Value, texts: &[&str]) -> Vec<FieldError> {
    Reader::compile(schema).unwrap().read_texts(texts).unwrap_err()
}

/// The words for a body.
fn of_body(schema: &Value, reading: Reading, body: &Value) -> Vec<FieldError> {
    Schema::compile(schema, &Map::new(), reading, true).unwrap().errors(body)
}

fn one(errors: &[FieldError], context: &Value) -> Value {
    assert_eq!(errors.len(), 1, "{context}: {errors:?}");
    json!(errors[0])
}

/// Schema, text, word: each is the only error.
fn texts() -> Vec<(Value, String, &'static str)> {
    let text = |format: &str| json!({"type": "string", "format": format});
    let decimal = |rule: &str| json!({"type": "string", "format": "decimal", rule: 1});
    let places = json!({"type": "string", "format": "decimal", "maxDigits": 3, "decimalPlaces": 2});
    [
        (json!({"type": "boolean"}), "x", "bool_parsing"),
        (json!({"type": "integer"}), "x", "int_parsing"),
        (json!({"type": "number"}), "x", "float_parsing"),
        (json!({"type": "number"}), "1e999", "finite_number"),
        (text("decimal"), "x", "decimal_parsing"),
        (decimal("maxDigits"), "1.5", "decimal_max_digits"),
        (decimal("decimalPlaces"), "1.55", "decimal_max_places"),
        (places, "12", "decimal_whole_digits"),
        (text("uuid"), "x", "uuid_parsing"),
        (text("date"), "x", "date_from_datetime_parsing"),
        (text("date"), "0000-01-01", "date_parsing"),
        (text("date"), "2024-01-01T10:00:00", "date_from_datetime_inexact"),
        (text("date-time"), "x", "datetime_from_date_parsing"),
        (text("date-time"), "0000-01-01T00:00:00", "datetime_parsing"),
        (text("time"), "x", "time_parsing"),
        (text("duration"), "x", "time_delta_parsing"),
        (text("email"), "x", "format"),
        (json!({"type": "string", "format": "binary", "minLength": 2}), "x", "bytes_too_short"),
        (json!({"type": "string", "format": "binary", "maxLength": 1}), "ä", "bytes_too_long"),
        (json!({"$ref": "#/$defs/E", "$defs": {"E": {"enum": ["a"]}}}), "b", "enum"),
        (json!({"enum": ["a"]}), "b", "literal_error"),
    ]
    .into_iter()
    .map(|(schema, text, word)| (schema, text.to_owned(), word))
    .chain([(json!({"type": "integer"}), "1".repeat(4301), "int_parsing_size")])
    .collect()
}

/// Schema, body, word of a schema that stands for a host type.
fn typed() -> Vec<(Value, Value, &'static str)> {
    let tagged = json!({
        "discriminator": {"propertyName": "kind"},
        "oneOf": [{"type": "object", "properties": {"kind": {"const": "cat"}}, "required": ["kind"]}],
    });
    vec![
        (json!({"type": "object", "properties": {"a": {}}, "required": ["a"]}), json!({}), "missing"),
        (json!({"type": "object", "additionalProperties": false}), json!({"a": 1}), "extra_forbidden"),
        (json!({"type": "null"}), json!(1), "none_required"),
        (json!({"type": "boolean"}), json!(1), "bool_type"),
        (json!({"type": "integer"}), json!(1.0), "int_type"),
        (json!({"type": "number"}), json!("1"), "float_type"),
        (json!({"type": "string", "format": "decimal"}), json!([]), "decimal_type"),
        (json!({"type": "integer", "exclusiveMinimum": 1}), json!(1), "greater_than"),
        (json!({"type": "integer", "minimum": 1}), json!(0), "greater_than_equal"),
        (json!({"type": "number", "exclusiveMaximum": 1}), json!(1), "less_than"),
        (json!({"type": "number", "maximum": 1}), json!(1.5), "less_than_equal"),
        (json!({"type": "integer", "multipleOf": 2}), json!(3), "multiple_of"),
        (json!({"type": "string"}), json!(1), "string_type"),
        (json!({"type": "string", "minLength": 1}), json!(""), "string_too_short"),
        (json!({"type": "string", "maxLength": 1}), json!("ab"), "string_too_long"),
        (json!({"type": "string", "pattern": "^a"}), json!("b"), "string_pattern_mismatch"),
        (json!({"type": "string", "format": "binary"}), json!(1), "bytes_type"),
        (json!({"type": "string", "format": "uuid"}), json!(1), "uuid_type"),
        (json!({"type": "string", "format": "date"}), json!(1), "date_type"),
        (json!({"type": "string", "format": "date-time"}), json!(1), "datetime_type"),
        (json!({"type": "string", "format": "time"}), json!(1), "time_type"),
        (json!({"type": "string", "format": "duration"}), json!(1), "time_delta_type"),
        (json!({"type": "array"}), json!(1), "list_type"),
        (json!({"type": "array", "prefixItems": [{}]}), json!(1), "tuple_type"),
        (json!({"type": "array", "uniqueItems": true}), json!(1), "set_type"),
        (json!({"type": "array", "minItems": 1}), json!([]), "too_short"),
        (json!({"type": "array", "maxItems": 1}), json!([1, 2]), "too_long"),
        (json!({"type": "object", "properties": {}}), json!(1), "model_type"),
        (json!({"type": "object"}), json!(1), "dict_type"),
        (tagged.clone(), json!({}), "union_tag_not_found"),
        (tagged, json!({"kind": "dog"}), "union_tag_invalid"),
    ]
}

/// Schema, body, word of a schema that is read as written.
fn as_written() -> Vec<(Value, Value, &'static str)> {
    vec![
        (json!({"uniqueItems": true}), json!([1, 1.0]), "unique_items"),
        (json!({"contains": {"const": 7}}), json!([1]), "contains"),
        (json!({"prefixItems": [true], "unevaluatedItems": false}), json!([1, 2]), "unevaluated_items"),
        (json!({"minProperties": 1}), json!({}), "min_properties"),
        (json!({"maxProperties": 0}), json!({"a": 1}), "max_properties"),
        (json!({"propertyNames": {"maxLength": 1}}), json!({"ab": 1}), "property_names"),
        (json!({"dependentRequired": {"a": ["b"]}}), json!({"a": 1}), "dependent_required"),
        (json!({"unevaluatedProperties": false}), json!({"a": 1}), "unevaluated_properties"),
        (json!({"oneOf": [{"minimum": 1}, {"minimum": 2}]}), json!(3), "one_of"),
        (json!({"oneOf": [{"type": "string"}, {"type": "object"}]}), json!(3), "one_of"),
        (json!({"not": {"type": "string"}}), json!("x"), "not"),
        (json!({"properties": {"a": false}}), json!({"a": 1}), "false_schema"),
        (json!({"const": "a"}), json!("b"), "const"),
        (json!({"format": "time"}), json!("10:00:00"), "format"),
        (json!({"format": "date"}), json!("x"), "date_parsing"),
        (json!({"if": {"minimum": 1}, "then": {"multipleOf": 2}}), json!(3), "multiple_of"),
        (json!({"dependentSchemas": {"a": {"required": ["b"]}}}), json!({"a": 1}), "missing"),
    ]
}

#[test]
fn every_word_is_said_about_something() {
    let mut said = BTreeSet::new();
    let mut say = |errors: Vec<FieldError>, word: &'static str, context: &Value| {
        let error = one(&errors, context);
        assert_eq!(error["type"], word, "{context}");
        assert!(!error["msg"].as_str().unwrap().contains(['{', '}']), "{error}");
        said.insert(word);
    };
    for (schema, text, word) in texts() {
        say(of_text(&schema, &[&text]), word, &schema);
    }
    for (schema, body, word) in typed() {
        say(of_body(&schema, Reading::Typed, &body), word, &schema);
    }
    for (schema, body, word) in as_written() {
        say(of_body(&schema, Reading::JsonSchema, &body), word, &schema);
    }
    // What a host's decoder alone refuses has its word from the one who calls the decoder.
    said.insert(Word::ValueError.as_str());
    let all: BTreeSet<&str> = Word::ALL.iter().map(|word| word.as_str()).collect();
    assert_eq!(said, all);
}
