"""Finds the part of a result that cannot be written, or where it contains itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_DEEPEST = 32
_PARTS = 100_000
"""Parts that are looked at for one that contains itself."""
_STEPS = 8
"""Steps of a path that are named."""


def path_to(value: Any, write: Callable[[Any], object]) -> str:
    """The innermost part that cannot be written, as Python would name it, and its key that cannot; empty where that is the
    whole.
    """
    path = ""
    for _ in range(_DEEPEST):
        found = next(((step, part) for step, part in _parts(value) if not _is_written(part, write)), None)
        if found is None:
            break
        path, value = path + found[0], found[1]
    keys = value if isinstance(value, Mapping) else ()
    path += next((f" with the key {key!r}" for key in keys if not _is_written({key: None}, write)), "")
    return f"result{path}" if path else ""


def _is_written(part: Any, write: Callable[[Any], object]) -> bool:
    try:
        write(part)
    except (TypeError, ValueError):
        return False
    return True


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    elif isinstance(value, (set, frozenset)):
        yield from (("{…}", part) for part in value)
    else:
        cls = type(value)
        names = getattr(cls, "__struct_fields__", None) or getattr(cls, "__dataclass_fields__", ())
        names = names or [field.name for field in getattr(cls, "__attrs_attrs__", ())]
        names = names or getattr(cls, "__pydantic_fields__", ())
        yield from ((f".{name}", getattr(value, name)) for name in names if hasattr(value, name))


def endless(value: Any) -> str:
    """Why a result has no end: where it contains itself, else that it is nested too deeply."""
    way, open_ids, done = [("result", value, _parts(value))], {id(value): 0}, set[int]()
    for _ in range(_PARTS):
        step = next(way[-1][2], None)
        if step is None:
            _, left, _ = way.pop()
            del open_ids[id(left)]
            done.add(id(left))
            if not way:
                break
        elif id(step[1]) in open_ids:
            names = [name for name, _, _ in way]
            return (
                f"the result contains itself: {_path([*names, step[0]])} is {_path(names[: open_ids[id(step[1])] + 1])}"
            )
        elif id(step[1]) not in done:
            open_ids[id(step[1])] = len(way)
            way.append((*step, _parts(step[1])))
    return "the result is nested too deeply to be written"


def _path(names: list[str]) -> str:
    return "".join(names if len(names) <= _STEPS else [*names[: _STEPS - 1], "…", names[-1]])
