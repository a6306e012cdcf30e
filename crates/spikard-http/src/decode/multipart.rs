//! `multipart/form-data` (RFC 7578) taken apart as it comes in: bytes are pushed, events are pulled. Nothing is kept but
//! what may still be the beginning of a delimiter, or of a part's fields.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use memchr::memmem::Finder;

use super::disposition::{self, Disposition};

/// Bytes of the fields of one part at most.
pub(crate) const MAX_HEADERS: usize = 8 * 1024;
/// Fields of one part at most.
const MAX_FIELDS: usize = 32;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Event {
    /// A part begins.
    Part(Box<Part>),
    /// A piece of its content.
    Data(Bytes),
    /// It has ended.
    PartEnd,
    /// The last part has ended.
    End,
    /// Nothing before more is pushed.
    Starved,
}

/// What a part says of itself.
#[derive(Debug)]
pub(crate) struct Part {
    pub disposition: Disposition,
    pub headers: HeaderMap,
}

/// Why it is no form; for the client.
pub(crate) type Fault = &'static str;

const BAD_LINE: Fault = "a delimiter does not end its line";

/// Takes one body apart.
pub(crate) struct Parser {
    /// `\r\n--boundary`.
    delimiter: Finder<'static>,
    buffer: BytesMut,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first delimiter.
    Preamble,
    /// Behind a delimiter.
    Delimited,
    /// In the fields of a part.
    Headers,
    /// In its content.
    Content,
    /// In the line of the last delimiter, which the end of the form may cut short.
    Closing,
    /// Behind the last delimiter: whatever follows is passed over.
    Epilogue,
}

impl Parser {
    pub(crate) fn new(boundary: &str) -> Self {
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        // The first delimiter may be all there is of its line's beginning.
        Self { delimiter: Finder::new(&delimiter).into_owned(), buffer: b"\r\n"[..].into(), state: State::Preamble }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.state != State::Epilogue {
            self.buffer.extend_from_slice(bytes);
        }
    }

    pub(crate) fn next(&mut self) -> Result<Event, Fault> {
        loop {
            match self.state {
                State::Preamble => {
                    let Some(at) = self.delimiter.find(&self.buffer) else {
                        self.before_delimiter();
                        return Ok(Event::Starved);
                    };
                    self.cross(at);
                }
                State::Delimited => {
                    if self.delimited()?.is_none() {
                        return Ok(Event::Starved);
                    }
                }
                State::Headers => {
                    let Some(part) = self.part()? else { return Ok(Event::Starved) };
                    self.state = State::Content;
                    return Ok(Event::Part(Box::new(part)));
                }
                State::Content => return Ok(self.content()),
                State::Closing => {
                    if !self.closed()? {
                        return Ok(Event::Starved);
                    }
                }
                State::Epilogue => return Ok(Event::End),
            }
        }
    }

