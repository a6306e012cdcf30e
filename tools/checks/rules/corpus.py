"""A driver of the corpus builds each case through its language's public API, and `expect` never reaches the app: what
writes user code from a script does not read it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import rust
from tree import Finding, Tree

# What reaches past a package's public API: its extension module, and the document itself.
INNER = re.compile(r"\bspikard\._\w+|\bfrom spikard import [^\n]*\b_\w+|\b(?:AppSpec|app_spec)\b|@spikard/\w+/native")
READS_SCRIPT = re.compile(r"""(?:\[|\bget\()\s*["'](?:script|echo|respond|raise)["']|\.script\b(?!\s*\()""")
READS_EXPECT = re.compile(r"""(?:\[|\bget\()\s*["']expect["']|\.expect\b(?!\s*\()""")


def check(tree: Tree) -> Iterator[Finding]:
    """The corpus goes through the front door"""
    for path in tree.matching("packages/**/*.py", "packages/**/*.ts", "packages/**/*.rb", "packages/**/*.php"):
        text = tree.text(path)
        if "conformance" not in path or "/tests/" not in f"/{path}":
            continue
        for found in INNER.finditer(text):
            yield Finding(path, f"a driver reaches past the public API: {found.group()}", line_of(text, found.start()))
        yield from mixed(path, text)
    for path in tree.matching("crates/*/tests/conformance/**/*.rs", "crates/*/tests/conformance.rs"):
        if not path.startswith("crates/spikard-http/"):
            yield Finding(path, "only spikard-http's driver hands a case to the core as a document")
        yield from mixed(path, tree.text(path))


def mixed(path: str, text: str) -> Iterator[Finding]:
    """Functions that write user code and read what is expected of it."""
    for name, line, body in parts(path, text):
        if READS_SCRIPT.search(body) and READS_EXPECT.search(body):
            yield Finding(f"{path}::{name}", "reads both a script and what is expected", line)


def parts(path: str, text: str) -> Iterator[tuple[str, int, str]]:
    """The functions of a file, their strings kept; the whole file where its language is not known here."""
    if path.endswith(".py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, ast.get_source_segment(text, node) or ""
    elif path.endswith(".rs"):
        lines = rust.blank(text, strings=False).splitlines()
        for function in rust.functions(text):
            size = function.text.count("\n") + 1
            yield function.name, function.line, "\n".join(lines[function.line - 1 : function.line - 1 + size])
    else:
        yield "file", 1, text


def line_of(text: str, place: int) -> int:
    """The number of a line."""
    return text.count("\n", 0, place) + 1
