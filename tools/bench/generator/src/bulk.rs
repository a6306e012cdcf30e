//! The closed loop for long answers. A connection reads once, up to a quarter of a megabyte, and then it is another's turn: one
//! that is read until it is empty keeps all others waiting for as long as its server writes.

use std::{
    cell::RefCell,
    io::{ErrorKind, Result},
    rc::Rc,
    time::Duration,
};

use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::{JoinSet, yield_now},
    time::{Instant, timeout_at},
};

use crate::{
    Target,
    answer::{Answer, broken, head},
    open::connect,
    tally::Tally,
};

/// At most so much is read in one turn.
const TURN: usize = 256 * 1024;

struct Round {
    target: Target,
    end: Instant,
    /// What was read; looked at before anybody else reads.
    read: RefCell<Vec<u8>>,
    tally: RefCell<Tally>,
}

/// Asks on every connection until the time is over, and prints what was answered by then.
pub async fn run(target: Target, seconds: f64, connections: usize) -> Result<()> {
    let mut links = Vec::with_capacity(connections);
    for _ in 0..connections {
        links.push(connect(target.port).await?);
    }
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let read = RefCell::new(vec![0; TURN]);
    let round = Rc::new(Round { target, end, read, tally: RefCell::default() });
    let mut clients = JoinSet::new();
    for link in links {
        clients.spawn_local(client(round.clone(), link));
    }
    while clients.join_next().await.is_some() {}
    println!("{}", round.tally.borrow_mut().line(&format!("\"seconds\":{seconds:.4}")));
    Ok(())
}

async fn client(round: Rc<Round>, mut link: TcpStream) {
    loop {
        let began = Instant::now();
        match timeout_at(round.end, ask(&round, &mut link)).await {
            Err(_) => return,
            Ok(Ok(answer)) => round.tally.borrow_mut().add(&answer, began.elapsed()),
            Ok(Err(_)) => {
                round.tally.borrow_mut().broken += 1;
                match connect(round.target.port).await {
                    Ok(fresh) => link = fresh,
                    Err(_) => return,
                }
            }
        }
    }
}

async fn ask(round: &Round, link: &mut TcpStream) -> Result<Answer> {
    link.write_all(&round.target.request).await?;
    let mut reading = Reading::default();
    loop {
        link.readable().await?;
        if reading.go_on(link, &mut round.read.borrow_mut())? {
            return reading.answer.ok_or_else(|| broken("no head"));
        }
        yield_now().await;
    }
}

/// How far an answer has been read.
#[derive(Default)]
struct Reading {
    begun: Vec<u8>,
    answer: Option<Answer>,
    body: Option<Body>,
}

impl Reading {
    /// Reads once. True: that was the end of it.
    fn go_on(&mut self, link: &TcpStream, room: &mut [u8]) -> Result<bool> {
        let read = match link.try_read(room) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => &room[..count],
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        };
        if let Some(body) = &mut self.body {
            return body.take(read);
        }
        self.begun.extend_from_slice(read);
        let Some((answer, begins, length)) = head(&self.begun)? else { return Ok(false) };
        self.answer = Some(answer);
        self.body.insert(length.map_or_else(Body::chunked, |left| Body::Whole { left })).take(&self.begun[begins..])
    }
}

/// How far a body has been read.
enum Body {
    Whole {
        left: usize,
    },
    /// `left` bytes of a chunk and its CRLF are to come, else its line.
    Chunked {
        left: usize,
        line: Vec<u8>,
        is_last: bool,
    },
}

impl Body {
    fn chunked() -> Self {
        Self::Chunked { left: 0, line: Vec::new(), is_last: false }
    }

    /// Passes over the next bytes. True: that was all of it.
    fn take(&mut self, mut bytes: &[u8]) -> Result<bool> {
        let (left, line, is_last) = match self {
            Self::Whole { left } => {
                *left = left.checked_sub(bytes.len()).ok_or_else(|| broken("more than the length"))?;
                return Ok(*left == 0);
            }
            Self::Chunked { left, line, is_last } => (left, line, is_last),
        };
        loop {
            let passed = bytes.len().min(*left);
            (*left, bytes) = (*left - passed, &bytes[passed..]);
            let Some((first, rest)) = bytes.split_first() else { return Ok(false) };
            bytes = rest;
            line.push(*first);
            if *first != b'\n' {
                continue;
            }
            let text = std::str::from_utf8(line).unwrap_or_default().trim();
            if *is_last {
                return if text.is_empty() { Ok(true) } else { Err(broken("a trailer")) };
            }
            let size = usize::from_str_radix(text, 16).map_err(|_| broken("no size of a chunk"))?;
            (*is_last, *left) = (size == 0, if size == 0 { 0 } else { size + 2 });
            line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_ends_with_its_last_line_however_it_is_cut() {
        let text = b"5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n";
        assert!(Body::chunked().take(text).unwrap());
        for cut in 0..text.len() {
            let mut body = Body::chunked();
            assert!(!body.take(&text[..cut]).unwrap(), "{cut}");
            assert!(body.take(&text[cut..]).unwrap(), "{cut}");
        }
    }

    #[test]
    fn a_body_of_some_length_ends_there() {
        let mut body = Body::Whole { left: 5 };
        assert!(!body.take(b"hel").unwrap());
        assert!(body.take(b"lo").unwrap());
        assert!(body.take(b"!").is_err());
    }
}
