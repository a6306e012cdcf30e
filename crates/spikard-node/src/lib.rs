//! `spikard.node`, the add-on of `@spikard/node`. A [`Worker`] serves one app on one main thread.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "numbers of the host are of one kind; what crosses as one is no fraction, and below 2^53"
)]
#![expect(clippy::needless_pass_by_value, reason = "what crosses is owned by the call")]

mod convert;
mod engine;
mod error;
mod home;
mod host;
mod js;
mod runtime;
pub mod supervisor;

use std::{rc::Rc, sync::Arc};

use bytes::Bytes;
use napi::{
    Env, Unknown,
    bindgen_prelude::{Buffer, Function},
};
use napi_derive::napi;
use spikard_core::{HostId, spec::AppSpec};
use spikard_ffi::Ticket;
use spikard_http::{
    Service, Tokio,
    server::{Home, IoThread, Source},
};

use crate::{
    engine::{Loop, request::RequestHead},
    host::Host,
    js::{Js, Val},
    runtime::{Answer, Bell},
};

#[global_allocator]
static ALLOCATOR: spikard_http::Allocator = spikard_http::Allocator;

/// Serves one app on the main thread that makes it.
#[napi]
pub struct Worker {
    here: Rc<Loop>,
    service: Service,
    io: IoThread,
}

fn refused(fault: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(fault.to_string())
}

#[napi]
impl Worker {
    /// `document` is the app's specification as JSON; `names` what the package lends; `turn` calls [`Worker::turn`].
    /// `on_loop`: the program runs libuv on this thread, and connections may live on it.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        document: String,
        #[napi(ts_arg_type = "object")] names: Unknown,
        turn: Function<(), ()>,
        on_loop: bool,
    ) -> napi::Result<Self> {
        let spec = AppSpec::from_json(document.as_bytes()).map_err(refused)?;
        let host = Host::new(Js::of(&env), Val::of(names)).map_err(refused)?;
        let inbox = Bell::inbox(&turn)?;
        let runtime = Tokio::runtime()?;
        let platform = Arc::new(Tokio::new(runtime.handle().clone()));
        let service = Service::new(&spec, inbox.clone(), platform).map_err(refused)?;
        let own = on_loop && cfg!(unix) && !service.config().host_side.io_thread;
        let rung = inbox.clone();
        let home = if own { Home::new(move || rung.ring())? } else { Home::default() };
        let io = IoThread::start(runtime, &service, &home)?;
        let here = Rc::new(Loop::new(inbox, host, service.apart().clone(), home));
        if own {
            home::watch(&env, &here).map_err(refused)?;
        }
        Ok(Self { here, service, io })
    }

    /// Deals with what has come.
    #[napi(catch_unwind)]
    pub fn turn(&self, env: Env) {
        self.here.turn(Js::of(&env), false);
    }

    /// Answers an open call with what its function would have returned at once.
    #[napi(catch_unwind)]
    pub fn answer(&self, env: Env, token: f64, #[napi(ts_arg_type = "unknown")] answer: Unknown) {
        self.here.answered(Js::of(&env), Ticket::of(token as u64), Val::of(answer));
    }

    /// What applies, as JSON.
    #[napi(getter)]
    pub fn config(&self) -> String {
        serde_json::to_string(self.service.config()).expect("plain values")
    }

    /// Requests that have not ended, clean-up included, and background tasks.
    #[napi(getter)]
    pub fn in_flight(&self) -> u32 {
        self.service.in_flight() as u32
    }

    /// Listens where the configuration says, or on the socket that was assigned to this process. Answers the place, and the
    /// number by which `told` is called when the server has ended.
    #[napi]
    pub fn listen(&self, assignment: Option<String>) -> napi::Result<(String, f64)> {
        let source = Source::open(self.service.config(), assignment.as_deref())?;
        let (place, number, inbox) = (source.place(), self.here.inbox.ask(), self.here.inbox.clone());
        self.io.serve(&self.service, source, move |drained| inbox.tell(number, Answer::Drained(drained)));
        Ok((place, number as f64))
    }

    /// Begins the drain of the server, or ends it `now`, whatever is in flight.
    #[napi]
    pub fn shutdown(&self, now: bool) {
        let shutdown = self.io.shutdown();
        if now { shutdown.abort() } else { shutdown.begin() }
    }

    /// Finishes the singletons that requests have made; `told` is called by the number that this answers.
    #[napi]
    pub fn retire(&self) -> f64 {
        let (number, inbox) = (self.here.inbox.ask(), self.here.inbox.clone());
        self.io.retire(&self.service, move || inbox.tell(number, Answer::Nothing));
        number as f64
    }

    /// Sends a request through the in-memory door; `told` is called by the number that this answers.
    #[napi]
    pub fn send(
        &self,
        env: Env,
        method: String,
        target: String,
        #[napi(ts_arg_type = "string[]")] flat: Unknown,
        body: Buffer,
    ) -> napi::Result<f64> {
        let fields = convert::fields(Js::of(&env), Val::of(flat)).map_err(refused)?;
        let request = spikard_http::head(&method, &target, fields).map_err(refused)?;
        let request = request.map(|()| Bytes::copy_from_slice(&body));
        let (number, inbox, service) = (self.here.inbox.ask(), self.here.inbox.clone(), self.service.clone());
        self.io.spawn(async move {
            let answer = spikard_http::testing::send(&service, request).await;
            inbox.tell(number, answer.map_or(Answer::Nothing, Answer::Response));
        });
        Ok(number as f64)
    }

    /// The head of a request that has not ended.
    #[napi]
    pub fn head(&self, token: f64) -> napi::Result<RequestHead> {
        let held = self.here.held(Ticket::of(token as u64)).ok_or_else(|| refused("the request is over"))?;
        RequestHead::new(&held, self.here.clone()).ok_or_else(|| refused("there is no head"))
    }

    /// The host value that the user code of one request shares: the given one where it is the first. None: the request is
    /// over.
    #[napi]
    pub fn share(&self, token: f64, value: u32) -> Option<u32> {
        self.here.held(Ticket::of(token as u64)).map(|held| held.share(value))
    }

    /// A place for one more background task, a host value. False: there is none.
    #[napi]
    pub fn reserve(&self, task: u32) -> bool {
        self.here.places.reserve(self.service.background(), HostId(task))
    }

    /// Gives the place of a task back that will never run.
    #[napi]
    pub fn give_back(&self, task: u32) {
        self.here.places.give_back([HostId(task)]);
    }

    /// Runs a task whose request has ended. Its place has been reserved.
    #[napi]
    pub fn run_in_background(&self, task: u32) {
        self.here.spawn(self.service.run_in_background(HostId(task)), task);
    }

    /// Keeps the process alive, or no longer.
    #[napi]
    pub fn keep_alive(&self, env: Env, alive: bool) {
        self.here.inbox.bell().keep_alive(&env, alive);
    }

    /// Ends the worker and whatever it still does.
    #[napi]
    pub fn close(&self, env: Env) {
        self.io.stop();
        self.here.close(Js::of(&env));
    }
}

impl Drop for Worker {
    /// Forgotten without `close`: its thread ends all the same.
    fn drop(&mut self) {
        self.io.leave();
    }
}
