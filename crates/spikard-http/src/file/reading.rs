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
const PIECE: u64 = 64 * 1024;

/// What is left of a file's body.
pub(crate) struct Reading {
    file: Box<dyn File>,
    pieces: VecDeque<Piece>,
    /// Of all pieces, in bytes.
    left: u64,
    pending: Option<platform::Reading>,
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
        Self { file, left: range.length(), pieces: VecDeque::from([Piece::Span(range)]), pending: None }
    }

    pub(super) fn several(file: Box<dyn File>, all: impl Iterator<Item = (String, Range)>, end: String) -> Self {
        let mut pieces: VecDeque<_> =
            all.flat_map(|(head, range)| [Piece::Text(head.into()), Piece::Span(range)]).collect();
        pieces.push_back(Piece::Text(end.into()));
        let size = |piece: &Piece| match piece {
            Piece::Text(text) => text.len() as u64,
            Piece::Span(range) => range.length(),
        };
        Self { file, left: pieces.iter().map(size).sum(), pieces, pending: None }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next piece. A file that has become shorter meanwhile is an error: its length has been told.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        let Some(piece) = self.pieces.front_mut() else { return Poll::Ready(None) };
        let read = match piece {
            Piece::Text(text) => {
                let text = std::mem::take(text);
                self.pieces.pop_front();
                text
            }
            Piece::Span(range) => {
                let length = range.length().min(PIECE);
                let pending = self.pending.get_or_insert_with(|| self.file.read(range.start, length as usize));
                let read = ready!(pending.as_mut().poll(cx));
                self.pending = None;
                match read {
                    Ok(read) if read.is_empty() => {
                        return Poll::Ready(Some(Err(Error::from(ErrorKind::UnexpectedEof))));
                    }
                    Ok(read) => {
                        range.start += read.len() as u64;
                        if range.start >= range.end {
                            self.pieces.pop_front();
                        }
                        read
                    }
                    Err(error) => return Poll::Ready(Some(Err(error))),
                }
            }
        };
        self.left -= read.len() as u64;
        Poll::Ready(Some(Ok(read)))
    }
}
