//! Single members of a body as the one object that they make.

use serde_json::{Map, Value, json};

use crate::spec::{BodyKind, BodySpec, ParameterSpec, Rest};

/// The body that these members are. Definitions of a member's own schema become the object's.
pub(super) fn object_of(members: &[&ParameterSpec]) -> BodySpec {
    let (rest, members): (Vec<&ParameterSpec>, Vec<_>) = members.iter().partition(|member| member.rest.is_some());
    let mut definitions = Map::new();
    let properties: Map<String, Value> = members
        .iter()
        .map(|member| (member.name.clone(), with_definitions_in(&mut definitions, member.schema.clone())))
        .collect();
    let required: Vec<&str> =
        members.iter().filter(|member| member.is_required()).map(|member| member.name.as_str()).collect();
    let mut schema = json!({"type": "object", "properties": properties, "required": required, "$defs": definitions});
    if !rest.is_empty() {
        schema["additionalProperties"] = rest.iter().all(|rest| rest.rest == Some(Rest::Gathered)).into();
    }
    let others = members.iter().filter(|member| !member.also.is_empty());
    let also = others.map(|member| (member.name.clone(), member.also.clone())).collect();
    BodySpec { also, ..BodySpec::new(schema, BodyKind::JsonOrForm) }
}

const DEFINITIONS: &str = "$defs";

/// Two members may call different things by one name: those of the second get other names.
fn with_definitions_in(all: &mut Map<String, Value>, mut schema: Value) -> Value {
    let Some(Value::Object(own)) = schema.as_object_mut().and_then(|object| object.remove(DEFINITIONS)) else {
        return schema;
    };
    let mut suffix = String::new();
    loop {
        let renamed = own.iter().map(|(name, definition)| {
            let mut definition = definition.clone();
            rename(&mut definition, &own, &suffix);
            (format!("{name}{suffix}"), definition)
        });
        let renamed: Map<String, Value> = renamed.collect();
        if renamed.iter().all(|(name, definition)| all.get(name).is_none_or(|other| other == definition)) {
            rename(&mut schema, &own, &suffix);
            all.extend(renamed);
            return schema;
        }
        suffix.push('_');
    }
}

/// Every reference to a definition, wherever it stands.
fn rename(schema: &mut Value, own: &Map<String, Value>, suffix: &str) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(target) if key == "$ref" => {
                        let named = target.strip_prefix("#/$defs/").and_then(|path| path.split('/').next());
                        if let Some(name) = named.filter(|name| own.contains_key(*name)) {
                            target.insert_str("#/$defs/".len() + name.len(), suffix);
                        }
                    }
                    other => rename(other, own, suffix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, own, suffix)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, choices: &[&str]) -> ParameterSpec {
        let schema =
            json!({"type": "array", "items": {"$ref": "#/$defs/Color"}, "$defs": {"Color": {"enum": choices}}});
        serde_json::from_value(json!({"name": name, "in": "body", "schema": schema})).unwrap()
    }

    #[test]
    fn definitions_of_members_are_the_objects_and_keep_apart() {
        let (a, b, c) = (member("a", &["red"]), member("b", &["red"]), member("c", &["blue"]));
        let schema = object_of(&[&a, &b, &c]).schema;
        assert_eq!(schema["$defs"], json!({"Color": {"enum": ["red"]}, "Color_": {"enum": ["blue"]}}));
        let target = |name: &str| schema["properties"][name]["items"]["$ref"].clone();
        assert_eq!([target("a"), target("b"), target("c")], ["#/$defs/Color", "#/$defs/Color", "#/$defs/Color_"]);
    }
}
