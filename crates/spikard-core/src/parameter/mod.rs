//! Reads the text of a parameter as its schema says: leniently, in pydantic's manner and words. The scalars that are
//! defined here are those of bodies too, where JSON is read strictly.

mod choices;
mod compile;
mod exact;
mod label;
mod limits;
mod list;
mod number;
mod scalar;
mod temporal;
mod text;

use serde_json::{Map, Value};

use crate::{Arg, FieldError, SpecError, Word};

use compile::Found;
pub(crate) use compile::{Context, one_for_each_type};
pub(crate) use label::{label, under};
use list::ListRules;
pub(crate) use list::Size;
pub(crate) use scalar::{Scalar, Strictness};
pub(crate) use text::Matcher;

/// A compiled reader of one parameter.
///
/// An enumeration that the schema names (`{"$ref": "#/schemas/Color"}` or `#/$defs/Color`) is refused with the word
/// `enum` and reads numbers from text; one that is listed in place is a literal, matched as it stands, and refused
/// with `literal_error`.
#[derive(Debug)]
pub struct Reader {
    shape: Shape,
    choices: Vec<Value>,
}

#[derive(Debug)]
enum Shape {
    One(Scalar),
    List { rules: ListRules, nullable: bool },
}

impl Reader {
    /// Compiles a scalar's schema, or a list of scalars'.
    pub fn compile(schema: &Value) -> Result<Self, SpecError> {
        Self::compile_in(schema, &Map::new())
    }

    /// Compiles a schema whose references may also name `named` schemas.
    pub fn compile_in(schema: &Value, named: &Map<String, Value>) -> Result<Self, SpecError> {
        let mut context = Context::new(schema, named);
        let shape = match context.parameter(schema)? {
            Found::Scalar(scalar) => Shape::One(scalar),
            Found::List(rules, nullable) => Shape::List { rules, nullable },
        };
        Ok(Self { shape, choices: context.into_choices() })
    }

    /// Whether repeated texts make one list.
    pub fn is_list(&self) -> bool {
        matches!(self.shape, Shape::List { .. })
    }

    /// What [`Arg::Choice`] is an index into: the members of the schema's `enum`; of several, one after another.
    pub fn choices(&self) -> &[Value] {
        &self.choices
    }

    /// Puts the members themselves in the place of choices.
    pub fn plain(&self, arg: Arg) -> Arg {
        match arg {
            Arg::Choice(place) => self.choices.get(place as usize).cloned().map_or(Arg::Absent, Arg::from),
            Arg::List(args) => Arg::List(args.into_iter().map(|arg| self.plain(arg)).collect()),
            other => other,
        }
    }

    /// Reads text, leniently. Of several texts for one value the last one counts.
    pub fn read_texts(&self, texts: &[&str]) -> Result<Arg, Vec<FieldError>> {
        match (&self.shape, texts.last()) {
            (Shape::List { rules, .. }, _) => rules.read_texts(texts),
            (Shape::One(scalar), Some(text)) => scalar.read_text(text),
            (Shape::One(_), None) => Err(vec![FieldError::of(Word::Missing, &Value::Null, None)]),
        }
    }

    /// Reads a JSON value, strictly.
    pub fn read_json(&self, value: &Value) -> Result<Arg, Vec<FieldError>> {
        match &self.shape {
            Shape::List { nullable: true, .. } if value.is_null() => Ok(Arg::Null),
            Shape::List { rules, .. } => rules.read_json(value),
            Shape::One(scalar) => scalar.read_json(value, Strictness::Typed),
        }
    }
}
