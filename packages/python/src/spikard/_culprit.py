"""Finds the part of a result that cannot be written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_DEEPEST = 32


def path_to(value: Any, write: Callable[[Any], object]) -> str:
    """The innermost part that cannot be written, as Python would name it; empty where that is the whole."""
    path = ""
    for _ in range(_DEEPEST):
        found = next(((step, part) for step, part in _parts(value) if not _is_written(part, write)), None)
        if found is None:
            break
        path, value = path + found[0], found[1]
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
        yield from ((f".{name}", getattr(value, name)) for name in names)
