//! The JSON check against the public suite, against the parser that reads what it passes, and against what is left of it
//! where a strict reader judges the grammar.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{env, fs, path::PathBuf};

use spikard_core::json::{check, is_bounded};

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

/// Any text of a few bytes that grammars, numbers, strings and depth turn on.
fn any_text(random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    const PIECES: [&[u8]; 30] = [
        b"[",
        b"]",
        b"{",
        b"}",
        b"\"",
        b"\\",
        b"\\\\",
        b"\\\"",
        b":",
        b",",
        b" ",
        b"1",
        b"-0",
        b"e5",
        b"E+99",
        b"e100",
        b"1e400",
        b"0.5",
        b"123456789012345678901234567890123456789012345678901234567890",
        b"\\ud83d\\ude00",
        b"\\uD800",
        b"\\u0041",
        b"null",
        b"true",
        "\u{e9}".as_bytes(),
        b"\xFF",
        b"\xED\xA0\x80",
        b"\x01",
        b"abcdefghijklmnop",
        b"\"key\":",
    ];
    (0..random(60)).flat_map(|_| PIECES[random(PIECES.len())].iter().copied()).collect()
}

/// A text of JSON, most of the time: what is in it is any of the above.
fn any_json(random: &mut impl FnMut(usize) -> usize, depth: usize, text: &mut Vec<u8>) {
    const SCALARS: [&str; 16] = [
        "1",
        "-0.5",
        "1e99",
        "1E-300",
        "2e308",
        "1e0000001",
        "true",
        "null",
        r#""\\""#,
        r#""]}]}[[[""#,
        r#""\"]}""#,
        r#""plain text of some length, \\\\\" and \u00e9""#,
        r#""\ud83d\ude00""#,
        r#""\udc00""#,
        "\"\u{fc}\u{1f600}\"",
        "0",
    ];
    match random(if depth == 0 { 3 } else { 6 }) {
        0 => text.extend(SCALARS[random(SCALARS.len())].bytes()),
        1 => text.extend("9".repeat(random(400) + 1).bytes()),
        2 => text.extend(format!("\"{}\"", "\\\\".repeat(random(70))).bytes()),
        kind => {
            let (open, close) = if kind == 3 { (b'{', b'}') } else { (b'[', b']') };
            text.push(open);
            for member in 0..random(4) {
                if member > 0 {
                    text.push(b',');
                }
                if open == b'{' {
                    text.extend(format!("\"{}\" :", "x".repeat(random(80))).bytes());
                }
                any_json(random, depth - 1, text);
            }
            text.push(close);
        }
    }
}

#[test]
fn a_bounded_text_that_a_strict_reader_accepts_passes_the_check() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let (mut bounded, mut left) = (0, 0);
    for turn in 0..60_000 {
        let mut text = Vec::new();
        match turn % 4 {
            0 => text = any_text(&mut random),
            _ => any_json(&mut random, turn % 9, &mut text),
        }
        let (depth, read) = (1 + random(6), serde_json::from_slice::<serde_json::Value>(&text));
        if read.is_err() {
            continue;
        }
        let checked = check(&text, depth);
        if is_bounded(&text, depth) {
            assert_eq!(checked, Ok(()), "{}", String::from_utf8_lossy(&text));
            bounded += 1;
        } else {
            left += usize::from(checked.is_ok());
        }
    }
    assert!(bounded > 10_000 && left < bounded, "{bounded} were bounded, {left} were not and could have been");
}

#[test]
fn what_no_grammar_forbids_is_not_bounded() {
    let digits = "1".repeat(400);
    let long = format!("[{}1{}", " ".repeat(60), "0".repeat(309));
    for (text, depth) in [
        ("[[[]]]".as_bytes(), 2),
        (br#"["]]]]",["]]]]",[]]]"#, 2),
        (br#"["\\",[[]]]"#, 2),
        (br#"["\"]]",[[]]]"#, 2),
        (b"1e999", 1),
        (b"[-2.5E+309]", 1),
        (digits.as_bytes(), 1),
        (long.as_bytes(), 1),
        (br#""\ud800""#, 1),
        (br#""\uDfff""#, 1),
        (b"\"\xFF\"", 1),
        (b"\"\xED\xA0\x80\"", 1),
    ] {
        assert!(!is_bounded(text, depth), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn what_only_a_grammar_forbids_is_left_to_the_reader() {
    let wide = format!("[{}1]", "[[]],".repeat(1000));
    for text in
        ["", "[1,]", "nul", "01", "[1] x", "\"\u{1}\"", r#"{"a" 1}"#, "]", &wide, r#""\u00e9 \\ud800 \x""#, "1e99"]
    {
        assert!(is_bounded(text.as_bytes(), 3), "{text}");
    }
}
