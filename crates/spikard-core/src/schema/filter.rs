//! What a schema names of a value: members that it does not name are taken out.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Schema, document};
use crate::{SpecError, spec::Reading};

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RuleId(usize);

/// A compiled filter.
#[derive(Debug)]
pub struct Filter {
    /// The first is the root's.
    rules: Vec<Rule>,
}

#[derive(Debug, Default)]
struct Rule {
    /// None: it says nothing of members, and all stay.
    members: Option<HashMap<String, RuleId>>,
    /// Of members that have no name here. None: they go.
    rest: Option<RuleId>,
    prefix: Vec<RuleId>,
    items: Option<RuleId>,
    /// Each of them holds too.
    all: Vec<RuleId>,
    /// Groups of alternatives: of each, the first holds that accepts what it leaves.
    any: Vec<Vec<(RuleId, Schema)>>,
}

struct Compiler<'a> {
    document: &'a Value,
    named: &'a Map<String, Value>,
    assert_formats: bool,
    known: HashMap<&'a str, RuleId>,
    rules: Vec<Rule>,
}

impl Filter {
    /// Compiles a schema, as [`Schema::compile`] does.
    pub fn compile(schema: &Value, named: &Map<String, Value>, assert_formats: bool) -> Result<Self, SpecError> {
        let document = document::with_named(schema, named);
        let (known, rules) = (HashMap::new(), Vec::new());
        let mut compiler = Compiler { document: &document, named, assert_formats, known, rules };
        compiler.rule(&document)?;
        Ok(Self { rules: compiler.rules })
    }

    /// Takes out what the schema does not name. Whether there was anything.
    pub fn apply(&self, value: &mut Value) -> bool {
        self.apply_all(&[RuleId(0)], value)
    }

    fn apply_all(&self, ids: &[RuleId], value: &mut Value) -> bool {
        let mut rules = Vec::new();
        for id in ids {
            self.hold(*id, value, &mut rules);
        }
        match value {
            Value::Object(members) => self.apply_members(&rules, members),
            Value::Array(items) => {
                let mut changed = false;
                for (place, item) in items.iter_mut().enumerate() {
                    let of = |rule: &&Rule| rule.prefix.get(place).copied().or(rule.items);
                    changed |= self.apply_all(&rules.iter().filter_map(of).collect::<Vec<_>>(), item);
                }
                changed
            }
            _ => false,
        }
    }

    fn apply_members(&self, rules: &[&Rule], members: &mut Map<String, Value>) -> bool {
        let named = |rule: &&Rule, name: &str| rule.members.as_ref().and_then(|known| known.get(name)).copied();
        let is_closed = rules.iter().any(|rule| rule.members.is_some());
        let before = members.len();
        members.retain(|name, _| {
            !is_closed || rules.iter().any(|rule| rule.rest.is_some() || named(rule, name).is_some())
        });
        let mut changed = members.len() != before;
        for (name, member) in members.iter_mut() {
            let of = |rule: &&Rule| named(rule, name).or(rule.rest);
            changed |= self.apply_all(&rules.iter().filter_map(of).collect::<Vec<_>>(), member);
        }
        changed
    }

    /// The rules that hold for this value.
    fn hold<'a>(&'a self, id: RuleId, value: &Value, held: &mut Vec<&'a Rule>) {
        let rule = &self.rules[id.0];
        // One that leads back to itself.
        if held.iter().any(|known| std::ptr::eq(*known, rule)) {
            return;
        }
        held.push(rule);
        for id in &rule.all {
            self.hold(*id, value, held);
        }
        for group in &rule.any {
            let accepted = group.iter().find(|(id, schema)| {
                let mut left = value.clone();
                self.apply_all(&[*id], &mut left);
                schema.accepts(&left)
            });
            if let Some((id, _)) = accepted {
                self.hold(*id, value, held);
            }
        }
    }
}

impl<'a> Compiler<'a> {
    fn rule(&mut self, schema: &'a Value) -> Result<RuleId, SpecError> {
        let id = RuleId(self.rules.len());
        self.rules.push(Rule::default());
        if let Value::Object(schema) = schema {
            self.rules[id.0] = self.of_object(schema)?;
        }
        Ok(id)
    }

    fn each(&mut self, schemas: Option<&'a Value>) -> Result<Vec<RuleId>, SpecError> {
        schemas.and_then(Value::as_array).into_iter().flatten().map(|schema| self.rule(schema)).collect()
    }

