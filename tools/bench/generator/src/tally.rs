//! What came back, and its line of JSON.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use crate::answer::Answer;

/// Counts of one run, and the latency of each answer that was no refusal.
#[derive(Default)]
pub struct Tally {
    pub statuses: BTreeMap<u16, u64>,
    pub retry_after: u64,
    pub broken: u64,
    latencies: Vec<Duration>,
}

impl Tally {
    /// Counts an answer. `latency` runs from the moment when its request was due.
    pub fn add(&mut self, answer: &Answer, latency: Duration) {
        *self.statuses.entry(answer.status).or_default() += 1;
        self.retry_after += u64::from(answer.status == 503 && answer.retry_after);
        if answer.status == 200 {
            self.latencies.push(latency);
        }
    }

    /// The line, with further members before the others.
    pub fn line(&mut self, more: &str) -> String {
        self.latencies.sort_unstable();
        let statuses: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!("\"{status}\":{count}")).collect();
        let mut line = format!(
            "{{{more},\"statuses\":{{{}}},\"retry_after\":{},\"broken\":{},\"latency_ms\":{{",
            statuses.join(","),
            self.retry_after,
            self.broken
        );
        for (name, share) in [("p50", 0.5), ("p75", 0.75), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)]
        {
            let comma = if name == "p50" { "" } else { "," };
            let _ = write!(line, "{comma}\"{name}\":{:.3}", self.quantile(share).as_secs_f64() * 1000.0);
        }
        line + "}}"
    }

    /// The smallest latency that this share of the answers does not exceed.
    fn quantile(&self, share: f64) -> Duration {
        let place = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies.get(place.saturating_sub(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer { status, retry_after: status == 503, keeps: true }
    }

    #[test]
    fn latencies_are_those_of_what_was_served() {
        let mut tally = Tally::default();
        for millis in 1..=100 {
            tally.add(&answer(200), Duration::from_millis(millis));
        }
        tally.add(&answer(503), Duration::from_secs(9));
        let line = tally.line("\"offered\":101");
        assert!(
            line.starts_with("{\"offered\":101,\"statuses\":{\"200\":100,\"503\":1},\"retry_after\":1,\"broken\":0,")
        );
        assert!(line.ends_with(
            "\"p50\":50.000,\"p75\":75.000,\"p90\":90.000,\"p99\":99.000,\"p99.9\":100.000,\"max\":100.000}}"
        ));
    }

    #[test]
    fn a_run_without_an_answer_has_a_line() {
        assert!(Tally::default().line("\"offered\":0").contains("\"statuses\":{},"));
    }
}
