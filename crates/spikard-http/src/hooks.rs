//! The hooks of a route: the app's, then its routers', then its own.

use std::mem;

use spikard_core::{
    Body, CallableId, Flow, HostId, Outcome, Phase, Request, Response, Sent, sabotage,
    spec::{AppSpec, HookSpec, RecoverSpec},
};
use spikard_ffi::Call;

use crate::transit::{Fault, HostEnd};

#[derive(Default)]
pub(crate) struct Hooks {
    /// `on_request` and `pre_validation`: with them the work starts at the head.
    pub early: Vec<(Phase, CallableId)>,
    pub pre_handler: Vec<(Phase, CallableId)>,
    pub on_error: Vec<CallableId>,
    pub on_response: Vec<CallableId>,
}

impl Hooks {
    pub(crate) fn of(app: &AppSpec, own: &HookSpec) -> Self {
        if sabotage::takes_out("hooks") {
            return Self::default();
        }
        let both = |pick: fn(&HookSpec) -> &Vec<CallableId>| [pick(&app.hooks).as_slice(), pick(own)].concat();
        let on_request = both(|hooks| &hooks.on_request).into_iter().map(|hook| (Phase::OnRequest, hook));
        let pre_validation = both(|hooks| &hooks.pre_validation).into_iter().map(|hook| (Phase::PreValidation, hook));
        let pre_handler = both(|hooks| &hooks.pre_handler).into_iter().map(|hook| (Phase::PreHandler, hook));
        Self {
            early: on_request.chain(pre_validation).collect(),
            pre_handler: pre_handler.collect(),
            on_error: both(|hooks| &hooks.on_error),
            on_response: both(|hooks| &hooks.on_response),
        }
    }

    /// Those that see a request which no route matches.
    pub(crate) fn outside(app: &AppSpec) -> Self {
        if sabotage::takes_out("hooks") {
            return Self::default();
        }
        Self {
            early: app.hooks.on_request.iter().map(|hook| (Phase::OnRequest, *hook)).collect(),
            pre_handler: Vec::new(),
            on_error: app.hooks.on_error.clone(),
            on_response: app.hooks.on_response.clone(),
        }
    }

    /// The exception handlers of a route: its own, and the app's where it has none.
    pub(crate) fn recover(app: &AppSpec, own: &RecoverSpec) -> RecoverSpec {
        if sabotage::takes_out("hooks") { RecoverSpec::default() } else { own.within(&app.recover) }
    }

    /// Whether somebody is shown the head.
    pub(crate) fn see_the_head(&self) -> bool {
        !self.early.is_empty() || !self.pre_handler.is_empty()
    }
}

/// Hooks on the way in, until one answers.
#[allow(clippy::manual_async_fn, reason = "an async fn stores its parameters twice")]
pub(crate) fn before(
    end: &HostEnd,
    hooks: &[(Phase, CallableId)],
    mut request: Request,
) -> impl Future<Output = Result<Flow<Request>, Fault>> {
    async move {
        for &(phase, hook) in hooks {
            match end.ask(|reply| Call::Before { hook, phase, request, reply }).await? {
                Flow::Continue(next) => request = next,
                early @ Flow::Respond(_) => return Ok(early),
            }
        }
        Ok(Flow::Continue(request))
    }
}

/// Hooks on the way out. What takes the place of a response keeps its background tasks, and its stream is closed.
#[allow(clippy::manual_async_fn, reason = "an async fn stores its parameters twice")]
pub(crate) fn after(
    end: &HostEnd,
    phase: Phase,
    hooks: &[CallableId],
    mut response: Response,
) -> impl Future<Output = Result<Response, Fault>> {
    async move {
        for &hook in hooks {
            // Boxed: a route without such hooks carries no room for it.
            response = Box::pin(replaced(end, phase, hook, response)).await?;
        }
        Ok(response)
    }
}

async fn replaced(end: &HostEnd, phase: Phase, hook: CallableId, mut response: Response) -> Result<Response, Fault> {
    let (mut tasks, stream) = (mem::take(&mut response.tasks), stream_of(&response));
    let answer = end.ask(|reply| Call::After { hook, phase, response, reply }).await;
    let kept = answer.as_ref().ok().and_then(|(Flow::Continue(next) | Flow::Respond(next))| stream_of(next));
    if let Some(value) = stream.filter(|_| kept != stream) {
        let outcome = Outcome::Sent(Sent::Failed);
        let _ = spikard_ffi::call(|reply| Call::Finish { value, outcome, reply }).await;
    }
    let (Flow::Continue(mut next) | Flow::Respond(mut next)) = answer?;
    tasks.append(&mut next.tasks);
    next.tasks = tasks;
    Ok(next)
}

pub(crate) fn stream_of(response: &Response) -> Option<HostId> {
    match response.body {
        Body::Stream(stream) => Some(stream),
        Body::Whole(_) | Body::File(_) => None,
    }
}
