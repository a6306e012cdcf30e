"""Patterns that Python's `re` would run for longer than their text is long: refused at start-up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from . import _constraints
from ._hints import unwrap
from ._models import fields_of, kind_of
from ._spikard import backtracks
from .exceptions import SpecError


def refuse_slow(hint: Any) -> None:
    """Raises `SpecError` where the type holds a pattern that backtracks, with the name of the field."""
    for place, pattern in _patterns(hint, _name(hint), set()):
        if backtracks(pattern):
            raise SpecError(
                f"{place}: the pattern {pattern!r} repeats what repeats already, which takes Python's re exponential "
                "time; write it without nested repeats, or use a pydantic model"
            )


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
