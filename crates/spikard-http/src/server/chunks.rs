//! A chunked body, followed strictly before hyper decodes it: hyper takes blanks in size lines and any bytes in
//! extensions, and lets trailers carry fields that frame or route.

use spikard_core::Error;

const MAX_EXTENSIONS: u32 = 4 * 1024;
const MAX_TRAILERS: usize = 16 * 1024;
/// As many as there may be fields in a head: hyper reads no more.
const MAX_TRAILER_FIELDS: u8 = 100;
/// Fields that decide how a message is framed, routed, authenticated or processed (RFC 9110, section 6.5.1).
const FORBIDDEN: [&[u8]; 16] = [
    b"authorization",
    b"cache-control",
    b"connection",
    b"content-encoding",
    b"content-length",
    b"content-range",
    b"content-type",
    b"cookie",
    b"expect",
    b"host",
    b"proxy-authorization",
    b"set-cookie",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    Extension,
    Quoted,
    Escaped,
    SizeEnd,
    Bytes,
    BytesCr,
    BytesLf,
    Trailer,
    TrailerLf,
}

/// A place in a chunked body.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    at: At,
    left: u64,
    digits: u8,
    extensions: u32,
    trailers: usize,
    fields: u8,
    line: Vec<u8>,
}

/// How much of the bytes belongs to the body, and whether it ends with them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) bytes: usize,
    pub(super) ended: bool,
}

