//! What goes on behind the head of a response: streams and tasks; and the notes that user code makes.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use spikard_core::{Body, Error, HostId};

use crate::{app::exception, json::Json};

/// The first ids of streams and of tasks: nothing else has such high ones.
const STREAMS: usize = 1_000_000;
const TASKS: usize = 2_000_000;

/// All of one app.
#[derive(Default)]
pub struct Later {
    state: Mutex<State>,
    noted: Condvar,
}

#[derive(Default)]
struct State {
    streams: Vec<VecDeque<Bytes>>,
    tasks: Vec<Json>,
    notes: Vec<String>,
}

impl Later {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stream of these pieces.
    pub fn stream(&self, about: &Json) -> Body {
        let pieces = about.get("pieces").map_or(&[][..], Json::items);
        let repeat = about.get("repeat").and_then(Json::status).unwrap_or(1);
        let mut state = self.state();
        state.streams.push((0..repeat).flat_map(|_| pieces.iter().map(piece)).collect());
        Body::Stream(HostId((STREAMS + state.streams.len() - 1) as u32))
    }

    /// The next piece.
    pub fn pull(&self, stream: HostId) -> Option<Bytes> {
        self.state().streams[stream.0 as usize - STREAMS].pop_front()
    }

    /// A task that makes a note.
    pub fn task(&self, about: &Json) -> HostId {
        let mut state = self.state();
        state.tasks.push(about.clone());
        HostId((TASKS + state.tasks.len() - 1) as u32)
    }

    /// Runs it.
    pub fn run(&self, task: HostId) -> Result<(), Error> {
        let about = self.state().tasks[task.0 as usize - TASKS].clone();
        self.note(about.text_of("note").unwrap_or_default().to_owned());
        about.text_of("raise").map_or(Ok(()), |message| Err(exception(message)))
    }

    /// One more note.
    pub fn note(&self, text: String) {
        self.state().notes.push(text);
        self.noted.notify_all();
    }

    /// All notes, once there are so many; two seconds at most.
    pub fn notes(&self, count: usize) -> Json {
        let few = |state: &mut State| state.notes.len() < count;
        let waited = self.noted.wait_timeout_while(self.state(), Duration::from_secs(2), few);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Json::List(state.notes.iter().cloned().map(Json::Text).collect())
    }
}

fn piece(piece: &Json) -> Bytes {
    match piece.text_of("base64") {
        Some(text) => STANDARD.decode(text).expect("a valid case").into(),
        None => piece.text().expect("a valid case").to_owned().into(),
    }
}
