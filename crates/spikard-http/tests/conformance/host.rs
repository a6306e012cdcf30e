//! User code without a language: two threads that ask for work and do what the route's script says.

use std::{
    sync::{Arc, OnceLock, mpsc},
    thread::{self, JoinHandle},
};

use spikard_core::{Arg, Entry, Error, HostId, Input, Response, msgpack};
use spikard_ffi::{Call, Driver, Job, JobQueue, Reply, Step, Ticket, Worker};
use spikard_http::Apart;

use crate::{
    app::Argument,
    echo,
    hook::{self, HANDLERS, HOOKS},
    json::Json,
    later::Later,
    provide::{Dependency, Made, PROVIDERS},
    script,
};

/// The handler of a route.
pub struct Route {
    pub arguments: Vec<Argument>,
    /// Of a plain value.
    pub status: u16,
    pub script: Json,
}

/// The user code of one app, what it has made, and what it leaves for later.
#[derive(Default)]
pub struct Code {
    pub routes: Vec<Route>,
    /// The scripts of hooks, and of exception handlers.
    pub hooks: Vec<Json>,
    pub handlers: Vec<Json>,
    pub dependencies: Vec<Dependency>,
    pub made: Made,
    pub later: Later,
    /// Of the service, for user code that reads a body itself.
    pub apart: Arc<OnceLock<Apart>>,
}

/// The threads of one app; they end when it is dropped.
pub struct Host {
    pub queue: Arc<JobQueue>,
    pub apart: Arc<OnceLock<Apart>>,
    threads: Vec<JoinHandle<()>>,
}

