"""Rust is read as it is written."""

import unittest

import rust


class Reading(unittest.TestCase):
    def test_comments_and_strings_are_blanked_and_lines_stay(self):
        text = 'a /* b /* c */\n d */ e // f\n"g\\" // h" r#"i " j"# b\'k\' l'
        self.assertEqual(rust.blank(text).split(), ["a", "e", "l"])
        self.assertEqual(rust.blank(text).count("\n"), text.count("\n"))

    def test_lifetimes_are_no_characters(self):
        self.assertIn("{", rust.blank("fn f<'a>(x: &'a str) -> &'a str { x }"))
        self.assertEqual(rust.blank("'{' '\\'' '\\u{1F600}'").strip(), "")

    def test_use_trees_are_spelled_out(self):
        named = [path for path, _ in rust.paths("use a::{b, c::{self, d as e}, f::*};\nlet g = h::i();")]
        self.assertEqual(named, ["a::b", "a::c", "a::c::d", "a::f::*", "h::i"])

    def test_functions_end_with_their_body(self):
        text = 'fn a<T>(x: [u8; 2]) -> T where T: F { "}" }\ntrait B { fn c(); fn d() {} }'
        self.assertEqual([(f.name, f.line) for f in rust.functions(text)], [("a", 1), ("d", 2)])

    def test_inline_tests_are_taken_out(self):
        text = 'a\n#[cfg(test)]\nmod tests {\n    fn b() { "}" }\n}\nc\n#[cfg(test)]\nmod more;\nd'
        self.assertEqual(rust.without_tests(text).split(), ["a", "c", "d"])
