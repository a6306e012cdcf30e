//! The dependencies of a request, made on the host's side before its handler, and the end of those that end with it.

use std::{future::Future, sync::Arc};

use futures_util::FutureExt;
use spikard_core::{
    Args, Body, HostId, Outcome, Response, Sent,
    plan::{Plan, Provided},
    sabotage,
    spec::Ends,
};
use spikard_ffi::{Call, Report};
use tokio::sync::oneshot;

use crate::{
    encode::sound,
    hooks::stream_of,
    singletons::Singletons,
    tail::report,
    transit::{Fault, HostEnd, Spawned, Transit},
};

/// Makes them in their order and puts each where it is taken. Those that have to be finished join `generators`, what ends
/// with the handler behind the others: the end goes from the back.
pub(crate) async fn provide(
    plan: &Plan,
    singletons: &Singletons,
    end: &HostEnd,
    generators: &mut Vec<HostId>,
    args: &mut Args,
) -> Result<(), Fault> {
    let mut early = 0;
    for batch in plan.provided().filter(|_| !sabotage::takes_out("dependencies")) {
        let [one] = batch else {
            Box::pin(side_by_side(plan, batch, end, args)).await?;
            continue;
        };
        if let Some(place) = one.singleton {
            let made = match singletons.get(place) {
                Some(made) => made,
                None => Box::pin(singleton(plan, one, place, singletons, end, args)).await?,
            };
            plan.put_provided(one, args, made);
            continue;
        }
        let (provider, given) = (one.provider, plan.provider_args(one, args));
        let value = end.ask(|reply| Call::Provide { provider, args: given, lasting: false, reply }).await?;
        plan.put_provided(one, args, value);
        match one.ends {
            _ if !one.generator => (),
            Ends::Response => generators.insert(generators.len() - early, value),
            Ends::Handler => {
                generators.push(value);
                early += 1;
            }
        }
    }
    Ok(())
}

/// Finishes so many, the last first, when the handler has returned what can be sent. What one raises is an error of the
/// request: those before it see it, and nothing of the response is left.
pub(crate) async fn settle(
    end: &HostEnd,
    generators: &mut Vec<HostId>,
    count: usize,
    response: Response,
) -> Result<Response, Fault> {
    let stream = stream_of(&response);
    let settled = returned(end, generators, count, response).await;
    if let (Some(value), Err(_)) = (stream, &settled) {
        let outcome = Outcome::Sent(Sent::Failed);
        let _ = spikard_ffi::call(|reply| Call::Finish { value, outcome, reply }).await;
    }
    settled
}

async fn returned(
    end: &HostEnd,
    generators: &mut Vec<HostId>,
    count: usize,
    response: Response,
) -> Result<Response, Fault> {
    let response = sound(response)?;
    if let Body::File(file) = &response.body {
        end.open(file.path.clone()).await?;
    }
    for _ in 0..count {
        end.still_wanted()?;
        let Some(value) = generators.pop() else { break };
        let outcome = Outcome::Returned;
        spikard_ffi::call(|reply| Call::Finish { value, outcome, reply }).await?;
    }
    Ok(response)
}

/// Fails with its maker's request; the next request tries again.
async fn singleton(
    plan: &Plan,
    one: &Provided,
    place: usize,
    singletons: &Singletons,
    end: &HostEnd,
    args: &mut Args,
) -> Result<HostId, Fault> {
    let turn = end.turn(singletons, place).await?;
    if let Some(made) = turn.made() {
        return Ok(made);
    }
    let (provider, given) = (one.provider, plan.provider_args(one, args));
    let value = end.ask(|reply| Call::Provide { provider, args: given, lasting: true, reply }).await?;
    turn.put(value, one.generator);
    Ok(value)
}

/// Waits for all of them; the first in their order that failed is the error.
async fn side_by_side(plan: &Plan, batch: &[Provided], end: &HostEnd, args: &mut Args) -> Result<(), Fault> {
    let beside = end.beside(batch.len());
    for (place, one) in batch.iter().enumerate() {
        let (provider, given) = (one.provider, plan.provider_args(one, args));
        let make = move |reply| Call::Provide { provider, args: given, lasting: false, reply };
        spikard_ffi::spawn(beside.work(place, make)).await;
    }
    for (one, answer) in batch.iter().zip(beside.answers().await) {
        plan.put_provided(one, args, answer?);
    }
    Ok(())
}

/// Finishes the singletons in a work of its own. What leaves one is reported and keeps none of the others.
pub(crate) fn retire(transit: &Arc<Transit>, singletons: &Singletons) -> impl Future<Output = ()> + use<> {
    let open: Vec<HostId> = singletons.close().collect();
    let (done, waiting) = oneshot::channel::<()>();
    if !open.is_empty() {
        let counted = Spawned::new(transit);
        transit.runtime.run(Box::pin(async move {
            for value in open {
                let outcome = Outcome::Sent(Sent::Complete);
                if let Err(error) = spikard_ffi::call(|reply| Call::Finish { value, outcome, reply }).await {
                    let (exception, source) = (error.exception, error.source.clone());
                    report(Report { exception, source, route: "a singleton".into(), request_id: None }).await;
                }
            }
            drop((counted, done));
        }));
    }
    // Nothing is ever sent: the sender is dropped when the work has ended, or was never begun.
    waiting.map(drop)
}
