//! Connections that have asked once and then ask nothing, held until the input ends.

use std::{
    io::{Read, Result},
    net::Ipv4Addr,
};

use tokio::{net::TcpStream, time::Instant};

use crate::{Target, answer::ask, tally::Tally};

/// Opens the connections one after another, tells what came of it, and holds them.
pub async fn run(target: Target, connections: usize) -> Result<()> {
    let (mut held, mut buffer, mut tally) = (Vec::with_capacity(connections), Vec::new(), Tally::default());
    let began = Instant::now();
    for _ in 0..connections {
        let start = Instant::now();
        let Ok(mut link) = TcpStream::connect((Ipv4Addr::LOCALHOST, target.port)).await else {
            tally.broken += 1;
            continue;
        };
        match ask(&mut link, &target.request, &mut buffer).await {
            Ok(answer) => {
                tally.add(&answer, start.elapsed());
                held.push(link);
            }
            Err(_) => tally.broken += 1,
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", tally.line(&format!("\"opened\":{},\"seconds\":{seconds:.4}", held.len())));
    let _ = std::io::stdin().read(&mut [0]);
    drop(held);
    Ok(())
}
