//! JSON Schema 2020-12, as written: the public suite decides what is accepted, and whatever is refused has words.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use spikard_core::{schema::Schema, spec::Reading};

fn suite() -> Option<PathBuf> {
    let Some(root) = env::var_os("SPIKARD_VECTORS") else {
        println!("skipped: SPIKARD_VECTORS names no folder of public test suites");
        return None;
    };
    Some(PathBuf::from(root).join("json-schema-test-suite"))
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// The documents that the suite expects at `http://localhost:1234/`.
fn documents(suite: &Path) -> Map<String, Value> {
    let root = suite.join("remotes");
    let mut found = Vec::new();
    files(&root, &mut found);
    found
        .into_iter()
        .map(|path| (format!("http://localhost:1234/{}", path.strip_prefix(&root).unwrap().display()), read(&path)))
        .collect()
}

/// Runs the files of one folder; how many instances, and which were judged wrongly.
fn run(folder: &Path, documents: &Map<String, Value>, formats: bool) -> (usize, Vec<String>) {
    let (mut count, mut wrong) = (0, Vec::new());
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_file());
    paths.sort();
    for path in paths {
        for group in read(&path).as_array().unwrap() {
            let name = format!("{}: {}", path.file_stem().unwrap().display(), group["description"].as_str().unwrap());
            let compiled = Schema::compile(&group["schema"], documents, Reading::JsonSchema, formats);
            for test in group["tests"].as_array().unwrap() {
                count += 1;
                let name = format!("{name}: {}", test["description"].as_str().unwrap());
                match &compiled {
                    Ok(schema) if schema.accepts(&test["data"]) != (test["valid"] == true) => wrong.push(name),
                    Ok(schema) => {
                        let has_words = !schema.errors(&test["data"]).is_empty();
                        assert_eq!(has_words, test["valid"] == false, "{name}: words");
                    }
                    Err(error) => wrong.push(format!("{name}: {error}")),
                }
            }
        }
    }
    (count, wrong)
}

fn check(folder: &str, formats: bool, expected: usize) {
    let Some(suite) = suite() else { return };
    let documents = documents(&suite);
    let (count, wrong) = run(&suite.join("tests/draft2020-12").join(folder), &documents, formats);
    assert!(wrong.is_empty(), "{} of {count} are judged wrongly:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(count, expected);
}

#[test]
fn the_required_tests_of_2020_12_pass() {
    check("", false, 1299);
}

#[test]
fn the_format_tests_of_2020_12_pass() {
    check("optional/format", true, 764);
}
