//! Long bodies are judged beside the I/O side, one after the other: meanwhile it serves everybody else.

use std::sync::Arc;

use spikard_core::{
    Args, Error, Received,
    plan::{Bound, Plan},
};
use tokio::sync::oneshot;

use crate::transit::Transit;

/// As [`Plan::finish`], in its turn: one at a time takes half of a processor from the I/O side at most. What is given up
/// meanwhile is judged to its end before the next one is.
pub(crate) async fn judged_beside(
    transit: &Transit,
    plan: Arc<Plan>,
    bound: Bound,
    received: Option<Received>,
) -> Result<Args, Error> {
    let turn = transit.judging.clone().lock_owned().await;
    let (told, judged) = oneshot::channel();
    transit.platform.offload(Box::new(move || {
        let judged = plan.finish(bound, received);
        drop(turn);
        let _ = told.send(judged); // nobody may wait for it any more
    }));
    judged.await.unwrap_or_else(|_| Err(Error::internal("a long body could not be judged: the platform stopped")))
}
