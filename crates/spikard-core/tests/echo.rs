//! What a refusal shows stays in proportion to what was sent.

use serde_json::{Map, Value, json};
use spikard_core::{Error, FieldError, Loc, Word};

fn refusal(name: &str, input: &Value) -> FieldError {
    FieldError::new(Word::IntType, vec![Loc::named(name)], input, Map::new())
}

fn length(error: &Error) -> usize {
    match error.problem().body {
        spikard_core::Body::Whole(text) => text.len(),
        _ => 0,
    }
}

#[test]
fn a_value_is_shown_up_to_its_size() {
    assert_eq!(refusal("a", &json!("x".repeat(8184))).input, json!("x".repeat(8184)));
    assert_eq!(refusal("a", &json!("x".repeat(8185))).input, Value::Null);
    assert_eq!(refusal("a", &json!(vec![0; 1024])).input, Value::Null);
}

#[test]
fn all_values_together_are_shown_up_to_their_size() {
    let fields = (0..100).map(|_| refusal("a", &json!("x".repeat(4000)))).collect();
    let error = Error::invalid(fields);
    assert_eq!(error.fields.iter().filter(|field| !field.input.is_null()).count(), 16);
    assert!(length(&error) < 90_000, "{}", length(&error));
}

#[test]
fn long_names_and_messages_show_their_beginning() {
    let mut long = refusal(&"é".repeat(600), &Value::Null);
    long.msg = "m".repeat(1000).into();
    let error = Error::invalid(vec![long]);
    assert_eq!(error.fields[0].loc, [Loc::from(format!("{}…", "é".repeat(512)))]);
    assert_eq!(error.fields[0].msg.chars().count(), 513);
}

#[test]
fn what_is_left_out_is_told() {
    let deep = || {
        let name = "k".repeat(500);
        refusal("a", &Value::Null).under((0..60).map(|_| Loc::named(&name)).collect::<Vec<_>>())
    };
    let error = Error::invalid((0..900).map(|_| deep()).collect());
    assert_eq!(error.fields.len(), 17);
    assert!(length(&error) < 600_000, "{}", length(&error));
    let spikard_core::Body::Whole(text) = error.problem().body else { panic!("a whole body") };
    let document: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(document["detail"], "at least 17 validation errors in request");
}
