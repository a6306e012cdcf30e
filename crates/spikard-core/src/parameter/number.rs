//! Integers, floats and decimals: read from text and from JSON, and held against their limits.

use std::borrow::Cow;

use serde_json::{Map, Number, Value, json};

use super::{
    exact::Exact,
    limits::Limits,
    scalar::{Refusal, Strictness},
    text::whole,
};
use crate::{Arg, SpecError, Word};

/// Hosts convert longer texts in quadratic time, or not at all.
const MAX_INT_DIGITS: usize = 4300;

/// An integer on its way to an [`Arg`].
#[derive(Debug)]
pub(crate) enum Int {
    Small(i64),
    Big(String),
}

/// Reads what people write for an integer: blanks around it, a sign, leading zeros, single underscores, `.0`.
pub(crate) fn int_from_text(text: &str) -> Result<Int, Refusal> {
    if let Ok(int) = text.parse() {
        return Ok(Int::Small(int));
    }
    let fault = || Refusal::new(Word::IntParsing);
    let trimmed = text.trim();
    let (minus, unsigned) = match trimmed.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let whole = match unsigned.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return Err(fault()),
        None => unsigned,
    };
    let digits = without_underscores(whole).ok_or_else(fault)?;
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(fault());
    }
    if digits.len() > MAX_INT_DIGITS {
        return Err(Refusal::new(Word::IntParsingSize));
    }
    let significant = digits.trim_start_matches('0');
    let canonical = if significant.is_empty() { "0".to_owned() } else { format!("{minus}{significant}") };
    Ok(canonical.parse().map_or_else(|_| Int::Big(canonical), Int::Small))
}

/// Reads a finite float.
pub(crate) fn float_from_text(text: &str) -> Result<f64, Refusal> {
    let trimmed = text.trim();
    let float = match trimmed.parse::<f64>() {
        Ok(float) => Some(float),
        Err(_) => without_underscores(trimmed).and_then(|digits| digits.parse().ok()),
    };
    match float {
        Some(float) if float.is_finite() => Ok(float),
        Some(_) => Err(Refusal::new(Word::FiniteNumber)),
        None => Err(Refusal::new(Word::FloatParsing)),
    }
}

/// Reads a finite decimal number, and keeps it as it was written.
pub(crate) fn decimal_from_text(text: &str) -> Result<(String, Exact), Refusal> {
    let written = text.trim().replace('_', "");
    if let Some(exact) = Exact::parse(&written) {
        let unsigned = written.strip_prefix('+').map(str::to_owned);
        return Ok((unsigned.unwrap_or(written), exact));
    }
    let name = written.trim_start_matches(['+', '-']).to_ascii_lowercase();
    let is_nan = name.strip_prefix('s').unwrap_or(&name).strip_prefix("nan");
    let infinite = matches!(name.as_str(), "inf" | "infinity");
    if infinite || is_nan.is_some_and(|payload| payload.bytes().all(|digit| digit.is_ascii_digit())) {
        return Err(Refusal::new(Word::FiniteNumber));
    }
    Err(Refusal::new(Word::DecimalParsing))
}

/// Single underscores between other characters are left out; others make it no number.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    Some(Cow::Owned(text.replace('_', "")))
}

/// A JSON number as an integer of any size.
pub(crate) fn int_from_json(number: &Number, strictness: Strictness) -> Result<Int, Refusal> {
    if let Some(int) = number.as_i64() {
        return Ok(Int::Small(int));
    }
    if !number.is_f64() {
        return Ok(Int::Big(number.to_string()));
    }
    let float = number.as_f64().unwrap_or(f64::NAN);
    if float.fract() != 0.0 || strictness == Strictness::Typed {
        return Err(Refusal::new(Word::IntType));
    }
    let canonical = format!("{float:.0}");
    Ok(canonical.parse().map_or_else(|_| Int::Big(canonical), Int::Small))
}

/// A limit in the forms in which it is compared.
#[derive(Debug)]
struct Bound {
    int: Option<i64>,
    float: f64,
    exact: Exact,
}

impl Bound {
    fn of(keyword: &str, value: &Value) -> Result<Self, SpecError> {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let exact = Exact::parse(&text);
        let exact = exact.ok_or_else(|| SpecError::new(format!("`{keyword}` is no number: {value}")))?;
        Ok(Self { int: text.parse().ok(), float: text.parse().unwrap_or(f64::NAN), exact })
    }
}

/// Which numbers the limits are shown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Int,
    Float,
    Decimal,
}

impl Shown {
    fn value(self, bound: &Bound, written: &Value) -> Value {
        match self {
            Self::Float => json!(bound.float),
            Self::Decimal if written.is_number() => json!(written.to_string()),
            Self::Int if bound.float.fract() == 0.0 && bound.float.abs() < 1e15 => json!(bound.float as i64),
            _ => written.clone(),
        }
    }
}

