//! Steps through text of which somebody else says whether it is JSON: one that is none is read somehow, or not to its end.

/// No text that is decoded goes deeper.
const MAX_DEPTH: usize = 128;

/// Where it stands.
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    /// The next member or item is the first one.
    first: bool,
}

/// A string as it was sent, without its quotes.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_escaped: bool,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, depth: 0, first: false }
    }

    /// The byte that begins the next token.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let b' ' | b'\t' | b'\n' | b'\r' = *self.text.get(self.at)? {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Steps into an array or an object.
    pub(super) fn open(&mut self) -> Option<()> {
        self.at += 1;
        self.depth += 1;
        self.first = true;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    /// Steps over the end of an array or an object, or to its next value. True: it was the end.
    pub(super) fn closes(&mut self, end: u8) -> Option<bool> {
        let first = std::mem::take(&mut self.first);
        let next = self.peek()?;
        if next == end {
            self.at += 1;
            self.depth -= 1;
            return Some(true);
        }
        if !first {
            self.at += 1;
            return (next == b',').then_some(false);
        }
        Some(false)
    }

    /// A member's name, and steps to its value. None where it is escaped.
    pub(super) fn name(&mut self) -> Option<&'a [u8]> {
        self.peek().filter(|byte| *byte == b'"')?;
        let name = self.string().filter(|name| !name.is_escaped)?;
        let colon = self.peek()?;
        self.at += 1;
        (colon == b':').then_some(name.bytes)
    }

    pub(super) fn string(&mut self) -> Option<Text<'a>> {
        let begin = self.at + 1;
        let (mut at, mut is_escaped) = (begin, false);
        loop {
            match *self.text.get(at)? {
                b'"' => break,
                b'\\' => (is_escaped, at) = (true, at + 2),
                _ => at += 1,
            }
        }
        self.at = at + 1;
        Some(Text { bytes: self.text.get(begin..at)?, is_escaped })
    }

    pub(super) fn number(&mut self) -> Option<&'a [u8]> {
        let begin = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
        }
        self.text.get(begin..self.at).filter(|number| !number.is_empty())
    }

    /// Steps over `true`, `false` or `null`.
    pub(super) fn word(&mut self) {
        while let Some(b'a'..=b'z') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// Steps over a value, whatever it is.
    pub(super) fn skip(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => {
                    self.at += 1;
                    continue;
                }
                b'a'..=b'z' => self.word(),
                _ => drop(self.number()?),
            }
            if depth == 0 {
                self.first = false;
                return Some(());
            }
        }
    }
}
