//! The calls: how each begins, and how what the host answers becomes its reply.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use spikard_core::{
    Args, Body, CallableId, Error, Flow, Head, HostArg, HostId, Outcome, Reason, Request, Response, Sent,
};
use spikard_ffi::{Call, Reply, Report, Ticket};

use super::{Held, Loop};
use crate::{
    convert::{self, Failure},
    error,
    host::Host,
    js::{Fault, Js, Kind, Val},
};

/// What has to be answered.
pub(super) enum Owes {
    Before(Request, Reply<Flow<Request>>),
    /// True: its value outlives the request.
    Provide(bool, Reply<HostId>),
    Handle(StatusCode, Reply<Response>),
    Recover(StatusCode, Reply<Option<Response>>),
    After(Response, Reply<Flow<Response>>),
    Pull(Reply<Option<Bytes>>),
    /// A call that has no result.
    Done(Reply<()>),
}

impl Owes {
    fn fail(self, error: Error) {
        match self {
            Owes::Before(_, reply) => reply.fail(error),
            Owes::Provide(_, reply) => reply.fail(error),
            Owes::Handle(_, reply) => reply.fail(error),
            Owes::Recover(_, reply) => reply.fail(error),
            Owes::After(_, reply) => reply.fail(error),
            Owes::Pull(reply) => reply.fail(error),
            Owes::Done(reply) => reply.fail(error),
        }
    }
}

/// Where the calls of one request begin and are settled.
#[derive(Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) js: Js<'a>,
    pub(crate) here: &'a Loop,
    pub(crate) held: &'a Held,
}

/// What is called, with what, and what has to be answered.
type Prepared<'a> = (Result<Val<'a>, Fault>, Vec<Val<'a>>, Owes);

