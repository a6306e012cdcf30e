//! Reads a multipart form while it comes in: texts into memory, files into memory up to a limit and from there on to
//! wherever the platform keeps them. Every limit counts bytes as they are read.

use std::{future::poll_fn, pin::pin, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, header};
use http_body::Body;
use spikard_core::{Entries, Entry, Error, ErrorCode, Received, Upload, config::Config, sabotage};

use super::{
    broken,
    multipart::{Event, Fault, Parser, Part},
    spool::Spooler,
    too_large,
};
use crate::{BodyError, platform::Platform};

/// What a form may be.
#[derive(Clone, Debug)]
pub(crate) struct FormLimits {
    parts: usize,
    text: usize,
    /// Bytes of all files that stay in memory.
    pub memory: usize,
    pub directory: Option<Arc<str>>,
}

impl FormLimits {
    pub(crate) fn of(config: &Config) -> Self {
        let limited = |limit: usize| if sabotage::takes_out("limits") { usize::MAX } else { limit };
        Self {
            parts: limited(config.max_form_parts),
            text: limited(config.max_form_text),
            memory: config.upload_memory,
            directory: config.upload_dir.as_deref().map(Arc::from),
        }
    }
}

/// Reads a whole form of at most `limit` bytes.
pub(crate) async fn read<B>(
    body: B,
    boundary: &str,
    limit: Option<u64>,
    limits: &FormLimits,
    platform: &Arc<dyn Platform>,
) -> Result<Received, Error>
where
    B: Body<Data = Bytes, Error: Into<BodyError>>,
{
    let limit = limit.unwrap_or(u64::MAX);
    if body.size_hint().lower() > limit {
        return Err(too_large(limit));
    }
    let mut body = pin!(body);
    let mut form = Form::new(boundary, limits.clone(), platform.clone());
    let mut read = 0;
    loop {
        let frame = poll_fn(|cx| body.as_mut().poll_frame(cx).map_err(|error| broken(error.into()))).await;
        let Some(frame) = frame.transpose()? else { break };
        let Ok(data) = frame.into_data() else { continue };
        read += data.len() as u64;
        if read > limit {
            return Err(too_large(limit));
        }
        form.parser.push(&data);
        drop(data);
        form.take_in().await?;
    }
    if read == 0 {
        return Ok(Received::Whole(Bytes::new()));
    }
    form.entries().map(Received::Form)
}

/// Takes a form apart that is there already: its files stay in memory.
pub(crate) fn whole(
    body: &[u8],
    boundary: &str,
    limits: &FormLimits,
    platform: &Arc<dyn Platform>,
) -> Result<Entries, Error> {
    let limits = FormLimits { memory: usize::MAX, ..limits.clone() };
    let mut form = Form::new(boundary, limits, platform.clone());
    form.parser.push(body);
    form.take_in().now_or_never().expect("what stays in memory waits for nothing")?;
    form.entries()
}

struct Form {
    parser: Parser,
    limits: FormLimits,
    platform: Arc<dyn Platform>,
    open: Option<Open>,
    entries: Entries,
}

/// The part that is being read.
enum Open {
    Text(String, Vec<u8>),
    File(Box<Part>, Spooler),
}

impl Form {
    fn new(boundary: &str, limits: FormLimits, platform: Arc<dyn Platform>) -> Self {
        Self { parser: Parser::new(boundary), limits, platform, open: None, entries: Vec::new() }
    }

    /// Deals with everything that has been pushed.
    async fn take_in(&mut self) -> Result<(), Error> {
        loop {
            match self.parser.next().map_err(malformed)? {
                Event::Starved | Event::End => return Ok(()),
                Event::Part(part) => self.begin(part)?,
                Event::Data(data) => match &mut self.open {
                    Some(Open::Text(_, text)) if text.len() + data.len() > self.limits.text => {
                        let limit = self.limits.text;
                        return Err(closing(
                            ErrorCode::ContentTooLarge,
                            format!("a text of the form is larger than {limit} bytes"),
                        ));
                    }
                    Some(Open::Text(_, text)) => text.extend_from_slice(&data),
                    Some(Open::File(_, file)) => file.append(data).await?,
                    None => unreachable!("a part begins before its content"),
                },
                Event::PartEnd => self.end().await?,
            }
        }
    }

    fn begin(&mut self, part: Box<Part>) -> Result<(), Error> {
        if self.entries.len() >= self.limits.parts {
            let limit = self.limits.parts;
            return Err(closing(ErrorCode::ContentTooLarge, format!("the form has more than {limit} parts")));
        }
        self.open = Some(if part.disposition.filename.is_some() {
            let spooler = Spooler::new(self.platform.clone(), self.limits.memory, self.limits.directory.clone());
            Open::File(part, spooler)
        } else {
            Open::Text(part.disposition.name, Vec::new())
        });
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Error> {
        let (name, entry) = match self.open.take() {
            Some(Open::Text(name, text)) => {
                let text = String::from_utf8(text).map_err(|_| malformed("a field is not valid UTF-8"))?;
                (name, Entry::Text(text))
            }
            Some(Open::File(part, file)) => {
                let Part { disposition, headers } = *part;
                let (size, content, kept) = file.finish().await?;
                self.limits.memory -= kept;
                let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
                let content_type = content_type.map(str::to_owned);
                let filename = disposition.filename;
                // What a browser sends where no file was chosen.
                if size == 0 && filename.as_deref() == Some("") {
                    return Ok(());
                }
                let filename = filename.filter(|name| !name.is_empty());
                let file = Upload { filename, content_type, headers, size, content };
                (disposition.name, Entry::File(Arc::new(file)))
            }
            None => unreachable!("a part begins before it ends"),
        };
        self.entries.push((name, entry));
        Ok(())
    }

    fn entries(self) -> Result<Entries, Error> {
        if self.parser.is_over() { Ok(self.entries) } else { Err(malformed("it ends early")) }
    }
}

fn malformed(fault: Fault) -> Error {
    closing(ErrorCode::BadRequest, format!("the body is not a valid form: {fault}"))
}

/// The rest of the body is not read.
fn closing(code: ErrorCode, detail: String) -> Error {
    Error::new(code).with_detail(detail).with_header(header::CONNECTION, HeaderValue::from_static("close"))
}
