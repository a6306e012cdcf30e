//! Connections that have asked once and then ask nothing, held until the input ends.

use std::{
    io::{ErrorKind, Read, Result},
    net::Ipv4Addr,
};

use tokio::{
    net::TcpStream,
    time::{Duration, Instant, sleep, timeout},
};

use crate::{Target, answer::ask, tally::Tally};

/// Whether the server has closed a connection meanwhile: one that is held has nothing to read.
fn closed(link: &TcpStream) -> bool {
    !matches!(link.try_read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// How long a connection may wait for its answer; of a server that takes no more of them, the rest is not tried.
const PATIENCE: Duration = Duration::from_secs(2);

/// Opens the connections one after another, tells what came of it, and holds them.
pub async fn run(target: Target, connections: usize) -> Result<()> {
    let (mut held, mut buffer, mut tally) = (Vec::with_capacity(connections), Vec::new(), Tally::default());
    let began = Instant::now();
    for number in 0..connections {
        let start = Instant::now();
        let Ok(mut link) = TcpStream::connect((Ipv4Addr::LOCALHOST, target.port)).await else {
            tally.broken += 1;
            continue;
        };
        match timeout(PATIENCE, ask(&mut link, &target.request, &mut buffer)).await {
            Ok(Ok(answer)) => {
                tally.add(&answer, start.elapsed());
                held.push(link);
            }
            Ok(Err(_)) => tally.broken += 1,
            Err(_) => {
                tally.broken += (connections - number) as u64;
                break;
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    // The runtime learns of closed connections when it waits.
    sleep(Duration::from_millis(100)).await;
    let gone = held.iter().filter(|link| closed(link)).count();
    tally.broken += gone as u64;
    println!("{}", tally.line(&format!("\"opened\":{},\"seconds\":{seconds:.4}", held.len() - gone)));
    let _ = std::io::stdin().read(&mut [0]);
    drop(held);
    Ok(())
}
