"""Sizes can fail."""

from rules import sizes
from tests.planted import PlantedTree

BUDGETS = """
file-lines       | *                  | 10 | why
file-median      | *                  | 4  | why
file-nine-in-ten | *                  | 6  | why
function-lines   | *                  | 3  | why
crate-lines      | crates/spikard-py  | 12 | why
package-lines    | packages/python    | 2  | why
public-items     | crates/spikard-ffi | 2  | why
"""


class Sizes(PlantedTree):
    rule = sizes

    def found(self, files, budgets=BUDGETS):
        return list(sizes.check_with(self.plant(files), sizes.Budgets(budgets)))

    def test_a_long_file(self):
        short = {f"crates/a/src/f{place}.rs": "//! x\n" for place in range(9)}
        self.assert_breaks(
            {**short, "crates/a/src/long.rs": "// x\n" * 11}, "11 lines, limit 10", "11 lines in the ninth"
        )

    def test_its_tests_do_not_count(self):
        tests = "#[cfg(test)]\nmod tests {\n" + "// x\n" * 20 + "}\n"
        self.assert_holds({"crates/a/src/lib.rs": "//! x\n" + tests, "crates/a/tests/all.rs": "//! x\n" * 20})

    def test_the_median_and_the_ninth_file(self):
        files = {f"crates/a/src/f{place}.rs": "// x\n" * 7 for place in range(3)}
        self.assert_breaks(files, "7 lines in the median file, limit 4", "7 lines in the ninth file")

    def test_a_long_function(self):
        rust = {"crates/a/src/lib.rs": "fn f(\n) where [u8; { 1 }]: Sized {\n 1;\n}"}
        self.assert_breaks(rust, "lib.rs:1: f: 4 lines, limit 3")
        python = {"tools/a.py": "def f():\n    a = 1\n    b = 2\n    return a + b\n"}
        self.assert_breaks(python, "a.py:1: f: 4 lines, limit 3")

    def test_comments_blank_lines_and_docstrings_do_not_count(self):
        self.assert_holds({"tools/a.py": 'def f():\n    """A."""\n\n    return 1\n'})
        self.assert_holds({"crates/a/src/lib.rs": "fn f() {\n    // a\n\n}\n"})

    def test_a_large_binding(self):
        files = {f"crates/spikard-py/src/f{place}.rs": "// x\n" * 4 for place in range(4)}
        self.assert_breaks(files, "crates/spikard-py: 16 lines in all, limit 12")

    def test_a_large_package(self):
        files = {
            "packages/python/src/a.py": '"""x"""\na = 1\nb = 2\nc = 3\n',
            "packages/python/tests/test_a.py": "a = 1\n" * 4,
        }
        self.assert_breaks(files, "packages/python: 3 lines of code, limit 2")

    def test_a_wide_boundary(self):
        files = {"crates/spikard-ffi/src/lib.rs": "mod a;\npub use a::{B, c::D};\npub trait E {}\n"}
        self.assert_breaks(files, "3 public items (E, B, D), limit 2")

    def test_a_raised_budget_holds_and_one_that_raises_nothing_is_found(self):
        raised = "function-lines | tools/a.py::f | 4 | a table\n"
        long = {"tools/a.py": "def f():\n    a = 1\n    b = 2\n    return a + b\n"}
        self.assertEqual(self.found(long, raised + BUDGETS), [])
        idle = self.found({"tools/a.py": "def f(): ...\n"}, raised + BUDGETS)
        self.assertIn("function-lines | tools/a.py::f is not needed", str(idle))

    def test_a_budget_without_a_reason_is_refused(self):
        with self.assertRaises(ValueError):
            sizes.Budgets("file-lines | * | 10 |")
