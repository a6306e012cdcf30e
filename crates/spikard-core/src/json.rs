//! One linear pass over JSON text, before any decoder sees it. Decoders differ in what they let through; what passes
//! here is accepted by all of them: RFC 8259 to the letter, no lone surrogates, no number beyond an `f64`.

mod bounds;

pub use bounds::is_bounded;

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// Byte offset.
    pub at: usize,
    /// Lower case, no full stop.
    pub reason: &'static str,
}

/// Checks the whole grammar of RFC 8259: UTF-8, depth, no NaN or Infinity, no number beyond `f64`.
///
/// A text of no more than `max_depth` arrays and objects inside each other passes; a byte order mark does not.
pub fn check(text: &[u8], max_depth: usize) -> Result<(), JsonFault> {
    let valid = std::str::from_utf8(text);
    let mut scan = Scan { text, at: 0, open: Open::default(), max_depth };
    match valid {
        Ok(_) => scan.document(),
        Err(error) => Err(JsonFault { at: error.valid_up_to(), reason: "invalid UTF-8" }),
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    open: Open,
    max_depth: usize,
}

/// The open arrays and objects, one bit each, set for an object; the innermost 64 need no memory of their own.
#[derive(Default)]
struct Open {
    depth: usize,
    innermost: u64,
    outer: Vec<u64>,
}

#[expect(clippy::inline_always, reason = "a part of Scan")]
impl Open {
    #[inline(always)]
    fn in_object(&self) -> bool {
        self.depth > 0 && self.innermost & 1 == 1
    }

    #[inline(always)]
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.outer.push(self.innermost);
        }
        self.innermost = self.innermost << 1 | u64::from(object);
        self.depth += 1;
    }

    #[inline(always)]
    fn pop(&mut self) {
        self.depth -= 1;
        self.innermost >>= 1;
        if self.depth.is_multiple_of(64) {
            self.innermost = self.outer.pop().unwrap_or_default();
        }
    }
}