impl Host {
    pub fn start(code: Code) -> Self {
        let apart = code.apart.clone();
        let code = Arc::new(code);
        let queue = Arc::new(JobQueue::default());
        let begin = |_| {
            let (worker, code) = (queue.worker(), code.clone());
            thread::spawn(move || work(&worker, &code))
        };
        let threads = (0..2).map(begin).collect();
        Self { queue, apart, threads }
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

fn work(worker: &Arc<Worker>, code: &Code) {
    let driver = Driver::new(worker.clone());
    loop {
        match worker.next() {
            Job::Start(work) => go_on(&driver, driver.accept(work), code),
            Job::Woken => driver.woken().for_each(|ticket| go_on(&driver, ticket, code)),
            Job::Closed => return,
        }
    }
}

fn go_on(driver: &Driver, ticket: Ticket, code: &Code) {
    loop {
        match driver.step(ticket) {
            Step::Call(call) => answer(call, code),
            Step::Spawn(work) => go_on(driver, driver.accept(work), code),
            // A host that blocks has answered every call before it steps again.
            Step::Cancel(_) => {}
            Step::Waiting | Step::Ended => return,
        }
    }
}

/// A call that no word of a script leads to is left unanswered, which answers it 500.
fn answer(call: Call, code: &Code) {
    match call {
        Call::Handle { handler, args, reply } => {
            settle(reply, handle(&code.routes[handler.0 as usize], args, code));
        }
        Call::Before { hook: id, request, reply, .. } => {
            settle(reply, hook::before(&code.hooks[id.0 as usize - HOOKS], request));
        }
        Call::After { hook: id, response, reply, .. } => {
            settle(reply, hook::after(&code.hooks[id.0 as usize - HOOKS], response));
        }
        Call::Recover { handler, error, reply, .. } => {
            let made = hook::handled(&code.handlers[handler.0 as usize - HANDLERS], &error, &code.later);
            settle(reply, made.map(Some));
        }
        Call::Pull { stream, reply } => reply.ok(code.later.pull(stream)),
        Call::Run { task, reply } => settle(reply, code.later.run(task)),
        Call::Provide { provider, args, reply, .. } => {
            settle(reply, provide(provider.0 as usize - PROVIDERS, args, code));
        }
        Call::Finish { value, outcome, reply } => settle(reply, code.made.finish(value, outcome, code)),
        Call::Report { reply, .. } => reply.ok(()),
        _ => {}
    }
}

fn settle<T>(reply: Reply<T>, made: Result<T, Error>) {
    match made {
        Ok(made) => reply.ok(made),
        Err(error) => reply.fail(error),
    }
}

fn handle(route: &Route, args: Vec<Arg>, code: &Code) -> Result<Response, Error> {
    if route.script.get("form").is_some() {
        return Ok(script::answer(route.status, &form(&args, code)?));
    }
    script::run(&route.script, &received(&route.arguments, args, &code.made)?, route.status, &code.later)
}

/// The pairs of the form that the request itself reads.
fn form(args: &[Arg], code: &Code) -> Result<Json, Error> {
    let found = args.iter().find_map(|arg| if let Arg::Request(head) = arg { Some(head) } else { None });
    let (head, apart) = found.zip(code.apart.get()).ok_or_else(|| Error::internal("nothing can be read"))?;
    let (tell, told) = mpsc::channel();
    head.body.read(Box::new(move |read| drop(tell.send(read))));
    let body = told.recv().map_err(|_| Error::internal("the body is not told"))??;
    let value = |entry| match entry {
        Entry::Text(text) => Json::Text(text),
        Entry::File(file) => echo::upload(&file),
    };
    let entries = apart.form(&body, &head.parts)?.into_iter();
    Ok(Json::List(entries.map(|(name, entry)| Json::List(vec![Json::Text(name), value(entry)])).collect()))
}

fn provide(number: usize, args: Vec<Arg>, code: &Code) -> Result<HostId, Error> {
    let received = received(&code.dependencies[number].arguments, args, &code.made)?;
    code.made.make(number, received, code)
}

fn received(arguments: &[Argument], args: Vec<Arg>, made: &Made) -> Result<Json, Error> {
    let received = arguments.iter().zip(args).map(|(argument, arg)| receive(argument, arg, made));
    Ok(Json::Map(received.collect::<Result<_, _>>()?))
}

/// The argument's name and its value as `echo` writes it. Bodies of models are decoded here.
fn receive(argument: &Argument, arg: Arg, made: &Made) -> Result<(String, Json), Error> {
    Ok(match (argument, arg) {
        (Argument::Parameter { name, default, .. }, Arg::Absent) => {
            (name.clone(), default.clone().unwrap_or(Json::Null))
        }
        (Argument::Parameter { name, schema, choices, .. }, arg) => {
            (name.clone(), echo::argument(&arg, schema, choices))
        }
        (Argument::Body(Some(model)), Arg::Input(input)) => {
            let mut files = Vec::new();
            let text = match &input.input {
                Input::Json(text) => text.to_vec(),
                Input::Msgpack(text) => {
                    let value = msgpack::to_arg(text, 64).map_err(|fault| Error::internal(fault.reason))?;
                    msgpack::as_json(&value).to_string().into_bytes()
                }
                Input::Value(value) => echo::without_uploads(value, &mut files).to_string().into_bytes(),
            };
            match model.decode(&text) {
                Some(value) => ("body".to_owned(), echo::with_uploads(value, &files)),
                None => return Err(Error::refused(*input, "the decoder refuses it")),
            }
        }
        (Argument::Provided { name, constant: Some(value) }, Arg::Absent) => (name.clone(), value.clone()),
        (Argument::Provided { name, .. }, Arg::Host(id)) => (name.clone(), made.value(id)),
        // Nothing was made, which only a sabotage does.
        (Argument::Provided { name, .. }, _) => (name.clone(), Json::Null),
        (Argument::Request, Arg::Request(head)) => ("request".to_owned(), hook::written(&head)),
        (Argument::Request, _) => return Err(Error::internal("the request came without its head")),
        (Argument::Body(_), arg) => ("body".to_owned(), echo::argument(&arg, &true.into(), &[])),
    })
}
