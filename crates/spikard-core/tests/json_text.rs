//! The JSON check against the public suite and against the parser that reads what it passes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fs, path::PathBuf};

use spikard_core::json::check;

/// The suites, where they lie on this machine.
fn suite(name: &str) -> Option<PathBuf> {
    let Some(root) = env::var_os("SPIKARD_VECTORS") else {
        println!("skipped: SPIKARD_VECTORS names no folder of public test suites");
        return None;
    };
    Some(PathBuf::from(root).join(name))
}

#[test]
fn the_json_test_suite_is_told_right_from_wrong() {
    let Some(folder) = suite("json-test-suite/test_parsing") else { return };
    let (mut accepted, mut refused) = (0, 0);
    for entry in fs::read_dir(folder).expect("the suite is there") {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read(&path).unwrap();
        let checked = check(&text, 127);
        match name.split('_').next() {
            Some("y") => {
                assert_eq!(checked, Ok(()), "{name}");
                accepted += 1;
            }
            Some("n") => {
                assert!(checked.is_err(), "{name}");
                refused += 1;
            }
            _ => {}
        }
        if checked.is_ok() {
            serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    assert_eq!((accepted, refused), (95, 188));
}

#[test]
fn what_decoders_disagree_on_is_refused_with_its_place() {
    let cases: [(&[u8], usize, &str); 14] = [
        (b"\xEF\xBB\xBF{}", 0, "unexpected byte order mark"),
        (b"[1e999]", 1, "number out of range"),
        (b"[NaN]", 1, "expected a value"),
        (b"-Infinity", 1, "expected a digit"),
        (br#"["\ud800"]"#, 2, "lone surrogate in a string"),
        (br#"["\ud800\u0041"]"#, 2, "lone surrogate in a string"),
        (br#"["\udc00"]"#, 2, "lone surrogate in a string"),
        (b"[\"\xFF\"]", 2, "invalid UTF-8"),
        (b"[\"12345678\x01\"]", 10, "control character in a string"),
        (b"", 0, "unexpected end"),
        (b"[1,]", 3, "expected a value"),
        (b"{\"a\":1,}", 7, "expected a member's name"),
        (b"01", 1, "unexpected text after the value"),
        (b"[1] x", 4, "unexpected text after the value"),
    ];
    for (text, at, reason) in cases {
        let fault = check(text, 64).expect_err(&String::from_utf8_lossy(text));
        assert_eq!((fault.at, fault.reason), (at, reason), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn nesting_is_allowed_up_to_the_limit_and_not_beyond() {
    for depth in [1, 63, 64, 65, 200] {
        let text = "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(text.as_bytes(), 64).is_ok(), depth <= 64, "{depth}");
    }
    let endless = "{\"a\":".repeat(1_000_000);
    assert_eq!(check(endless.as_bytes(), 64).expect_err("too deep").reason, "nested too deeply");
}

#[test]
fn strings_of_every_length_end_where_they_end() {
    for length in 0..40 {
        let plain = format!("\"{}\"", "é".repeat(length));
        assert_eq!(check(plain.as_bytes(), 1), Ok(()), "{length}");
        let escaped = format!("\"{}\\n{}\"", "x".repeat(length), "\u{10FFFF}".repeat(length));
        assert_eq!(check(escaped.as_bytes(), 1), Ok(()), "{length}");
        let control = format!("\"{}\u{1f}\"", "x".repeat(length));
        assert_eq!(check(control.as_bytes(), 1).expect_err("a control character").at, length + 1);
    }
}

#[test]
fn what_is_open_is_known_at_any_depth() {
    for depth in [1, 63, 64, 65, 128, 129, 200] {
        let objects: String = (0..depth).map(|level| if level % 3 == 0 { "{\"a\":" } else { "[" }).collect();
        let ends: String = (0..depth).rev().map(|level| if level % 3 == 0 { '}' } else { ']' }).collect();
        assert_eq!(check(format!("{objects}1{ends}").as_bytes(), depth), Ok(()), "{depth}");
        let crossed = ends.replace(']', "x").replace('}', "]").replace('x', "}");
        check(format!("{objects}1{crossed}").as_bytes(), depth).expect_err("the ends are exchanged");
    }
}
