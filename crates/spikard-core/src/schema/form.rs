//! Forms: texts and files by name, made into the JSON value that the schema asks for. A text that cannot be read stays text, so
//! that its refusal names it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Schema,
    judge::{Judge, Lax},
    node::{Node, NodeId, Nodes, ObjectRules, Rest, Shape},
};
use crate::{
    Arg, FieldError,
    pairs::Pair,
    parameter::{Scalar, Strictness},
    sabotage,
    spec::Reading,
    upload::{self, Entries, Entry, FormValue, Upload},
};

impl Schema {
    /// A form as the JSON value that the schema asks for, or every refusal. Repeated names make a list where the schema
    /// has one; else the last counts. What is not sent stays absent, and so does a blank where no text is wanted: browsers
    /// send the fields that nobody filled in.
    pub fn read_form(&self, entries: Entries) -> Result<FormValue, Vec<FieldError>> {
        let (form, errors) = self.read_or_refuse(entries);
        if errors.is_empty() { Ok(form) } else { Err(errors) }
    }

    /// The same; beside refusals the form stands as it was sent.
    pub(crate) fn read_or_refuse(&self, entries: Entries) -> (FormValue, Vec<FieldError>) {
        let mut files = Vec::new();
        let sent = Value::Object(self.sent(entries, &mut files));
        match self.read_entries(&sent, &files) {
            Ok(value) => (FormValue { value, files }, Vec::new()),
            Err(mut errors) => {
                if !files.is_empty() {
                    upload::show(&mut errors, &files);
                }
                (FormValue { value: sent, files }, errors)
            }
        }
    }

    fn read_entries(&self, sent: &Value, files: &[Arc<Upload>]) -> Result<Value, Vec<FieldError>> {
        let errors = Judge::new(&self.nodes, Strictness::Lenient, Lax::Read, sent).errors(sent);
        if !errors.is_empty() && !sabotage::takes_out("validation") {
            return Err(errors);
        }
        let value = Form(&self.nodes).value(Nodes::ROOT, sent.clone(), 0);
        if files.is_empty() {
            return if self.accepts(&value) { Ok(value) } else { Err(self.errors(&value)) };
        }
        // Judged already; for the rules of the whole each stands as the text that JSON Schema says it is.
        let judged = upload::replaced(value.clone(), &|_| Value::String(String::new()));
        if self.accepts(&judged) { Ok(value) } else { Err(self.errors(&judged)) }
    }

