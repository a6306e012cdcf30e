//! Accepts JSON text as it was sent, making no values of it: by schemas of types, members, items, lengths and bounds. It
//! refuses nothing: what it does not accept, for whatever reason, is judged as a value.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::scan::{Scan, Text};

/// A compiled schema.
#[derive(Debug)]
pub(super) struct Quick {
    rules: Vec<Rule>,
}

/// A place in [`Quick`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RuleId(usize);

/// What a value has to be: of one of the types, and as its type's own part says.
#[derive(Clone, Debug, Default)]
struct Rule {
    types: u8,
    length: (usize, Option<usize>),
    choices: Option<Vec<String>>,
    bounds: Vec<Bound>,
    count: (usize, Option<usize>),
    items: Option<RuleId>,
    members: Vec<(String, RuleId)>,
    /// Bits of members.
    required: u64,
    rest: Rest,
}

/// What undeclared members are.
#[derive(Clone, Copy, Debug, Default)]
enum Rest {
    #[default]
    Anything,
    Nothing,
    Each(RuleId),
}

/// `minimum` and its three like.
#[derive(Clone, Copy, Debug)]
struct Bound {
    limit: f64,
    /// -1: from below; 1: from above.
    side: f64,
    /// A value that is equal passes.
    reached: bool,
}

const NULL: u8 = 1;
const BOOL: u8 = 2;
const INTEGER: u8 = 4;
/// Whole or not.
const NUMBER: u8 = 8 | INTEGER;
const STRING: u8 = 16;
const ARRAY: u8 = 32;
const OBJECT: u8 = 64;
const ANY: u8 = 127;

/// Integers of no more digits are exact as an `f64`, and so are the limits below the power of two.
const EXACT_DIGITS: usize = 15;
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Says nothing about what is accepted.
const REMARKS: [&str; 10] = [
    "$comment",
    "$defs",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "schemas",
    "title",
    "writeOnly",
];

impl Quick {
    /// None: the schema says what this does not know.
    pub(super) fn compile(document: &Value, assert_formats: bool) -> Option<Self> {
        let mut compiler = Compiler { document, assert_formats, rules: Vec::new(), known: HashMap::new() };
        compiler.rule(document)?;
        Some(Self { rules: compiler.rules })
    }

    /// Whether a text is surely accepted, if it is JSON.
    pub(super) fn accepts(&self, text: &[u8]) -> bool {
        let mut scan = Scan::new(text);
        self.value(&mut scan, RuleId(0)).is_some()
    }

    /// None wherever a value is not surely accepted.
    fn value(&self, scan: &mut Scan<'_>, RuleId(id): RuleId) -> Option<()> {
        let rule = &self.rules[id];
        let kind = match scan.peek()? {
            b'"' => return rule.accepts_text(scan.string()?),
            b'{' if rule.types & OBJECT != 0 => return self.object(scan, rule),
            b'[' if rule.types & ARRAY != 0 => return self.array(scan, rule),
            b'{' | b'[' => return None,
            b't' | b'f' => BOOL,
            b'n' => NULL,
            _ => return rule.accepts_number(scan.number()?),
        };
        scan.word();
        (rule.types & kind != 0).then_some(())
    }

    fn object(&self, scan: &mut Scan<'_>, rule: &Rule) -> Option<()> {
        let (mut seen, mut next) = (0u64, 0);
        scan.open()?;
        while !scan.closes(b'}')? {
            let name = scan.name()?;
            let as_declared = rule.members.get(next).filter(|(declared, _)| declared.as_bytes() == name);
            let place = match as_declared {
                Some(_) => Some(next),
                None => rule.members.iter().position(|(declared, _)| declared.as_bytes() == name),
            };
            match (place, rule.rest) {
                (Some(place), _) => {
                    // Of a name that was sent twice, which one is meant is for others to say.
                    if seen & 1 << place != 0 {
                        return None;
                    }
                    seen |= 1 << place;
                    next = place + 1;
                    self.value(scan, rule.members[place].1)?;
                }
                (None, Rest::Anything) => scan.skip()?,
                (None, Rest::Each(id)) => self.value(scan, id)?,
                (None, Rest::Nothing) => return None,
            }
        }
        (seen & rule.required == rule.required).then_some(())
    }

