//! A file on its way to the client: one piece at a time, read when the connection asks for it.

use std::{
    collections::VecDeque,
    io::{Error, ErrorKind, Result},
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use super::ranges::Range;
use crate::platform::{self, File};

/// Bytes that one look at the disk brings at most.
const PIECE: u64 = 128 * 1024;

/// So much is sent without waiting for the disk or the client before others have their turn.
const AT_ONCE: u64 = 2 * PIECE;

/// What is left of a file's body.
pub(crate) struct Reading {
    file: Box<dyn File>,
    pieces: VecDeque<Piece>,
    /// Of all pieces, in bytes.
    left: u64,
    pending: Option<platform::Reading>,
    /// Sent since somebody was waited for.
    at_once: u64,
}

enum Piece {
    Text(Bytes),
    Span(Range),
}

impl Reading {
    pub(super) fn whole(file: Box<dyn File>) -> Self {
        let end = file.length();
        Self::of(file, Range { start: 0, end })
    }

    pub(super) fn of(file: Box<dyn File>, range: Range) -> Self {
        Self { file, left: range.length(), pieces: VecDeque::from([Piece::Span(range)]), pending: None, at_once: 0 }
    }

    pub(super) fn several(file: Box<dyn File>, all: impl Iterator<Item = (String, Range)>, end: String) -> Self {
        let mut pieces: VecDeque<_> =
            all.flat_map(|(head, range)| [Piece::Text(head.into()), Piece::Span(range)]).collect();
        pieces.push_back(Piece::Text(end.into()));
        let size = |piece: &Piece| match piece {
            Piece::Text(text) => text.len() as u64,
            Piece::Span(range) => range.length(),
        };
        Self { file, left: pieces.iter().map(size).sum(), pieces, pending: None, at_once: 0 }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next piece. A file that has become shorter meanwhile is an error: its length has been told.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.at_once >= AT_ONCE {
            self.at_once = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let read = match self.pieces.front_mut() {
            None => return Poll::Ready(None),
            Some(Piece::Text(text)) => {
                let text = std::mem::take(text);
                self.pieces.pop_front();
                text
            }
            Some(Piece::Span(range)) => {
                let range = *range;
                match ready!(self.poll_span(range, cx)) {
                    Ok(read) if read.is_empty() => {
                        return Poll::Ready(Some(Err(Error::from(ErrorKind::UnexpectedEof))));
                    }
                    Ok(read) => {
                        self.advance(range, read.len() as u64);
                        read
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
        };
        self.left -= read.len() as u64;
        self.at_once += read.len() as u64;
        Poll::Ready(Some(Ok(read)))
    }

    /// The beginning of a span, from the system's memory if it lies there.
    fn poll_span(&mut self, range: Range, cx: &mut Context<'_>) -> Poll<Result<Bytes>> {
        let length = range.length().min(PIECE) as usize;
        if self.pending.is_none()
            && let Some(read) = self.file.read_now(range.start, length)
        {
            return Poll::Ready(Ok(read));
        }
        self.at_once = 0;
        let pending = self.pending.get_or_insert_with(|| self.file.read(range.start, length));
        let read = ready!(pending.as_mut().poll(cx));
        self.pending = None;
        Poll::Ready(read)
    }

    /// The first piece is a span of which so much was read.
    fn advance(&mut self, range: Range, read: u64) {
        self.pieces.pop_front();
        let start = range.start + read;
        if start < range.end {
            self.pieces.push_front(Piece::Span(Range { start, ..range }));
        }
    }
}
