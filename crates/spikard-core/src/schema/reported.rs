//! The words for refusals of JSON Schema's own validator: for the keywords that pydantic does not know, and for
//! whatever else it refuses.

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
    paths::LocationSegment,
};
use serde_json::{Value, json};

use crate::{FieldError, Loc, Word, words::listed};

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
        LocationSegment::Property(name) => Loc::from(name.into_owned()),
        LocationSegment::Index(index) => Loc::Index(index),
    }
}

fn of_kind(kind: &Kind, input: &Value) -> Vec<FieldError> {
    let one = |word: Word, about: Option<(&str, Value)>| vec![FieldError::of(word, input.clone(), about)];
    let each = |word: Word, names: &[String]| {
        names.iter().map(|name| member(word, name, input.get(name.as_str()).unwrap_or(&Value::Null))).collect()
    };
    let count = |word: Word, name: &str, limit: u64| vec![sized(word, name, limit, input)];
    match kind {
        Kind::AdditionalProperties { unexpected } => each(Word::ExtraForbidden, unexpected),
        Kind::UnevaluatedProperties { unexpected } => each(Word::UnevaluatedProperties, unexpected),
        Kind::UnevaluatedItems { .. } => one(Word::UnevaluatedItems, None),
        Kind::AdditionalItems { limit } => count(Word::TooLong, "max_length", *limit as u64),
        Kind::MaxItems { limit } => count(Word::TooLong, "max_length", *limit),
        Kind::MinItems { limit } => count(Word::TooShort, "min_length", *limit),
        Kind::UniqueItems => one(Word::UniqueItems, None),
        Kind::Contains => one(Word::Contains, None),
        Kind::MaxProperties { limit } => one(Word::MaxProperties, Some(("max_properties", json!(limit)))),
        Kind::MinProperties { limit } => one(Word::MinProperties, Some(("min_properties", json!(limit)))),
        Kind::PropertyNames { error } => one(Word::PropertyNames, Some(("name", error.instance().as_ref().clone()))),
        Kind::Required { property } => {
            vec![member(Word::Missing, property.as_str().unwrap_or_default(), input)]
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } if context.len() == 1 => {
            context[0].iter().flat_map(|error| of_kind(error.kind(), error.instance())).collect()
        }
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => one(Word::OneOf, None),
        Kind::Not { .. } => one(Word::Not, None),
        Kind::FalseSchema => one(Word::FalseSchema, None),
        Kind::Constant { expected_value } => {
            one(Word::Const, Some(("expected", listed(std::slice::from_ref(expected_value.as_ref())).into())))
        }
        Kind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            one(Word::LiteralError, Some(("expected", listed(options).into())))
        }
        Kind::Maximum { limit } => one(Word::LessThanEqual, Some(("le", limit.clone()))),
        Kind::Minimum { limit } => one(Word::GreaterThanEqual, Some(("ge", limit.clone()))),
        Kind::ExclusiveMaximum { limit } => one(Word::LessThan, Some(("lt", limit.clone()))),
        Kind::ExclusiveMinimum { limit } => one(Word::GreaterThan, Some(("gt", limit.clone()))),
        Kind::MultipleOf { multiple_of } => one(Word::MultipleOf, Some(("multiple_of", json!(multiple_of)))),
        Kind::MaxLength { limit } => one(Word::StringTooLong, Some(("max_length", json!(limit)))),
        Kind::MinLength { limit } => one(Word::StringTooShort, Some(("min_length", json!(limit)))),
        Kind::Pattern { pattern } => one(Word::StringPatternMismatch, Some(("pattern", json!(pattern)))),
        Kind::Format { format } => one(Word::Format, Some(("format", json!(format)))),
        Kind::Type { kind } => one(type_word(kind), None),
        other => one(Word::ValueError, Some(("error", json!(format!("{} is not satisfied", other.keyword()))))),
    }
}

fn member(word: Word, name: &str, input: &Value) -> FieldError {
    FieldError::of(word, input.clone(), None).under([Loc::from(name.to_owned())])
}

fn sized(word: Word, name: &str, limit: u64, input: &Value) -> FieldError {
    let actual = input.as_array().map_or(0, Vec::len);
    let ctx = [
        ("field_type".to_owned(), json!("List")),
        (name.to_owned(), json!(limit)),
        ("actual_length".to_owned(), json!(actual)),
    ];
    FieldError::new(word, Vec::new(), input.clone(), ctx.into_iter().collect())
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
