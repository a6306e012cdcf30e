"""Snippets can fail."""

import os
import sys
from pathlib import Path
from unittest import mock

from rules import snippets
from tests.planted import PlantedTree
from tree import Skipped


def fenced(kind: str, text: str, before: str = "") -> dict[str, str]:
    """A README with one block."""
    return {"README.md": f"# Title\n\n{before}\n```{kind}\n{text}\n```\n"}


class Snippets(PlantedTree):
    rule = snippets

    def found(self, files):
        tree = self.plant({**files, "site/spikard.py": ""})
        tree.python = sys.executable
        with mock.patch.dict(os.environ, {"PYTHONPATH": str(Path(tree.root) / "site")}):
            return list(snippets.check(tree))

    def test_python_that_raises(self):
        self.assert_breaks(fenced("python", "import spikard\nnothing"), "NameError")

    def test_python_that_runs(self):
        self.assert_holds(fenced("python", "import spikard\nif __name__ == '__main__':\n    nothing"))

    def test_each_block_has_a_namespace_of_its_own(self):
        text = "```python\na = 1\n```\n\n```python\nprint(a)\n```\n"
        self.assert_breaks({"docs/guide/a.md": text}, "NameError")

    def test_console(self):
        self.assert_breaks(fenced("console", "$ false"), "exit 1")
        self.assert_breaks(fenced("console", "$ echo one\ntwo"), "printed something else: one")
        self.assert_holds(fenced("console", "$ echo one two three\none … three\n$ true"))
        self.assert_breaks(fenced("bash", "true"), "fence it as console")

    def test_an_excuse_needs_a_reason(self):
        self.assert_holds(fenced("console", "$ false", "<!-- not run: it fails -->"))
        self.assert_breaks(fenced("console", "$ false", "<!-- not run:  -->"), "gives no reason")

    def test_without_the_package_the_rule_is_skipped(self):
        tree = self.plant(fenced("python", "1"))
        tree.python = sys.executable
        with mock.patch.dict(os.environ, {"PYTHONPATH": ""}), mock.patch.object(snippets.subprocess, "run") as run:
            run.return_value.returncode = 1
            with self.assertRaises(Skipped):
                list(snippets.check(tree))
