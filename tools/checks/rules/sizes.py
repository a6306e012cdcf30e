"""Sizes: files, functions, binding crates, packages and the public items of the boundary, against budgets.txt. A line
for one subject that is no longer needed is a finding too.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import rust
from tree import Finding, Tree, is_test

PUBLIC = re.compile(r"^pub (?:async )?(?:fn|struct|enum|trait|type|const|static|mod|union)\s+(\w+)", re.MULTILINE)
BUDGETS = Path(__file__).resolve().parents[1] / "budgets.txt"
SOURCES = ("crates/**/*.rs", "packages/**/*.py", "tools/**/*.py", "examples/**/*.py", "packages/**/*.ts")


class Budgets:
    """The limits, and which of the single ones were needed."""

    def __init__(self, text: str) -> None:
        self.limits: dict[tuple[str, str], int] = {}
        self.needed: set[tuple[str, str]] = set()
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                measure, subject, limit, why = (part.strip() for part in line.split("|"))
                if not why:
                    raise ValueError(f"budgets.txt gives no reason: {line}")
                self.limits[measure, subject] = int(limit)

    def subjects(self, measure: str) -> list[str]:
        """What a measure has lines for, `*` apart."""
        return [subject for known, subject in self.limits if known == measure and subject != "*"]

    def judge(self, measure: str, subject: str, size: int, what: str, line: int = 0) -> Iterator[Finding]:
        """Compares a size with the limit of its subject, else with the limit of all."""
        general = self.limits.get((measure, "*"))
        own = self.limits.get((measure, subject))
        limit = own if own is not None else general
        if own is not None and general is not None and size > general:
            self.needed.add((measure, subject))
        if limit is not None and size > limit:
            yield Finding(subject, f"{size} {what}, limit {limit}", line)

    def idle(self) -> Iterator[Finding]:
        """Lines for one subject that raise nothing."""
        for measure, subject in self.limits:
            if subject != "*" and (measure, "*") in self.limits and (measure, subject) not in self.needed:
                yield Finding("tools/checks/budgets.txt", f"{measure} | {subject} is not needed")


def check(tree: Tree) -> Iterator[Finding]:
    """Sizes"""
    budgets = Budgets(BUDGETS.read_text())
    yield from check_with(tree, budgets)


def check_with(tree: Tree, budgets: Budgets) -> Iterator[Finding]:
    """The rule, against given budgets."""
    sizes: dict[str, int] = {}
    for path in tree.matching(*SOURCES):
        if is_test(path):
            continue
        text = rust.without_tests(tree.text(path)).rstrip() if path.endswith(".rs") else tree.text(path).rstrip()
        sizes[path] = len(text.splitlines())
        yield from budgets.judge("file-lines", path, sizes[path], "lines")
        yield from functions(path, text, budgets)
    yield from spread(list(sizes.values()), budgets)
    for crate in budgets.subjects("crate-lines"):
        lines = sum(len(tree.text(path).splitlines()) for path in tree.matching(f"{crate}/src/**/*.rs"))
        yield from budgets.judge("crate-lines", crate, lines, "lines in all")
    for package in budgets.subjects("package-lines"):
        paths = [path for path in tree.matching(f"{package}/**/*.py", f"{package}/**/*.ts") if not is_test(path)]
        lines = sum(code_lines(path, tree.text(path)) for path in paths)
        yield from budgets.judge("package-lines", package, lines, "lines of code")
    for crate in budgets.subjects("public-items"):
        if tree.exists(f"{crate}/src/lib.rs"):
            items = public_items(tree.text(f"{crate}/src/lib.rs"))
            yield from budgets.judge("public-items", crate, len(items), f"public items ({', '.join(items)})")
    yield from budgets.idle()


def functions(path: str, text: str, budgets: Budgets) -> Iterator[Finding]:
    """The functions of one file, counted without blank lines, comments and docstrings."""
    if path.endswith(".rs"):
        for function in rust.functions(text):
            size = sum(bool(line.strip()) for line in function.text.splitlines())
            yield from budgets.judge("function-lines", f"{path}::{function.name}", size, "lines", function.line)
    elif path.endswith(".py"):
        code = python_code_lines(text)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                size = len(code & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
                yield from budgets.judge("function-lines", f"{path}::{node.name}", size, "lines", node.lineno)


def spread(sizes: list[int], budgets: Budgets) -> Iterator[Finding]:
    """The median file and the one that nine in ten do not exceed."""
    sizes.sort()
    if sizes:
        yield from budgets.judge("file-median", "*", sizes[len(sizes) // 2], "lines in the median file")
        yield from budgets.judge("file-nine-in-ten", "*", sizes[len(sizes) * 9 // 10], "lines in the ninth file of ten")


def code_lines(path: str, text: str) -> int:
    """Lines of code without blank lines, comments and docstrings."""
    if path.endswith(".py"):
        return len(python_code_lines(text))
    return sum(bool(line.strip()) for line in rust.blank(text, strings=False).splitlines())


def python_code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code."""
    idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in idle:
            code |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        if documented and ast.get_docstring(node, clean=False) is not None:
            code -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return code


def public_items(text: str) -> list[str]:
    """What the root of a crate makes public: declared there, or re-exported."""
    code = rust.blank(rust.without_tests(text))
    items = re.findall(PUBLIC, code)
    for tree in re.findall(r"^pub use ([^;]+);", code, re.MULTILINE):
        items += [path.rpartition("::")[2] for path in rust.spelled_out(tree)]
    return items