    fn array(&self, scan: &mut Scan<'_>, rule: &Rule) -> Option<()> {
        let mut count = 0;
        scan.open()?;
        while !scan.closes(b']')? {
            count += 1;
            match rule.items {
                Some(id) => self.value(scan, id)?,
                None => scan.skip()?,
            }
        }
        is_within(count, rule.count).then_some(())
    }
}

fn is_within(size: usize, (least, most): (usize, Option<usize>)) -> bool {
    size >= least && most.is_none_or(|most| size <= most)
}

impl Rule {
    fn accepts_text(&self, text: Text<'_>) -> Option<()> {
        let is_plain = self.length == (0, None) && self.choices.is_none();
        if self.types & STRING == 0 || !is_plain && text.is_escaped {
            return None;
        }
        let text = text.bytes;
        let letters = || text.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        let is_chosen = self.choices.as_ref().is_none_or(|all| all.iter().any(|one| one.as_bytes() == text));
        (is_plain || is_chosen && is_within(letters(), self.length)).then_some(())
    }

    fn accepts_number(&self, text: &[u8]) -> Option<()> {
        let is_whole = !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
        let kind = if is_whole { INTEGER } else { NUMBER & !INTEGER };
        if self.types & kind == 0 {
            return None;
        }
        if self.bounds.is_empty() {
            return Some(());
        }
        let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        let is_exact = is_whole && text.len() <= EXACT_DIGITS;
        self.bounds.iter().all(|bound| bound.holds(value, is_exact)).then_some(())
    }
}

impl Bound {
    /// Rounding keeps an order, so what lies strictly on one side as an `f64` does so in full; what is equal may not be.
    fn holds(self, value: f64, is_exact: bool) -> bool {
        let is_equal = self.reached && is_exact && self.limit.fract() == 0.0 && self.limit.abs() < EXACT;
        value * self.side < self.limit * self.side || is_equal && value >= self.limit && value <= self.limit
    }
}

struct Compiler<'a> {
    document: &'a Value,
    assert_formats: bool,
    rules: Vec<Rule>,
    known: HashMap<&'a str, RuleId>,
}

impl<'a> Compiler<'a> {
    fn rule(&mut self, schema: &'a Value) -> Option<RuleId> {
        let id = RuleId(self.rules.len());
        if let Some(Value::String(reference)) = schema.get("$ref") {
            return self.reference(schema.as_object()?, reference);
        }
        self.rules.push(Rule::default());
        self.rules[id.0] = match schema {
            Value::Bool(true) => Rule { types: ANY, ..Rule::default() },
            Value::Object(schema) => self.of_object(schema)?,
            _ => return None,
        };
        Some(id)
    }

    fn reference(&mut self, schema: &Map<String, Value>, reference: &'a str) -> Option<RuleId> {
        if !schema.keys().all(|keyword| keyword == "$ref" || is_remark(keyword)) {
            return None;
        }
        if let Some(known) = self.known.get(reference) {
            return Some(*known);
        }
        let target = self.document.pointer(reference.strip_prefix('#')?)?;
        // One that leads to another may lead back to itself; the root's own would not be the first rule.
        if target.get("$ref").is_some() || reference == "#" || reference.contains('%') {
            return None;
        }
        self.known.insert(reference, RuleId(self.rules.len()));
        self.rule(target)
    }

