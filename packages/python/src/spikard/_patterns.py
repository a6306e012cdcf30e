"""Patterns that Python's `re` would run for longer than their text is long: refused at start-up."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_args

from . import _constraints
from ._hints import unwrap
from ._models import fields_of, kind_of
from .exceptions import SpecError

_PARTS = ("re._constants", "re._parser") if sys.version_info >= (3, 11) else ("sre_constants", "sre_parse")
_codes: Any = import_module(_PARTS[0])
_parser: Any = import_module(_PARTS[1])


def refuse_slow(hint: Any) -> None:
    """Raises `SpecError` where the type holds a pattern that backtracks, with the name of the field."""
    for place, pattern in _patterns(hint, _name(hint), set()):
        if backtracks(pattern):
            raise SpecError(
                f"{place}: the pattern {pattern!r} repeats what repeats already, which takes Python's re exponential "
                "time; write it without nested repeats, or use a pydantic model"
            )


def backtracks(pattern: str) -> bool:
    """Whether one text may be read in exponentially many ways: by a repeat whose rounds have no sure end."""
    try:
        return _is_slow(_parser.parse(pattern))
    except (re.error, RecursionError, OverflowError):
        return False  # not a regular expression at all: the schema says so


def _is_slow(tree: Any) -> bool:
    for code, argument in tree:
        if _is_repeat(code) and argument[1] > 1 and not _is_sure(_bare(argument[2])):
            return True
        if any(_is_slow(inner) for inner in _inside(code, argument)):
            return True
    return False


def _is_repeat(code: Any) -> bool:
    return code in (_codes.MAX_REPEAT, _codes.MIN_REPEAT)


def _bare(tree: Any) -> list[tuple[Any, Any]]:
    """The pieces of one round: what groups and repeats of one length hold stands for them."""
    pieces: list[tuple[Any, Any]] = []
    for code, argument in tree:
        if code is _codes.SUBPATTERN and not argument[1]:
            pieces.extend(_bare(argument[3]))
        elif _is_repeat(code) and argument[0] == argument[1]:
            pieces.extend(_bare(argument[2]))
        else:
            pieces.append((code, argument))
    return pieces


def _is_sure(round: list[tuple[Any, Any]]) -> bool:
    """Whether there is one way to read a round: it has one length, begins or ends with a mark, or is a choice of words."""
    if all(_one(piece) is not None for piece in round):
        return True
    if len(round) == 1 and round[0][0] is _codes.BRANCH:
        return _is_choice(round[0][1][1])
    return _is_delimited(round) or _is_delimited(round[::-1])


def _is_delimited(round: list[tuple[Any, Any]]) -> bool:
    """Whether the first piece is a mark that no other can be, and at most one of the others repeats."""
    mark = _one(round[0])
    if mark is None or mark[0] is not _codes.LITERAL or chr(mark[1]).isalnum():
        return False
    repeats = 0
    for piece in round[1:]:
        code, argument = piece
        if _is_repeat(code):
            repeats += 1
            inner = _bare(argument[2])
            piece = inner[0] if len(inner) == 1 else piece
        if _one(piece) is None or _accepts(piece, chr(mark[1])):
            return False
    return repeats <= 1


def _is_choice(words: list[Any]) -> bool:
    """Whether all alternatives are of one length each and begin with letters of their own."""
    firsts = []
    for word in map(_bare, words):
        if not word or not all(_one(piece) is not None for piece in word) or word[0][0] is not _codes.LITERAL:
            return False
        firsts.append(chr(word[0][1]).lower())
    return len(set(firsts)) == len(firsts)


def _one(piece: tuple[Any, Any]) -> tuple[Any, Any] | None:
    """The piece, if it reads exactly one character."""
    return piece if piece[0] in (_codes.LITERAL, _codes.NOT_LITERAL, _codes.IN, _codes.ANY) else None


def _accepts(piece: tuple[Any, Any], mark: str) -> bool:
    code, argument = piece
    if code is _codes.LITERAL:
        return bool(chr(argument) == mark)
    if code is _codes.NOT_LITERAL:
        return bool(chr(argument) != mark)
    if code is _codes.ANY:
        return True
    negated = argument[0][0] is _codes.NEGATE
    return any(_holds(member, mark) for member in argument if member[0] is not _codes.NEGATE) != negated


def _holds(member: tuple[Any, Any], mark: str) -> bool:
    code, argument = member
    if code is _codes.LITERAL:
        return bool(chr(argument) == mark)
    if code is _codes.RANGE:
        return bool(argument[0] <= ord(mark) <= argument[1])
    return re.match(_CATEGORIES[str(argument)], mark) is not None


_CATEGORIES = {
    f"CATEGORY_{negated}{name}": rf"\{letter.upper() if negated else letter}"
    for name, letter in (("DIGIT", "d"), ("SPACE", "s"), ("WORD", "w"))
    for negated in ("", "NOT_")
}


def _inside(code: Any, argument: Any) -> Iterator[Any]:
    """The subpatterns of one piece."""
    if code is _codes.BRANCH:
        yield from argument[1]
        return
    for part in argument if isinstance(argument, tuple) else (argument,):
        if isinstance(part, _parser.SubPattern):
            yield part


def _patterns(hint: Any, place: str, seen: set[Any]) -> Iterator[tuple[str, str]]:
    plain, metadata = unwrap(hint)
    yield from _said(place, _constraints.written(metadata))
    kind = kind_of(plain)
    if kind is not None:
        if kind != "pydantic" and plain not in seen:
            seen.add(plain)
            for field in fields_of(plain):
                inner = f"{_name(plain)}.{field.name}"
                yield from _patterns(field.hint, inner, seen)
                for check in field.checks:
                    yield from _said(inner, _constraints.from_attrs(check))
        return
    for argument in get_args(plain):
        if not isinstance(argument, (str, bytes, int)):
            yield from _patterns(argument, place, seen)


def _said(place: str, constraints: Any) -> Iterator[tuple[str, str]]:
    for name, value in constraints:
        if name == "pattern":
            yield place, value.pattern if isinstance(value, re.Pattern) else value


def _name(hint: Any) -> str:
    return getattr(hint, "__qualname__", None) or str(hint)
