//! The body of a request for user code that asks for it: a mailbox between the host's side, which never blocks, and the
//! I/O side, which has the body: for all of it, or for one piece after another.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use crate::{Error, ErrorCode};

/// Is told the body, or why there is none. Called once, from any thread; it must not block.
pub type Told = Box<dyn FnOnce(Result<Bytes, Error>) + Send>;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// What comes next; nothing at its end.
    Piece,
}

/// User code asks, the I/O side answers under the limits of the route.
#[derive(Default)]
pub struct RequestBody(Mutex<State>);

#[derive(Default)]
struct State {
    /// Read, or put there by a hook.
    whole: Option<Bytes>,
    /// It cannot be read any more.
    failed: Option<(ErrorCode, Option<String>)>,
    /// Whoever asked and was not told.
    asking: Vec<Told>,
    /// Whoever waits for the next piece.
    next: Option<Told>,
    io: Option<Waker>,
    closed: bool,
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("read", &self.whole().is_some()).finish()
    }
}

impl RequestBody {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the whole body. Where it is there already, `told` is called at once.
    pub fn read(&self, told: Told) {
        let mut state = self.state();
        let known = match (&state.whole, &state.failed) {
            (Some(whole), _) => Ok(whole.clone()),
            (None, Some((code, detail))) => Err(again(*code, detail.clone())),
            (None, None) if state.closed => Err(again(ErrorCode::BadRequest, Some("the body is gone".into()))),
            (None, None) => {
                state.asking.push(told);
                let io = state.io.take();
                drop(state);
                if let Some(io) = io {
                    io.wake();
                }
                return;
            }
        };
        drop(state);
        told(known);
    }

    /// Asks for the next piece: until then no more is read, so that the client is held back. An empty one is the end. What
    /// has been read so is not kept.
    pub fn next(&self, told: Told) {
        let mut state = self.state();
        let known = match &state.failed {
            Some((code, detail)) => again(*code, detail.clone()),
            None if state.closed => again(ErrorCode::BadRequest, Some("the body is gone".into())),
            None if state.next.is_some() || !state.asking.is_empty() => {
                Error::internal("the body is being read already")
            }
            None => {
                state.next = Some(told);
                let io = state.io.take();
                drop(state);
                if let Some(io) = io {
                    io.wake();
                }
                return;
            }
        };
        drop(state);
        told(Err(known));
    }

    /// The body, if it has been read or replaced.
    pub fn whole(&self) -> Option<Bytes> {
        self.state().whole.clone()
    }

    /// Why it cannot be read any more.
    pub fn failure(&self) -> Option<Error> {
        let failed = self.state().failed.clone();
        failed.map(|(code, detail)| again(code, detail))
    }

    /// Replaces the body: what a hook changes reaches the route.
    pub fn replace(&self, whole: Bytes) {
        self.state().whole = Some(whole);
    }

    /// Whether the side that has the body has given the request up.
    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// For the I/O side: ready when somebody waits for the body, or for more of it.
    pub fn poll_asked(&self, cx: &Context<'_>) -> Poll<Wanted> {
        let mut state = self.state();
        match (state.asking.is_empty(), &state.next) {
            (false, _) => Poll::Ready(Wanted::Whole),
            (true, Some(_)) => Poll::Ready(Wanted::Piece),
            (true, None) => {
                state.io = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// From the I/O side: the next piece, or why there is none.
    pub fn tell_piece(&self, read: Result<Bytes, Error>) {
        let mut state = self.state();
        if let Err(error) = &read {
            state.failed = Some((error.code, error.detail.as_ref().map(ToString::to_string)));
        }
        let next = state.next.take();
        drop(state);
        if let Some(told) = next {
            told(read);
        }
    }

    /// From the I/O side: what became of the reading.
    pub fn tell(&self, read: &Result<Bytes, Error>) {
        let mut state = self.state();
        match read {
            Ok(whole) => state.whole = Some(whole.clone()),
            Err(error) => state.failed = Some((error.code, error.detail.as_ref().map(ToString::to_string))),
        }
        let asking = std::mem::take(&mut state.asking);
        drop(state);
        for told in asking {
            told(match read {
                Ok(whole) => Ok(whole.clone()),
                Err(error) => Err(again(error.code, error.detail.as_ref().map(ToString::to_string))),
            });
        }
    }

    /// From the I/O side, which reads no more: the client left, or has its answer.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let next = state.next.take();
        let asking = std::mem::take(&mut state.asking);
        drop(state);
        for told in asking.into_iter().chain(next) {
            told(Err(again(ErrorCode::BadRequest, Some("the body broke off".into()))));
        }
    }
}

fn again(code: ErrorCode, detail: Option<String>) -> Error {
    let mut error = Error::new(code);
    error.detail = detail.map(Into::into);
    error
}
