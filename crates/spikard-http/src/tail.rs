//! From the head of the response on: its body, what became of it, the clean-up, the background, the report. Rare, so
//! each of these futures is boxed by its caller.

use std::{future::poll_fn, sync::Arc, task::Poll};

use spikard_core::{Body, Error, HostId, Outcome, Reason, Response, Sent, sabotage};
use spikard_ffi::{Call, Report};

use crate::{
    background::{self, Origin},
    encode::{is_contentless, own_length},
    transit::{Fault, HostEnd},
};

pub(crate) fn has_tail(response: &Response) -> bool {
    matches!(response.body, Body::Stream(_)) || !response.tasks.is_empty()
}

/// Answers, feeds the body, waits for what becomes of it, cleans up and begins the background tasks, which a request
/// that failed after its head takes back.
pub(crate) async fn tail(end: &mut HostEnd, route: &Arc<str>, generators: Vec<HostId>, mut response: Response) {
    let tasks = std::mem::take(&mut response.tasks);
    let stream = match response.body {
        Body::Stream(stream) => Some(stream),
        Body::Whole(_) | Body::File(_) => None,
    };
    let mut unread = stream.filter(|_| is_contentless(response.status));
    let read = stream.filter(|_| unread.is_none());
    let left = stream.and_then(|_| own_length(&response).ok().flatten());
    end.answer(Ok(response), true);
    let mut failed = None;
    if let Some(stream) = read {
        match pump(end, stream, left).await {
            Ok(()) => (),
            Err(Fault::GivenUp) => return end.give_up(route),
            // It stands at one of its `yield`s, or has failed: the first to be finished.
            Err(Fault::Cancelled(_)) => unread = Some(stream),
            Err(Fault::Error(error)) => (unread, failed) = (Some(stream), Some(error)),
        }
    }
    let sent = end.sent().await;
    let closed = finish(end, route, unread.as_slice(), Outcome::Sent(sent)).await;
    let ended_well = if let Some(error) = failed {
        let mut error = thrown_into(generators, error).await;
        let (exception, source) = (error.exception, error.source.take());
        report(Report { exception, source, route: route.clone(), request_id: end.request_id() }).await;
        false
    } else {
        let departed = read.is_some() && sent == Sent::Gone;
        let outcome = if departed { Outcome::Cancelled(Reason::Departed) } else { Outcome::Sent(sent) };
        finish(end, route, &generators, outcome).await
    };
    for task in tasks.into_iter().filter(|_| closed && ended_well) {
        let origin = Origin { route: route.clone(), request_id: end.request_id() };
        spikard_ffi::spawn(background::work(end.transit(), task, origin)).await;
    }
}

/// The generators see what the user code of their request raised, the innermost before the others. What leaves them,
/// the same or another, is the error from then on.
pub(crate) async fn thrown_into(generators: Vec<HostId>, mut error: Error) -> Error {
    for value in generators.into_iter().rev() {
        let outcome = Outcome::Raised(error.exception);
        if let Err(mut another) = spikard_ffi::call(|reply| Call::Finish { value, outcome, reply }).await {
            another.source = another.source.take().or(error.source.take());
            error = another;
        }
    }
    error
}

/// So many pieces are taken at once: small or empty ones fill no buffer, and would keep the thread from everybody else.
const AT_ONCE: usize = 128;

/// Pulls while the client reads.
async fn pump(end: &HostEnd, stream: HostId, length: Option<u64>) -> Result<(), Fault> {
    let (mut left, mut taken) = (length, 0);
    if sabotage::takes_out("streaming") {
        end.end(true);
        return Ok(());
    }
    while !end.bodiless() && left != Some(0) && end.room().await {
        taken += 1;
        if taken % AT_ONCE == 0 {
            give_way().await;
            continue;
        }
        match end.ask(|reply| Call::Pull { stream, reply }).await {
            Ok(Some(chunk)) if chunk.is_empty() => (),
            Ok(Some(mut chunk)) => {
                let sent = chunk.len() as u64;
                let kept = left.map_or(sent, |left| left.min(sent));
                chunk.truncate(kept as usize);
                left = left.map(|left| left - kept);
                end.chunk(chunk);
                if kept < sent {
                    end.end(true);
                    return Err(wrong_length(length, "goes on behind it"));
                }
            }
            Ok(None) => {
                end.end(left.is_none());
                return left.map_or(Ok(()), |left| Err(wrong_length(length, &format!("ends {left} bytes before it"))));
            }
            Err(fault) => {
                end.end(false);
                return Err(fault);
            }
        }
    }
    let is_sent = left == Some(0) && !end.bodiless();
    if is_sent { last(end, stream, length).await } else { Err(Fault::Cancelled(Reason::Departed)) }
}

/// All bytes of the stream's own length are there: it is asked once, for its end. Whether it answers or not, no client
/// waits for it: that it goes on for longer than the grace cancels it, as does an empty piece.
async fn last(end: &HostEnd, stream: HostId, length: Option<u64>) -> Result<(), Fault> {
    end.end(true);
    match end.ask(|reply| Call::Pull { stream, reply }).await {
        Ok(None) => Ok(()),
        Ok(Some(chunk)) if chunk.is_empty() => Err(Fault::Cancelled(Reason::Departed)),
        Ok(Some(_)) => Err(wrong_length(length, "goes on behind it")),
        Err(fault) => Err(fault),
    }
}

fn wrong_length(length: Option<u64>, what: &str) -> Fault {
    let length = length.unwrap_or_default();
    Error::internal(format!("the content-length of the stream is {length}, and it {what}")).into()
}

/// Lets others have a turn.
async fn give_way() {
    let mut waited = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// In reverse order, each to its end, whatever the others do. The client has its answer: what fails is reported, unless
/// it may be what was thrown in. Whether all of them ended well.
pub(crate) async fn finish(end: &HostEnd, route: &Arc<str>, generators: &[HostId], outcome: Outcome) -> bool {
    let mut well = true;
    for &value in generators.iter().rev() {
        let finished = spikard_ffi::call(|reply| Call::Finish { value, outcome, reply }).await;
        well &= finished.is_ok();
        if let (Err(error), false) = (finished, matches!(outcome, Outcome::Raised(_))) {
            let (exception, source) = (error.exception, error.source.clone());
            report(Report { exception, source, route: route.clone(), request_id: end.request_id() }).await;
        }
    }
    well
}

/// Answers with what no hook may see any more; the generators see it all the same.
pub(crate) async fn fail(end: &mut HostEnd, route: &Arc<str>, generators: &[HostId], error: Error) {
    let raised = Outcome::Raised(error.exception);
    end.answer(Err(error), false);
    finish(end, route, generators, raised).await;
}

/// Lets the host log a failure. The client has its answer already.
pub(crate) async fn report(report: Report) {
    let _ = spikard_ffi::call(|reply| Call::Report { report, reply }).await;
}
