//! Patterns that a backtracking engine, as most languages have one, would run for longer than their text is long. The
//! core's own engine runs every pattern in linear time; a host's decoder may run the same pattern once more.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Whether one text may be read in exponentially many ways: by a repeat whose rounds have no sure end. False of what is
/// no regular expression at all, of which the schema tells.
pub fn backtracks(pattern: &str) -> bool {
    regex_syntax::parse(pattern).is_ok_and(|tree| is_slow(&tree))
}

fn is_slow(tree: &Hir) -> bool {
    match tree.kind() {
        HirKind::Repetition(repeat) => {
            let is_repeated = repeat.max.is_none_or(|most| most > 1);
            is_repeated && !is_sure(&pieces(&repeat.sub)) || is_slow(&repeat.sub)
        }
        HirKind::Capture(group) => is_slow(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(is_slow),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// A part of one round of a repeat.
enum Piece<'a> {
    /// Exactly this character.
    Mark(char),
    /// Exactly one of some characters.
    OneOf(&'a Class),
    /// Another repeat, of this.
    Repeat(&'a Hir),
    Choice(&'a [Hir]),
    Other,
}

/// The pieces of one round: what groups and repeats of one length hold stands for them.
fn pieces(tree: &Hir) -> Vec<Piece<'_>> {
    match tree.kind() {
        HirKind::Literal(text) => String::from_utf8_lossy(&text.0).chars().map(Piece::Mark).collect(),
        HirKind::Class(class) => vec![Piece::OneOf(class)],
        HirKind::Capture(group) => pieces(&group.sub),
        HirKind::Repetition(repeat) if repeat.max == Some(repeat.min) => pieces(&repeat.sub),
        HirKind::Repetition(repeat) => vec![Piece::Repeat(&repeat.sub)],
        HirKind::Concat(parts) => parts.iter().flat_map(pieces).collect(),
        HirKind::Alternation(parts) => vec![Piece::Choice(parts)],
        HirKind::Empty | HirKind::Look(_) => vec![Piece::Other],
    }
}

/// Whether there is one way to read a round: it has one length, begins or ends with a mark, or is a choice of words.
fn is_sure(round: &[Piece<'_>]) -> bool {
    if let [Piece::Choice(words)] = round {
        return is_choice_of_words(words);
    }
    round.iter().all(is_one) || is_delimited(round.iter()) || is_delimited(round.iter().rev())
}

/// Whether a piece reads exactly one character.
fn is_one(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Mark(_) | Piece::OneOf(_))
}

/// Whether the first piece is a mark that no other can be, and at most one of the others repeats.
fn is_delimited<'a>(mut round: impl Iterator<Item = &'a Piece<'a>>) -> bool {
    let Some(Piece::Mark(mark)) = round.next() else { return false };
    let mut repeats = 0;
    let is_told_apart = |piece: &Piece<'_>| match piece {
        Piece::Repeat(tree) => {
            repeats += 1;
            matches!(&pieces(tree)[..], [only] if is_one(only) && !accepts(only, *mark))
        }
        piece => is_one(piece) && !accepts(piece, *mark),
    };
    !mark.is_alphanumeric() && round.all(is_told_apart) && repeats <= 1
}

fn accepts(piece: &Piece<'_>, mark: char) -> bool {
    match piece {
        Piece::Mark(other) => *other == mark,
        Piece::OneOf(Class::Unicode(class)) => class.iter().any(|range| (range.start()..=range.end()).contains(&mark)),
        Piece::OneOf(Class::Bytes(class)) => {
            u8::try_from(mark).is_ok_and(|mark| class.iter().any(|range| (range.start()..=range.end()).contains(&mark)))
        }
        Piece::Repeat(_) | Piece::Choice(_) | Piece::Other => true,
    }
}

/// Whether all alternatives are of one length each and begin with letters of their own.
fn is_choice_of_words(words: &[Hir]) -> bool {
    let first = |word: &Hir| match &pieces(word)[..] {
        word @ [Piece::Mark(first), ..] if word.iter().all(is_one) => first.to_lowercase().next(),
        _ => None,
    };
    let firsts: Option<Vec<_>> = words.iter().map(first).collect();
    firsts.is_some_and(|mut firsts| {
        firsts.sort_unstable();
        firsts.windows(2).all(|two| two[0] != two[1])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_repeats_backtrack() {
        for pattern in [r"^(a+)+$", r"(a*)*", r"^(a|aa)*$", r"(aa?)+", r"(\w+\s?)*", r"(.*a){12}", r"(,a+a+)*"] {
            assert!(backtracks(pattern), "{pattern}");
        }
        for pattern in [r"(?i:(a|A)b|ab)+c", r"(\b\w*)+", r"((a|b)+,?)*", r"(x+x+)+y", r"(foo|foobar)*"] {
            assert!(backtracks(pattern), "{pattern}");
        }
    }

    #[test]
    fn repeats_whose_rounds_have_a_sure_end_do_not() {
        for pattern in [r"^[a-z]+(-[a-z]+)*$", r"^(\w+\.)+\w+$", r"^(\d{1,3}\.){3}\d+$", r"(foo|bar)+", r"(\w{2})+"] {
            assert!(!backtracks(pattern), "{pattern}");
        }
        for pattern in [r"(a|b)*", r"^a+b+$", r"(", r"([^,]*,)+", r"(?:-é\d*)+", r"((ab){3})+"] {
            assert!(!backtracks(pattern), "{pattern}");
        }
    }
}
