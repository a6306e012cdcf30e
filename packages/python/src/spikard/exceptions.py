"""What the framework raises, and what user code raises at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class SpikardError(Exception):
    """The base of every exception of the framework."""


class SpecError(SpikardError):
    """The app cannot be started as it is written; the message names file, line, route and parameter."""


def checked_status(status: object, first: int = 200, last: int = 599) -> int:
    """The status as a plain number; TypeError if it is none, ValueError outside the range."""
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(f"status_code must be an int, got {status!r}")
    if not first <= status <= last:
        raise ValueError(f"status_code must be between {first} and {last}, got {int(status)}")
    return int(status)


class HTTPException(SpikardError):
    """Ends the request with a problem document, of a status from 300 to 599: a dependency may redirect so.

    >>> raise HTTPException(404, "there is no such item")
    Traceback (most recent call last):
    spikard.exceptions.HTTPException: 404: there is no such item
    """

    def __init__(
        self,
        status_code: int,
        detail: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        type: str | None = None,
        title: str | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        code = checked_status(status_code, 300, 599)
        super().__init__(code, detail)
        self.status_code = code
        self.detail = detail
        self.headers = dict(headers) if headers else {}
        for name, value in self.headers.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise TypeError(f"the value of the header {name} must be a str, got {value!r}")
        self.type = type
        self.title = title
        self.extra = dict(extra) if extra else {}

    def __str__(self) -> str:
        return str(self.status_code) if self.detail is None else f"{self.status_code}: {self.detail}"
