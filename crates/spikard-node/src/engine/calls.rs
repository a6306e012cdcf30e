//! The calls: how each begins, and how what the host answers becomes its reply.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use spikard_core::{
    Args, Body, CallableId, Error, Flow, Head, HostArg, HostId, Outcome, Reason, Request, Response, Sent,
};
use spikard_ffi::{Call, Reply, Report};

use super::{Held, Loop, Token};
use crate::{
    convert::{self, Failure},
    error,
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

/// What is called, with what, and what has to be answered.
type Prepared<'a> = (Result<Val<'a>, Fault>, Vec<Val<'a>>, Owes);

impl Loop {
    /// Begins a call. What is owed, where the host answers it later.
    pub(super) fn call(&self, js: Js<'_>, token: Token, held: &Held, call: Call) -> Option<Owes> {
        match call {
            Call::Handle { handler: id, args, reply } => {
                return self.bound(js, token, held, id, (args, Owes::Handle(self.host.status(id), reply)));
            }
            Call::Provide { provider: id, args, lasting, reply } => {
                return self.bound(js, token, held, id, (args, Owes::Provide(lasting, reply)));
            }
            Call::Bind { args, reply } => self.bind(js, held, args, reply),
            Call::Report { report, reply } => {
                self.report(js, &report);
                reply.ok(());
            }
            other => match self.prepared(js, held, other) {
                Some((Ok(function), args, owes)) => return run(js, held, function, (token, args), owes),
                Some((Err(fault), _, owes)) => return failed(owes, fault),
                None => (),
            },
        }
        None
    }

    /// None: dropped, it is answered 500.
    fn prepared<'a>(&self, js: Js<'a>, held: &Held, call: Call) -> Option<Prepared<'a>> {
        let id = |HostId(id): HostId| js.id(id);
        let host = &self.host;
        Some(match call {
            Call::Before { hook, mut request, reply, .. } => {
                if let Some(head) = request.head.take() {
                    held.see(head);
                }
                (host.callable(js, hook), vec![], Owes::Before(request, reply))
            }
            Call::After { hook, response, reply, .. } => {
                let shown = shown(js, &response).unwrap_or_default();
                (host.callable(js, hook), shown, Owes::After(response, reply))
            }
            Call::Recover { handler, error, head, reply } => {
                let owes = Owes::Recover(error.status_code(), reply);
                (host.callable(js, handler), told(js, held, &error, head).unwrap_or_default(), owes)
            }
            Call::Pull { stream, reply } => (Ok(js.kept(&host.pull)), vec![id(stream)], Owes::Pull(reply)),
            Call::Finish { value, outcome, reply } => {
                let (outcome, exception) = outcome_of(outcome);
                let exception = exception.map_or(js.null(), id);
                (Ok(js.kept(&host.finish)), vec![id(value), js.id(outcome), exception], Owes::Done(reply))
            }
            Call::Run { task, reply } => {
                self.give_back(task.0);
                (Ok(js.kept(&host.background)), vec![id(task)], Owes::Done(reply))
            }
            _ => return None,
        })
    }

    /// Calls what is called with bound arguments.
    fn bound(&self, js: Js<'_>, token: Token, held: &Held, id: CallableId, (args, owes): (Args, Owes)) -> Option<Owes> {
        let mut argv = Vec::with_capacity(args.len() + 1);
        for arg in args {
            match convert::argument(js, &self.host, held, arg) {
                Ok(value) => argv.push(value),
                Err(failure) => {
                    owes.fail(self.unbound(js, held, failure));
                    return None;
                }
            }
        }
        match self.host.callable(js, id) {
            Ok(function) => run(js, held, function, (token, argv), owes),
            Err(fault) => failed(owes, fault),
        }
    }

    fn bind(&self, js: Js<'_>, held: &Held, args: Vec<HostArg>, reply: Reply<Vec<HostId>>) {
        let mut bound = Vec::with_capacity(args.len());
        for input in args {
            let kept = convert::decode(js, &self.host, held, Box::new(input)).and_then(|value| {
                let id = js.call(js.kept(&self.host.keep), &[value]).map_err(|_| Fault::from("no value was kept"))?;
                Ok(js.read_id(id)?)
            });
            match kept {
                Ok(id) => bound.push(held.keep(id)),
                Err(failure) => return reply.fail(self.unbound(js, held, failure)),
            }
        }
        reply.ok(bound);
    }

    /// A decoder refused its input, or failed.
    fn unbound(&self, js: Js<'_>, held: &Held, failure: Failure<'_>) -> Error {
        let (what, input) = match failure {
            Failure::Fault(fault) => return fault.into(),
            Failure::Thrown(what, input) => (what, input),
        };
        match js.call(js.kept(&self.host.refused), &[what]) {
            Ok(words) if js.kind(words) == Kind::Text => {
                let refused = js.read_text(words).and_then(|words| error::refused(*input, &words));
                refused.unwrap_or_else(Error::from)
            }
            Ok(failure) => thrown(js, held, failure),
            Err(_) => Error::internal("a decoder failed"),
        }
    }

    fn report(&self, js: Js<'_>, report: &Report) {
        let text = |text: &str| js.text(text).unwrap_or(js.null());
        let exception = report.exception.map_or(js.null(), |HostId(id)| js.id(id));
        let source = report.source.as_deref().map_or(js.null(), text);
        let request_id = report.request_id.as_ref().map_or(js.null(), |id| text(&id.to_string()));
        let _ = js.call(js.kept(&self.host.report), &[exception, source, text(&report.route), request_id]);
    }
}

