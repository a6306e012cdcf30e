"""House rules of the text: module headers, reasons for `unsafe` and `allow`, no stubs, no machine's paths, no
registry's host names, no binaries.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import rust
from tree import Finding, Tree, is_test

# What no file may say, as patterns that do not match themselves.
FORBIDDEN = (
    (re.compile(r"(?<![\w.:/])/(?:work|root|Users)/|(?<![\w.:/])/home/[a-z]\w*/"), "names a path of one machine"),
    (
        re.compile(
            r"\b(?:pypi[.]org|pythonhosted[.]org|(?:static|index)[.]crates[.]io|npmjs[.](?:org|com)|deb[.]debian[.]org|"
            r"proxy[.]golang[.]org|rubygems[.]org|packagist[.]org)"
        ),
        "names a registry's host",
    ),
    (re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|unimplemente[d]!|todo[!])"), "leaves work open"),
)
LOCKS = {"Cargo.lock", "uv.lock", "pnpm-lock.yaml", "package-lock.json", "Gemfile.lock", "composer.lock"}
HEADER = {".rs": "//!", ".yml": "#", ".toml": "#", ".sh": "#"}
BARE = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)|#\s*pyright:\s*ignore(?!\[)")


def check(tree: Tree) -> Iterator[Finding]:
    """House rules of the text"""
    for path in tree.files:
        if PurePosixPath(path).name in LOCKS:
            continue
        if b"\0" in (tree.root / path).read_bytes()[:8192]:
            yield Finding(path, "is a binary")
            continue
        text = tree.text(path)
        if not path.startswith("testing_data/"):
            yield from of_lines(path, text)
        yield from header(path, text)
        if path.endswith(".rs"):
            yield from of_rust(path, text)


def of_lines(path: str, text: str) -> Iterator[Finding]:
    """What no line may say."""
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, breach in FORBIDDEN:
            if found := pattern.search(line):
                yield Finding(path, f"{breach}: {found.group()}", number)
        if path.endswith((".py", ".pyi")) and (found := BARE.search(line)):
            yield Finding(path, f"silences a checker without a code: {found.group()}", number)


def header(path: str, text: str) -> Iterator[Finding]:
    """One to five lines that say what lives in a module."""
    if not path.startswith(("crates/", "packages/", "tools/", "examples/", "taskfiles/")) or not text.strip():
        return
    if path.endswith(".py"):
        documented = ast.get_docstring(ast.parse(text))
        paragraph = documented.split("\n\n")[0].splitlines() if documented else []
    elif path.endswith((".rs", ".yml", ".sh")):
        mark = HEADER[PurePosixPath(path).suffix]
        lines = [line for line in text.splitlines() if not line.startswith("#!")]
        paragraph = []
        for line in lines:
            if not line.startswith(mark) or line.strip() == mark:
                break
            paragraph.append(line)
    else:
        return
    if not paragraph:
        yield Finding(path, "opens without a line that says what lives here")
    elif len(paragraph) > 5:
        yield Finding(path, f"opens with {len(paragraph)} lines; five at most")


def of_rust(path: str, text: str) -> Iterator[Finding]:
    """`unsafe` says why it is sound, `allow` why it is needed; errors are types."""
    code = rust.blank(text)
    lines = text.splitlines()
    for found in re.finditer(r"\bunsafe\s*(?:\{|impl\b|extern\b)", code):
        number = code.count("\n", 0, found.start()) + 1
        if not explained(lines, number, "SAFETY:"):
            yield Finding(path, "unsafe without a SAFETY comment", number)
    for found in re.finditer(r"#!?\[(?:allow|expect)\s*\(([^\]]*)\)\s*\]", code):
        if "reason" not in found[1]:
            yield Finding(path, "an allow without a reason", code.count("\n", 0, found.start()) + 1)
    for found in () if is_test(path) else re.finditer(r"\bResult<(?:[^<>]|<[^<>]*>)*,\s*String>", code):
        yield Finding(path, f"an error that is a text: {found.group()}", code.count("\n", 0, found.start()) + 1)


def explained(lines: list[str], number: int, mark: str) -> bool:
    """Whether the line, or the comment and attributes right above its statement, carry the mark."""
    if mark in lines[number - 1]:
        return True
    for line in reversed(lines[max(0, number - 12) : number - 1]):
        if mark in line:
            return True
        if not line.strip() or line.rstrip().endswith((";", "}")):
            return False
    return False
