//! The open loop. Requests are due at even distances, whoever is late; a latency runs from the moment when its request was
//! due, so that a server which stalls is charged for every request that had to wait (no coordinated omission).

use std::{
    cell::{Cell, RefCell},
    io::Result,
    net::Ipv4Addr,
    rc::Rc,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until, timeout_at},
};

use crate::{Target, answer::ask, tally::Tally};

/// How long answers may take after the last request was due.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much, how long, over how many connections.
pub struct Plan {
    gap: Duration,
    time: Duration,
    connections: usize,
}

impl Plan {
    /// `rate` is requests a second.
    pub fn new(rate: f64, seconds: f64, connections: usize) -> Self {
        let positive = |value: f64| if value > 0.0 { value } else { 1.0 };
        let gap = Duration::from_secs_f64(1.0 / positive(rate));
        Self { gap, time: Duration::from_secs_f64(positive(seconds)), connections }
    }

    fn offered(&self) -> u32 {
        (self.time.as_secs_f64() / self.gap.as_secs_f64()).round() as u32
    }
}

struct Round {
    target: Target,
    plan: Plan,
    began: Instant,
    /// The number of the next request.
    next: Cell<u32>,
    sent: Cell<u32>,
    last: Cell<Instant>,
    tally: RefCell<Tally>,
}

/// Offers the load and prints what came of it.
pub async fn run(target: Target, plan: Plan) -> Result<()> {
    let mut links = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        links.push(connect(target.port).await?);
    }
    let began = Instant::now();
    let (next, sent, last) = (Cell::new(0), Cell::new(0), Cell::new(began));
    let round = Rc::new(Round { target, plan, began, next, sent, last, tally: RefCell::default() });
    let mut clients = JoinSet::new();
    for link in links {
        clients.spawn_local(client(round.clone(), link));
    }
    while clients.join_next().await.is_some() {}
    let offered = round.plan.offered();
    let seconds = (round.last.get() - began).max(round.plan.time).as_secs_f64();
    let told = format!("\"offered\":{offered},\"unsent\":{},\"seconds\":{seconds:.4}", offered - round.sent.get());
    println!("{}", round.tally.borrow_mut().line(&told));
    Ok(())
}

pub async fn connect(port: u16) -> Result<TcpStream> {
    let link = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    link.set_nodelay(true)?;
    Ok(link)
}

/// Takes the next request that is due, whichever that is, until there is none.
async fn client(round: Rc<Round>, mut link: TcpStream) {
    let mut buffer = Vec::with_capacity(1024);
    let end = round.began + round.plan.time;
    loop {
        let number = round.next.get();
        if number >= round.plan.offered() {
            return;
        }
        round.next.set(number + 1);
        let due = round.began + round.plan.gap * number;
        sleep_until(due).await;
        if Instant::now() >= end {
            return;
        }
        round.sent.set(round.sent.get() + 1);
        let answer = timeout_at(end + PATIENCE, ask(&mut link, &round.target.request, &mut buffer)).await;
        let keeps = match answer {
            Ok(Ok(answer)) => {
                let now = Instant::now();
                round.last.set(now);
                round.tally.borrow_mut().add(&answer, now - due);
                answer.keeps
            }
            _ => {
                round.tally.borrow_mut().broken += 1;
                false
            }
        };
        if !keeps {
            match connect(round.target.port).await {
                Ok(fresh) => link = fresh,
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_the_rate_times_the_time() {
        assert_eq!(Plan::new(4000.0, 2.0, 1).offered(), 8000);
        assert_eq!(Plan::new(0.5, 10.0, 1).offered(), 5);
    }
}
