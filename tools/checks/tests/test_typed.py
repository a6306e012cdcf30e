"""The types of snippets can be wrong."""

import importlib.util
import unittest
from unittest import mock

from rules import typed
from tests.planted import PlantedTree
from tree import Skipped


def page(*blocks: str) -> dict[str, str]:
    """A page of the guide with these blocks."""
    return {"docs/guide/page.md": "".join(f"\n```python\n{block}\n```\n" for block in blocks)}


class Typed(PlantedTree):
    rule = typed

    @unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed")
    def test_each_block_is_checked_with_its_line(self):
        with mock.patch.object(typed.shutil, "which", return_value=None):
            self.assert_breaks(page("a: int = 1", "a: str = 1"), "docs/guide/page.md:7: mypy: Incompatible types")
            self.assert_holds(page("a: int = 1", "def f(a: int) -> int:\n    return a"))
            self.assert_breaks(page("def f(a):\n    return a"), "missing a type annotation")

    @unittest.skipUnless(importlib.util.find_spec("pyright") and typed.shutil.which("node"), "pyright cannot run")
    def test_pyright_has_its_say(self):
        with mock.patch.object(typed, "by_mypy", return_value=[]):
            self.assert_breaks(page("\na: str = 1"), "docs/guide/page.md:4: pyright: Type")

    def test_what_is_not_run_is_not_checked(self):
        self.assert_holds({"docs/a.md": "<!-- not run: it is wrong -->\n```python\na: str = 1\n```\n"})

    def test_without_mypy_the_rule_is_skipped(self):
        with mock.patch.object(typed.subprocess, "run") as run:
            run.return_value.stderr = "No module named mypy"
            with self.assertRaises(Skipped):
                list(typed.check(self.plant(page("1"))))
