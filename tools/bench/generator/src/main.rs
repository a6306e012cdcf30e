//! A load generator for one core: `generator open PORT TARGET RATE SECONDS CONNECTIONS` offers requests on a schedule that
//! waits for nobody, `generator bulk PORT TARGET SECONDS CONNECTIONS` asks for long answers in a closed loop, `generator idle
//! PORT TARGET CONNECTIONS` opens connections, asks once on each and holds them until its input ends. Each prints one line of
//! JSON.

mod answer;
mod bulk;
mod idle;
mod open;
mod tally;

use std::{env, process::ExitCode, str::FromStr};

use tokio::{runtime::Builder, task::LocalSet};

/// What to ask, and whom.
pub struct Target {
    pub port: u16,
    pub request: Vec<u8>,
}

fn main() -> ExitCode {
    let given: Vec<String> = env::args().skip(1).collect();
    let Some(line) = run(&given) else {
        eprintln!(
            "usage: generator open PORT TARGET RATE SECONDS CONNECTIONS | generator bulk PORT TARGET SECONDS CONNECTIONS \
             | generator idle PORT TARGET CONNECTIONS"
        );
        return ExitCode::from(2);
    };
    match line {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(given: &[String]) -> Option<std::io::Result<()>> {
    let (kind, port, path) = (given.first()?.as_str(), number::<u16>(given, 1)?, given.get(2)?);
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").into_bytes();
    let target = Target { port, request };
    let runtime = Builder::new_current_thread().enable_all().build().expect("the system has room for a runtime");
    let local = LocalSet::new();
    match kind {
        "open" => {
            let plan = open::Plan::new(number(given, 3)?, number(given, 4)?, number(given, 5)?);
            Some(local.block_on(&runtime, open::run(target, plan)))
        }
        "bulk" => Some(local.block_on(&runtime, bulk::run(target, number(given, 3)?, number(given, 4)?))),
        "idle" => Some(local.block_on(&runtime, idle::run(target, number(given, 3)?))),
        _ => None,
    }
}

fn number<T: FromStr>(given: &[String], place: usize) -> Option<T> {
    given.get(place)?.parse().ok()
}