/// The constraints of an integer or a float.
#[derive(Debug, Default)]
pub(crate) struct NumberRules {
    unit: Option<(Value, Bound)>,
    limits: Limits<Bound>,
}

impl NumberRules {
    /// Reads `multipleOf`, `minimum` and the like.
    pub(crate) fn compile(schema: &Map<String, Value>, shown: Shown) -> Result<Self, SpecError> {
        let of = |keyword: &str| {
            let Some(written) = schema.get(keyword) else { return Ok(None) };
            let bound = Bound::of(keyword, written)?;
            Ok::<_, SpecError>(Some((shown.value(&bound, written), bound)))
        };
        Ok(Self { unit: of("multipleOf")?, limits: Limits::collect(of)? })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.unit.is_none() && self.limits.is_empty()
    }

    pub(crate) fn check_int(&self, int: Int) -> Result<Arg, Refusal> {
        match &int {
            Int::Small(small) => self.check_with(
                |unit| match unit.int {
                    Some(unit) if unit != 0 => small.checked_rem(unit).unwrap_or(0) == 0,
                    _ => is_multiple(&small.to_string(), unit),
                },
                |bound| match bound.int {
                    Some(bound) => Some(small.cmp(&bound)),
                    None => Some(Exact::parse(&small.to_string())?.cmp(&bound.exact)),
                },
            )?,
            Int::Big(digits) => self
                .check_with(|unit| is_multiple(digits, unit), |bound| Some(Exact::parse(digits)?.cmp(&bound.exact)))?,
        }
        Ok(match int {
            Int::Small(small) => Arg::Int(small),
            Int::Big(digits) => Arg::BigInt(digits),
        })
    }

    pub(crate) fn check_float(&self, float: f64) -> Result<Arg, Refusal> {
        // A float is a multiple where it is one within a billionth of itself, as 0.3 is of 0.1.
        let near = |unit: &Bound| {
            let (rest, threshold) = ((float % unit.float).abs(), float.abs() / 1e9);
            rest <= threshold || (rest - unit.float).abs() <= threshold
        };
        self.check_with(near, |bound| float.partial_cmp(&bound.float))?;
        Ok(Arg::Float(float))
    }

    pub(crate) fn check_json(&self, number: &Number) -> Result<Arg, Refusal> {
        match number.as_f64() {
            Some(float) if float.is_finite() => self.check_float(float),
            _ => Err(Refusal::new(Word::FiniteNumber)),
        }
    }

    fn check_with(
        &self,
        is_multiple: impl Fn(&Bound) -> bool,
        compare: impl Fn(&Bound) -> Option<std::cmp::Ordering>,
    ) -> Result<(), Refusal> {
        match &self.unit {
            Some((shown, unit)) if !is_multiple(unit) => {
                Err(Refusal::about(Word::MultipleOf, "multiple_of", shown.clone()))
            }
            _ => self.limits.check(compare),
        }
    }
}

fn is_multiple(digits: &str, unit: &Bound) -> bool {
    Exact::parse(digits).is_some_and(|exact| exact.is_multiple_of(&unit.exact))
}

/// The constraints of a decimal.
#[derive(Debug)]
pub(crate) struct DecimalRules {
    max_digits: Option<u64>,
    max_places: Option<u64>,
    number: NumberRules,
}

impl DecimalRules {
    /// Reads `maxDigits` and `decimalPlaces`, and the limits of every number.
    pub(crate) fn compile(schema: &Map<String, Value>) -> Result<Self, SpecError> {
        Ok(Self {
            max_digits: whole(schema, "maxDigits")?,
            max_places: whole(schema, "decimalPlaces")?,
            number: NumberRules::compile(schema, Shown::Decimal)?,
        })
    }

    pub(crate) fn check(&self, (written, exact): (String, Exact)) -> Result<Arg, Refusal> {
        let (whole, places) = exact.places();
        if let Some(max) = self.max_digits.filter(|max| whole + places > *max) {
            return Err(Refusal::about(Word::DecimalMaxDigits, "max_digits", max));
        }
        if let Some(max) = self.max_places.filter(|max| places > *max) {
            return Err(Refusal::about(Word::DecimalMaxPlaces, "decimal_places", max));
        }
        if let (Some(digits), Some(places)) = (self.max_digits, self.max_places) {
            let max = digits.saturating_sub(places);
            if whole > max {
                return Err(Refusal::about(Word::DecimalWholeDigits, "whole_digits", max));
            }
        }
        self.number.check_with(|unit| exact.is_multiple_of(&unit.exact), |bound| Some(exact.cmp(&bound.exact)))?;
        Ok(Arg::Decimal(written))
    }
}
