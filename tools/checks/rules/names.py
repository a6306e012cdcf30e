"""Names that say nothing: of files and of types; numbered files; versions in names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import rust
from tree import Finding, Tree, is_test

EMPTY = {"util", "helper", "common", "shared", "base", "manager", "data", "info", "impl", "misc"}
EMPTY |= {f"{word}s" for word in EMPTY}
FOLDERS = ("crates/", "packages/", "tools/", "taskfiles/", "examples/", "benchmarks/")
# A `type` that is indented belongs to a trait, which named it.
RUST_TYPE = re.compile(r"(?:\b(?:struct|enum|trait|union)|^(?:pub(?:\([^)]*\))?\s+)?type)\s+([A-Z]\w*)", re.MULTILINE)
PYTHON_TYPE = re.compile(r"^\s*class\s+(\w+)", re.MULTILINE)
TYPESCRIPT_TYPE = re.compile(r"\b(?:class|interface|type|enum)\s+([A-Z]\w*)")
TYPES = {".rs": RUST_TYPE, ".py": PYTHON_TYPE, ".pyi": PYTHON_TYPE, ".ts": TYPESCRIPT_TYPE}

# Digits that belong to a word: protocols, encodings, digests.
WORDS_WITH_DIGITS = re.compile(r"^(http|h|sha|md|base|utf|abi|oauth|ipv|ed|es|rs|hs|ps|rfc|py|asgi|wsgi)_?\d+$")


def check(tree: Tree) -> Iterator[Finding]:
    """Names"""
    seen: set[str] = set()
    for path in tree.files:
        if not path.startswith(FOLDERS):
            continue
        for part in PurePosixPath(path).parts:
            if part not in seen:
                seen.add(part)
                yield from of_file(path, part)
        # The types of a test stand for those of any user.
        if (pattern := TYPES.get(PurePosixPath(path).suffix)) and not is_test(path):
            yield from of_types(path, tree.text(path), pattern)


def of_file(path: str, part: str) -> Iterator[Finding]:
    """One part of a path."""
    stem = part.split(".")[0].lower()
    words = re.split(r"[_-]", stem)
    if empty := EMPTY & set(words):
        yield Finding(path, f"{part!r} is named {min(empty)!r}, which says nothing")
    if re.search(r"[_-]v\d+$", stem):
        yield Finding(path, f"{part!r} carries a version in its name")
    elif re.search(r"\d$", words[-1]) and not WORDS_WITH_DIGITS.match(words[-1]):
        yield Finding(path, f"{part!r} is numbered")


def of_types(path: str, text: str, pattern: re.Pattern[str]) -> Iterator[Finding]:
    """The types that a file declares."""
    code = rust.blank(text) if path.endswith(".rs") else text
    for found in pattern.finditer(code):
        words = {word.lower() for word in re.findall(r"[A-Z][a-z]*", found[1])}
        line = code.count("\n", 0, found.start(1)) + 1
        if empty := EMPTY & words:
            yield Finding(f"{path}::{found[1]}", f"a type named {min(empty)!r} says nothing", line)
        if re.search(r"[a-z]V\d+$", found[1]):
            yield Finding(f"{path}::{found[1]}", "a type carries a version in its name", line)
