"""The request as user code sees it."""

from __future__ import annotations

from typing import Any

from ._spikard import RequestHead
from .datastructures import Headers

KEYS = frozenset({"method", "path", "headers", "state"})


class State:
    """Free-form attributes."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the state has no {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


class Request(RequestHead):
    """One request: the same object for every hook, dependency and handler that asks for it."""

    __slots__ = ("_headers", "_state")
    _headers: Headers
    _state: State

    @property
    def headers(self) -> Headers:
        """The header fields, read when they are first asked for."""
        try:
            return self._headers
        except AttributeError:
            self._headers = Headers(self._fields())
            return self._headers

    @property
    def state(self) -> State:
        """Free-form attributes that live as long as the request."""
        try:
            return self._state
        except AttributeError:
            self._state = State()
            return self._state

    def __getitem__(self, name: str) -> Any:
        if name not in KEYS:
            raise KeyError(name)
        return getattr(self, name)
