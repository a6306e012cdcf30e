"""Route options: one TypedDict for every verb of app, router and module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict


class RouteOptions(TypedDict, total=False):
    """What can be said of a route beside its path and method."""

    status_code: int
    """Of a plain result; 200 unless said."""
    request_schema: Mapping[str, Any] | bool
    """JSON Schema 2020-12 of the body, in place of what the annotation says; the handler gets plain data."""
    body_schema: Mapping[str, Any] | bool
    """Another name of `request_schema`."""
    parameter_schema: Mapping[str, Any]
    """A JSON Schema whose `properties` replace the schemas of the parameters that they name."""
    tags: Sequence[str]
    summary: str
    description: str
    deprecated: bool
    operation_id: str
    include_in_schema: bool
    name: str
    sync_to_thread: bool
    """False runs a `def` handler on the event loop: only for code that does not block."""
    max_body_size: int | None
    """Bytes; None lifts the app's limit."""
    timeout: float | None
    """Seconds until the response's head; None lifts the app's limit."""
    cancel_on_disconnect: bool
    """A client that leaves cancels the handler."""
    assert_formats: bool
    """Whether `format` is asserted in `request_schema`."""


def unknown_name(owner: str, noun: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that does not exist, with the nearest one that does."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), 1)
    return f"{owner} has no {noun} {name!r}" + (f", did you mean {near[0]!r}?" if near else "")


def checked(options: RouteOptions) -> RouteOptions:
    """The options under their one name each, or a TypeError that names the nearest."""
    known = RouteOptions.__annotations__
    for name in options:
        if name not in known:
            raise TypeError(unknown_name("a route", "option", name, known))
    if "body_schema" in options:
        if "request_schema" in options:
            raise TypeError("request_schema and body_schema are two names of one option")
        options["request_schema"] = options.pop("body_schema")
    return options
