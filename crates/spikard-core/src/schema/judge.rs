//! Every refusal of a value, in pydantic's order: fields as declared with missing ones in their place, then unknown
//! members as sent; one error for each value, the first that fails.

use std::{cell::Cell, collections::HashSet};

use serde_json::{Map, Value};

use super::node::{ArrayRules, Node, NodeId, Nodes, ObjectRules, Rest, Shape, Tagged};
use crate::{
    FieldError, Loc, MAX_ERRORS, Word,
    echo::{self, beginning},
    parameter::{Scalar, Strictness, label, under},
    upload::is_file,
    words::quoted,
};

/// Judges values by the nodes of one schema.
pub(super) struct Judge<'a> {
    nodes: &'a Nodes,
    strictness: Strictness,
    /// What becomes of the parts that a lax decoder reads.
    lax: Lax,
    /// Whether such a part is being judged.
    is_lax: Cell<bool>,
    /// How many more nodes may be visited: alternatives inside alternatives would multiply.
    budget: Cell<usize>,
}

/// What a schema says of the parts that a lax decoder reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lax {
    /// What no lax decoder would accept either.
    Read,
    /// Nothing: it has judged them itself.
    Judged,
}

/// Visits for each value that an instance holds.
const VISITS: usize = 64;

/// References that lead to references without taking a step into the instance.
const MAX_DEPTH: usize = 1024;

impl<'a> Judge<'a> {
    pub(super) fn new(nodes: &'a Nodes, strictness: Strictness, lax: Lax, instance: &Value) -> Self {
        let is_lax = Cell::new(false);
        Self { nodes, strictness, lax, is_lax, budget: Cell::new(VISITS * (16 + size(instance))) }
    }

    /// Every error of the instance.
    pub(super) fn errors(&self, instance: &Value) -> Vec<FieldError> {
        let errors = self.judge(Nodes::ROOT, instance, 0);
        if errors.is_empty() && self.budget.get() == 0 {
            let error = Value::from("too many alternatives to try");
            return vec![FieldError::of(Word::ValueError, &Value::Null, Some(("error", error)))];
        }
        errors
    }

