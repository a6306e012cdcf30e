//! From a JSON Schema to its nodes. What has no words here (`not`, `if`, `contains` …) is left to the validator.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::node::{ArrayRules, Member, Node, NodeId, Nodes, ObjectRules, Rest, Shape, Tagged};
use crate::{
    SpecError,
    parameter::{Context, Matcher, Scalar, Size, one_for_each_type},
};

const TEXT: &[&str] = &["format", "maxLength", "minLength", "pattern"];
const NUMBER: &[&str] = &["exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"];
const ARRAY: &[&str] = &["items", "maxItems", "minItems", "prefixItems", "uniqueItems"];
const OBJECT: &[&str] = &["additionalProperties", "dependentRequired", "patternProperties", "properties", "required"];

/// Compiles one document.
pub(super) struct Compiler<'a> {
    context: Context<'a>,
    document: &'a Value,
    nodes: Vec<Node>,
    /// References that are compiled, or being compiled.
    known: HashMap<String, NodeId>,
    lax: Vec<(&'a Value, bool)>,
}

impl<'a> Compiler<'a> {
    pub(super) fn new(
        document: &'a Value,
        named: &'a Map<String, Value>,
        as_written: bool,
        assert_formats: bool,
    ) -> Self {
        let context = Context::new(document, named).for_body(as_written, assert_formats);
        Self { context, document, nodes: Vec::new(), known: HashMap::new(), lax: Vec::new() }
    }

    pub(super) fn with_lax(mut self, lax: &BTreeMap<String, bool>) -> Result<Self, SpecError> {
        for (pointer, is_lax) in lax {
            let part = self.document.pointer(pointer);
            let part = part.ok_or_else(|| SpecError::new(format!("`lax`: the schema has no part `{pointer}`")))?;
            self.lax.push((part, *is_lax));
        }
        Ok(self)
    }

    pub(super) fn run(mut self) -> Result<Nodes, SpecError> {
        self.known.insert("#".to_owned(), Nodes::ROOT);
        self.node(self.document, None)?;
        Ok(Nodes { all: self.nodes, choices: self.context.into_choices() })
    }