/// A call that is not answered with `undefined` has been answered.
fn run(
    js: Js<'_>,
    held: &Held,
    function: Val<'_>,
    (Token(token), mut args): (Token, Vec<Val<'_>>),
    owes: Owes,
) -> Option<Owes> {
    args.insert(0, js.number(token));
    match js.call(function, &args) {
        Ok(answer) if js.kind(answer) == Kind::Undefined => return Some(owes),
        Ok(answer) => settle(js, held, owes, answer),
        Err(_) => owes.fail(Error::internal("the package threw what it should have told")),
    }
    None
}

fn failed(owes: Owes, fault: Fault) -> Option<Owes> {
    owes.fail(fault.into());
    None
}

fn reply_with<T>(reply: Reply<T>, made: Result<T, Fault>) {
    match made {
        Ok(made) => reply.ok(made),
        Err(fault) => reply.fail(fault.into()),
    }
}

/// The host has answered: its value becomes the reply.
pub(super) fn settle(js: Js<'_>, held: &Held, owes: Owes, answer: Val<'_>) {
    if error::is_failure(js, answer) {
        return owes.fail(thrown(js, held, answer));
    }
    match owes {
        Owes::Handle(status, reply) => reply_with(reply, response(js, held, answer, status)),
        Owes::Before(request, reply) => reply_with(reply, before(js, held, answer, request)),
        Owes::After(shown, reply) => reply_with(reply, after(js, held, answer, shown).map(Flow::Continue)),
        Owes::Recover(status, reply) => {
            let nobody = js.kind(answer) == Kind::Null;
            reply_with(reply, (!nobody).then(|| response(js, held, answer, status)).transpose());
        }
        Owes::Provide(lasting, reply) => {
            let id = js.read_id(answer);
            reply_with(reply, id.map(|id| if lasting { HostId(id) } else { held.keep(id) }));
        }
        Owes::Pull(reply) => reply_with(reply, convert::piece(js, answer)),
        Owes::Done(reply) => reply.ok(()),
    }
}

/// What was thrown goes with the request.
fn thrown(js: Js<'_>, held: &Held, failure: Val<'_>) -> Error {
    let error = error::thrown(js, failure).unwrap_or_else(Error::from);
    if let Some(HostId(id)) = error.exception {
        held.keep(id);
    }
    error
}

/// A response, whose stream and tasks go with the request.
fn response(js: Js<'_>, held: &Held, answer: Val<'_>, status: StatusCode) -> Result<Response, Fault> {
    let response = convert::response(js, answer, status)?;
    if let Body::Stream(HostId(stream)) = response.body {
        held.keep(stream);
    }
    for HostId(task) in &response.tasks {
        held.keep(*task);
    }
    Ok(response)
}

/// Null goes on, with what was changed; anything else is the answer.
fn before(js: Js<'_>, held: &Held, answer: Val<'_>, mut request: Request) -> Result<Flow<Request>, Fault> {
    if js.kind(answer) != Kind::Null {
        return response(js, held, answer, StatusCode::OK).map(Flow::Respond);
    }
    request.head = held.head();
    Ok(Flow::Continue(request))
}

/// What a hook on the way out is shown: status, fields, and the body where it is there.
fn shown<'a>(js: Js<'a>, response: &Response) -> Result<Vec<Val<'a>>, Fault> {
    let fields = convert::fields_of(js, response.headers.iter().map(|(name, value)| (name, value)))?;
    let body = match &response.body {
        Body::Whole(whole) => js.buffer(whole.clone())?,
        _ => js.null(),
    };
    Ok(vec![js.id(response.status.as_u16().into()), fields, body])
}

/// Null: as it was. `[status, fields, null, tasks]` leaves the body.
fn after(js: Js<'_>, held: &Held, answer: Val<'_>, mut shown: Response) -> Result<Response, Fault> {
    if js.kind(answer) == Kind::Null {
        return Ok(shown);
    }
    let keeps_body = js.is_array(answer) && js.kind(js.item(answer, 2)?) == Kind::Undefined;
    let mut made = response(js, held, answer, shown.status)?;
    if keeps_body {
        made.body = std::mem::replace(&mut shown.body, Body::Whole(Bytes::new()));
    }
    made.tasks.splice(0..0, shown.tasks);
    Ok(made)
}

/// What an exception handler is told: the id of what was thrown or null, the status, and the problem document.
fn told<'a>(js: Js<'a>, held: &Held, error: &Error, head: Option<Arc<Head>>) -> Result<Vec<Val<'a>>, Fault> {
    if let Some(head) = head
        && held.head().is_none()
    {
        held.see(head);
    }
    let exception = error.exception.map_or(js.null(), |HostId(id)| js.id(id));
    let fields = convert::fields_of(js, error.headers.iter().map(|(name, value)| (name, value)))?;
    Ok(vec![exception, js.id(error.status_code().as_u16().into()), js.utf8(&error.told())?, fields])
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
