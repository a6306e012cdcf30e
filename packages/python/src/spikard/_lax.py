"""All that a decoder refuses, where msgspec stops at the first: of each part that pydantic or the user's own code reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

Entry = dict[str, Any]
Loc = tuple[str | int, ...]

_MOST = 1000
"""More are not told."""


class Refusals(ValueError):
    """What a decoder has refused of the parts that it judges itself: of these nothing else is to be said."""

    def __init__(self, found: list[Entry]) -> None:
        super().__init__("the value was refused")
        self.found = found


class Judges(NamedTuple):
    """How a part is read, and what its refusal says."""

    read: Callable[[Any, Any], Any]
    entries: Callable[[BaseException], list[Entry]]
    """Of an exception that refuses nothing, none."""
    is_hooked: Callable[[Any], bool]
    """Whether user code looks at a model when it is made."""


def every(info: Any, value: Any, judges: Judges) -> list[Entry]:
    """Every refusal inside a value, in the order of the fields."""
    return _Search(judges).of(info, value, ())


class _Search:
    def __init__(self, judges: Judges) -> None:
        self.judges = judges
        self.count = 0

    def of(self, info: Any, value: Any, loc: Loc) -> list[Entry]:
        info, label = _member(info, value) if isinstance(info, inspect.UnionType) else (info, ())
        loc = (*loc, *label)
        if isinstance(info, inspect.CustomType):
            return self._asked(partial(self.judges.read, info.cls), value, loc)
        found: list[Entry] = []
        for step, part, inner in _parts(info, value):
            if self.count >= _MOST:
                break
            found += self.of(part, inner, (*loc, step))
        cls = getattr(info, "cls", None)
        if found or cls is None or not self.judges.is_hooked(cls):
            return found
        return self._asked(
            lambda sent: msgspec.convert(sent, cls, dec_hook=self.judges.read, str_keys=True), value, loc
        )

    def _asked(self, read: Callable[[Any], Any], value: Any, loc: Loc) -> list[Entry]:
        try:
            read(value)
        except Exception as error:
            if isinstance(error, msgspec.ValidationError) and error.__cause__ is None:
                return []  # the schema says it
            found = [{**entry, "loc": [*loc, *entry["loc"]]} for entry in self.judges.entries(error)]
            self.count += len(found)
            return [_with_input(entry, value) for entry in found] if len(found) == 1 else found
        return []


def _with_input(entry: Entry, value: Any) -> Entry:
    from ._pydantic import is_shown

    if entry["input"] is None and is_shown(value):
        with suppress(TypeError):  # a file is not to be shown
            msgspec.json.encode(value)
            return {**entry, "input": value}
    return entry


def _parts(info: Any, value: Any) -> Iterator[tuple[str | int, Any, Any]]:
    """What a value holds, each with its step and what it has to be."""
    fields = getattr(info, "fields", None)
    if isinstance(value, dict):
        if fields is not None:
            names = [(getattr(field, "encode_name", field.name), field.type) for field in fields]
            yield from ((name, part, value[name]) for name, part in names if name in value)
        elif isinstance(info, inspect.DictType):
            yield from ((name, info.value_type, inner) for name, inner in value.items() if isinstance(name, str))
    elif isinstance(value, (list, tuple)):
        parts = [field.type for field in fields] if fields is not None else getattr(info, "item_types", None)
        if parts is None:
            parts = [info.item_type] * len(value) if hasattr(info, "item_type") else []
        elif getattr(info, "tag", None) is not None:
            value = value[1:]
        yield from ((place, *both) for place, both in enumerate(zip(parts, value, strict=False)))


def _member(union: inspect.UnionType, value: Any) -> tuple[Any, tuple[str, ...]]:
    """The type of a union that a value is of, and what its place is called by it."""
    types: list[Any] = list(union.types)
    tagged = [one for one in types if getattr(one, "tag", None) is not None]
    if isinstance(value, dict) and (found := [one for one in tagged if value.get(one.tag_field) == one.tag]):
        return found[0], (str(found[0].tag),) if len(tagged) > 1 else ()
    is_object, is_array = isinstance(value, dict), isinstance(value, list)
    wanted = ("fields", "value_type") if is_object else ("item_type", "item_types") if is_array else ()
    for one in types:
        is_asked = isinstance(one, inspect.CustomType) and value is not None
        if is_asked or (one not in tagged and any(hasattr(one, name) for name in wanted)):
            return one, ()
    return None, ()
