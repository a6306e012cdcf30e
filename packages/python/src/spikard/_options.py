"""Route options: one TypedDict for every verb of app, router and module."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from ._elsewhere import unknown_name
from ._hooks import PHASES, of_options
from ._markers import File
from ._recover import Handlers
from .di import Provide


class RouteOptions(TypedDict, total=False):
    """What can be said of a route beside its path and method."""

    status_code: int
    """Of a plain result; 200 unless said."""
    request_schema: Mapping[str, Any] | bool
    """JSON Schema 2020-12 of the body, in place of what the annotation says; the handler gets plain data."""
    body_schema: Mapping[str, Any] | bool
    """Another name of `request_schema`."""
    response_schema: Mapping[str, Any] | bool
    """JSON Schema 2020-12 of the JSON of a success; judged where `validate_responses` is on."""
    responses: Mapping[int, Any]
    """Other answers by status: a model, or a dict of `model` (or `schema`) and `description`. Their JSON is judged where
    `validate_responses` is on."""
    media_type: str
    """Of a plain result, in place of what its kind says: `text/html` for text that is HTML."""
    parameter_schema: Mapping[str, Any]
    """A JSON Schema whose `properties` replace the schemas of the parameters that they name."""
    file_params: Mapping[str, Mapping[str, Any]]
    """Parameters that are files of the form whatever their annotations say, each with the options of `File`."""
    tags: Sequence[str]
    summary: str
    description: str
    deprecated: bool
    operation_id: str
    include_in_schema: bool
    name: str
    dependencies: Sequence[Any]
    """What is made before the handler though no parameter takes it: keys, functions, `Depends(…)`."""
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
    on_request: Callable[..., Any] | Sequence[Callable[..., Any]]
    """Hooks of this route, after those of its app and routers."""
    pre_validation: Callable[..., Any] | Sequence[Callable[..., Any]]
    pre_handler: Callable[..., Any] | Sequence[Callable[..., Any]]
    on_error: Callable[..., Any] | Sequence[Callable[..., Any]]
    on_response: Callable[..., Any] | Sequence[Callable[..., Any]]
    exception_handlers: Mapping[type[BaseException] | int, Callable[..., Any]]
    """Exception handlers of this route, by class or status; they go before those of its routers and app."""


def _is(words: str, *kinds: type) -> Callable[[str, object], None]:
    def check(name: str, value: object) -> None:
        if not isinstance(value, kinds):
            raise TypeError(f"{name} must be {words}, got {value!r}")

    return check


def are_texts(name: str, value: object) -> None:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{name} must be a list of str, got {value!r}")


def _is_media_type(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, got {value!r}")
    if not re.fullmatch(r"[\w.+*-]+/[\w.+*-]+(;[ -~]*)?", value, re.ASCII):
        raise ValueError(f"{name} must be a media type, got {value!r}")


def are_dependencies(name: str, value: object) -> None:
    if isinstance(value, Mapping):
        raise TypeError(f"{name} must be a list of keys and functions: app.provide(key, …) registers what a key names")
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(f"{name} must be a list of keys, functions and Depends(…), got {value!r}")
    for one in value:
        if not isinstance(one, (str, type, Provide)) and not callable(one):
            raise TypeError(f"{name} must hold keys, functions and Depends(…), got {one!r}")


def _is_object_schema(name: str, value: object) -> None:
    if not isinstance(value, Mapping) or not isinstance(value.get("properties", {}), Mapping):
        raise TypeError(f"{name} must be a JSON Schema with a dict of properties, got {value!r}")


def _are_files(name: str, value: object) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(said, Mapping) for said in value.values()):
        raise TypeError(f"{name} must be a dict of dicts, the options of File by parameter, got {value!r}")
    for said in value.values():
        File(**said)


def _are_responses(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict of models by status, got {value!r}")
    for status, one in value.items():
        if not isinstance(status, int) or isinstance(status, bool):
            raise TypeError(f"{name} must have numbers as its statuses, got {status!r}")
        unknown = sorted(map(str, set(one) - {"model", "schema", "description"})) if isinstance(one, Mapping) else []
        if unknown:
            raise TypeError(f"{name}[{status}] takes model, schema and description, got {unknown[0]!r}")


def _is_size(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int or None, got {value!r}")
    if not 0 <= value < 2**63:
        raise ValueError(f"{name} must be between 0 and 2**63 - 1, got {value}")


def _is_seconds(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number or None, got {value!r}")
    if not 0 < value <= LONGEST:
        raise ValueError(f"{name} must be more than 0 and at most {LONGEST} seconds, got {value}")


def _are_hooks(name: str, value: object) -> None:
    of_options({name: value})


def _are_handlers(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict of handlers by exception class or status, got {value!r}")
    Handlers.of(value)


LONGEST = 31_536_000
"""Seconds of a year: a longer timeout is None."""

_CHECKS: dict[str, Callable[[str, object], None]] = {
    **dict.fromkeys(
        ("request_schema", "body_schema", "response_schema"), _is("a JSON Schema: a dict or a bool", Mapping, bool)
    ),
    **dict.fromkeys(("name", "summary", "description", "operation_id"), _is("a str", str, type(None))),
    **dict.fromkeys(("deprecated", "include_in_schema", "sync_to_thread"), _is("a bool", bool)),
    **dict.fromkeys(("cancel_on_disconnect", "assert_formats"), _is("a bool", bool)),
    **dict.fromkeys(PHASES, _are_hooks),
    "exception_handlers": _are_handlers,
    "parameter_schema": _is_object_schema,
    "file_params": _are_files,
    "responses": _are_responses,
    "tags": are_texts,
    "media_type": _is_media_type,
    "dependencies": are_dependencies,
    "max_body_size": _is_size,
    "timeout": _is_seconds,
}


def checked(options: RouteOptions) -> RouteOptions:
    """The options under their one name each, or the fault of one: a TypeError for a name or type, else a ValueError.

    The status is looked at when the app is compiled, where the route is known.
    """
    known = RouteOptions.__annotations__
    for name in options:
        if name not in known:
            raise TypeError(unknown_name("a route", "option", name, known, "options"))
    for name, value in options.items():
        if name in _CHECKS:
            _CHECKS[name](name, value)
    if "body_schema" in options:
        if "request_schema" in options:
            raise TypeError("request_schema and body_schema are two names of one option")
        options["request_schema"] = options.pop("body_schema")
    return options
