//! A client that sends exactly the bytes of a case and reads answers by RFC 9112.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use crate::fault::Fault;

/// Long enough for the coarsest timer of the server; nothing waits this long but a fault.
const PATIENCE: Duration = Duration::from_secs(6);

/// An answer, from whichever door.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn all<'a>(&'a self, name: &str) -> Vec<&'a str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// One connection of a client.
pub struct Connection<S> {
    stream: S,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    /// A server that has answered may close before it has read everything: how the sending ends is not looked at.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await;
        let _ = self.stream.flush().await;
    }

    pub async fn end(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// False at the end of the connection.
    async fn more(&mut self) -> Result<bool, Fault> {
        let mut piece = [0; 8192];
        match timeout(PATIENCE, self.stream.read(&mut piece)).await {
            Ok(Ok(read)) => {
                self.read.extend_from_slice(&piece[..read]);
                Ok(read > 0)
            }
            Ok(Err(_)) => Ok(false),
            Err(_) => Err(Fault::new("the server said nothing more")),
        }
    }

    async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|window| window == end) {
                let rest = self.read.split_off(at + end.len());
                return Ok(std::mem::replace(&mut self.read, rest));
            }
            if !self.more().await? {
                return Err(Fault::new(format!(
                    "the connection ended after {:?}",
                    String::from_utf8_lossy(&self.read)
                )));
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Fault> {
        while self.read.len() < length {
            if !self.more().await? {
                return Err(Fault::new(format!("the body ended after {} of {length} bytes", self.read.len())));
            }
        }
        let rest = self.read.split_off(length);
        Ok(std::mem::replace(&mut self.read, rest))
    }

    /// The next final answer.
    pub async fn answer(&mut self, to_head: bool) -> Result<Answer, Fault> {
        loop {
            let mut answer = head(&self.until(b"\r\n\r\n").await?)?;
            if answer.status >= 200 {
                if !to_head && !matches!(answer.status, 204 | 304) {
                    answer.body = self.body(&answer).await?;
                }
                return Ok(answer);
            }
        }
    }

    async fn body(&mut self, answer: &Answer) -> Result<Vec<u8>, Fault> {
        if answer.all("transfer-encoding") == ["chunked"] {
            return self.chunks().await;
        }
        match answer.all("content-length")[..] {
            [length] => self.exactly(length.parse()?).await,
            [] => {
                while self.more().await? {}
                Ok(std::mem::take(&mut self.read))
            }
            _ => Err(Fault::new("several content-length fields")),
        }
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n").await?;
            let size = String::from_utf8_lossy(&line).trim().to_owned();
            let size = usize::from_str_radix(&size, 16)?;
            let chunk = self.exactly(size + 2).await?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// Whether the server closes, without another byte.
    pub async fn is_closed(&mut self) -> Result<bool, Fault> {
        Ok(self.read.is_empty() && !self.more().await?)
    }
}

fn head(text: &[u8]) -> Result<Answer, Fault> {
    let text: String = text.iter().map(|byte| char::from(*byte)).collect();
    let mut lines = text.trim_end().split("\r\n");
    let first = lines.next().unwrap_or_default();
    let code = first.strip_prefix("HTTP/1.1 ").or(first.strip_prefix("HTTP/1.0 ")).and_then(|rest| rest.get(..3));
    let status = code.and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| Fault::new(format!("no status line: {first:?}")))?;
    let field =
        |line: &str| line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    let headers = lines
        .map(|line| field(line).ok_or_else(|| Fault::new(format!("no field: {line:?}"))))
        .collect::<Result<_, _>>()?;
    Ok(Answer { status, headers, body: Vec::new() })
}
