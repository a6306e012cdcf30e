//! What is read in one go is what is read in full: by single claims, and by schemas and forms made at random.

use serde_json::{Map, Value, json};

use crate::{
    Entry,
    pairs::Pair,
    schema::{Schema, dice::Dice},
    spec::Reading,
};

const READINGS: [Reading; 2] = [Reading::JsonSchema, Reading::Typed];

fn compile(schema: &Value, reading: Reading) -> Schema {
    Schema::compile(schema, &Map::new(), reading, false).expect("it is a schema")
}

fn pairs<'a>(sent: &[(&'a str, &'a str)]) -> Vec<Pair<'a>> {
    sent.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
}

/// In one go.
fn read(schema: &Schema, sent: &[(&str, &str)]) -> Option<String> {
    schema.form_text(&pairs(sent)).map(|text| String::from_utf8(text).expect("JSON is UTF-8"))
}

/// In one go, as a value.
fn members(schema: &Schema, sent: &[(&str, &str)]) -> Option<String> {
    schema.form_members(&pairs(sent)).map(|form| form.value().to_string())
}

/// In full.
fn judged(schema: &Schema, sent: &[(&str, &str)]) -> Option<String> {
    let entries = sent.iter().map(|(name, text)| ((*name).to_owned(), Entry::Text((*text).to_owned())));
    schema.read_form(entries.collect()).ok().map(|form| form.value().to_string())
}

#[test]
fn single_fields_are_read_in_one_go() {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": "string", "minLength": 2}, "age": {"type": "integer", "minimum": 0}, "paid": {"type": "boolean"},
    }, "required": ["name"]});
    for schema in READINGS.map(|reading| compile(&schema, reading)) {
        let all = [("paid", "on"), ("name", "Ö "), ("age", " 7")];
        assert_eq!(read(&schema, &all).as_deref(), Some("{\"paid\":true,\"name\":\"Ö \",\"age\":7}"));
        let alike = if schema.reading == Reading::Typed { read(&schema, &all) } else { None };
        assert_eq!(members(&schema, &all), alike);
        assert_eq!(read(&schema, &[("age", ""), ("name", "Al")]).as_deref(), Some("{\"name\":\"Al\"}"));
    }
}

#[test]
fn everything_else_is_left_to_the_whole_judgement() {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": "string", "minLength": 2}, "age": {"type": "integer", "minimum": 0},
        "far": {"type": "number"}, "tags": {"type": "array", "items": {"type": "string"}},
    }, "required": ["name"]});
    for schema in READINGS.map(|reading| compile(&schema, reading)) {
        let name = ("name", "Al");
        for more in [("name", "Bo"), ("age", "-1"), ("age", "x"), ("far", "nan"), ("tags", "a"), ("other", "1")] {
            assert_eq!(read(&schema, &[name, more]), None, "{more:?}");
        }
        assert_eq!(
            [read(&schema, &[]), read(&schema, &[("age", "1")]), read(&schema, &[("name", "")])],
            [const { None }; 3]
        );
    }
}

impl Dice {
    fn field(&mut self, depth: usize) -> Value {
        match self.roll(if depth == 0 { 9 } else { 13 }) {
            0 => json!({"type": "integer", "minimum": self.roll(3), "maximum": 9}),
            1 => json!({"type": "number", "exclusiveMinimum": 0.5}),
            2 => json!({"type": "string", "minLength": self.roll(3), "maxLength": 10}),
            3 => json!({"enum": ["a", "ö", "1"]}),
            4 => json!({"enum": [1, 2, "1"]}),
            5 => json!({"type": "boolean"}),
            6 => json!({"type": "null"}),
            7 => {
                json!({"type": "string", "format": self.pick(&["date", "time", "date-time", "uuid", "duration", "decimal"])})
            }
            8 => json!({}),
            9 => json!({"anyOf": [self.field(depth - 1), {"type": "null"}]}),
            10 => json!({"anyOf": [self.field(depth - 1), self.field(depth - 1)]}),
            11 => json!({"oneOf": [self.field(depth - 1), self.field(depth - 1)]}),
            _ => json!({"type": "array", "items": self.field(depth - 1)}),
        }
    }
}

const TEXTS: [&str; 20] = [
    "",
    "0",
    "1",
    " 2 ",
    "-1",
    "1.5",
    "1e400",
    "nan",
    "99999999999999999999",
    "true",
    "off",
    "null",
    "a",
    "ö\"\n",
    "abcd",
    "2024-02-29",
    "2024-02-29T10:00:00Z",
    "10:00",
    "P1DT2S",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
];

#[test]
fn what_is_read_in_one_go_is_what_is_read_in_full() {
    let (mut dice, mut both, mut unsure) = (Dice(3), 0, 0);
    for _ in 0..3_000 {
        let written = json!({
            "type": "object", "properties": {"a": dice.field(2), "b": dice.field(2)}, "required": [dice.pick(&["a", "b"])],
        });
        for schema in READINGS.map(|reading| compile(&written, reading)) {
            for _ in 0..12 {
                let count = dice.roll(4);
                let sent: Vec<_> = (0..count).map(|_| (dice.pick(&["a", "b", "b", "c"]), dice.pick(&TEXTS))).collect();
                let members = members(&schema, &sent);
                assert!(members.is_none() || members == judged(&schema, &sent), "{written}: {sent:?}");
                match (read(&schema, &sent), judged(&schema, &sent)) {
                    (Some(text), full) => {
                        assert_eq!(Some(text), full, "{written}, {:?}: {sent:?}", schema.reading);
                        both += 1;
                    }
                    (None, full) => unsure += usize::from(full.is_some()),
                }
            }
        }
    }
    assert!(both > 1_000, "{both} read in one go, {unsure} accepted in full alone");
}