    /// The JSON text of a form whose names are those of single fields, each sent once, and whose texts are all accepted. Nothing
    /// else is made of such a form. None: [`Self::read_or_refuse`] says what becomes of it.
    pub(crate) fn form_text(&self, pairs: &[Pair<'_>]) -> Option<Vec<u8>> {
        let mut text = Vec::with_capacity(32 * pairs.len());
        self.read_singles(pairs, |name, read| {
            text.push(if text.is_empty() { b'{' } else { b',' });
            serde_json::to_writer(&mut text, name).ok()?;
            text.push(b':');
            serde_json::to_writer(&mut text, &read).ok()
        })?;
        text.extend_from_slice(if text.is_empty() { b"{}" } else { b"}" });
        (self.reading == Reading::Typed || self.accepts_text(&text)).then_some(text)
    }

    /// The same as a value, where the nodes alone decide.
    pub(crate) fn form_members(&self, pairs: &[Pair<'_>]) -> Option<FormValue> {
        if self.reading == Reading::JsonSchema {
            return None;
        }
        let mut members = Map::with_capacity(pairs.len());
        self.read_singles(pairs, |name, read| {
            members.insert(name.to_owned(), read);
            Some(())
        })?;
        Some(FormValue { value: Value::Object(members), files: Vec::new() })
    }

    /// Takes the fields as they are read. None: some name or text is not that simple, or more is to be judged than single fields.
    fn read_singles(&self, pairs: &[Pair<'_>], mut take: impl FnMut(&str, Value) -> Option<()>) -> Option<()> {
        let is_known = match self.reading {
            Reading::JsonSchema => self.quick.is_some(),
            Reading::Typed => !self.has_foreign,
        };
        let form = Form(&self.nodes);
        let fields = form.fields(Nodes::ROOT, 0).filter(|fields| is_known && fields.members.len() <= 64)?;
        let (mut named, mut filled) = (0_u64, 0_u64);
        for (name, sent) in pairs {
            let place = *fields.places.get(name.as_ref())?;
            let node = fields.members[place].node.filter(|node| named & 1 << place == 0 && form.is_single(*node, 0))?;
            named |= 1 << place;
            if sent.is_empty() && !form.takes_blank(node, 0) {
                continue;
            }
            filled |= 1 << place;
            let (read, _) = form.scalar(node, sent, 0).filter(|(read, _)| !read.is_null())?;
            take(name, read)?;
        }
        let mut members = fields.members.iter().enumerate();
        members.all(|(place, member)| !member.required || filled & 1 << place != 0).then_some(())
    }

    /// Whether a lax decoder reads all of it as it was sent. Files it would be given as what the host makes of them, which is
    /// not to be shown.
    pub(crate) fn is_read_laxly(&self) -> bool {
        self.nodes.is_lax() && !self.nodes.all.iter().any(|node| node.file)
    }

    /// Whether a member is a file, or a list of files.
    pub fn is_file(&self, member: &str) -> bool {
        let form = Form(&self.nodes);
        form.member(Nodes::ROOT, member, 0).is_some_and(|node| form.is_file(node, 0))
    }

    /// Texts and files by their names, in lists where the schema has lists.
    fn sent(&self, entries: Entries, files: &mut Vec<Arc<Upload>>) -> Map<String, Value> {
        let form = Form(&self.nodes);
        let mut sent = Map::new();
        for (name, entry) in entries {
            if matches!(&entry, Entry::Text(text) if text.is_empty() && form.is_unfilled(&name)) {
                sent.shift_remove(&name);
                continue;
            }
            let value = match entry {
                Entry::Text(text) => Value::String(text),
                Entry::File(file) => {
                    files.push(file);
                    upload::placeholder(files.len() - 1)
                }
            };
            match sent.get_mut(&name) {
                Some(Value::Array(list)) => list.push(value),
                // Of what no type says that it is single, all is kept.
                Some(single) if self.gathers && form.member(Nodes::ROOT, &name, 0).is_none() => {
                    *single = Value::Array(vec![single.take(), value]);
                }
                Some(single) => *single = value,
                None => {
                    let is_list = form.member(Nodes::ROOT, &name, 0).is_some_and(|node| form.is_list(node, 0));
                    sent.insert(name, if is_list { Value::Array(vec![value]) } else { value });
                }
            }
        }
        sent
    }
}

/// References and alternatives that are followed to find a member.
const MAX_DEPTH: usize = 16;

struct Form<'a>(&'a Nodes);

impl<'a> Form<'a> {
    fn node(&self, id: NodeId) -> &'a Node {
        &self.0.all[id.0]
    }

    /// The rules of an object of which nothing else is said than what its fields are.
    fn fields(&self, id: NodeId, depth: usize) -> Option<&'a ObjectRules> {
        let node = self.node(id);
        if let Some(target) = node.reference.filter(|_| depth < MAX_DEPTH && node.says_one_thing()) {
            return self.fields(target, depth + 1);
        }
        match node.shapes.as_slice() {
            [Shape::Object(rules)]
                if node.says_one_thing() && rules.dependents.is_empty() && rules.patterns.is_empty() =>
            {
                Some(rules)
            }
            _ => None,
        }
    }

    /// Whether a text that one of its scalars reads is accepted: it is no list and no file, and need not be several things at once.
    fn is_single(&self, id: NodeId, depth: usize) -> bool {
        let node = self.node(id);
        let mut further = node.reference.iter().chain(&node.any_of);
        let is_scalar = node.shapes.iter().all(|shape| matches!(shape, Shape::Scalar(_)));
        node.says_one_thing() && is_scalar && depth < MAX_DEPTH && further.all(|node| self.is_single(*node, depth + 1))
    }

    /// The nodes that stand for the same value.
    fn same(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let node = self.node(id);
        let tagged = node.tagged.iter().flat_map(|tagged| tagged.tags.iter().map(|(_, node)| *node));
        let all = node.reference.into_iter().chain(node.all_of.iter().copied());
        all.chain(node.any_of.iter().copied()).chain(node.one_of.iter().copied()).chain(tagged)
    }

    fn member(&self, id: NodeId, name: &str, depth: usize) -> Option<NodeId> {
        let own = self.node(id).shapes.iter().find_map(|shape| match shape {
            Shape::Object(ObjectRules { members, places, rest, .. }) => match (places.get(name), rest) {
                (Some(place), _) => members[*place].node,
                (None, Rest::Each(node)) => Some(*node),
                (None, _) => None,
            },
            _ => None,
        });
        own.or_else(|| {
            (depth < MAX_DEPTH).then(|| self.same(id).find_map(|node| self.member(node, name, depth + 1)))?
        })
    }

    /// Whether a blank text says nothing of a member: a single value that is no text.
    fn is_unfilled(&self, name: &str) -> bool {
        self.member(Nodes::ROOT, name, 0).is_some_and(|node| !self.is_list(node, 0) && !self.takes_blank(node, 0))
    }