    /// Whether the last part has ended, if nothing more comes.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Closing | State::Epilogue)
    }

    /// Blanks may stand before the end of the line; what follows that is passed over.
    fn closed(&mut self) -> Result<bool, Fault> {
        let blanks = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let _ = self.buffer.split_to(blanks);
        if self.buffer.starts_with(b"\r\n") {
            self.buffer.clear();
            self.state = State::Epilogue;
            return Ok(true);
        }
        if self.buffer.is_empty() || self.buffer[..] == b"\r"[..] { Ok(false) } else { Err(BAD_LINE) }
    }

    /// Passes over what stands before a delimiter, and over the delimiter.
    fn cross(&mut self, at: usize) -> Bytes {
        let before = self.buffer.split_to(at).freeze();
        let _ = self.buffer.split_to(self.delimiter.needle().len());
        self.state = State::Delimited;
        before
    }

    /// What surely stands before the next delimiter.
    fn before_delimiter(&mut self) -> Bytes {
        let kept = self.delimiter.needle().len() - 1;
        let sure = self.buffer.len().saturating_sub(kept);
        self.buffer.split_to(sure).freeze()
    }

    fn content(&mut self) -> Event {
        if let Some(at) = self.delimiter.find(&self.buffer) {
            if at > 0 {
                return Event::Data(self.buffer.split_to(at).freeze());
            }
            self.cross(0);
            return Event::PartEnd;
        }
        let data = self.before_delimiter();
        if data.is_empty() { Event::Starved } else { Event::Data(data) }
    }

    /// `--` ends the form; else blanks may stand before the end of the line.
    fn delimited(&mut self) -> Result<Option<State>, Fault> {
        let state = match (&self.buffer[..], self.buffer.iter().position(|byte| !matches!(byte, b' ' | b'\t'))) {
            ([b'-', b'-', ..], _) => {
                let _ = self.buffer.split_to(2);
                State::Closing
            }
            ([b'-'], _) => return Ok(None),
            ([_, ..], Some(blanks)) if self.buffer[blanks..].starts_with(b"\r\n") => {
                // The line's end stays: with it an empty block of fields ends like any other.
                let _ = self.buffer.split_to(blanks);
                State::Headers
            }
            (_, Some(blanks)) if self.buffer[blanks..] != b"\r"[..] => return Err(BAD_LINE),
            _ if self.buffer.len() > MAX_HEADERS => return Err(BAD_LINE),
            _ => return Ok(None),
        };
        self.state = state;
        Ok(Some(state))
    }

    fn part(&mut self) -> Result<Option<Part>, Fault> {
        const END: &[u8] = b"\r\n\r\n";
        let end = memchr::memmem::find(&self.buffer, END);
        if end.unwrap_or(self.buffer.len()) > MAX_HEADERS {
            return Err("the fields of a part are too long");
        }
        let Some(end) = end else { return Ok(None) };
        let block = self.buffer.split_to(end + END.len());
        let headers = fields(&block[2..])?;
        let mut said = headers.get_all(header::CONTENT_DISPOSITION).iter();
        let disposition = disposition::parse(said.next().ok_or("a part has no content-disposition")?)?;
        if said.next().is_some() {
            return Err("a part has more than one content-disposition");
        }
        refuse_encodings(&headers, disposition.filename.is_none())?;
        Ok(Some(Part { disposition, headers }))
    }
}

/// Content is taken as it is, and a text is UTF-8 (RFC 7578, sections 4.7 and 5.1.2): what says that it is written in
/// another way would be misread.
fn refuse_encodings(headers: &HeaderMap, is_text: bool) -> Result<(), Fault> {
    let is = |text: &str, known: &[&str]| known.iter().any(|known| text.trim().eq_ignore_ascii_case(known));
    let said = |value: &HeaderValue, known: &[&str]| value.to_str().is_ok_and(|text| is(text, known));
    let mut codings = headers.get_all("content-transfer-encoding").iter();
    if codings.any(|coding| !said(coding, &["7bit", "8bit", "binary"])) {
        return Err("the content-transfer-encoding of a part is not supported");
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let text = types.next().map_or("", |value| value.to_str().unwrap_or("?"));
    if types.next().is_some() {
        return Err("a part has more than one content-type");
    }
    let parameters = text.split(';').skip(1).filter_map(|one| one.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| is(name, &["charset"]));
    if is_text && charsets.any(|(_, set)| !is(set.trim().trim_matches('"'), &["utf-8", "utf8", "us-ascii"])) {
        return Err("the charset of a field is not supported: a text is utf-8");
    }
    Ok(())
}

/// `block` ends with an empty line.
fn fields(block: &[u8]) -> Result<HeaderMap, Fault> {
    const BAD: Fault = "the fields of a part are malformed";
    let mut places = [httparse::EMPTY_HEADER; MAX_FIELDS];
    // Lines end as they do everywhere else in HTTP: with both characters.
    let bare = memchr::memchr_iter(b'\n', block).any(|at| at == 0 || block[at - 1] != b'\r');
    let found = match httparse::parse_headers(block, &mut places) {
        Ok(httparse::Status::Complete((_, found))) if !bare => found,
        Err(httparse::Error::TooManyHeaders) => return Err("a part has more than 32 fields"),
        _ => return Err(BAD),
    };
    let mut headers = HeaderMap::with_capacity(found.len());
    for field in found {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| BAD)?;
        headers.append(name, HeaderValue::from_bytes(field.value).map_err(|_| BAD)?);
    }
    Ok(headers)
}
