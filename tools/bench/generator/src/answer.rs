//! One answer of HTTP/1.1, read from a connection.

use std::io::{Error, ErrorKind, Result};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What is looked at.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// It says when to come again.
    pub retry_after: bool,
    /// The connection can be used again.
    pub keeps: bool,
}

/// Sends a request and reads its whole answer.
pub async fn ask(link: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> Result<Answer> {
    link.write_all(request).await?;
    buffer.clear();
    loop {
        if let Some((answer, begins, length)) = head(buffer)? {
            let length = length.ok_or_else(|| broken("an answer without a length"))?;
            while buffer.len() < begins + length {
                more(link, buffer).await?;
            }
            return Ok(answer);
        }
        more(link, buffer).await?;
    }
}

async fn more(link: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    match link.read_buf(buffer).await? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

pub fn broken(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// The head, where the body begins, and its length, if the head tells it; none while the head is not complete.
pub fn head(received: &[u8]) -> Result<Option<(Answer, usize, Option<usize>)>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&received[..end]).map_err(|_| broken("the head is no text"))?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let mut answer = Answer { status: status.ok_or_else(|| broken("no status"))?, retry_after: false, keeps: true };
    let mut length = None;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<usize>().ok(),
            "retry-after" => answer.retry_after = true,
            "connection" => answer.keeps = !value.trim().eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    Ok(Some((answer, end + 4, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_that_is_not_complete_is_no_answer() {
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n").unwrap(), None);
    }

    #[test]
    fn a_refusal_tells_its_status_and_when_to_come_again() {
        let text = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nconnection: close\r\nContent-Length: 2\r\n\r\n";
        let answer = Answer { status: 503, retry_after: true, keeps: false };
        assert_eq!(head(text).unwrap(), Some((answer, text.len(), Some(2))));
    }

    #[test]
    fn an_answer_need_not_tell_its_length() {
        let (_, begins, length) = head(b"HTTP/1.1 200 OK\r\n\r\n2").unwrap().unwrap();
        assert_eq!((begins, length), (19, None));
    }
}
