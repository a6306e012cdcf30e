//! Decimal numbers of any size, compared and divided without rounding.

use std::cmp::Ordering;

/// `±digits × 10^exponent`, without zeros at either end of the digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exact {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

/// The widest exponent that hosts' decimal types know.
const MAX_EXPONENT: i64 = 999_999_999_999_999_999;

impl Exact {
    /// Reads `[+-]digits[.digits][e[+-]digits]`, where either side of the point may be empty.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, power) = match unsigned.find(['e', 'E']) {
            Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut exponent = power.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent += 1;
        }
        let leading = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..leading);
        Some(if digits.is_empty() {
            Self { negative: false, digits, exponent: 0 }
        } else {
            Self { negative, digits, exponent }
        })
    }

    /// How many digits the number has before and after the point.
    pub(crate) fn places(&self) -> (u64, u64) {
        let digits = self.digits.len() as u64;
        let after = u64::try_from(-self.exponent).unwrap_or(0);
        let total =
            if self.exponent >= 0 { digits.saturating_add(self.exponent.unsigned_abs()) } else { digits.max(after) };
        (total - after, after)
    }

    /// Whether `self` is a whole multiple of `unit`.
    ///
    /// Without zeros at the end of either, the power of ten of `self` cannot be the smaller one.
    pub(crate) fn is_multiple_of(&self, unit: &Self) -> bool {
        let Ok(modulus) = std::str::from_utf8(&unit.digits).unwrap_or_default().parse::<u64>() else {
            return self.digits.is_empty();
        };
        if self.digits.is_empty() || self.exponent < unit.exponent {
            return self.digits.is_empty();
        }
        let modulus = u128::from(modulus);
        let value = self.digits.iter().fold(0, |sum, digit| (sum * 10 + u128::from(digit - b'0')) % modulus);
        (value * power_of_ten((self.exponent - unit.exponent).unsigned_abs(), modulus)).is_multiple_of(modulus)
    }

    fn magnitude(&self) -> i64 {
        self.exponent.saturating_add_unsigned(self.digits.len() as u64)
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.magnitude().cmp(&other.magnitude()).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|power: &i64| power.abs() <= MAX_EXPONENT)
}

fn power_of_ten(mut power: u64, modulus: u128) -> u128 {
    let (mut base, mut result) = (10 % modulus, 1 % modulus);
    while power > 0 {
        if power & 1 == 1 {
            result = result * base % modulus;
        }
        base = base * base % modulus;
        power >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text).unwrap()
    }

    #[test]
    fn numbers_of_any_size_compare_by_value() {
        let ascending =
            ["-1e400", "-12", "-1.5", "0", "1e-400", "0.5", "1", "1.05", "12", "123456789012345678901234567890"];
        for pair in ascending.windows(2) {
            assert!(exact(pair[0]) < exact(pair[1]), "{pair:?}");
        }
        assert_eq!(exact("1.50"), exact("15e-1"));
        assert_eq!(exact("-0"), exact("0.000"));
    }

    #[test]
    fn multiples_are_found_without_rounding() {
        assert!(exact("0.3").is_multiple_of(&exact("0.1")));
        assert!(exact("1e300").is_multiple_of(&exact("25")));
        assert!(exact("0").is_multiple_of(&exact("7")));
        assert!(!exact("0.35").is_multiple_of(&exact("0.1")));
        assert!(!exact("10").is_multiple_of(&exact("3")));
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for text in ["", "-", ".", "1e", "1e+", "1.2.3", "1e99999999999999999999", "0x1", "1 0"] {
            assert_eq!(Exact::parse(text), None, "{text}");
        }
    }
}
