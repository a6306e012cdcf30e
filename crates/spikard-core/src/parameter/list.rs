//! Lists of scalars: repeated texts, or a JSON array.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    scalar::{Read, Scalar, Strictness},
    text::Length,
};
use crate::{Arg, FieldError, Loc, SpecError, Word, echo::shown};

/// What kind of list it is, and how many items it may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    length: Length,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    List,
    Set,
    Tuple,
}

impl Size {
    /// Reads `minItems` and `maxItems`; `uniqueItems` makes it a set, `prefixItems` a tuple.
    pub(crate) fn compile(schema: &Map<String, Value>) -> Result<Self, SpecError> {
        let kind = if schema.contains_key("prefixItems") {
            Kind::Tuple
        } else if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            Kind::Set
        } else {
            Kind::List
        };
        Ok(Self { length: Length::compile(schema, "minItems", "maxItems")?, kind })
    }

    pub(crate) fn is_set(self) -> bool {
        self.kind == Kind::Set
    }

    /// The word for a value that is no array.
    pub(crate) fn type_word(self) -> Word {
        match self.kind {
            Kind::List => Word::ListType,
            Kind::Set => Word::SetType,
            Kind::Tuple => Word::TupleType,
        }
    }

    /// What pydantic calls it in a union's `loc`.
    pub(crate) fn label(self, items: &str) -> String {
        let name = match self.kind {
            Kind::List => "list",
            Kind::Set => "set",
            Kind::Tuple => "tuple",
        };
        format!("{name}[{items}]")
    }

    /// The refusal of more than `maxItems`. The unique items of a set are not counted to their end.
    pub(crate) fn too_long(self, count: usize, input: &Value) -> Option<FieldError> {
        let max = self.length.above(count as u64)?;
        let actual = if self.is_set() { Value::Null } else { count.into() };
        Some(self.refuse(Word::TooLong, "max_length", max, actual, input))
    }

    /// The refusal of more than `max` items, where no keyword counts them.
    pub(crate) fn longer_than(self, max: usize, count: usize, input: &Value) -> FieldError {
        self.refuse(Word::TooLong, "max_length", max as u64, count.into(), input)
    }

    /// The refusal of less than `minItems`.
    pub(crate) fn too_short(self, count: usize, input: &Value) -> Option<FieldError> {
        let min = self.length.below(count as u64)?;
        Some(self.refuse(Word::TooShort, "min_length", min, count.into(), input))
    }

    /// The refusals of the places of a tuple that have to be there and are not.
    pub(crate) fn missing(self, count: usize, places: usize, input: &Value) -> impl Iterator<Item = FieldError> {
        let wanted = (0..places).rev().find(|place| self.length.below(*place as u64).is_some());
        (count..wanted.map_or(0, |last| last + 1))
            .map(move |place| FieldError::of(Word::Missing, input, None).under([Loc::Index(place)]))
    }

    fn refuse(self, word: Word, name: &str, limit: u64, actual: Value, input: &Value) -> FieldError {
        let ctx = [
            ("field_type".to_owned(), format!("{:?}", self.kind).into()),
            (name.to_owned(), limit.into()),
            ("actual_length".to_owned(), actual),
        ];
        FieldError::new(word, Vec::new(), input, ctx.into_iter().collect())
    }
}

/// A list of scalars.
#[derive(Debug)]
pub(crate) struct ListRules {
    pub(crate) size: Size,
    /// The types of the first places.
    pub(crate) places: Vec<Scalar>,
    /// The type of all others.
    pub(crate) items: Scalar,
}

impl ListRules {
    /// Reads every text as an item.
    pub(crate) fn read_texts(&self, texts: &[&str]) -> Read {
        let input = || shown(&Value::from(texts.to_vec()));
        self.read(texts.len(), input, |place| self.item(place).read_text(texts[place]))
    }

    /// Reads a JSON array.
    pub(crate) fn read_json(&self, value: &Value) -> Read {
        let Value::Array(values) = value else {
            return Err(vec![FieldError::of(self.size.type_word(), value, None)]);
        };
        self.read(values.len(), || shown(value), |place| self.item(place).read_json(&values[place], Strictness::Typed))
    }

    fn item(&self, place: usize) -> &Scalar {
        self.places.get(place).unwrap_or(&self.items)
    }

    fn read(&self, count: usize, input: impl Fn() -> Value, item: impl Fn(usize) -> Read) -> Read {
        if let Some(error) = self.size.too_long(count, &Value::Null).filter(|_| !self.size.is_set()) {
            return Err(vec![FieldError { input: input(), ..error }]);
        }
        let (mut args, mut errors, mut seen) = (Vec::with_capacity(count), Vec::new(), HashSet::new());
        for place in 0..count {
            match item(place) {
                Ok(arg) if self.size.is_set() && !seen.insert(format!("{arg:?}")) => {}
                Ok(arg) => args.push(arg),
                Err(refused) => errors.extend(refused.into_iter().map(|error| error.under([Loc::Index(place)]))),
            }
        }
        if let Some(error) = self.size.too_long(args.len(), &Value::Null) {
            return Err(vec![FieldError { input: input(), ..error }]);
        }
        if self.places.is_empty() {
            let too_short = errors.is_empty().then(|| self.size.too_short(args.len(), &Value::Null)).flatten();
            errors.extend(too_short.map(|error| FieldError { input: input(), ..error }));
        } else {
            errors.extend(
                self.size.missing(count, self.places.len(), &Value::Null).map(|e| FieldError { input: input(), ..e }),
            );
        }
        if errors.is_empty() { Ok(Arg::List(args)) } else { Err(errors) }
    }
}