#[expect(clippy::inline_always, reason = "one function keeps the position in a register: a quarter of the time")]
impl Scan<'_> {
    fn document(&mut self) -> Result<(), JsonFault> {
        if self.text.starts_with(b"\xEF\xBB\xBF") {
            return self.fault("unexpected byte order mark");
        }
        self.skip_space();
        loop {
            if !self.begin_value()? {
                self.end_values()?;
                if self.open.depth == 0 {
                    break;
                }
            }
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fault("unexpected text after the value"),
        }
    }

    /// True: it holds a value, which comes next.
    #[inline(always)]
    fn begin_value(&mut self) -> Result<bool, JsonFault> {
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'{') => {
                self.descend(true)?;
                if self.peek() != Some(b'}') {
                    return self.name().map(|()| true);
                }
                self.close();
            }
            Some(b'[') => {
                self.descend(false)?;
                if self.peek() != Some(b']') {
                    return Ok(true);
                }
                self.close();
            }
            Some(b't') => self.word(b"true")?,
            Some(b'f') => self.word(b"false")?,
            Some(b'n') => self.word(b"null")?,
            None => return self.fault("unexpected end"),
            Some(_) => return self.fault("expected a value"),
        }
        Ok(false)
    }

    /// A value has ended: goes on to the next, out of all that end with it.
    #[inline(always)]
    fn end_values(&mut self) -> Result<(), JsonFault> {
        loop {
            self.skip_space();
            if self.open.depth == 0 {
                return Ok(());
            }
            match (self.peek(), self.open.in_object()) {
                (Some(b','), in_object) => {
                    self.at += 1;
                    self.skip_space();
                    return if in_object { self.name() } else { Ok(()) };
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.close(),
                (None, _) => return self.fault("unexpected end"),
                (_, true) => return self.fault("expected `,` or `}`"),
                (_, false) => return self.fault("expected `,` or `]`"),
            }
        }
    }

    #[inline(always)]
    fn descend(&mut self, object: bool) -> Result<(), JsonFault> {
        if self.open.depth >= self.max_depth {
            return self.fault("nested too deeply");
        }
        self.at += 1;
        self.open.push(object);
        self.skip_space();
        Ok(())
    }

    #[inline(always)]
    fn close(&mut self) {
        self.at += 1;
        self.open.pop();
    }

    /// A member's name and its colon.
    #[inline(always)]
    fn name(&mut self) -> Result<(), JsonFault> {
        match self.peek() {
            Some(b'"') => self.string()?,
            None => return self.fault("unexpected end"),
            Some(_) => return self.fault("expected a member's name"),
        }
        self.skip_space();
        match self.peek() {
            Some(b':') => self.at += 1,
            None => return self.fault("unexpected end"),
            Some(_) => return self.fault("expected `:`"),
        }
        self.skip_space();
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonFault> {
        if !self.text[self.at..].starts_with(word) {
            return self.fault("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    #[inline(always)]
    fn number(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let whole = self.at;
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let whole_digits = self.at - whole;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        // Up to 308 digits cannot overflow; only the rest need to be converted.
        if (exponent || whole_digits > 308) && !self.is_finite(start) {
            return Err(JsonFault { at: start, reason: "number out of range" });
        }
        Ok(())
    }

    fn is_finite(&self, start: usize) -> bool {
        let number = std::str::from_utf8(&self.text[start..self.at]).ok();
        number.and_then(|number| number.parse().ok()).is_some_and(f64::is_finite)
    }

    #[inline(always)]
    fn digits(&mut self) -> Result<(), JsonFault> {
        let digits = self.text[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        if digits == 0 { self.fault("expected a digit") } else { Ok(()) }
    }

    #[inline(always)]
    fn string(&mut self) -> Result<(), JsonFault> {
        self.at += 1;
        loop {
            self.skip_plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(0..=0x1F) => return self.fault("control character in a string"),
                Some(_) => self.at += 1,
                None => return self.fault("unexpected end"),
            }
        }
    }

    /// Skips eight bytes at a time while none of them ends a string, begins an escape or is a control character.
    #[inline(always)]
    fn skip_plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        let mut rest = self.text[self.at..].chunks_exact(8);
        for chunk in &mut rest {
            let word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight"));
            let quote = (word ^ (ONES * u64::from(b'"'))).wrapping_sub(ONES);
            let escape = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
            let control = word.wrapping_sub(ONES * 0x20);
            // The lowest mark is exact; those above it may be borrowed from.
            let marks = (quote | escape | control) & !word & HIGH;
            if marks != 0 {
                self.at += marks.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
    }

    fn escape(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {}
            None => return self.fault("unexpected end"),
            Some(_) => return self.fault("invalid escape"),
        }
        let lone = Err(JsonFault { at: start, reason: "lone surrogate in a string" });
        match self.code_unit()? {
            0xDC00..=0xDFFF => lone,
            0xD800..=0xDBFF if !self.text[self.at..].starts_with(b"\\u") => lone,
            0xD800..=0xDBFF => match self.code_unit()? {
                0xDC00..=0xDFFF => Ok(()),
                _ => lone,
            },
            _ => Ok(()),
        }
    }

    fn code_unit(&mut self) -> Result<u32, JsonFault> {
        let digits = self.text.get(self.at + 2..self.at + 6).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?));
        match unit {
            Some(unit) if digits.len() == 4 => {
                self.at += 6;
                Ok(unit)
            }
            _ => self.fault("invalid escape"),
        }
    }

    #[inline(always)]
    fn skip_space(&mut self) {
        while let Some(byte @ 0..=b' ') = self.peek() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return;
            }
            self.at += 1;
        }
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[cold]
    fn fault<T>(&self, reason: &'static str) -> Result<T, JsonFault> {
        Err(JsonFault { at: self.at, reason })
    }
}