impl<'a> Stage<'a> {
    pub(crate) fn host(self) -> &'a Host {
        &self.here.host
    }

    /// Begins a call of this work. What is owed, where the host answers it later.
    pub(super) fn call(self, ticket: Ticket, call: Call) -> Option<Owes> {
        match call {
            Call::Handle { handler: id, args, reply } => {
                self.bound(ticket, id, args, Owes::Handle(self.host().status(id), reply))
            }
            Call::Provide { provider: id, args, lasting, reply } => {
                self.bound(ticket, id, args, Owes::Provide(lasting, reply))
            }
            Call::Bind { args, reply } => {
                self.bind(args, reply);
                None
            }
            other => self.run(ticket, self.prepared(other)?),
        }
    }

    /// None: dropped, it is answered 500.
    fn prepared(self, call: Call) -> Option<Prepared<'a>> {
        let (js, host) = (self.js, self.host());
        let id = |HostId(id): HostId| js.id(id);
        Some(match call {
            Call::Before { hook, mut request, reply, .. } => {
                if let Some(head) = request.head.take() {
                    self.held.see(head);
                }
                (host.callable(js, hook), vec![], Owes::Before(request, reply))
            }
            Call::After { hook, response, reply, .. } => {
                let shown = self.shown(&response).unwrap_or_default();
                (host.callable(js, hook), shown, Owes::After(response, reply))
            }
            Call::Recover { handler, error, head, reply } => {
                let owes = Owes::Recover(error.status_code(), reply);
                (host.callable(js, handler), self.told(&error, head).unwrap_or_default(), owes)
            }
            Call::Pull { stream, reply } => (Ok(js.kept(&host.pull)), vec![id(stream)], Owes::Pull(reply)),
            Call::Finish { value, outcome, reply } => {
                let (outcome, exception) = outcome_of(outcome);
                let exception = exception.map_or(js.null(), id);
                (Ok(js.kept(&host.finish)), vec![id(value), js.id(outcome), exception], Owes::Done(reply))
            }
            Call::Run { task, reply } => {
                self.here.places.give_back([task]);
                (Ok(js.kept(&host.background)), vec![id(task)], Owes::Done(reply))
            }
            Call::Report { report, reply } => {
                (Ok(js.kept(&host.report)), self.reported(&report).unwrap_or_default(), Owes::Done(reply))
            }
            _ => return None,
        })
    }

    /// Calls what is called with bound arguments.
    fn bound(self, ticket: Ticket, id: CallableId, args: Args, owes: Owes) -> Option<Owes> {
        let mut argv = Vec::with_capacity(args.len() + 1);
        for arg in args {
            match convert::argument(self, arg) {
                Ok(value) => argv.push(value),
                Err(failure) => {
                    owes.fail(self.unbound(failure));
                    return None;
                }
            }
        }
        self.run(ticket, (self.host().callable(self.js, id), argv, owes))
    }

    /// A call that is not answered with `undefined` has been answered.
    fn run(self, ticket: Ticket, (function, mut args, owes): Prepared<'a>) -> Option<Owes> {
        args.insert(0, self.js.number(ticket.number() as f64));
        match function.map(|function| self.js.call(function, &args)) {
            Ok(Ok(answer)) if self.js.kind(answer) == Kind::napi_undefined => return Some(owes),
            Ok(Ok(answer)) => self.settle(owes, answer),
            Ok(Err(_)) => owes.fail(Error::internal("the package threw what it should have told")),
            Err(fault) => owes.fail(fault.into()),
        }
        None
    }

    fn bind(self, args: Vec<HostArg>, reply: Reply<Vec<HostId>>) {
        let mut bound = Vec::with_capacity(args.len());
        for input in args {
            let kept = convert::decode(self, Box::new(input)).and_then(|value| {
                let id = self.js.call(self.js.kept(&self.host().keep), &[value]);
                Ok(self.js.read_id(id.map_err(|_| Fault::new("no value was kept"))?)?)
            });
            match kept {
                Ok(id) => bound.push(self.held.keep(id)),
                Err(failure) => return reply.fail(self.unbound(failure)),
            }
        }
        reply.ok(bound);
    }

    /// A decoder refused its input, or failed.
    fn unbound(self, failure: Failure<'a>) -> Error {
        let js = self.js;
        let (what, input) = match failure {
            Failure::Fault(fault) => return fault.into(),
            Failure::Thrown(what, input) => (what, input),
        };
        match js.call(js.kept(&self.host().refused), &[what]) {
            Ok(words) if js.kind(words) == Kind::napi_string => {
                let refused = js.read_text(words).and_then(|words| error::refused(*input, &words));
                refused.unwrap_or_else(Error::from)
            }
            Ok(failure) => self.thrown(failure),
            Err(_) => Error::internal("a decoder failed"),
        }
    }

    /// What the log is told: the id of what was thrown or null, what the core says, route and request id.
    fn reported(self, report: &Report) -> Result<Vec<Val<'a>>, Fault> {
        let js = self.js;
        let exception = report.exception.map_or(js.null(), |HostId(id)| js.id(id));
        let (source, id) = (report.source.as_deref(), report.request_id.as_ref().map(ToString::to_string));
        Ok(vec![exception, js.optional(source)?, js.text(&*report.route)?, js.optional(id.as_deref())?])
    }

    /// The host has answered: its value becomes the reply.
    pub(super) fn settle(self, owes: Owes, answer: Val<'a>) {
        let js = self.js;
        if error::is_failure(js, answer) {
            return owes.fail(self.thrown(answer));
        }
        match owes {
            Owes::Handle(status, reply) => reply_with(reply, self.response(answer, status)),
            Owes::Before(request, reply) => reply_with(reply, self.before(answer, request)),
            Owes::After(shown, reply) => reply_with(reply, self.after(answer, shown).map(Flow::Continue)),
            Owes::Recover(status, reply) => {
                let nobody = js.kind(answer) == Kind::napi_null;
                reply_with(reply, (!nobody).then(|| self.response(answer, status)).transpose());
            }
            Owes::Provide(lasting, reply) => {
                let id = js.read_id(answer);
                reply_with(reply, id.map(|id| if lasting { HostId(id) } else { self.held.keep(id) }));
            }
            Owes::Pull(reply) => reply_with(reply, convert::piece(js, answer)),
            Owes::Done(reply) => reply.ok(()),
        }
    }

    /// What was thrown goes with the request.
    fn thrown(self, failure: Val<'a>) -> Error {
        let error = error::thrown(self.js, failure).unwrap_or_else(Error::from);
        if let Some(HostId(id)) = error.exception {
            self.held.keep(id);
        }
        error
    }

    /// A response, whose stream and tasks go with the request.
    fn response(self, answer: Val<'a>, status: StatusCode) -> Result<Response, Fault> {
        let response = convert::response(self.js, answer, status)?;
        if let Body::Stream(HostId(stream)) = response.body {
            self.held.keep(stream);
        }
        for HostId(task) in &response.tasks {
            self.held.keep(*task);
        }
        Ok(response)
    }

    /// Null goes on, with what was changed; anything else is the answer.
    fn before(self, answer: Val<'a>, mut request: Request) -> Result<Flow<Request>, Fault> {
        if self.js.kind(answer) != Kind::napi_null {
            return self.response(answer, StatusCode::OK).map(Flow::Respond);
        }
        request.head = self.held.head();
        Ok(Flow::Continue(request))
    }

    /// What a hook on the way out is shown: status, fields, and the body where it is there.
    fn shown(self, response: &Response) -> Result<Vec<Val<'a>>, Fault> {
        let js = self.js;
        let fields = convert::fields_of(js, response.headers.iter().map(|(name, value)| (name, value)))?;
        let body = match &response.body {
            Body::Whole(whole) => js.buffer(whole.clone())?,
            _ => js.null(),
        };
        Ok(vec![js.id(response.status.as_u16().into()), fields, body])
    }

    /// Null: as it was. `[status, fields, undefined, tasks]` leaves the body.
    fn after(self, answer: Val<'a>, mut shown: Response) -> Result<Response, Fault> {
        let js = self.js;
        if js.kind(answer) == Kind::napi_null {
            return Ok(shown);
        }
        let keeps_body = js.is_array(answer) && js.kind(js.item(answer, 2)?) == Kind::napi_undefined;
        let mut made = self.response(answer, shown.status)?;
        if keeps_body {
            made.body = std::mem::replace(&mut shown.body, Body::Whole(Bytes::new()));
        }
        made.tasks.splice(0..0, shown.tasks);
        Ok(made)
    }

    /// What an exception handler is told: the id of what was thrown or null, the status, and the problem document.
    fn told(self, error: &Error, head: Option<Arc<Head>>) -> Result<Vec<Val<'a>>, Fault> {
        let js = self.js;
        if let Some(head) = head
            && self.held.head().is_none()
        {
            self.held.see(head);
        }
        let exception = error.exception.map_or(js.null(), |HostId(id)| js.id(id));
        let fields = convert::fields_of(js, error.headers.iter().map(|(name, value)| (name, value)))?;
        Ok(vec![exception, js.id(error.status_code().as_u16().into()), js.text(error.told())?, fields])
    }
}

fn reply_with<T>(reply: Reply<T>, made: Result<T, Fault>) {
    match made {
        Ok(made) => reply.ok(made),
        Err(fault) => reply.fail(fault.into()),
    }
}

/// 0: a response was made and sent; 1: not wholly; 2: what was raised is to be thrown; 3, 4: the client left, the time was
/// over.
fn outcome_of(outcome: Outcome) -> (u32, Option<HostId>) {
    match outcome {
        Outcome::Returned | Outcome::Sent(Sent::Complete) => (0, None),
        Outcome::Sent(_) => (1, None),
        Outcome::Raised(exception) => (2, exception),
        Outcome::Cancelled(Reason::Departed) => (3, None),
        Outcome::Cancelled(Reason::TimedOut) => (4, None),
    }
}
