//! `minimum` and its like, for any ordered type; the first limit that fails is the one that is named.

use std::cmp::Ordering;

use serde_json::Value;

use super::scalar::Refusal;
use crate::Word;

/// One limit: its word, its name in `ctx`, how it is shown there, and its value.
#[derive(Debug)]
struct Limit<T> {
    word: Word,
    name: &'static str,
    shown: Value,
    value: T,
}

/// The limits of one scalar.
#[derive(Debug)]
pub(crate) struct Limits<T>(Vec<Limit<T>>);

/// The keywords, in the order in which they are judged.
const KEYWORDS: [(&str, Word, &str); 4] = [
    ("maximum", Word::LessThanEqual, "le"),
    ("exclusiveMaximum", Word::LessThan, "lt"),
    ("minimum", Word::GreaterThanEqual, "ge"),
    ("exclusiveMinimum", Word::GreaterThan, "gt"),
];

impl<T> Default for Limits<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Limits<T> {
    /// Collects the limits that `of` finds for each keyword: how it is shown, and its value.
    pub(crate) fn collect<E>(mut of: impl FnMut(&'static str) -> Result<Option<(Value, T)>, E>) -> Result<Self, E> {
        let mut limits = Vec::new();
        for (keyword, word, name) in KEYWORDS {
            if let Some((shown, value)) = of(keyword)? {
                limits.push(Limit { word, name, shown, value });
            }
        }
        Ok(Self(limits))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Judges a value, given how it stands to a limit.
    pub(crate) fn check(&self, compare: impl Fn(&T) -> Option<Ordering>) -> Result<(), Refusal> {
        for limit in &self.0 {
            let order = compare(&limit.value);
            let holds = match limit.word {
                Word::LessThanEqual => order.is_some_and(Ordering::is_le),
                Word::LessThan => order == Some(Ordering::Less),
                Word::GreaterThanEqual => order.is_some_and(Ordering::is_ge),
                _ => order == Some(Ordering::Greater),
            };
            if !holds {
                return Err(Refusal::about(limit.word, limit.name, limit.shown.clone()));
            }
        }
        Ok(())
    }
}
