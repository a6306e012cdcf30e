//! The whole suite of the listener once more, with the connections on a reactor.
#![cfg(all(feature = "server", unix))]

#[path = "listener.rs"]
mod listener;
