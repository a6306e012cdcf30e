//! A schema as one document: the named schemas that it refers to are put in, so that references resolve inside it.

use std::collections::{HashMap, HashSet};

use jsonschema::{Draft, PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Map, Value};

use crate::SpecError;

/// Puts every named schema that is referred to, directly or through another, under `schemas` or `$defs` of the root.
pub(super) fn with_named(schema: &Value, named: &Map<String, Value>) -> Value {
    let mut root = schema.clone();
    let (mut open, mut seen) = (Vec::new(), HashSet::new());
    references(schema, &mut open);
    while let Some(reference) = open.pop() {
        let Some((folder, name)) = split(&reference) else { continue };
        let Some(target) = named.get(&name) else { continue };
        if !seen.insert(reference.clone()) || root.pointer(&reference[1..]).is_some() {
            continue;
        }
        references(target, &mut open);
        if let Some(root) = root.as_object_mut() {
            let definitions = root.entry(folder).or_insert_with(|| Value::Object(Map::new()));
            if let Some(definitions) = definitions.as_object_mut() {
                definitions.insert(name, target.clone());
            }
        }
    }
    root
}

/// `#/schemas/Name` and `#/$defs/Name`.
fn split(reference: &str) -> Option<(&'static str, String)> {
    let (folder, name) = match (reference.strip_prefix("#/schemas/"), reference.strip_prefix("#/$defs/")) {
        (Some(name), _) => ("schemas", name),
        (None, Some(name)) => ("$defs", name),
        (None, None) => return None,
    };
    Some((folder, name.replace("~1", "/").replace("~0", "~")))
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.push(reference.clone());
            }
            members.values().for_each(|member| references(member, found));
        }
        _ => {}
    }
}

/// Compiles the document. A named schema whose name is an absolute URI is a document of its own.
pub(super) fn validator(
    document: &Value,
    named: &Map<String, Value>,
    assert_formats: bool,
) -> Result<Validator, SpecError> {
    let documents = named.iter().filter(|(name, _)| name.contains("://"));
    let documents = documents.map(|(name, schema)| (name.clone(), schema.clone())).collect();
    let built = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(assert_formats)
        .with_pattern_options(PatternOptions::regex())
        .with_retriever(Documents(documents))
        .build(document);
    built.map_err(|error| match error.instance_path().as_str() {
        "" => SpecError::new(format!("the schema: {error}")),
        path => SpecError::new(format!("the schema at {path}: {error}")),
    })
}

/// Nothing is ever fetched.
struct Documents(HashMap<String, Value>);

impl Retrieve for Documents {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.as_str().trim_end_matches('#');
        self.0.get(name).cloned().ok_or_else(|| format!("no schema is called `{name}`").into())
    }
}

/// Refuses what says nothing in JSON Schema but says something: whoever wrote it meant another language of schemas, and
/// it would accept whatever comes.
pub(super) fn check_is_one(schema: &Value) -> Result<(), SpecError> {
    let Value::Object(members) = schema else { return Ok(()) };
    let is_remark = |name: &str| REMARKS.contains(&name) || name.starts_with("x-");
    match members.keys().find(|name| !is_remark(name)) {
        Some(stranger) if !members.keys().any(|name| KEYWORDS.contains(&name.as_str())) => {
            Err(SpecError::new(format!("the schema has no keyword of JSON Schema, but `{stranger}`")))
        }
        _ => Ok(()),
    }
}

/// What a schema may say about what it accepts.
const KEYWORDS: [&str; 45] = [
    "$dynamicRef",
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

/// What it may say beside that.
const REMARKS: [&str; 19] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$id",
    "$schema",
    "$vocabulary",
    "default",
    "definitions",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "readOnly",
    "schemas",
    "title",
    "writeOnly",
];

/// Whether a `pattern` stands anywhere in the document.
pub(super) fn has_pattern(document: &Value) -> bool {
    any_keyword(document, &|keyword, value| match keyword {
        "pattern" => value.is_string(),
        "patternProperties" => true,
        _ => false,
    })
}

/// Whether a keyword stands anywhere in the document that only the validator judges.
pub(super) fn has_foreign(document: &Value) -> bool {
    const FOREIGN: [&str; 11] = [
        "contains",
        "dependentSchemas",
        "else",
        "maxProperties",
        "minProperties",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
        "$dynamicRef",
    ];
    any_keyword(document, &|keyword, value| FOREIGN.contains(&keyword) || *value == Value::Bool(false))
}

/// Members of `properties` may be named like a keyword: then a rule is looked for that is not there, at no harm.
fn any_keyword(document: &Value, is_wanted: &dyn Fn(&str, &Value) -> bool) -> bool {
    match document {
        Value::Array(items) => items.iter().any(|item| any_keyword(item, is_wanted)),
        Value::Object(members) => members.iter().any(|(keyword, value)| match keyword.as_str() {
            "enum" | "const" | "default" | "examples" | "additionalProperties" if !value.is_object() => false,
            _ => is_wanted(keyword, value) || any_keyword(value, is_wanted),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check_is_one;

    #[test]
    fn what_says_nothing_in_json_schema_is_no_schema() {
        for schema in [
            json!({}),
            json!(true),
            json!({"title": "Anything", "description": "at all", "x-internal": 1}),
            json!({"type": "object", "custom": 1}),
            json!({"$ref": "#/schemas/Book"}),
        ] {
            assert!(check_is_one(&schema).is_ok(), "{schema}");
        }
        for (schema, stranger) in [(json!({"a": "string"}), "a"), (json!({"title": "string", "pages": {}}), "pages")] {
            let message = check_is_one(&schema).map_err(|error| error.message);
            assert_eq!(message, Err(format!("the schema has no keyword of JSON Schema, but `{stranger}`")));
        }
    }
}
