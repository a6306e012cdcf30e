//! Parts of a schema that a lax decoder reads: what is refused there without it, and beside it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use spikard_core::{FieldError, schema::Schema, spec::Reading};

fn compiled(schema: &Value, lax: &[(&str, bool)]) -> Schema {
    let lax: BTreeMap<String, bool> = lax.iter().map(|(pointer, is)| ((*pointer).to_owned(), *is)).collect();
    Schema::compile_with(schema, &serde_json::Map::new(), Reading::Typed, true, &lax).unwrap()
}

fn told(errors: &[FieldError]) -> Vec<String> {
    errors
        .iter()
        .map(|error| format!("{} {} {}", json!(error.loc), error.word, error.input).replace(['[', ']', '"'], ""))
        .collect()
}

fn holder() -> Schema {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "model": {"$ref": "#/$defs/Model"},
            "models": {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/Model"}, {"type": "null"}]}},
            "count": {"type": "integer"}
        },
        "required": ["name", "model", "count"],
        "$defs": {
            "Model": {
                "type": "object",
                "properties": {
                    "number": {"type": "integer", "minimum": 1},
                    "ratio": {"type": "number"},
                    "flag": {"type": "boolean"},
                    "day": {"type": "string", "format": "date"},
                    "mail": {"type": "string", "format": "email", "maxLength": 5},
                    "point": {"$ref": "#/$defs/Point"}
                },
                "required": ["number"],
                "additionalProperties": false
            },
            "Point": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
        }
    });
    compiled(&schema, &[("/$defs/Model", true), ("/$defs/Point", false)])
}

#[test]
fn what_a_lax_decoder_accepts_is_not_refused() {
    for model in [
        json!({"number": "1", "ratio": "1.5", "flag": "yes", "day": 0, "mail": "x"}),
        json!({"number": true, "ratio": false, "flag": 1, "day": "2020-01-01T00:00:00"}),
        json!({"number": 1.0, "ratio": 1, "flag": 0.0, "day": "2020-01-01"}),
    ] {
        let body = json!({"name": "a", "model": model, "models": [null, {"number": "7"}], "count": 1});
        assert_eq!(told(&holder().errors(&body)), [""; 0], "{body}");
    }
}

#[test]
fn what_none_accepts_is_refused_in_the_words_of_all() {
    let body = json!({
        "name": "a",
        "model": {"number": "0", "ratio": "x", "flag": 7, "day": "z", "mail": "abcdef", "point": {"x": "1"}, "more": 1},
        "count": "1"
    });
    assert_eq!(
        told(&holder().errors(&body)),
        [
            "model,number greater_than_equal 0",
            "model,ratio float_type x",
            "model,flag bool_type 7",
            "model,day date_parsing z",
            "model,mail string_too_long abcdef",
            "model,point,x int_type 1",
            "model,more extra_forbidden 1",
            "count int_type 1"
        ]
    );
}

#[test]
fn beside_its_decoder_a_lax_part_is_not_judged_but_what_stands_in_it_is() {
    let body = json!({
        "name": 1,
        "model": {"ratio": "x", "more": 1, "point": {}},
        "models": [5, {"number": "x"}, {"point": {"x": "1"}}],
        "count": "1"
    });
    let found = holder().errors_beside(&body);
    let places: Vec<_> = found.iter().map(|error| json!(error.loc).to_string()).collect();
    assert_eq!(places, [r#"["name"]"#, r#"["model","point","x"]"#, r#"["models",2,"point","x"]"#, r#"["count"]"#]);
}

#[test]
fn a_part_that_the_schema_has_not_is_an_error_at_the_start() {
    let lax = BTreeMap::from([("/properties/a".to_owned(), true)]);
    let refused = Schema::compile_with(&json!({}), &serde_json::Map::new(), Reading::Typed, true, &lax).unwrap_err();
    assert_eq!(refused.message, "`lax`: the schema has no part `/properties/a`");
}
