//! The corpus against the Rust service: every case of `testing_data/http`, built as an app and told through every door.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(unreachable_pub, reason = "the modules of one test")]

mod app;
mod case;
mod doors;
mod echo;
mod expect;
mod fault;
mod hook;
mod host;
mod json;
mod later;
mod model;
mod provide;
mod report;
mod script;
mod wire;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use case::Case;
use doors::Door;
use fault::Fault;
use json::Json;
use report::Run;

#[test]
fn every_case_has_the_form_of_the_schema() {
    let schema = case::read(&case::corpus().join("schema.json")).to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = case::all()
        .iter()
        .flat_map(|case| {
            let place = case.place();
            let value = case.json.to_value();
            validator
                .iter_errors(&value)
                .map(|fault| format!("{place}: {}: {fault}", fault.instance_path()))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn features_tell_what_is_expected() {
    let faults: Vec<String> = case::all().iter().filter_map(feature_fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A problem document of the framework belongs to `errors`, one of a refusal to `validation`, and nothing else does.
fn feature_fault(case: &Case) -> Option<String> {
    let is_problem = |expect: &&Json| {
        expect.get("headers").and_then(|headers| headers.text_of("content-type")) == Some("application/problem+json")
    };
    let kind = |expect: &Json| {
        let exact = expect.get("body").and_then(|body| body.text_of("type"));
        let by_schema = || expect.get("body_schema")?.get("properties")?.get("type")?.text_of("const");
        exact.or_else(by_schema).unwrap_or_default().to_owned()
    };
    let problems: Vec<String> = case.expectations().filter(is_problem).map(kind).collect();
    let refused = problems.iter().any(|kind| kind == "https://spikard.dev/errors/validation-error");
    [("errors", !problems.is_empty()), ("validation", refused)].into_iter().find_map(|(feature, wanted)| {
        let told = case.has_feature(feature);
        (told != wanted).then(|| format!("{}: {feature} is told: {told}, expected: {wanted}", case.place()))
    })
}

#[test]
fn the_corpus_holds() {
    let (cases, models) = (case::all(), case::read(&case::corpus().join("models.json")));
    let runs = run_all(&cases, &models);
    report::write(&runs);
    let known = report::known_failures();
    let unexpected = runs.iter().filter(|run| !known.iter().any(|pattern| report::matches(pattern, &run.case.place())));
    let faults: Vec<String> = unexpected
        .filter_map(|run| Some(format!("{} [{}]: {}", run.case.place(), run.door.name(), run.outcome.as_ref().err()?)))
        .collect();
    assert!(faults.is_empty(), "{} of {} runs:\n{}", faults.len(), runs.len(), faults.join("\n"));
}

/// A few threads take the cases one after another; some cases wait for a timer.
fn run_all<'a>(cases: &'a [Case], models: &Json) -> Vec<Run<'a>> {
    let next = AtomicUsize::new(0);
    let mut runs: Vec<(usize, Run)> = thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(case) = cases.get(number) else { return done };
                done.extend(Door::ALL.map(|door| (number, run(case, models, door))));
            }
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    runs.sort_by_key(|(number, _)| *number);
    runs.into_iter().map(|(_, run)| run).collect()
}

fn run<'a>(case: &'a Case, models: &Json, door: Door) -> Run<'a> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = catch_unwind(AssertUnwindSafe(|| runtime.block_on(doors::tell(case, models, door))));
    let outcome = told.unwrap_or_else(|_| Err(Fault::new("the driver panicked")));
    Run { case, door, outcome }
}
