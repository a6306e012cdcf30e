"""Header fields: names without case, several values of a name in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]")


class Headers(MutableMapping[str, str]):
    """Header fields: names without case, several values of a name in order.

    Names and values that could not be sent as one field are refused, so that no field is ever smuggled in by a value.

    >>> headers = Headers({"X-Tag": "a"})
    >>> headers.add("x-tag", "b")
    >>> headers["X-TAG"], headers.getlist("x-tag")
    ('a', ['a', 'b'])
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] | None = None) -> None:
        self._fields: list[tuple[str, str]] = []
        if isinstance(fields, Headers):
            self._fields = fields.multi_items()
        elif fields is not None:
            pairs: Any = fields.items() if isinstance(fields, Mapping) else fields
            for name, value in pairs:
                self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Appends a field beside those of the same name."""
        self._fields.append(_checked(name, value))

    def getlist(self, name: str) -> list[str]:
        """All values of a name, in order."""
        wanted = name.lower()
        return [value for key, value in self._fields if key.lower() == wanted]

    def multi_items(self) -> list[tuple[str, str]]:
        """Every field, in order."""
        return list(self._fields)

    def __getitem__(self, name: str) -> str:
        found = self.getlist(name)
        if not found:
            raise KeyError(name)
        return found[0]

    def __setitem__(self, name: str, value: str) -> None:
        field = _checked(name, value)
        self._drop(name)
        self._fields.append(field)

    def __delitem__(self, name: str) -> None:
        if not self._drop(name):
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key.lower() for key, _ in self._fields))

    def __len__(self) -> int:
        return len({key.lower() for key, _ in self._fields})

    if not TYPE_CHECKING:  # hidden: a visible __getattr__ would make every typo an Any

        def __getattr__(self, name):
            from ._elsewhere import missed

            raise missed(self, name, "headers")

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"

    def _drop(self, name: str) -> bool:
        wanted, before = name.lower(), len(self._fields)
        self._fields = [field for field in self._fields if field[0].lower() != wanted]
        return len(self._fields) < before


def _checked(name: str, value: str) -> tuple[str, str]:
    if not isinstance(name, str) or not _TOKEN.fullmatch(name):
        raise ValueError(f"a header name is a token, got {name!r}")
    if not isinstance(value, str):
        raise TypeError(f"the value of the header {name} must be a str, got {value!r}")
    if _CONTROL.search(value):
        raise ValueError(f"the value of the header {name} holds a character that no field may hold, got {value!r}")
    return str.__str__(name), str.strip(value, " \t")
