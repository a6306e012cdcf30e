//! Compares an answer with what the case expects. The first difference is the fault.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{fault::Fault, json::Json, wire::Answer};

/// What differs.
pub fn check(expect: &Json, answer: &Answer) -> Result<(), Fault> {
    if expect.get("status").and_then(Json::status) != Some(answer.status) {
        return Err(Fault::new(format!("status {} with {}", answer.status, shown(&answer.body))));
    }
    if let Some(Json::Map(headers)) = expect.get("headers") {
        for (name, wanted) in headers {
            header(name, wanted, &answer.all(name))?;
        }
    }
    body(expect, &answer.body)
}

fn header(name: &str, wanted: &Json, found: &[&str]) -> Result<(), Fault> {
    let fits = match wanted {
        Json::Text(wanted) => match (wanted.as_str(), found) {
            ("<<any>>", _) | ("<<absent>>", []) | ("<<present>>", [_, ..]) => true,
            ("<<uuid>>", [one]) => is_uuid(one),
            (_, [one]) => one == wanted,
            _ => false,
        },
        several => several.items().iter().map(Json::text).eq(found.iter().map(|one| Some(*one))),
    };
    if fits { Ok(()) } else { Err(Fault::new(format!("{name}: {found:?} in place of {wanted}"))) }
}

fn body(expect: &Json, found: &[u8]) -> Result<(), Fault> {
    let json = || Json::parse(found).map_err(|fault| fault.at(format_args!("the body {} is no JSON", shown(found))));
    let whole = |wanted: &[u8]| {
        if wanted == found {
            Ok(())
        } else {
            Err(Fault::new(format!("body {} in place of {}", shown(found), shown(wanted))))
        }
    };
    if let Some(wanted) = expect.get("body") {
        return same(wanted, &json()?, "body");
    }
    if let Some(text) = expect.text_of("body_text") {
        return whole(text.as_bytes());
    }
    if let Some(text) = expect.text_of("body_base64") {
        return whole(&STANDARD.decode(text).expect("a valid case"));
    }
    if let Some(schema) = expect.get("body_schema") {
        let validator = jsonschema::validator_for(&schema.to_value()).expect("a valid case");
        return validator.validate(&json()?.to_value()).map_err(|error| Fault::from(error).at(shown(found)));
    }
    Ok(())
}

fn same(wanted: &Json, found: &Json, place: &str) -> Result<(), Fault> {
    let differs = || Err(Fault::new(format!("{place}: {found} in place of {wanted}")));
    match (wanted, found) {
        (Json::Text(mark), _) if mark.starts_with("<<") && mark.ends_with(">>") => {
            let fits = match (mark.as_str(), found) {
                ("<<any>>", _) => true,
                ("<<uuid>>", Json::Text(text)) => is_uuid(text),
                ("<<sentence>>" | "<<sentence?>>", Json::Text(text)) => is_sentence(text),
                _ => false,
            };
            if fits { Ok(()) } else { differs() }
        }
        (Json::Map(wanted), Json::Map(found)) => {
            let unknown = found.iter().find(|(name, _)| !wanted.iter().any(|(known, _)| known == name));
            if let Some((name, value)) = unknown {
                return Err(Fault::new(format!("{place}.{name}: {value} is not expected")));
            }
            wanted.iter().try_for_each(|(name, wanted)| {
                let value = found.iter().find(|(known, _)| known == name).map(|(_, value)| value);
                match value {
                    Some(value) => same(wanted, value, &format!("{place}.{name}")),
                    None if wanted.text() == Some("<<sentence?>>") => Ok(()),
                    None => Err(Fault::new(format!("{place}.{name} is missing: {wanted}"))),
                }
            })
        }
        (Json::List(wanted), Json::List(found)) if wanted.len() == found.len() => wanted
            .iter()
            .zip(found)
            .enumerate()
            .try_for_each(|(index, (wanted, found))| same(wanted, found, &format!("{place}[{index}]"))),
        _ if wanted == found => Ok(()),
        _ => differs(),
    }
}

fn is_sentence(text: &str) -> bool {
    text.starts_with(|first: char| !first.is_uppercase()) && !text.ends_with('.')
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && text.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c))
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let short: String = text.chars().take(600).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

#[test]
fn a_difference_names_its_place() {
    let json = |text: &str| Json::parse(text.as_bytes()).unwrap();
    let fault = |wanted, found| same(&json(wanted), &json(found), "body").unwrap_err().to_string();
    assert_eq!(fault(r#"{"a":[1,2]}"#, r#"{"a":[1,2.0]}"#), "body.a[1]: 2.0 in place of 2");
    assert_eq!(fault("{}", r#"{"a":1}"#), "body.a: 1 is not expected");
    assert_eq!(fault(r#"{"a":1}"#, "{}"), "body.a is missing: 1");
    assert_eq!(fault(r#""<<sentence>>""#, r#""Ends.""#), r#"body: "Ends." in place of "<<sentence>>""#);
    assert_eq!(same(&json(r#"{"a":"<<sentence?>>","b":"<<any>>"}"#), &json(r#"{"b":null}"#), "body"), Ok(()));
}