    fn node(&self, id: NodeId) -> &'a Node {
        &self.nodes.all[id.0]
    }

    fn judge(&self, id: NodeId, value: &Value, depth: usize) -> Vec<FieldError> {
        if self.budget.get() == 0 || depth > MAX_DEPTH {
            self.budget.set(0);
            return Vec::new();
        }
        self.budget.set(self.budget.get() - 1);
        let (node, depth) = (self.node(id), depth + 1);
        let Some(is_lax) = node.lax else { return self.apply(node, value, depth) };
        let outer = self.is_lax.replace(is_lax);
        let errors = self.apply(node, value, depth);
        self.is_lax.set(outer);
        errors
    }

    /// Whether nothing of a value's own is to be said, as opposed to what it holds.
    fn is_judged(&self) -> bool {
        self.lax == Lax::Judged && self.is_lax.get()
    }

    fn apply(&self, node: &Node, value: &Value, depth: usize) -> Vec<FieldError> {
        if node.file && self.strictness == Strictness::Lenient {
            return if is_file(value) { Vec::new() } else { vec![no_file(value)] };
        }
        let mut errors = Vec::new();
        for target in node.reference.iter().chain(&node.all_of) {
            merge(&mut errors, self.judge(*target, value, depth));
        }
        if let Some(tagged) = &node.tagged {
            merge(&mut errors, self.tagged(tagged, value, depth));
        }
        merge(&mut errors, self.alternatives(&node.any_of, value, depth, false));
        merge(&mut errors, self.alternatives(&node.one_of, value, depth, true));
        for shape in node.shapes.iter().filter(|shape| node.typed || shape.is_for(value)) {
            merge(&mut errors, self.shape(shape, value, depth));
        }
        errors
    }

    fn shape(&self, shape: &Shape, value: &Value, depth: usize) -> Vec<FieldError> {
        match (shape, value) {
            (Shape::Array(rules), Value::Array(items)) => self.array(rules, items, value, depth),
            (Shape::Object(rules), Value::Object(members)) => self.object(rules, members, value, depth),
            _ if self.is_judged() => Vec::new(),
            (Shape::Scalar(scalar), value) if self.is_lax.get() => scalar.read_lax(value, self.strictness),
            (Shape::Scalar(scalar), value) => scalar.read_json(value, self.strictness).err().unwrap_or_default(),
            (Shape::Array(rules), other) => vec![FieldError::of(rules.size.type_word(), other, None)],
            (Shape::Object(rules), other) => {
                let word = if rules.is_model { Word::ModelType } else { Word::DictType };
                vec![FieldError::of(word, other, None)]
            }
        }
    }

    fn array(&self, rules: &ArrayRules, items: &[Value], whole: &Value, depth: usize) -> Vec<FieldError> {
        let judged = self.is_judged();
        let as_set = rules.size.is_set() && self.strictness != Strictness::AsWritten;
        let count = if as_set { items.iter().map(Value::to_string).collect::<HashSet<_>>().len() } else { items.len() };
        let closed = rules.rest == Rest::Nothing && items.len() > rules.places.len();
        if let Some(error) = rules.size.too_long(count, whole).filter(|_| !judged) {
            return vec![error];
        }
        if closed && !judged {
            return vec![rules.size.longer_than(rules.places.len(), count, whole)];
        }
        let mut errors = Vec::new();
        for (place, item) in items.iter().enumerate() {
            if errors.len() >= MAX_ERRORS {
                break;
            }
            let Some(node) = rules.item(place) else { continue };
            errors.extend(self.judge(node, item, depth).into_iter().map(|error| error.under([Loc::Index(place)])));
        }
        if judged {
            return errors;
        }
        if !rules.places.is_empty() {
            errors.extend(rules.size.missing(items.len(), rules.places.len(), whole));
        }
        if errors.is_empty() {
            errors.extend(rules.size.too_short(count, whole));
        }
        errors
    }

    fn object(
        &self,
        rules: &ObjectRules,
        members: &Map<String, Value>,
        whole: &Value,
        depth: usize,
    ) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for declared in &rules.members {
            let loc = || [Loc::from(declared.name.clone())];
            match (members.get(&declared.name), declared.node) {
                (Some(value), Some(node)) => {
                    errors.extend(self.judge(node, value, depth).into_iter().map(|error| error.under(loc())));
                }
                (None, _) if declared.required && !self.is_judged() => {
                    errors.push(FieldError::of(Word::Missing, whole, None).under(loc()));
                }
                _ => {}
            }
        }
        let dependents = rules.dependents.iter().filter(|(property, _)| members.contains_key(property));
        for (property, names) in dependents.filter(|_| !self.is_judged()) {
            for name in names.iter().filter(|name| !members.contains_key(*name)) {
                let about = Some(("property", Value::from(property.as_str())));
                let error = FieldError::of(Word::DependentRequired, whole, about);
                merge(&mut errors, vec![error.under([Loc::from(name.clone())])]);
            }
        }
        let only_declared = rules.rest == Rest::Anything && rules.patterns.is_empty();
        for (name, value) in members.iter().filter(|_| !only_declared) {
            if errors.len() >= MAX_ERRORS {
                break;
            }
            let found = self.undeclared(rules, name, value, depth);
            errors.extend(found.into_iter().map(|error| error.under([Loc::named(name)])));
        }
        errors
    }

    fn undeclared(&self, rules: &ObjectRules, name: &str, value: &Value, depth: usize) -> Vec<FieldError> {
        let mut known = rules.places.get(name).is_some_and(|place| rules.members[*place].node.is_some());
        let mut errors = Vec::new();
        for (_, node) in rules.patterns.iter().filter(|(pattern, _)| pattern.accepts(name)) {
            known = true;
            merge(&mut errors, self.judge(*node, value, depth));
        }
        match rules.rest {
            Rest::Nothing if !known && !self.is_judged() => vec![FieldError::of(Word::ExtraForbidden, value, None)],
            Rest::Each(node) if !known => self.judge(node, value, depth),
            _ => errors,
        }
    }

    fn tagged(&self, tagged: &Tagged, value: &Value, depth: usize) -> Vec<FieldError> {
        let refuse = |word: Word, ctx: &[(&str, String)]| {
            let ctx = ctx.iter().map(|(name, text)| ((*name).to_owned(), Value::from(text.as_str()))).collect();
            if self.is_judged() { Vec::new() } else { vec![FieldError::new(word, Vec::new(), value, ctx)] }
        };
        let Value::Object(members) = value else { return refuse(Word::DictType, &[]) };
        let property = format!("'{}'", tagged.property);
        let Some(tag) = members.get(&tagged.property) else {
            return refuse(Word::UnionTagNotFound, &[("discriminator", property)]);
        };
        if let Some((name, node)) = tagged.tags.iter().find(|(name, _)| tag.as_str() == Some(name)) {
            return under(name, self.judge(*node, value, depth));
        }
        let expected: Vec<String> = tagged.tags.iter().map(|(name, _)| format!("'{name}'")).collect();
        let ctx = [("discriminator", property), ("tag", shown(tag)), ("expected_tags", expected.join(", "))];
        refuse(Word::UnionTagInvalid, &ctx)
    }

    /// `anyOf`, and `oneOf`, where only one may accept.
    fn alternatives(&self, members: &[NodeId], value: &Value, depth: usize, exclusive: bool) -> Vec<FieldError> {
        let (mut refusals, mut accepted) = (Vec::new(), 0);
        let judged = self.is_judged();
        for member in members.iter().filter(|member| !(judged && self.is_null(**member) && !value.is_null())) {
            let errors = self.judge(*member, value, depth);
            if !errors.is_empty() {
                refusals.push((*member, errors));
                continue;
            }
            accepted += 1;
            if !exclusive {
                return Vec::new();
            }
        }
        match accepted {
            1 => return Vec::new(),
            0 if members.is_empty() => return Vec::new(),
            0 => {}
            _ if judged => return Vec::new(),
            _ => return vec![FieldError::of(Word::OneOf, value, None)],
        }
        refusals.retain(|(member, _)| !self.is_null(*member));
        match refusals.len() {
            0 if judged => Vec::new(),
            0 => vec![FieldError::of(Word::NoneRequired, value, None)],
            1 => refusals.remove(0).1,
            _ if exclusive => vec![FieldError::of(Word::OneOf, value, None)],
            _ => refusals.into_iter().flat_map(|(member, errors)| under(&self.label(member, 0), errors)).collect(),
        }
    }

    fn is_null(&self, id: NodeId) -> bool {
        matches!(self.node(id).shapes.as_slice(), [Shape::Scalar(Scalar::Null)])
    }

    /// What pydantic calls an alternative in `loc`.
    fn label(&self, id: NodeId, depth: usize) -> String {
        let node = self.node(id);
        let inner = |id: NodeId| if depth < 8 { self.label(id, depth + 1) } else { "any".to_owned() };
        if let Some(target) = node.reference {
            return inner(target);
        }
        match (node.shapes.as_slice(), &node.name) {
            ([Shape::Scalar(scalar)], _) => label(scalar),
            ([Shape::Array(rules)], _) => {
                let mut items: Vec<String> = rules.places.iter().copied().map(inner).collect();
                match rules.rest {
                    Rest::Each(id) => items.push(inner(id)),
                    Rest::Anything if items.is_empty() => items.push("any".to_owned()),
                    _ => {}
                }
                rules.size.label(&items.join(","))
            }
            ([Shape::Object(ObjectRules { is_model: false, rest: Rest::Each(id), .. })], None) => {
                format!("dict[str,{}]", inner(*id))
            }
            (_, Some(name)) => name.clone(),
            ([Shape::Object(ObjectRules { is_model: false, .. })], None) => "dict[str,any]".to_owned(),
            _ => "any".to_owned(),
        }
    }
}

/// A text where a file belongs.
fn no_file(value: &Value) -> FieldError {
    FieldError::of(Word::ValueError, value, Some(("error", Value::from("expected a file"))))
}

impl Shape {
    /// Whether a value is of the type that the shape speaks of.
    fn is_for(&self, value: &Value) -> bool {
        match self {
            Self::Scalar(scalar) => scalar.is_for(value),
            Self::Array(_) => value.is_array(),
            Self::Object(_) => value.is_object(),
        }
    }
}

/// Adds the errors of values that have none yet.
fn merge(errors: &mut Vec<FieldError>, more: Vec<FieldError>) {
    if errors.is_empty() {
        *errors = more;
        return;
    }
    for error in more {
        if errors.iter().all(|known| known.loc != error.loc) {
            errors.push(error);
        }
    }
}

/// A tag as a message shows it.
fn shown(tag: &Value) -> String {
    match tag {
        Value::String(text) => beginning(text).unwrap_or_else(|| text.clone()),
        other => quoted(&echo::shown(other)),
    }
}

/// How many values an instance holds.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 1,
        Value::Object(members) => members.values().map(size).sum::<usize>() + 1,
        _ => 1,
    }
}
