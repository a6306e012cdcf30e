"""A tree that is made of texts, for one test."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from types import ModuleType

from tree import Finding, Tree


class PlantedTree(unittest.TestCase):
    """A test whose rule looks at planted files."""

    rule: ModuleType

    def plant(self, files: dict[str, str]) -> Tree:
        """A tree of these files."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for path, text in files.items():
            place = Path(folder.name) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return Tree(Path(folder.name).resolve())

    def found(self, files: dict[str, str]) -> list[Finding]:
        """What the rule finds in them."""
        return list(self.rule.check(self.plant(files)))

    def assert_breaks(self, files: dict[str, str], *messages: str) -> None:
        """Each message is part of one finding, in order, and there is no further one."""
        found = [str(finding) for finding in self.found(files)]
        self.assertEqual(len(found), len(messages), found)
        for finding, message in zip(found, messages, strict=True):
            self.assertIn(message, finding)

    def assert_holds(self, files: dict[str, str]) -> None:
        """Nothing is found."""
        self.assertEqual([str(finding) for finding in self.found(files)], [])
