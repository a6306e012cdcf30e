"""Reads Rust far enough for the rules: text without comments and strings, functions, imported paths, inline tests."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*)
      | (?P<raw>\bb?c?r(?P<hashes>\#*)".*?"(?P=hashes))
      | (?P<string>[bc]?"(?:\\.|[^"\\])*")
      | (?P<char>b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])')""",
    re.VERBOSE | re.DOTALL,
)


@dataclasses.dataclass(frozen=True)
class Function:
    """A function: its name, the line of its `fn`, and its text."""

    name: str
    line: int
    text: str


def blank(text: str, strings: bool = True) -> str:
    """The text with spaces for every comment (and string), so that places and lines stay."""
    pieces: list[str] = []
    place = 0
    while found := TOKEN.search(text, place):
        end = block_end(text, found.start()) if found["block"] else found.end()
        covered = text[found.start() : end]
        comment = found["line"] is not None or found["block"] is not None
        pieces += [text[place : found.start()], re.sub(r"[^\n]", " ", covered) if comment or strings else covered]
        place = end
    return "".join([*pieces, text[place:]])


def block_end(text: str, start: int) -> int:
    """The end of a block comment; they nest."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return start + mark.end()
    return len(text)


def closing(code: str, start: int) -> int:
    """The place behind the brace that closes the one at `start`."""
    depth = 0
    for brace in re.finditer(r"[{}]", code[start:]):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return start + brace.end()
    return len(code)


def without_tests(text: str) -> str:
    """The text without the items under `#[cfg(test)]`; lines stay."""
    code = blank(text)
    for found in reversed(list(re.finditer(r"#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))?\s+)?(?:mod|fn|impl)\b", code))):
        body, semicolon = code.find("{", found.end()), code.find(";", found.end())
        declared = semicolon != -1 and (body == -1 or semicolon < body)
        end = semicolon + 1 if declared else closing(code, body)
        text = text[: found.start()] + re.sub(r"[^\n]", " ", text[found.start() : end]) + text[end:]
    return text


def functions(text: str) -> Iterator[Function]:
    """Every function with a body."""
    code = blank(text)
    for found in re.finditer(r"\bfn\s+(\w+)", code):
        body = body_of(code, found.end())
        if body is not None:
            line = text.count("\n", 0, found.start()) + 1
            yield Function(found[1], line, code[found.start() : closing(code, body)])


def body_of(code: str, start: int) -> int | None:
    """The place of the brace that opens a function's body; none for a declaration."""
    depth = 0
    for mark in re.finditer(r"[()\[\]{};]", code[start:]):
        sign = mark.group()
        if sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif depth == 0:
            return start + mark.start() if sign == "{" else None
    return None


def paths(text: str) -> Iterator[tuple[str, int]]:
    """Every path that the code names, `use` trees spelled out, with its line."""
    code = blank(text)
    for found in re.finditer(r"\buse\s+([^;]+);", code):
        line = code.count("\n", 0, found.start()) + 1
        yield from ((path, line) for path in spelled_out(found[1]))
    rest = re.sub(r"\buse\s+[^;]+;", lambda use: re.sub(r"[^\n]", " ", use[0]), code)
    for found in re.finditer(r"\b\w+(?:\s*::\s*\w+)+", rest):
        yield re.sub(r"\s", "", found.group()), code.count("\n", 0, found.start()) + 1


def spelled_out(tree: str) -> Iterator[str]:
    """The paths of one `use` tree."""
    tree = tree.strip()
    brace = tree.find("{")
    if brace == -1:
        yield re.sub(r"\s+as\s+\w+$", "", tree).replace(" ", "").lstrip(":")
        return
    head = tree[:brace].replace(" ", "").lstrip(":")
    for member in members(tree[brace + 1 : tree.rfind("}")]):
        for path in spelled_out(member):
            yield head.rstrip(":") if path == "self" else head + path


def members(inside: str) -> Iterator[str]:
    """The members of a brace, split at the commas of its own level."""
    depth, start = 0, 0
    for place, sign in enumerate(inside):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            yield inside[start:place]
            start = place + 1
    if inside[start:].strip():
        yield inside[start:]
