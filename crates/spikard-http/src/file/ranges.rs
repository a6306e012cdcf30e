//! `Range` in bytes (RFC 9110, section 14). What is malformed, too much or of another unit is read past, as the section
//! allows: the whole is sent.

use http::HeaderValue;

/// More ranges than that, and the whole is sent: each costs a head of its own.
const MOST: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub start: u64,
    /// Behind the last byte.
    pub end: u64,
}

impl Range {
    pub(super) fn length(self) -> u64 {
        self.end - self.start
    }

    pub(super) fn content_range(self, length: u64) -> String {
        format!("bytes {}-{}/{length}", self.start, self.end - 1)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    One(Range),
    Several(Vec<Range>),
    /// None lies within the content.
    Nothing,
}

/// What of a content of this length is asked for.
pub(super) fn wanted(said: &HeaderValue, length: u64) -> Wanted {
    let Some(list) = said.to_str().ok().and_then(in_bytes) else { return Wanted::Everything };
    let mut all = Vec::new();
    for one in list.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        match range(one, length) {
            Some(range) if all.len() < MOST => all.push(range),
            _ => return Wanted::Everything,
        }
    }
    if all.is_empty() {
        return Wanted::Everything;
    }
    let found: Vec<Range> = all.into_iter().flatten().collect();
    let sum: u64 = found.iter().map(|range| range.length()).fold(0, u64::saturating_add);
    match found[..] {
        [] => Wanted::Nothing,
        [one] => Wanted::One(one),
        _ if sum > length => Wanted::Everything, // they overlap
        _ => Wanted::Several(found),
    }
}

/// The list behind the unit, whose letters are of either case.
fn in_bytes(said: &str) -> Option<&str> {
    let (unit, list) = said.trim().split_once('=')?;
    unit.eq_ignore_ascii_case("bytes").then_some(list)
}

/// One range; the inner None lies outside of the content, the outer is malformed.
#[allow(clippy::option_option, reason = "malformed and unsatisfiable are two answers")]
fn range(one: &str, length: u64) -> Option<Option<Range>> {
    let (first, last) = one.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let found = if first.is_empty() {
        let tail = number(last)?.min(length);
        Range { start: length - tail, end: length }
    } else {
        let (start, last) = (number(first)?, if last.is_empty() { u64::MAX } else { number(last)? });
        if last < start {
            return None;
        }
        Range { start, end: last.saturating_add(1).min(length) }
    };
    Some(Some(found).filter(|range| range.start < range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str) -> Wanted {
        wanted(&HeaderValue::from_static(text), 100)
    }

    #[test]
    fn a_range_is_cut_to_the_content() {
        for (text, start, end) in [
            ("bytes=0-0", 0, 1),
            ("bytes=10-", 10, 100),
            ("BYTES=0-1", 0, 2),
            ("Bytes=-1", 99, 100),
            ("bytes=-10", 90, 100),
            ("bytes=-1000", 0, 100),
            ("bytes=99-18446744073709551615999", 99, 100),
            ("bytes=200-300, 5-6", 5, 7),
        ] {
            assert_eq!(of(text), Wanted::One(Range { start, end }), "{text}");
        }
        assert_eq!(
            of("bytes=0-1,-2"),
            Wanted::Several(vec![Range { start: 0, end: 2 }, Range { start: 98, end: 100 }])
        );
    }

    #[test]
    fn what_lies_outside_is_nothing_and_what_is_malformed_is_read_past() {
        assert_eq!([of("bytes=100-"), of("bytes=-0"), of("bytes=100-,200-300")], [(); 3].map(|()| Wanted::Nothing));
        let many =
            ["bytes=5-2", "bytes=a-b", "lines=0-1", "bytes =0-1", "bytes=", "bytes=0-60,40-99", "bytes=0-0,+1-2"];
        for text in many {
            assert_eq!(of(text), Wanted::Everything, "{text}");
        }
        let flood = HeaderValue::try_from(format!("bytes={}", "0-0,".repeat(17))).unwrap();
        assert_eq!(wanted(&flood, 100), Wanted::Everything);
    }
}