    fn node(&mut self, schema: &Value, name: Option<&str>) -> Result<NodeId, SpecError> {
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node::default());
        if let Some(name) = name.filter(|_| id != Nodes::ROOT) {
            self.known.insert(name.to_owned(), id);
        }
        let name = name.and_then(|reference| reference.rsplit('/').next());
        if let Value::Object(schema) = schema {
            let node = self.of_object(schema, name)?;
            self.nodes[id.0] = node;
        }
        self.nodes[id.0].lax = self.lax.iter().find(|(part, _)| std::ptr::eq(*part, schema)).map(|(_, is_lax)| *is_lax);
        Ok(id)
    }

    fn of_object(&mut self, schema: &Map<String, Value>, name: Option<&str>) -> Result<Node, SpecError> {
        let is_text = ["contentEncoding", "contentSchema"].iter().any(|keyword| schema.contains_key(*keyword));
        let file = schema.contains_key("contentMediaType") && !is_text;
        let mut node = Node { name: name.map(str::to_owned), file, ..Node::default() };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            node.reference = self.reference(reference)?;
        }
        node.all_of = self.each(schema.get("allOf"))?;
        let members = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
        node.tagged = match (schema.get("discriminator"), members) {
            (Some(discriminator), Some(members)) => self.tagged(discriminator, members)?,
            _ => None,
        };
        if node.tagged.is_none() {
            node.any_of = self.each(schema.get("anyOf"))?;
            node.one_of = self.each(schema.get("oneOf"))?;
        }
        match schema.get("type") {
            _ if schema.contains_key("enum") || schema.contains_key("const") => {
                node.typed = true;
                node.shapes.push(Shape::Scalar(self.context.scalar(schema, name)?.0));
            }
            Some(Value::Array(types)) if types.len() != 1 => {
                let kinds = one_for_each_type(schema);
                let kinds: Result<Vec<_>, _> = kinds.iter().map(|kind| self.node(kind, None)).collect();
                node.any_of.extend(kinds?);
            }
            Some(_) => {
                node.typed = true;
                node.shapes.push(self.shape(schema, name)?);
            }
            None => node.shapes = self.untyped(schema)?,
        }
        Ok(node)
    }

    /// None: the reference leaves the document or goes by an anchor, and the validator alone follows it.
    fn reference(&mut self, reference: &str) -> Result<Option<NodeId>, SpecError> {
        if let Some(known) = self.known.get(reference) {
            return Ok(Some(*known));
        }
        if self.document.get("$id").is_some() {
            return Ok(None);
        }
        match self.context.lookup(reference) {
            Some(target) => self.node(target, Some(reference)).map(Some),
            None => Ok(None),
        }
    }

    fn each(&mut self, schemas: Option<&Value>) -> Result<Vec<NodeId>, SpecError> {
        let schemas = schemas.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        schemas.iter().map(|schema| self.node(schema, None)).collect()
    }

    /// A shape for each type that the keywords speak of.
    fn untyped(&mut self, schema: &Map<String, Value>) -> Result<Vec<Shape>, SpecError> {
        let groups = [("string", TEXT), ("number", NUMBER), ("array", ARRAY), ("object", OBJECT)];
        let mut shapes = Vec::new();
        for (kind, keywords) in groups {
            if keywords.iter().any(|keyword| schema.contains_key(*keyword)) {
                let mut typed = schema.clone();
                typed.insert("type".to_owned(), kind.into());
                shapes.push(self.shape(&typed, None)?);
            }
        }
        Ok(shapes)
    }

    fn shape(&mut self, schema: &Map<String, Value>, name: Option<&str>) -> Result<Shape, SpecError> {
        let kind = schema.get("type").map(|kind| kind.get(0).unwrap_or(kind));
        Ok(match kind.and_then(Value::as_str) {
            Some("array") => Shape::Array(self.array(schema)?),
            Some("object") => Shape::Object(self.object(schema)?),
            Some(single) => {
                let mut scalar = schema.clone();
                scalar.insert("type".to_owned(), single.into());
                Shape::Scalar(self.context.scalar(&scalar, name)?.0)
            }
            None => Shape::Scalar(Scalar::Any),
        })
    }

    fn array(&mut self, schema: &Map<String, Value>) -> Result<ArrayRules, SpecError> {
        Ok(ArrayRules {
            size: Size::compile(schema)?,
            places: self.each(schema.get("prefixItems"))?,
            rest: self.rest(schema.get("items"))?,
        })
    }

    fn rest(&mut self, schema: Option<&Value>) -> Result<Rest, SpecError> {
        Ok(match schema {
            None | Some(Value::Bool(true)) => Rest::Anything,
            Some(Value::Bool(false)) => Rest::Nothing,
            Some(schema) => Rest::Each(self.node(schema, None)?),
        })
    }

    fn object(&mut self, schema: &Map<String, Value>) -> Result<ObjectRules, SpecError> {
        let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut members = Vec::new();
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (name, property) in properties {
                let required = required.iter().any(|required| required.as_str() == Some(name));
                members.push(Member { name: name.clone(), node: Some(self.node(property, None)?), required });
            }
        }
        for name in required.iter().filter_map(Value::as_str) {
            if members.iter().all(|member| member.name != name) {
                members.push(Member { name: name.to_owned(), node: None, required: true });
            }
        }
        let mut patterns = Vec::new();
        if let Some(Value::Object(all)) = schema.get("patternProperties") {
            for (pattern, schema) in all {
                patterns.push((Matcher::compile("pattern", &pattern.as_str().into())?, self.node(schema, None)?));
            }
        }
        Ok(ObjectRules {
            is_model: schema.contains_key("properties"),
            places: members.iter().enumerate().map(|(place, member)| (member.name.clone(), place)).collect(),
            members,
            dependents: dependents(schema.get("dependentRequired")),
            patterns,
            rest: self.rest(schema.get("additionalProperties"))?,
        })
    }

    /// The alternatives by their tags; none where they cannot be told.
    fn tagged(&mut self, discriminator: &Value, members: &[Value]) -> Result<Option<Tagged>, SpecError> {
        let Some(property) = discriminator.get("propertyName").and_then(Value::as_str) else { return Ok(None) };
        let mut tags = Vec::new();
        match discriminator.get("mapping").and_then(Value::as_object) {
            Some(mapping) => {
                for (tag, reference) in mapping {
                    let reference = reference.as_str().unwrap_or_default();
                    let Some(node) = self.reference(reference)? else { return Ok(None) };
                    tags.push((tag.clone(), node));
                }
            }
            None => {
                for member in members {
                    let own = self.tags_of(member, property);
                    let node = match member.get("$ref").and_then(Value::as_str) {
                        Some(reference) => self.reference(reference)?,
                        None => Some(self.node(member, None)?),
                    };
                    let (Some(node), false) = (node, own.is_empty()) else { return Ok(None) };
                    tags.extend(own.into_iter().map(|tag| (tag, node)));
                }
            }
        }
        Ok(Some(Tagged { property: property.to_owned(), tags }))
    }

    fn tags_of(&self, member: &Value, property: &str) -> Vec<String> {
        let target = member.get("$ref").and_then(Value::as_str).and_then(|reference| self.context.lookup(reference));
        let Some(schema) = target.unwrap_or(member).pointer(&format!("/properties/{property}")) else {
            return Vec::new();
        };
        match (schema.get("const"), schema.get("enum").and_then(Value::as_array)) {
            (Some(Value::String(tag)), _) => vec![tag.clone()],
            (_, Some(tags)) => tags.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

/// Members, each with those that it makes required.
fn dependents(all: Option<&Value>) -> Vec<(String, Vec<String>)> {
    let names = |names: &Value| {
        let names = names.as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let all = all.and_then(Value::as_object);
    all.into_iter().flatten().map(|(property, required)| (property.clone(), names(required))).collect()
}
