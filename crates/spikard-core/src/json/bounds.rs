//! What a strict reader lets through and `check` does not, looked for sixteen bytes at a time: where nothing of it is in
//! a text, its grammar may be left to the reader, and the text is not gone through twice.

use wide::u8x16;

const BLOCK: usize = 64;

/// Whether `check` accepts this text if it is JSON to the letter: then a reader that refuses everything else has only to
/// read it. No is never wrong, but may be said of a text that `check` accepts.
///
/// A yes says that it is UTF-8 and not nested too deeply, has no number that could be out of range and no escape that
/// could be a lone surrogate.
pub fn is_bounded(text: &[u8], max_depth: usize) -> bool {
    let mut survey = Survey { text, max_depth, depth: 0, in_string: 0, escaped: 0, high: u8x16::splat(0) };
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let mut last = [b' '; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    let mut places = (0..).step_by(BLOCK);
    blocks.iter().chain([&last]).zip(&mut places).all(|(block, at)| survey.holds_in(block, at))
        && (survey.is_ascii() || std::str::from_utf8(text).is_ok())
}

/// What is known of the text up to a block of it. Every mask has a bit for each byte of the block, the lowest for the
/// first.
struct Survey<'a> {
    text: &'a [u8],
    max_depth: usize,
    depth: usize,
    /// All bits set: the block before ended within a string.
    in_string: u64,
    /// 1: the first byte is escaped by the block before.
    escaped: u64,
    /// The highest bits that any byte has.
    high: u8x16,
}

/// Where in a block these bytes stand.
#[derive(Default)]
struct Masks {
    quote: u64,
    backslash: u64,
    open: u64,
    close: u64,
    /// `e` or `E`.
    exponent: u64,
    /// Every byte is a digit.
    digits: bool,
}

impl Masks {
    #[inline]
    fn of(block: &[u8; BLOCK], high: &mut u8x16) -> Self {
        /// With it `[` and `E` are `{` and `e`, and no other byte is.
        const LOWER: u8 = 0x20;
        let (mut masks, mut digits) = (Self::default(), u8x16::splat(0xFF));
        for (part, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
            let bytes = u8x16::new(*bytes);
            let (lower, number) = (bytes | u8x16::splat(LOWER), bytes - u8x16::splat(b'0'));
            let bits = |found: u8x16| u64::from(found.move_mask().cast_unsigned()) << (16 * part);
            let are = |bytes: u8x16, byte: u8| bits(bytes.cmp_eq(u8x16::splat(byte)));
            masks.quote |= are(bytes, b'"');
            masks.backslash |= are(bytes, b'\\');
            masks.open |= are(lower, b'{');
            masks.close |= are(lower, b'}');
            masks.exponent |= are(lower, b'e');
            digits &= number.min(u8x16::splat(9)).cmp_eq(number);
            *high |= bytes;
        }
        masks.digits = digits.move_mask() == 0xFFFF;
        masks
    }
}

impl Survey<'_> {
    #[inline]
    fn holds_in(&mut self, block: &[u8; BLOCK], at: usize) -> bool {
        let masks = Masks::of(block, &mut self.high);
        let mut quote = masks.quote;
        if masks.backslash | self.escaped != 0 {
            let escaped = self.escaped_by(masks.backslash);
            if self.may_be_surrogates(masks.backslash & !escaped, at) {
                return false;
            }
            quote &= !escaped;
        }
        let outside = !self.strings(quote);
        self.nest(masks.open & outside, masks.close & outside) && self.is_in_range(&masks, outside, at)
    }

    /// The bytes that a backslash before them escapes, in which a backslash escapes nothing: each sequence of them counts
    /// from where it begins, which the carry of an addition carries to its end.
    fn escaped_by(&mut self, backslash: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let escaping = backslash & !self.escaped;
        let follows = escaping << 1 | self.escaped;
        let (sequences, beyond) = (escaping & !EVEN & !follows).overflowing_add(escaping);
        self.escaped = u64::from(beyond);
        (EVEN ^ (sequences << 1)) & follows
    }

    /// The bytes from each quote that opens a string up to the one that closes it.
    #[inline]
    fn strings(&mut self, quote: u64) -> u64 {
        let odd = [1, 2, 4, 8, 16, 32].iter().fold(quote, |odd, by| odd ^ (odd << by));
        let inside = odd ^ self.in_string;
        self.in_string = (inside.cast_signed() >> 63).cast_unsigned();
        inside
    }

    /// Goes in and out of arrays and objects. False: too deep.
    #[inline]
    fn nest(&mut self, open: u64, close: u64) -> bool {
        let opened = open.count_ones() as usize;
        if self.depth + opened > self.max_depth && self.is_too_deep(open, close) {
            return false;
        }
        self.depth = (self.depth + opened).saturating_sub(close.count_ones() as usize);
        true
    }

    #[cold]
    fn is_too_deep(&self, open: u64, close: u64) -> bool {
        let (mut left, mut depth) = (open | close, self.depth);
        while left != 0 && depth <= self.max_depth {
            let next = left & left.wrapping_neg();
            depth = if open & next != 0 { depth + 1 } else { depth.saturating_sub(1) };
            left ^= next;
        }
        depth > self.max_depth
    }

    /// A number of fewer digits than fill a block, with at most two of them in its exponent, is an `f64`.
    #[inline]
    fn is_in_range(&self, masks: &Masks, outside: u64, at: usize) -> bool {
        let mut exponents = masks.exponent & outside;
        while exponents != 0 {
            let place = at + exponents.trailing_zeros() as usize;
            let follows_digit = place.checked_sub(1).is_some_and(|before| self.text[before].is_ascii_digit());
            if follows_digit && self.is_long_exponent(place + 1) {
                return false;
            }
            exponents &= exponents - 1;
        }
        !(masks.digits && outside != 0)
    }

    fn is_long_exponent(&self, at: usize) -> bool {
        let after = self.text.get(at..).unwrap_or_default();
        let digits = after.strip_prefix(b"-").or_else(|| after.strip_prefix(b"+")).unwrap_or(after);
        digits.len() > 2 && digits[..3].iter().all(u8::is_ascii_digit)
    }

    fn is_ascii(&self) -> bool {
        self.high.move_mask() == 0
    }

    /// Whether any of these backslashes begins `\uD8` to `\uDF`.
    fn may_be_surrogates(&self, mut backslash: u64, at: usize) -> bool {
        while backslash != 0 {
            let after = self.text.get(at + backslash.trailing_zeros() as usize + 1..).unwrap_or_default();
            if let [b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..] = after {
                return true;
            }
            backslash &= backslash - 1;
        }
        false
    }
}
