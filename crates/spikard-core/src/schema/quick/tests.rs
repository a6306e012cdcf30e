//! What is accepted as text is accepted as a value: by single claims, and by schemas and texts made at random.

use serde_json::{Value, json};

use super::Quick;
use crate::{
    schema::{Schema, dice::Dice},
    spec::Reading,
};

fn quick(schema: &Value) -> Option<Quick> {
    Quick::compile(schema, false)
}

/// Whether each text is surely accepted.
fn accepted(schema: &Value, texts: &[&str]) -> Vec<bool> {
    let quick = quick(schema).expect("it knows every keyword");
    texts.iter().map(|text| quick.accepts(text.as_bytes())).collect()
}

#[test]
fn types_lengths_and_bounds_are_read_from_the_text() {
    let schema = json!({"type": "object", "properties": {
        "n": {"type": "integer", "minimum": 1, "exclusiveMaximum": 10},
        "s": {"type": ["string", "null"], "minLength": 2, "maxLength": 3},
        "x": {"type": "number"},
    }, "required": ["n"]});
    let good =
        ["{\"n\": 1}", " {\"x\":-1.5e3, \"s\":\"öl\", \"n\":9 } ", "{\"n\":2,\"s\":null,\"other\":[{\"n\":{}},1]}"];
    assert_eq!(accepted(&schema, &good), [true; 3]);
    let bad = ["{}", "[]", "{\"n\":0}", "{\"n\":10}", "{\"n\":\"1\"}", "{\"n\":1,\"s\":\"ö\"}", "{\"n\":1,\"x\":true}"];
    assert_eq!(accepted(&schema, &bad), [false; 7]);
}

#[test]
fn what_a_value_has_to_decide_is_left_to_it() {
    let schema = json!({"type": "object", "properties": {
        "n": {"type": "integer", "maximum": 7}, "s": {"enum": ["a", "b"]},
    }});
    let unsure = ["{\"n\":1.0}", "{\"n\":1e0}", "{\"n\":1,\"n\":2}", "{\"\\u006e\":1}", "{\"s\":\"\\u0061\"}"];
    assert_eq!(accepted(&schema, &unsure), [false; 5]);
    assert_eq!(accepted(&schema, &["{\"s\":\"b\",\"n\":7}"]), [true]);
}

#[test]
fn alternatives_are_told_apart_by_type_and_references_may_recurse() {
    let schema = json!({"$defs": {"tree": {"type": "object", "properties": {
        "value": {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 1}]},
        "branches": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2},
    }, "required": ["value"], "additionalProperties": false}}, "type": "object", "properties": {
        "tree": {"$ref": "#/$defs/tree"},
    }});
    let texts = [
        "{\"tree\":{\"value\":1,\"branches\":[{\"value\":\"a\"},{\"value\":2,\"branches\":[]}]}}",
        "{\"tree\":{\"value\":1,\"branches\":[{\"value\":\"ab\"}]}}",
        "{\"tree\":{\"value\":1,\"more\":1}}",
        "{\"tree\":{\"value\":1,\"branches\":[{\"value\":1},{\"value\":1},{\"value\":1}]}}",
    ];
    assert_eq!(accepted(&schema, &texts), [true, false, false, false]);
}

#[test]
fn a_schema_that_says_more_is_not_known() {
    let more = [
        json!({"type": "string", "pattern": "^a"}),
        json!({"not": {}}),
        json!({"allOf": []}),
        json!({"type": "array", "uniqueItems": true}),
        json!({"type": "number", "multipleOf": 2}),
        json!({"anyOf": [{"type": "number"}, {"type": "integer"}]}),
        json!({"oneOf": [{"type": "object"}, {}]}),
        json!({"enum": [1, "a"]}),
        json!({"$ref": "#"}),
        json!({"required": ["unknown"]}),
        json!({"type": "object", "$id": "https://example.com/"}),
        json!(false),
    ];
    for schema in more {
        assert!(quick(&schema).is_none(), "{schema}");
    }
    assert!(Quick::compile(&json!({"type": "string", "format": "date"}), true).is_none());
}

impl Dice {
    fn schema(&mut self, depth: usize) -> Value {
        match self.roll(if depth == 0 { 6 } else { 9 }) {
            0 => json!({"type": "integer", "minimum": self.roll(3), "maximum": 9}),
            1 => json!({"type": "number", "exclusiveMinimum": 0.5}),
            2 => json!({"type": "string", "minLength": self.roll(3), "maxLength": 3}),
            3 => json!({"enum": ["a", "ö", "b"]}),
            4 => json!({"type": ["boolean", "null"]}),
            5 => json!({}),
            6 => json!({"type": "array", "items": self.schema(depth - 1), "minItems": self.roll(2), "maxItems": 3}),
            7 => json!({"oneOf": [self.schema(depth - 1), {"type": "null"}]}),
            _ => json!({
                "type": "object",
                "properties": {"a": self.schema(depth - 1), "b": self.schema(depth - 1)},
                "required": [self.pick(&["a", "b"])],
                "additionalProperties": self.roll(2) == 0,
            }),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        const SCALARS: [&str; 14] =
            ["0", "1", "-1", "1.0", "1e1", "0.5", "9", "10", "true", "null", "\"\"", "\"a\"", "\"ö\\n\"", "\"abcd\""];
        let space = self.pick(&["", " "]);
        match self.roll(if depth == 0 { 1 } else { 3 }) {
            0 => format!("{space}{}{space}", self.pick(&SCALARS)),
            1 => {
                let items: Vec<_> = (0..self.roll(4)).map(|_| self.text(depth - 1)).collect();
                format!("[{space}{}]", items.join(","))
            }
            _ => {
                let names = ["\"a\"", "\"b\"", "\"c\"", "\"\\u0061\""];
                let members = (0..self.roll(4)).map(|_| format!("{} :{}", self.pick(&names), self.text(depth - 1)));
                let members: Vec<_> = members.collect();
                format!("{{{space}{}}}", members.join(","))
            }
        }
    }
}

#[test]
fn what_is_accepted_as_text_is_accepted_as_a_value() {
    let (mut dice, mut both, mut unsure) = (Dice(7), 0, 0);
    for _ in 0..1_000 {
        let written = dice.schema(3);
        let Some(quick) = quick(&written) else { continue };
        let schema = Schema::compile(&written, &serde_json::Map::new(), Reading::JsonSchema, false);
        let schema = schema.expect("it is a schema");
        for _ in 0..60 {
            let text = dice.text(3);
            let value = serde_json::from_str(&text).expect("it is JSON");
            match (quick.accepts(text.as_bytes()), schema.accepts(&value)) {
                (true, accepts) => {
                    assert!(accepts, "{written} refuses {text}");
                    both += 1;
                }
                (false, accepts) => unsure += usize::from(accepts),
            }
        }
    }
    assert!(both > 5 * unsure, "{both} accepted as text, {unsure} only as a value");
}