    fn of_object(&mut self, schema: &'a Map<String, Value>) -> Option<Rule> {
        let mut rule = Rule { types: ANY, ..Rule::default() };
        let has = |keyword: &str| schema.contains_key(keyword);
        for (keyword, value) in schema {
            match keyword.as_str() {
                "type" => rule.types &= types_of(value)?,
                "anyOf" | "oneOf" => return self.alternatives(schema, value),
                "enum" => rule.choose(value.as_array()?)?,
                "const" => rule.choose(std::slice::from_ref(value))?,
                "minLength" => rule.length.0 = whole(value)?,
                "maxLength" => rule.length.1 = Some(whole(value)?),
                "minItems" => rule.count.0 = whole(value)?,
                "maxItems" => rule.count.1 = Some(whole(value)?),
                "minimum" | "exclusiveMinimum" => rule.bound(value, -1.0, keyword == "minimum")?,
                "maximum" | "exclusiveMaximum" => rule.bound(value, 1.0, keyword == "maximum")?,
                "items" => rule.items = Some(self.rule(value)?),
                "properties" => {
                    let members = value.as_object()?.iter();
                    let members = members.map(|(name, member)| Some((name.clone(), self.rule(member)?)));
                    rule.members = members.collect::<Option<_>>()?;
                }
                "additionalProperties" => rule.rest = self.rest(value)?,
                "required" => (),
                "format" if !self.assert_formats => (),
                _ if is_remark(keyword) => (),
                _ => return None,
            }
        }
        if has("enum") && has("const") {
            return None;
        }
        rule.require(schema.get("required")).map(|()| rule)
    }

    fn rest(&mut self, schema: &'a Value) -> Option<Rest> {
        Some(match schema {
            Value::Bool(true) => Rest::Anything,
            Value::Bool(false) => Rest::Nothing,
            schema => Rest::Each(self.rule(schema)?),
        })
    }

    /// One rule of all, where the type of a value tells which of them is meant.
    fn alternatives(&mut self, schema: &Map<String, Value>, all: &'a Value) -> Option<Rule> {
        if !schema.keys().all(|keyword| matches!(keyword.as_str(), "anyOf" | "oneOf") || is_remark(keyword)) {
            return None;
        }
        let mut one = Rule::default();
        for alternative in all.as_array().filter(|_| !(schema.contains_key("anyOf") && schema.contains_key("oneOf")))? {
            let RuleId(id) = self.rule(alternative)?;
            let rule = self.rules[id].clone();
            // Of one that refers to what is being compiled nothing is known yet.
            if one.types & rule.types != 0 || rule.types == 0 {
                return None;
            }
            one.take(rule);
        }
        Some(one)
    }
}

impl Rule {
    fn choose(&mut self, all: &[Value]) -> Option<()> {
        self.types &= STRING;
        self.choices = Some(all.iter().map(|one| Some(one.as_str()?.to_owned())).collect::<Option<_>>()?);
        Some(())
    }

    fn bound(&mut self, limit: &Value, side: f64, reached: bool) -> Option<()> {
        self.bounds.push(Bound { limit: limit.as_f64().filter(|limit| limit.is_finite())?, side, reached });
        Some(())
    }

    fn require(&mut self, required: Option<&Value>) -> Option<()> {
        for name in required.and_then(Value::as_array).into_iter().flatten() {
            let place = self.members.iter().position(|(member, _)| Some(member.as_str()) == name.as_str())?;
            self.required |= 1u64.checked_shl(u32::try_from(place).ok()?)?;
        }
        (self.members.len() <= 64).then_some(())
    }

    /// Adds what another rule says of types that this one does not have.
    fn take(&mut self, other: Self) {
        if other.types & STRING != 0 {
            (self.length, self.choices) = (other.length, other.choices);
        }
        if other.types & NUMBER != 0 {
            // One of the two is for whole numbers only where both are for numbers.
            self.bounds = other.bounds;
        }
        if other.types & ARRAY != 0 {
            (self.count, self.items) = (other.count, other.items);
        }
        if other.types & OBJECT != 0 {
            (self.members, self.required, self.rest) = (other.members, other.required, other.rest);
        }
        self.types |= other.types;
    }
}

fn is_remark(keyword: &str) -> bool {
    REMARKS.contains(&keyword) || keyword.starts_with("x-")
}

fn whole(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn types_of(named: &Value) -> Option<u8> {
    let of = |name: &Value| {
        Some(match name.as_str()? {
            "null" => NULL,
            "boolean" => BOOL,
            "integer" => INTEGER,
            "number" => NUMBER,
            "string" => STRING,
            "array" => ARRAY,
            "object" => OBJECT,
            _ => return None,
        })
    };
    match named {
        Value::Array(all) => all.iter().try_fold(0, |types, name| Some(types | of(name)?)),
        one => of(one),
    }
}

#[cfg(test)]
mod tests;