impl Chunks {
    /// Goes on in `bytes`. The error is what is wrong with the body.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<Taken, Error> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.at == At::Bytes {
                let run = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - at);
                self.left -= run as u64;
                at += run;
                if self.left == 0 {
                    self.at = At::BytesCr;
                }
                continue;
            }
            at += 1;
            if self.step(*byte)? {
                return Ok(Taken { bytes: at, ended: true });
            }
        }
        Ok(Taken { bytes: at, ended: false })
    }

    /// One byte of what is not data. Is it the last one of the body?
    fn step(&mut self, byte: u8) -> Result<bool, Error> {
        self.at = match (self.at, byte) {
            (At::Size, _) => self.size(byte)?,
            (At::Extension | At::Quoted | At::Escaped, _) => self.extension(byte)?,
            (At::SizeEnd, b'\n') if self.left == 0 => At::Trailer,
            (At::SizeEnd, b'\n') => At::Bytes,
            (At::BytesCr, b'\r') => At::BytesLf,
            (At::BytesLf, b'\n') => {
                self.digits = 0;
                At::Size
            }
            (At::BytesCr | At::BytesLf, _) => return Err(Error::malformed("a chunk is longer than its size")),
            (At::Trailer, _) => self.trailer(byte)?,
            (At::TrailerLf, b'\n') => return self.end_trailer(),
            _ => return Err(Error::malformed("a line of the chunked body ends without CRLF")),
        };
        Ok(false)
    }

    fn size(&mut self, byte: u8) -> Result<At, Error> {
        let digit = char::from(byte).to_digit(16);
        match (digit, byte) {
            // Fifteen digits: what is left always fits.
            (Some(digit), _) if self.digits < 15 => {
                self.left = self.left << 4 | u64::from(digit);
                self.digits += 1;
                Ok(At::Size)
            }
            (None, b'\r') if self.digits > 0 => Ok(At::SizeEnd),
            (None, b';') if self.digits > 0 => Ok(At::Extension),
            _ => Err(Error::malformed("a chunk size is not a hexadecimal number")),
        }
    }

    fn extension(&mut self, byte: u8) -> Result<At, Error> {
        self.extensions += 1;
        if self.extensions > MAX_EXTENSIONS {
            return Err(Error::malformed("the chunk extensions are longer than 4096 bytes"));
        }
        match (self.at, byte) {
            (At::Extension, b'\r') => Ok(At::SizeEnd),
            (At::Extension, b'"') => Ok(At::Quoted),
            (At::Extension, 0x21..=0x7e) | (At::Quoted, b'"') => Ok(At::Extension),
            (At::Quoted, b'\\') => Ok(At::Escaped),
            (At::Quoted | At::Escaped, b'\t' | b' '..=0x7e | 0x80..) => Ok(At::Quoted),
            _ => Err(Error::malformed("a chunk extension is malformed")),
        }
    }

    fn trailer(&mut self, byte: u8) -> Result<At, Error> {
        self.trailers += 1;
        match byte {
            _ if self.trailers > MAX_TRAILERS => Err(Error::malformed("the trailers are longer than 16384 bytes")),
            b'\r' => Ok(At::TrailerLf),
            b' ' | b'\t' if self.line.is_empty() => Err(Error::malformed("a trailer is folded over several lines")),
            b'\t' | b' '..=0x7e | 0x80.. => {
                self.line.push(byte);
                Ok(At::Trailer)
            }
            _ => Err(Error::malformed("a trailer has a control character")),
        }
    }

    /// A trailer line is complete; an empty one ends the body.
    fn end_trailer(&mut self) -> Result<bool, Error> {
        if self.line.is_empty() {
            return Ok(true);
        }
        let name = self.line.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
        if name.len() == self.line.len() || http::HeaderName::from_bytes(&name).is_err() {
            return Err(Error::malformed("a trailer is not a field"));
        }
        if FORBIDDEN.contains(&name.as_slice()) {
            return Err(Error::malformed("a field stands in the trailers that may not"));
        }
        self.fields += 1;
        if self.fields > MAX_TRAILER_FIELDS {
            return Err(Error::malformed("there are more than 100 trailers"));
        }
        self.line.clear();
        self.at = At::Trailer;
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Taken> {
        let whole = Chunks::default().advance(body.as_bytes()).ok();
        let mut bytewise = Chunks::default();
        let mut one = |at: usize| bytewise.advance(&body.as_bytes()[at..=at]).ok();
        let ends = (0..body.len()).find_map(|at| match one(at) {
            Some(Taken { ended: true, .. }) => Some(Some(Taken { bytes: at + 1, ended: true })),
            Some(_) => None,
            None => Some(None),
        });
        assert_eq!(ends.unwrap_or(Some(Taken { bytes: body.len(), ended: false })), whole, "split into single bytes");
        whole
    }

    #[test]
    fn a_body_ends_where_its_last_line_does() {
        for body in ["0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "A;x=\"y z\";k\r\n0123456789\r\n00\r\nx-sum: 1\r\n\r\n"] {
            let pipelined = format!("{body}GET");
            assert_eq!(read(&pipelined), Some(Taken { bytes: body.len(), ended: true }), "{body:?}");
            let short = &body[..body.len() - 1];
            assert_eq!(read(short), Some(Taken { bytes: short.len(), ended: false }), "{body:?}");
        }
    }

    #[test]
    fn what_is_not_a_chunk_is_refused() {
        for body in [
            "5 \r\nhello\r\n",
            " 5\r\nhello\r\n",
            "+5\r\nhello\r\n",
            "-1\r\n",
            "0x5\r\nhello\r\n",
            "\r\n",
            ";x\r\n",
            "5\nhello\r\n",
            "5\r\nhelloo\r\n",
            "5\r\nhello\n",
            "5;x\ny\r\n",
            "5; x\r\nhello",
            "5;x=\"\n\"\r\n",
            "1000000000000000\r\n",
            "0\r\ncontent-length: 5\r\n\r\n",
            "0\r\nHost: a\r\n\r\n",
            "0\r\n folded\r\n\r\n",
            "0\r\nno colon\r\n\r\n",
            "0\r\nname : x\r\n\r\n",
            "0\r\nx: \0\r\n\r\n",
            "0\r\n\n",
        ] {
            assert!(read(body).is_none(), "{body:?}: {:?}", read(body));
        }
    }

    #[test]
    fn extensions_and_trailers_have_a_limit() {
        let long = "x".repeat(5000);
        assert!(read(&format!("5;{long}\r\n")).is_none());
        let trailers = format!("x: {long}\r\n").repeat(4);
        assert!(read(&format!("0\r\n{trailers}\r\n")).is_none());
        let fields = |count| format!("0\r\n{}\r\n", "x: y\r\n".repeat(count));
        assert!(read(&fields(100)).is_some());
        assert!(read(&fields(101)).is_none());
    }
}
