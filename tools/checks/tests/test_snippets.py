"""Snippets can fail."""

import os
import sys
from pathlib import Path
from unittest import mock

from rules import snippets
from tests.planted import PlantedTree
from tree import Skipped

PRETENDED = """
from types import SimpleNamespace

class TestClient:
    def __init__(self, app): self.app = app
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def request(self, method, target, **_):
        headers = SimpleNamespace(multi_items=lambda: [("x-method", method)])
        return SimpleNamespace(status_code=200, headers=headers, text=f"{target} of {self.app}")
"""


def fenced(kind: str, text: str, before: str = "") -> dict[str, str]:
    """A README with one block."""
    return {"README.md": f"# Title\n\n{before}\n```{kind}\n{text}\n```\n"}


class Snippets(PlantedTree):
    rule = snippets

    def found(self, files):
        tree = self.plant({**files, "site/spikard.py": PRETENDED})
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

    def test_a_block_of_another_kind_says_why_it_is_not_run(self):
        self.assert_breaks(fenced("rust", "fn main() {}"), "a rust block is not run, and gives no reason")
        self.assert_breaks(fenced("", "words"), "a nameless block is not run")
        self.assert_holds(fenced("rust", "fn main() {}", "<!-- not run: an outline -->"))
        self.assert_holds(fenced("text", "words"))

    def test_json_may_be_laid_out(self):
        self.assert_holds(fenced("console", """$ echo '{"a":[1,2]}'\n{\n  "a": [1, 2]\n}"""))
        self.assert_breaks(fenced("console", """$ echo '{"a":[1,2]}'\n{"a": [1]}"""), "printed something else")

    def test_curl_asks_the_app_of_the_block_before_it(self):
        app = "```python\nimport spikard\napp = 'served'\n```\n\n"
        asks = "```console\n$ curl -i http://127.0.0.1:8000/a?b=1\n{}\n```\n"
        said = "HTTP/1.1 200 OK\nx-method: GET\n\n/a?b=1 of served"
        self.assert_holds({"docs/a.md": app + asks.format(said)})
        self.assert_breaks({"docs/a.md": app + asks.format("other")}, "printed something else: HTTP/1.1 200")
        self.assert_breaks({"docs/a.md": asks.format(said)}, "none stands before it")
        self.assert_breaks({"docs/a.md": app, "docs/b.md": asks.format(said)}, "none stands before it")
        self.assert_breaks({"docs/a.md": app + asks.replace("127.0.0.1", "example.org")}, "documents ask")

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
