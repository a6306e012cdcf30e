//! What is reported of each run, and which failures are known.

use std::{fs::OpenOptions, io::Write};

use serde_json::json;

use crate::{
    case::{Case, corpus},
    doors::Door,
    fault::Fault,
};

/// One case through one door.
pub struct Run<'a> {
    pub case: &'a Case,
    pub door: Door,
    pub outcome: Result<(), Fault>,
}

/// Appends the runs to the file that `SPIKARD_CONFORMANCE_OUT` names.
pub fn write(runs: &[Run]) {
    let Some(path) = std::env::var_os("SPIKARD_CONFORMANCE_OUT") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the report can be written");
    for run in runs {
        let decoded = run.case.routes().iter().any(|route| route.get("body").is_some());
        let line = json!({"language": "rust", "area": run.case.area, "case": run.case.name, "door": run.door.name(),
            "decoder": decoded.then_some("schema"), "detail": run.outcome.as_ref().err().map(ToString::to_string),
            "outcome": if run.outcome.is_ok() { "passed" } else { "failed" }});
        writeln!(file, "{line}").expect("the report can be written");
    }
}

/// The patterns of the lists that hold for Rust.
pub fn known_failures() -> Vec<String> {
    let read = |name| std::fs::read_to_string(corpus().join("known_failing").join(name)).expect("a list");
    let lines = |text: String| -> Vec<String> {
        text.lines().filter_map(|line| line.split('#').next()).map(|line| line.trim().to_owned()).collect()
    };
    let mut patterns = lines(read("server.txt"));
    patterns.extend(lines(read("rust.txt")));
    patterns.retain(|pattern| !pattern.is_empty());
    patterns
}

/// `*` stands for any text within a part.
pub fn matches(pattern: &str, place: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == place,
        Some((before, after)) => place.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            let within = ends.take_while(|end| !rest[..*end].contains('/'));
            within.into_iter().any(|end| matches(after, &rest[end..]))
        }),
    }
}

#[test]
fn a_star_stays_within_its_part() {
    assert!(matches("query/a-*", "query/a-b") && matches("*/a", "query/a") && matches("query/*-b-*", "query/a-b-c"));
    assert!(!matches("*", "query/a") && !matches("query/a", "query/ab"));
}
