//! User code without a language: two threads that ask for work and do what the route's script says.

use std::{
    sync::Arc,
    thread::{self, JoinHandle},
};

use spikard_core::{Arg, Error, Input, Response};
use spikard_ffi::{Call, Driver, Job, JobQueue, Step, Ticket, Worker};

use crate::{app::Argument, echo, json::Json, script};

/// The handler of a route.
pub struct Route {
    pub arguments: Vec<Argument>,
    /// Of a plain value.
    pub status: u16,
    pub script: Json,
}

/// The threads of one app; they end when it is dropped.
pub struct Host {
    pub queue: Arc<JobQueue>,
    threads: Vec<JoinHandle<()>>,
}

impl Host {
    pub fn start(routes: Vec<Route>) -> Self {
        let (queue, routes) = (Arc::new(JobQueue::default()), Arc::new(routes));
        let begin = |_| {
            let (worker, routes) = (queue.worker(), routes.clone());
            thread::spawn(move || work(&worker, &routes))
        };
        let threads = (0..2).map(begin).collect();
        Self { queue, threads }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn work(worker: &Arc<Worker>, routes: &[Route]) {
    let driver = Driver::new(worker.clone());
    loop {
        match worker.next() {
            Job::Start(work) => go_on(&driver, driver.accept(work), routes),
            Job::Woken => driver.woken().for_each(|ticket| go_on(&driver, ticket, routes)),
            Job::Closed => return,
        }
    }
}

fn go_on(driver: &Driver, ticket: Ticket, routes: &[Route]) {
    loop {
        match driver.step(ticket) {
            Step::Call(call) => answer(call, routes),
            Step::Spawn(work) => go_on(driver, driver.accept(work), routes),
            // A host that blocks has answered every call before it steps again.
            Step::Cancel(_) => {}
            Step::Waiting | Step::Ended => return,
        }
    }
}

/// A call that no word of a script leads to is left unanswered, which answers it 500.
fn answer(call: Call, routes: &[Route]) {
    match call {
        Call::Handle { handler, args, reply } => match handle(&routes[handler.0 as usize], args) {
            Ok(response) => reply.ok(response),
            Err(error) => reply.fail(error),
        },
        Call::Report { reply, .. } => reply.ok(()),
        _ => {}
    }
}

fn handle(route: &Route, args: Vec<Arg>) -> Result<Response, Error> {
    let mut received = Vec::new();
    for (argument, arg) in route.arguments.iter().zip(args) {
        received.push(receive(argument, arg)?);
    }
    script::run(&route.script, &Json::Map(received), route.status)
}

/// The argument's name and its value as `echo` writes it. Bodies of models are decoded here.
fn receive(argument: &Argument, arg: Arg) -> Result<(String, Json), Error> {
    Ok(match (argument, arg) {
        (Argument::Parameter { name, default, .. }, Arg::Absent) => {
            (name.clone(), default.clone().unwrap_or(Json::Null))
        }
        (Argument::Parameter { name, schema, choices, .. }, arg) => {
            (name.clone(), echo::argument(&arg, schema, choices))
        }
        (Argument::Body(Some(model)), Arg::Input(input)) => {
            let Input::Json(text) = &input.input else { return Err(Error::internal("a body came without its text")) };
            match model.decode(text) {
                Some(value) => ("body".to_owned(), value),
                None => return Err(Error::refused(*input, "the decoder refuses it")),
            }
        }
        (Argument::Body(_), arg) => ("body".to_owned(), echo::argument(&arg, &true.into(), &[])),
    })
}
