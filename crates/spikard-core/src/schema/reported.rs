//! The words for refusals of JSON Schema's own validator: for the keywords that pydantic does not know, and for
//! whatever else it refuses.

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
    paths::LocationSegment,
};
use serde_json::{Value, json};

use crate::{FieldError, Loc, Word, echo, words::listed};

/// The errors of one report; several where one keyword refuses several members.
pub(super) fn worded(error: &ValidationError<'_>) -> Vec<FieldError> {
    let loc: Vec<Loc> = error.instance_path().iter().map(step).collect();
    let found = of_kind(error.kind(), error.instance());
    found.into_iter().map(|error| error.under(loc.clone())).collect()
}

/// Whether a report comes from a keyword that the nodes do not know, so that only the validator judges it.
pub(super) fn is_foreign(error: &ValidationError<'_>, as_written: bool) -> bool {
    match error.kind() {
        Kind::Not { .. }
        | Kind::Contains
        | Kind::MinProperties { .. }
        | Kind::MaxProperties { .. }
        | Kind::PropertyNames { .. }
        | Kind::UnevaluatedItems { .. }
        | Kind::UnevaluatedProperties { .. }
        | Kind::FalseSchema => true,
        Kind::UniqueItems => as_written,
        _ => error.schema_path().as_str().split('/').any(|step| CONDITIONS.contains(&step)),
    }
}

/// Keywords whose subschemas the nodes do not enter.
const CONDITIONS: [&str; 3] = ["dependentSchemas", "else", "then"];

/// Adds errors of values that have none yet, at them, around them or inside them.
pub(super) fn join(errors: &mut Vec<FieldError>, more: impl Iterator<Item = FieldError>) {
    for error in more {
        let related = |known: &FieldError| known.loc.starts_with(&error.loc) || error.loc.starts_with(&known.loc);
        if !errors.iter().any(related) {
            errors.push(error);
        }
    }
}

/// A name that looks like a number is one step of an array only where the instance is one, which reports tell apart.
fn step(segment: LocationSegment<'_>) -> Loc {
    match segment {
        LocationSegment::Property(name) => Loc::named(&name),
        LocationSegment::Index(index) => Loc::Index(index),
    }
}

fn of_kind(kind: &Kind, input: &Value) -> Vec<FieldError> {
    let each = |word: Word, names: &[String]| {
        names.iter().map(|name| member(word, name, input.get(name.as_str()).unwrap_or(&Value::Null))).collect()
    };
    match kind {
        Kind::AdditionalProperties { unexpected } => each(Word::ExtraForbidden, unexpected),
        Kind::UnevaluatedProperties { unexpected } => each(Word::UnevaluatedProperties, unexpected),
        Kind::Required { property } => vec![member(Word::Missing, property.as_str().unwrap_or_default(), input)],
        Kind::AdditionalItems { limit } => vec![sized(Word::TooLong, "max_length", *limit as u64, input)],
        Kind::MaxItems { limit } => vec![sized(Word::TooLong, "max_length", *limit, input)],
        Kind::MinItems { limit } => vec![sized(Word::TooShort, "min_length", *limit, input)],
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } if context.len() == 1 => {
            context[0].iter().flat_map(|error| of_kind(error.kind(), error.instance())).collect()
        }
        other => {
            let (word, about) = of_value(other);
            vec![FieldError::of(word, input, about)]
        }
    }
}

/// The word for the value itself, and what there is to say about it.
fn of_value(kind: &Kind) -> (Word, Option<(&'static str, Value)>) {
    let about = |word, name, value: Value| (word, Some((name, value)));
    match kind {
        Kind::UnevaluatedItems { .. } => (Word::UnevaluatedItems, None),
        Kind::UniqueItems => (Word::UniqueItems, None),
        Kind::Contains => (Word::Contains, None),
        Kind::Not { .. } => (Word::Not, None),
        Kind::FalseSchema => (Word::FalseSchema, None),
        Kind::Type { kind } => (type_word(kind), None),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => (Word::OneOf, None),
        Kind::MaxProperties { limit } => about(Word::MaxProperties, "max_properties", json!(limit)),
        Kind::MinProperties { limit } => about(Word::MinProperties, "min_properties", json!(limit)),
        Kind::PropertyNames { error } => about(Word::PropertyNames, "name", echo::shown(error.instance().as_ref())),
        Kind::Constant { expected_value } => {
            about(Word::Const, "expected", listed(std::slice::from_ref(expected_value.as_ref())).into())
        }
        Kind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            about(Word::LiteralError, "expected", listed(options).into())
        }
        Kind::Maximum { limit } => about(Word::LessThanEqual, "le", limit.clone()),
        Kind::Minimum { limit } => about(Word::GreaterThanEqual, "ge", limit.clone()),
        Kind::ExclusiveMaximum { limit } => about(Word::LessThan, "lt", limit.clone()),
        Kind::ExclusiveMinimum { limit } => about(Word::GreaterThan, "gt", limit.clone()),
        Kind::MultipleOf { multiple_of } => about(Word::MultipleOf, "multiple_of", json!(multiple_of)),
        Kind::MaxLength { limit } => about(Word::StringTooLong, "max_length", json!(limit)),
        Kind::MinLength { limit } => about(Word::StringTooShort, "min_length", json!(limit)),
        Kind::Pattern { pattern } => about(Word::StringPatternMismatch, "pattern", json!(pattern)),
        Kind::Format { format } => about(Word::Format, "format", json!(format)),
        other => about(Word::ValueError, "error", json!(format!("`{}` is not satisfied", other.keyword()))),
    }
}

fn member(word: Word, name: &str, input: &Value) -> FieldError {
    FieldError::of(word, input, None).under([Loc::named(name)])
}

fn sized(word: Word, name: &str, limit: u64, input: &Value) -> FieldError {
    let actual = input.as_array().map_or(0, Vec::len);
    let ctx = [
        ("field_type".to_owned(), json!("List")),
        (name.to_owned(), json!(limit)),
        ("actual_length".to_owned(), json!(actual)),
    ];
    FieldError::new(word, Vec::new(), input, ctx.into_iter().collect())
}

fn type_word(kind: &TypeKind) -> Word {
    let first = match kind {
        TypeKind::Single(kind) => Some(*kind),
        TypeKind::Multiple(kinds) => kinds.iter().find(|kind| *kind != JsonType::Null),
    };
    match first {
        Some(JsonType::Array) => Word::ListType,
        Some(JsonType::Boolean) => Word::BoolType,
        Some(JsonType::Integer) => Word::IntType,
        Some(JsonType::Number) => Word::FloatType,
        Some(JsonType::Object) => Word::DictType,
        Some(JsonType::String) => Word::StringType,
        Some(JsonType::Null) | None => Word::NoneRequired,
    }
}