    /// Whether a blank is a value, or one that is refused as the text that it is. What has no type may be text.
    fn takes_blank(&self, id: NodeId, depth: usize) -> bool {
        let node = self.node(id);
        let mut shapes = node.shapes.iter();
        let is_text = |shape: &Shape| match shape {
            Shape::Scalar(Scalar::Str(_) | Scalar::Bytes(_) | Scalar::Any) => true,
            Shape::Scalar(scalar) => scalar.read_text("").is_ok(),
            Shape::Array(_) | Shape::Object(_) => false,
        };
        let mut further = self.same(id).peekable();
        let is_open = node.shapes.is_empty() && further.peek().is_none();
        let own = is_open || shapes.any(is_text);
        !node.file && (own || (depth < MAX_DEPTH && further.any(|node| self.takes_blank(node, depth + 1))))
    }

    fn is_list(&self, id: NodeId, depth: usize) -> bool {
        self.node(id).shapes.iter().any(|shape| matches!(shape, Shape::Array(_)))
            || (depth < MAX_DEPTH && self.same(id).any(|node| self.is_list(node, depth + 1)))
    }

    fn is_file(&self, id: NodeId, depth: usize) -> bool {
        let items = self.node(id).shapes.iter().filter_map(|shape| match shape {
            Shape::Array(rules) => rules.item(0),
            _ => None,
        });
        let mut further = self.same(id).chain(items);
        self.node(id).file || (depth < MAX_DEPTH && further.any(|node| self.is_file(node, depth + 1)))
    }

    fn value(&self, id: NodeId, value: Value, depth: usize) -> Value {
        match value {
            value if upload::is_file(&value) => value,
            Value::Object(members) => {
                let read = |(name, value): (String, Value)| {
                    let node = self.member(id, &name, 0);
                    let value = match node {
                        Some(node) => self.value(node, value, 0),
                        None => value,
                    };
                    (name, value)
                };
                Value::Object(members.into_iter().map(read).collect())
            }
            Value::Array(items) => {
                let read = |(place, item)| match self.item(id, place, 0) {
                    Some(node) => self.value(node, item, 0),
                    None => item,
                };
                Value::Array(items.into_iter().enumerate().map(read).collect())
            }
            Value::String(text) => match self.scalar(id, &text, depth) {
                Some((read, _)) => read,
                None => Value::String(text),
            },
            other => other,
        }
    }

    fn item(&self, id: NodeId, place: usize, depth: usize) -> Option<NodeId> {
        let own = self.node(id).shapes.iter().find_map(|shape| match shape {
            Shape::Array(rules) => rules.item(place),
            _ => None,
        });
        own.or_else(|| (depth < MAX_DEPTH).then(|| self.same(id).find_map(|node| self.item(node, place, depth + 1)))?)
    }

    /// The text as its scalar reads it, and whether no alternative could read it more closely.
    fn scalar(&self, id: NodeId, text: &str, depth: usize) -> Option<(Value, bool)> {
        let shapes = self.node(id).shapes.iter();
        let own = shapes.filter_map(|shape| match shape {
            Shape::Scalar(scalar) => {
                let arg = scalar.read_text(text).ok()?;
                Some((plain(arg, text, &self.0.choices), scalar.takes_text_as_it_is()))
            }
            _ => None,
        });
        let mut first = None;
        let further = self.same(id).filter(|_| depth < MAX_DEPTH);
        for read in own.chain(further.filter_map(|node| self.scalar(node, text, depth + 1))) {
            if read.1 {
                return Some(read);
            }
            first.get_or_insert(read);
        }
        first
    }
}

/// A value that was read, as JSON.
fn plain(arg: Arg, text: &str, choices: &[Value]) -> Value {
    match arg {
        Arg::Bool(value) => value.into(),
        Arg::Int(value) => value.into(),
        Arg::Float(value) => value.into(),
        Arg::BigInt(digits) => serde_json::from_str(&digits).unwrap_or(Value::String(digits)),
        Arg::Choice(place) => choices.get(place as usize).cloned().unwrap_or_default(),
        Arg::Uuid(text) | Arg::Date(text) | Arg::Time(text) | Arg::DateTime(text) | Arg::Decimal(text) => text.into(),
        Arg::Duration(microseconds) => duration(microseconds).into(),
        _ => text.into(),
    }
}

/// ISO 8601, which every host reads.
fn duration(microseconds: i64) -> String {
    let (sign, size) = (if microseconds < 0 { "-" } else { "" }, microseconds.unsigned_abs());
    let (days, seconds, rest) = (size / 86_400_000_000, size / 1_000_000 % 86_400, size % 1_000_000);
    if rest == 0 { format!("{sign}P{days}DT{seconds}S") } else { format!("{sign}P{days}DT{seconds}.{rest:06}S") }
}

#[cfg(test)]
mod tests;
