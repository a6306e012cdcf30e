//! The table of error words: pydantic's where it has one, the keyword's own name in snake case where JSON Schema alone
//! knows the rule. Each row holds the message, whose `{places}` are filled from the error's `ctx`.

use std::{borrow::Cow, fmt::Write as _};

use serde::{Serialize, Serializer};
use serde_json::{Map, Number, Value};

use crate::{FieldError, Loc, echo::shown};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $message:literal;)*) => {
        /// The word for a refusal: `type` of an error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Word {
            $($(#[$doc])* $name,)*
        }

        impl Word {
            /// Every word.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// As it is written in a problem document.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its message, with `{places}` for members of `ctx`; `{s}` is the plural of the number before it.
            pub fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

words! {
    /// Required and not sent.
    Missing = "missing", "Field required";
    /// A member that the schema does not name.
    ExtraForbidden = "extra_forbidden", "Extra inputs are not permitted";
    /// Something other than null.
    NoneRequired = "none_required", "Input should be null";

    /// No boolean.
    BoolType = "bool_type", "Input should be a valid boolean";
    /// Text that is no boolean.
    BoolParsing = "bool_parsing", "Input should be a valid boolean, unable to interpret input";
    /// No integer.
    IntType = "int_type", "Input should be a valid integer";
    /// Text that is no integer.
    IntParsing = "int_parsing", "Input should be a valid integer, unable to parse string as an integer";
    /// More than 4,300 digits.
    IntParsingSize = "int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size";
    /// No number.
    FloatType = "float_type", "Input should be a valid number";
    /// Text that is no number.
    FloatParsing = "float_parsing", "Input should be a valid number, unable to parse string as a number";
    /// Infinite, or not a number.
    FiniteNumber = "finite_number", "Input should be a finite number";
    /// Neither text nor a number.
    DecimalType = "decimal_type", "Decimal input should be an integer, float, string or Decimal object";
    /// Text that is no decimal number.
    DecimalParsing = "decimal_parsing", "Input should be a valid decimal";
    /// Too many digits.
    DecimalMaxDigits = "decimal_max_digits", "Decimal input should have no more than {max_digits} digit{s} in total";
    /// Too many digits after the point.
    DecimalMaxPlaces = "decimal_max_places", "Decimal input should have no more than {decimal_places} decimal place{s}";
    /// Too many digits before the point.
    DecimalWholeDigits = "decimal_whole_digits", "Decimal input should have no more than {whole_digits} digit{s} before the decimal point";
    /// `exclusiveMinimum`.
    GreaterThan = "greater_than", "Input should be greater than {gt}";
    /// `minimum`.
    GreaterThanEqual = "greater_than_equal", "Input should be greater than or equal to {ge}";
    /// `exclusiveMaximum`.
    LessThan = "less_than", "Input should be less than {lt}";
    /// `maximum`.
    LessThanEqual = "less_than_equal", "Input should be less than or equal to {le}";
    /// `multipleOf`.
    MultipleOf = "multiple_of", "Input should be a multiple of {multiple_of}";

    /// No text.
    StringType = "string_type", "Input should be a valid string";
    /// `minLength`.
    StringTooShort = "string_too_short", "String should have at least {min_length} character{s}";
    /// `maxLength`.
    StringTooLong = "string_too_long", "String should have at most {max_length} character{s}";
    /// `pattern`.
    StringPatternMismatch = "string_pattern_mismatch", "String should match pattern '{pattern}'";
    /// No text where bytes are wanted.
    BytesType = "bytes_type", "Input should be a valid bytes";
    /// `minLength` of bytes.
    BytesTooShort = "bytes_too_short", "Data should have at least {min_length} byte{s}";
    /// `maxLength` of bytes.
    BytesTooLong = "bytes_too_long", "Data should have at most {max_length} byte{s}";

    /// No text where a UUID is wanted.
    UuidType = "uuid_type", "UUID input should be a string, bytes or UUID object";
    /// Text that is no UUID.
    UuidParsing = "uuid_parsing", "Input should be a valid UUID, {error}";
    /// No text where a date is wanted.
    DateType = "date_type", "Input should be a valid date";
    /// Text that is no date.
    DateParsing = "date_parsing", "Input should be a valid date in the format YYYY-MM-DD, {error}";
    /// Text that is neither a date nor midnight of one.
    DateFromDatetimeParsing = "date_from_datetime_parsing", "Input should be a valid date or datetime, {error}";
    /// A date and time where a date is wanted.
    DateFromDatetimeInexact = "date_from_datetime_inexact", "Datetimes provided to dates should have zero time - e.g. be exact dates";
    /// No text where a date and time is wanted.
    DatetimeType = "datetime_type", "Input should be a valid datetime";
    /// Text that is no date and time.
    DatetimeParsing = "datetime_parsing", "Input should be a valid datetime, {error}";
    /// Text that is neither a date and time nor a date.
    DatetimeFromDateParsing = "datetime_from_date_parsing", "Input should be a valid datetime or date, {error}";
    /// No text where a time is wanted.
    TimeType = "time_type", "Input should be a valid time";
    /// Text that is no time.
    TimeParsing = "time_parsing", "Input should be in a valid time format, {error}";
    /// No text where a duration is wanted.
    TimeDeltaType = "time_delta_type", "Input should be a valid duration";
    /// Text that is no duration.
    TimeDeltaParsing = "time_delta_parsing", "Input should be a valid duration, {error}";
    /// Text that the schema's `format` refuses, where no other word fits it.
    Format = "format", "Input should have the format {format}";

    /// No member of a named enumeration.
    Enum = "enum", "Input should be {expected}";
    /// None of the values that are listed in place.
    LiteralError = "literal_error", "Input should be {expected}";
    /// `const`, as a JSON Schema writes it.
    Const = "const", "Input should be {expected}";

    /// No array.
    ListType = "list_type", "Input should be a valid array";
    /// No array, where its places have types of their own.
    TupleType = "tuple_type", "Input should be a valid array";
    /// No array, where its members are unique.
    SetType = "set_type", "Input should be a valid array";
    /// `minItems`.
    TooShort = "too_short", "{field_type} should have at least {min_length} item{s} after validation, not {actual_length}";
    /// `maxItems`.
    TooLong = "too_long", "{field_type} should have at most {max_length} item{s} after validation, not {actual_length}";
    /// `uniqueItems`.
    UniqueItems = "unique_items", "Items should be unique";
    /// `contains`, and its `minContains` and `maxContains`.
    Contains = "contains", "Array should contain items of the expected kind";
    /// `unevaluatedItems`.
    UnevaluatedItems = "unevaluated_items", "Extra items are not permitted";

    /// No object, where its members are named.
    ModelType = "model_type", "Input should be an object";
    /// No object, where its members are not named.
    DictType = "dict_type", "Input should be an object";
    /// `minProperties`.
    MinProperties = "min_properties", "Object should have at least {min_properties} member{s}";
    /// `maxProperties`.
    MaxProperties = "max_properties", "Object should have at most {max_properties} member{s}";
    /// `propertyNames`.
    PropertyNames = "property_names", "Name of member {name} is not permitted";
    /// `dependentRequired`.
    DependentRequired = "dependent_required", "Field required when {property} is present";
    /// `unevaluatedProperties`.
    UnevaluatedProperties = "unevaluated_properties", "Extra inputs are not permitted";

    /// The member that tells the alternatives apart is not there.
    UnionTagNotFound = "union_tag_not_found", "Unable to extract tag using discriminator {discriminator}";
    /// The member that tells the alternatives apart names none of them.
    UnionTagInvalid = "union_tag_invalid", "Input tag '{tag}' found using {discriminator} does not match any of the expected tags: {expected_tags}";
    /// `oneOf`.
    OneOf = "one_of", "Input should match exactly one of the alternatives";
    /// `not`.
    Not = "not", "Input should not match the excluded schema";
    /// `false`, where nothing is accepted.
    FalseSchema = "false_schema", "No input is permitted here";

    /// The host's decoder refused what the schema accepts.
    ValueError = "value_error", "Value error, {error}";
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl FieldError {
    /// A refusal; the word's message is filled in from `ctx`. A large input is not shown.
    pub fn new(word: Word, loc: Vec<Loc>, input: &Value, ctx: Map<String, Value>) -> Self {
        Self { word: word.as_str().into(), loc, msg: fill(word.message(), &ctx), input: shown(input), ctx }
    }

    /// A refusal of the value itself, with at most one thing to say about it.
    pub(crate) fn of(word: Word, input: &Value, about: Option<(&str, Value)>) -> Self {
        let ctx = about.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self::new(word, Vec::new(), input, ctx)
    }
}

fn fill(message: &'static str, ctx: &Map<String, Value>) -> Cow<'static, str> {
    if !message.contains('{') {
        return message.into();
    }
    let mut filled = String::with_capacity(message.len() + 16);
    let mut plural = true;
    for (index, part) in message.split(['{', '}']).enumerate() {
        match (index % 2, part) {
            (0, text) => filled.push_str(text),
            (_, "s") => filled.push_str(if plural { "s" } else { "" }),
            (_, name) => {
                let value = ctx.get(name);
                plural = value.and_then(Value::as_u64) != Some(1);
                push_value(&mut filled, value);
            }
        }
    }
    filled.into()
}

fn push_value(text: &mut String, value: Option<&Value>) {
    match value {
        Some(Value::String(value)) => text.push_str(value),
        Some(Value::Number(number)) => text.push_str(&number_text(number)),
        // A set is not counted to its end.
        Some(Value::Null) => text.push_str("more"),
        Some(value) => write!(text, "{value}").expect("a string takes everything"),
        None => {}
    }
}

/// A number without the `.0` of a whole one.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// The values that would be accepted, as people list them: `'a', 'b' or 3`.
pub(crate) fn listed(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(quoted).collect();
    match texts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => texts.concat(),
    }
}

/// A value as messages show it: text in single quotes, anything else as JSON writes it.
pub(crate) fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('\'') => format!("\"{text}\""),
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_word_is_the_snake_case_of_its_name() {
        for word in Word::ALL {
            let name = format!("{word:?}");
            let mut snake = String::new();
            for (index, letter) in name.chars().enumerate() {
                if letter.is_uppercase() && index > 0 {
                    snake.push('_');
                }
                snake.extend(letter.to_lowercase());
            }
            assert_eq!(word.as_str(), snake);
        }
    }

    #[test]
    fn messages_count_in_singular_and_plural() {
        let one = FieldError::of(Word::StringTooShort, &json!(""), Some(("min_length", json!(1))));
        let two = FieldError::of(Word::StringTooShort, &json!(""), Some(("min_length", json!(2))));
        assert_eq!(one.msg, "String should have at least 1 character");
        assert_eq!(two.msg, "String should have at least 2 characters");
    }

    #[test]
    fn values_are_listed_with_an_or_before_the_last() {
        assert_eq!(listed(&[json!("a"), json!(1.5), json!(null)]), "'a', 1.5 or null");
        assert_eq!(listed(&[json!("it's")]), "\"it's\"");
    }
}
