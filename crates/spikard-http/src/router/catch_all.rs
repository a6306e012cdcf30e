//! Routes that end in a `{name:path}`: it takes the rest of the path, slashes and nothing at all included.

use spikard_core::{Converter, Part, Template};

use super::{RawValues, literal};

pub(super) struct CatchAll<T> {
    /// What stands before the rest; it ends with a slash.
    prefix: Vec<Piece>,
    shape: String,
    target: T,
}

enum Piece {
    Literal(String),
    Segment,
}

impl<T> CatchAll<T> {
    /// Keeps the longest prefix first, literal text before a parameter. Fails if the shape is there already.
    pub(super) fn insert(all: &mut Vec<Self>, template: &Template, target: T) -> Result<(), ()> {
        let piece = |part: &Part| match part {
            Part::Literal(text) => Some(Piece::Literal(literal(text))),
            Part::Parameter { converter: Converter::Path, .. } => None,
            Part::Parameter { .. } => Some(Piece::Segment),
        };
        let new = Self { prefix: template.parts.iter().filter_map(piece).collect(), shape: template.shape(), target };
        if all.iter().any(|known| known.shape == new.shape) {
            return Err(());
        }
        all.push(new);
        all.sort_by_key(|one| std::cmp::Reverse(one.rank()));
        Ok(())
    }

    /// Segments of the prefix, then how much of it is literal.
    fn rank(&self) -> (usize, usize) {
        let length = |piece: &Piece| match piece {
            Piece::Literal(text) => (text.matches('/').count(), text.len()),
            Piece::Segment => (0, 0),
        };
        self.prefix.iter().map(length).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    pub(super) fn at<'p>(&self, path: &'p str) -> Option<(&T, RawValues<'p>)> {
        let mut values = RawValues::new();
        let mut rest = path;
        for piece in &self.prefix {
            match piece {
                Piece::Literal(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Segment => {
                    let end = rest.find('/').filter(|end| *end > 0)?;
                    values.push(&rest[..end]);
                    rest = &rest[end..];
                }
            }
        }
        values.push(rest);
        Some((&self.target, values))
    }
}
