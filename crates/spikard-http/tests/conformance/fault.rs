//! Why a case is not told as it expects.

use std::fmt;

/// One sentence for people, that says where and what.
#[derive(Debug, PartialEq)]
pub struct Fault(String);

impl Fault {
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// Says where it was met.
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Any error of a library, in its own words.
impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
