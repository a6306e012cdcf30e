"""Every row of the two tables of errors, codes and words, is met by a case of the corpus."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import rust
from tree import Finding, Skipped, Tree

ERRORS = "crates/spikard-core/src/error.rs"
WORDS = "crates/spikard-core/src/words.rs"
CASES = "testing_data/http/**/*.json"
CODE_ROW = re.compile(r'^\s*(\w+) = [A-Z_]+, "([^"]+)";', re.MULTILINE)
WORD_ROW = re.compile(r'^\s*(\w+) = "([a-z_]+)",', re.MULTILINE)


def check(tree: Tree) -> Iterator[Finding]:
    """Every error code and word has a case"""
    if not tree.exists(ERRORS) or not tree.exists(WORDS):
        raise Skipped("the tables of errors are not there")
    kinds, words, raised = expected(tree)
    for name, title in CODE_ROW.findall(rust.blank(tree.text(ERRORS), strings=False)):
        met = raised if name == "Raised" else uri_end(name, title) in kinds
        if not met:
            yield Finding(f"{ERRORS}::{name}", "no case of the corpus expects it")
    rows = WORD_ROW.findall(rust.blank(tree.text(WORDS), strings=False))
    if not rows:
        yield Finding(WORDS, "no row of the table could be read")
    for name, word in rows:
        if word not in words:
            yield Finding(f"{WORDS}::{name}", f"no case of the corpus expects {word!r}")


def uri_end(name: str, title: str) -> str:
    """The last part of a code's type URI."""
    return "validation-error" if name == "Validation" else title.lower().replace(" ", "-")


def expected(tree: Tree) -> tuple[set[str], set[str], bool]:
    """The ends of the problem types and the words that answers hold, and whether user code raises in some case."""
    kinds: set[str] = set()
    words: set[str] = set()
    raised = False
    for path in tree.matching(CASES):
        case = json.loads(tree.text(path))
        raised |= any("http" in route.get("script", {}).get("raise", {}) for route in case["app"].get("routes", []))
        for problem in problems(case):
            kinds.add(problem["type"].rpartition("/")[2])
            words |= {error["type"] for error in problem.get("errors", []) if isinstance(error, dict)}
    return kinds, words, raised


def problems(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The problem documents that a case expects, those of pipelined answers too."""
    for exchange in case["exchanges"]:
        for answer in [exchange["expect"], *exchange["expect"].get("then", [])]:
            body = answer.get("body")
            if isinstance(body, dict) and isinstance(body.get("type"), str):
                yield body
