"""What behaves lives in the crates: no package of TypeScript words a refusal, names an error, or says what a field of the
configuration is where nobody gave it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import rust
from rules.vocabulary import CODE_ROW, ERRORS, WORD_ROW, WORDS
from tree import Finding, Tree, is_test

CONFIG = "crates/spikard-core/src/config.rs"
FIELD = re.compile(r"^\s*pub (\w+):", re.MULTILINE)
QUOTED = re.compile(r"""["'`]([^"'`\n]*)["'`]""")
# A package passes it on: what a library refuses beyond its JSON Schema.
PASSED_ON = {"value_error"}


def check(tree: Tree) -> Iterator[Finding]:
    """No behaviour in TypeScript"""
    words, titles, fields = vocabulary(tree)
    given = re.compile(rf"\b({'|'.join(sorted(fields))})\b\s*(?:\?\?|\|\||=(?!=|>))") if fields else None
    for path in tree.matching("packages/*/src/**/*.ts"):
        if is_test(path):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            for text in QUOTED.findall(line):
                if text in words or text in titles:
                    yield Finding(path, f"words an error: {text!r}", number)
            if "spikard.dev/errors" in line:
                yield Finding(path, "names the type of an error", number)
            if given and (found := given.search(line)):
                yield Finding(path, f"says what {found[1]} is where nobody gave it", number)


def vocabulary(tree: Tree) -> tuple[set[str], set[str], set[str]]:
    """The words of refusals, the titles of errors, and the configuration's fields as a package spells them."""
    if not all(tree.exists(path) for path in (ERRORS, WORDS, CONFIG)):
        return set(), set(), set()
    words = {word for _, word in WORD_ROW.findall(rust.blank(tree.text(WORDS), strings=False)) if "_" in word}
    titles = {title for _, title in CODE_ROW.findall(rust.blank(tree.text(ERRORS), strings=False)) if " " in title}
    fields = {name for name in FIELD.findall(tree.text(CONFIG)) if "_" in name}
    camel = {re.sub(r"_([a-z])", lambda found: found[1].upper(), name) for name in fields}
    return words - PASSED_ON, titles, camel