    fn of_object(&mut self, schema: &'a Map<String, Value>) -> Result<Rule, SpecError> {
        let mut rule = Rule { all: self.each(schema.get("allOf"))?, ..Rule::default() };
        if let Some(Value::String(reference)) = schema.get("$ref") {
            rule.all.extend(self.reference(reference)?);
        }
        if let Some(Value::Object(members)) = schema.get("properties") {
            let members = members.iter().map(|(name, member)| Ok((name.clone(), self.rule(member)?)));
            rule.members = Some(members.collect::<Result<_, SpecError>>()?);
        }
        rule.rest = match schema
            .get("additionalProperties")
            .or_else(|| schema.get("patternProperties").map(|_| &Value::Null))
        {
            None | Some(Value::Bool(false)) => None,
            Some(rest) => Some(self.rule(rest)?),
        };
        rule.prefix = self.each(schema.get("prefixItems"))?;
        rule.items = schema.get("items").map(|items| self.rule(items)).transpose()?;
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(alternatives)) = schema.get(keyword) {
                let group = alternatives.iter().map(|each| Ok((self.rule(each)?, self.alternative(each)?)));
                rule.any.push(group.collect::<Result<_, SpecError>>()?);
            }
        }
        Ok(rule)
    }

    /// None: what it refers to is elsewhere, and names nothing here.
    fn reference(&mut self, reference: &'a str) -> Result<Option<RuleId>, SpecError> {
        if let Some(known) = self.known.get(reference) {
            return Ok(Some(*known));
        }
        let Some(target) = reference.strip_prefix('#').and_then(|place| self.document.pointer(place)) else {
            return Ok(None);
        };
        self.known.insert(reference, RuleId(self.rules.len()));
        self.rule(target).map(Some)
    }

    /// An alternative as a schema of its own, beside what it may refer to.
    fn alternative(&self, schema: &Value) -> Result<Schema, SpecError> {
        let mut whole = json!({"allOf": [schema]});
        for definitions in ["$defs", "schemas"] {
            if let Some(found) = self.document.get(definitions) {
                whole[definitions] = found.clone();
            }
        }
        Schema::compile(&whole, self.named, Reading::JsonSchema, self.assert_formats)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::Filter;

    fn filtered(schema: &Value, mut value: Value) -> (bool, Value) {
        let filter = Filter::compile(schema, &Map::new(), false).expect("it is a schema");
        (filter.apply(&mut value), value)
    }

    #[test]
    fn members_without_a_name_are_taken_out_wherever_they_stand() {
        let user = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
        let schema = json!({"type": "object", "properties": {
            "one": user, "many": {"type": "array", "items": user},
            "pair": {"type": "array", "prefixItems": [user, {}]},
            "map": {"type": "object", "additionalProperties": user}, "any": {},
        }});
        let full = json!({"name": "a", "secret": 1});
        let value = json!({"one": full, "many": [full, full], "pair": [full, full], "map": {"x": full}, "any": full,
            "other": full});
        let bare = json!({"name": "a"});
        let left = json!({"one": bare, "many": [bare, bare], "pair": [bare, full], "map": {"x": bare}, "any": full});
        assert_eq!(filtered(&schema, value), (true, left.clone()));
        assert_eq!(filtered(&schema, left.clone()), (false, left));
    }

    #[test]
    fn an_object_that_may_hold_anything_keeps_it() {
        let value = json!({"a": 1, "b": {"c": 2}});
        for schema in
            [json!({}), json!({"type": "object"}), json!({"properties": {"a": {}}, "additionalProperties": true})]
        {
            assert_eq!(filtered(&schema, value.clone()), (false, value.clone()), "{schema}");
        }
        let closed = json!({"properties": {"a": {}}, "additionalProperties": false});
        assert_eq!(filtered(&closed, value), (true, json!({"a": 1})));
    }

    #[test]
    fn of_alternatives_the_one_holds_that_accepts_what_it_leaves() {
        let kind = |name: &str| {
            json!({"type": "object", "properties": {"kind": {"const": name}, name: {}}, "required": ["kind", name],
                "additionalProperties": false})
        };
        for keyword in ["anyOf", "oneOf"] {
            let schema = json!({keyword: [kind("cat"), kind("dog"), {"type": "null"}]});
            let value = json!({"kind": "dog", "dog": 1, "cat": 2});
            assert_eq!(filtered(&schema, value), (true, json!({"kind": "dog", "dog": 1})));
            assert_eq!(filtered(&schema, json!(null)), (false, json!(null)));
        }
    }

    #[test]
    fn what_several_schemas_name_together_stays_and_references_may_recurse() {
        let both = json!({"allOf": [{"properties": {"a": {}}}, {"$ref": "#/$defs/b"}], "$defs": {"b": {"properties": {"b": {}}}}});
        assert_eq!(filtered(&both, json!({"a": 1, "b": 2, "c": 3})), (true, json!({"a": 1, "b": 2})));
        let tree = json!({"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {
            "left": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}, "value": {"type": "integer"},
        }}}});
        let value = json!({"value": 1, "x": 1, "left": {"value": 2, "x": 2, "left": null}});
        assert_eq!(filtered(&tree, value), (true, json!({"value": 1, "left": {"value": 2, "left": null}})));
    }
}
