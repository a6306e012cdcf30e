"""Every field of the configuration has a case of the corpus that sets it, or a test marked `covers config: <field>`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import rust
from tree import Finding, Skipped, Tree

CONFIG = "crates/spikard-core/src/config.rs"
STRUCTS = ("Config", "HostSide")
CASES = "testing_data/http/**/*.json"
TESTS = ("crates/**/*.rs", "packages/**/*.py", "packages/**/*.ts", "tools/**/*.py")
MARK = re.compile(r"covers config: ([\w, ]+)")


def check(tree: Tree) -> Iterator[Finding]:
    """Every config field has a test"""
    if not tree.exists(CONFIG):
        raise Skipped("there is no configuration")
    fields = dict(declared(tree.text(CONFIG)))
    if not fields:
        yield Finding(CONFIG, "no field of the configuration could be read")
    marked = marks(tree)
    covered = in_cases(tree) | set(marked)
    for field, line in fields.items():
        if field not in covered:
            yield Finding(f"{CONFIG}::{field}", "neither a case of the corpus sets it nor a test covers it", line)
    for field, path in marked.items():
        if field not in fields:
            yield Finding(path, f"covers config: {field}, which is no field")


def declared(text: str) -> Iterator[tuple[str, int]]:
    """The fields of the resolved configuration, with their lines; a flattened struct stands for its own fields."""
    code = rust.blank(text)
    for name in STRUCTS:
        found = re.search(rf"\bstruct {name}\s*\{{", code)
        if not found:
            continue
        body = text[found.end() : rust.closing(code, found.end() - 1)]
        for field in re.finditer(r"(#\[serde\(flatten\)\]\s*)?^\s*pub (\w+):", rust.blank(body), re.MULTILINE):
            if not field[1]:
                yield field[2], text.count("\n", 0, found.end() + field.start(2)) + 1


def in_cases(tree: Tree) -> set[str]:
    """The fields that cases set."""
    fields: set[str] = set()
    for path in tree.matching(CASES):
        fields |= set(json.loads(tree.text(path))["app"].get("config", {}))
    return fields


def marks(tree: Tree) -> dict[str, str]:
    """The fields that tests say they cover, and where."""
    found: dict[str, str] = {}
    for path in tree.matching(*TESTS):
        if path.startswith("tools/checks/"):
            continue
        for mark in MARK.finditer(tree.text(path)):
            found.update((field.strip(), path) for field in mark[1].split(",") if field.strip())
    return found
