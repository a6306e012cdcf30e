"""The repository as the rules see it: its tracked files, their texts, and cargo's view of the crates. Takes any root,
so that the tests can hand in a bad tree.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import subprocess
from pathlib import Path, PurePosixPath


@dataclasses.dataclass(frozen=True)
class Finding:
    """One breach. `subject` is the path, with `::name` for a part of it; exceptions.txt names it so."""

    subject: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        path, _, part = self.subject.partition("::")
        place = f"{path}:{self.line}" if self.line else path
        return f"{place}: {part + ': ' if part else ''}{self.message}"


class Skipped(Exception):
    """A rule whose subject is not there; the message says what."""


class Tree:
    """A repository."""

    def __init__(self, root: Path, python: str | None = None) -> None:
        self.root = root
        self.python = python

    @functools.cached_property
    def files(self) -> list[str]:
        """Paths of the files that are tracked or about to be, sorted; every file where there is no git."""
        if (self.root / ".git").exists():
            command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, cwd=self.root, check=True, stdout=subprocess.PIPE, text=True).stdout
            return sorted({path for path in listed.split("\0") if path and (self.root / path).is_file()})
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def matching(self, *patterns: str) -> list[str]:
        """Files that match one of the patterns; `**` stands for any number of folders."""
        return [path for path in self.files if any(glob(path, pattern) for pattern in patterns)]

    def text(self, path: str) -> str:
        """The text of a file, its line ends as they are."""
        return (self.root / path).read_bytes().decode(errors="replace")

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        return (self.root / path).exists()

    @functools.cached_property
    def crates(self) -> list[dict]:
        """cargo's description of every member of the workspace."""
        if not self.exists("Cargo.toml"):
            raise Skipped("there is no Cargo.toml")
        command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
        described = subprocess.run(command, cwd=self.root, check=True, stdout=subprocess.PIPE).stdout
        return json.loads(described)["packages"]


@functools.cache
def glob(path: str, pattern: str) -> bool:
    """Whether the whole of `path` matches `pattern`."""
    return match(PurePosixPath(path).parts, PurePosixPath(pattern).parts)


def match(parts: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    """Matches part by part."""
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(match(parts[skip:], patterns[1:]) for skip in range(len(parts) + 1))
    return bool(parts) and PurePosixPath(parts[0]).match(patterns[0]) and match(parts[1:], patterns[1:])


def is_test(path: str) -> bool:
    """Whether a file holds tests only."""
    parts = PurePosixPath(path)
    return "tests" in parts.parts[:-1] or parts.name in {"tests.rs", "conftest.py"} or parts.name.startswith("test_")
