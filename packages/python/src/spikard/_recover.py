"""Exception handlers: registration on apps and routers, and their part of the document."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ._callable import HostCallable
from ._hooks import kind_of
from .exceptions import checked_status

F = TypeVar("F", bound=Callable[..., Any])


class Handlers(dict[Any, Callable[..., Any]]):
    """The exception handlers of an app, a router or a route, by class or status."""

    @classmethod
    def of(cls, given: Mapping[Any, Callable[..., Any]]) -> Handlers:
        """Those of a mapping."""
        handlers = cls()
        for wanted, handler in given.items():
            handlers.register(wanted)(handler)
        return handlers

    def register(self, wanted: type[BaseException] | int) -> Callable[[F], F]:
        """The decorator of `exception_handler`."""
        if isinstance(wanted, int):
            checked_status(wanted, 400)
        elif not (isinstance(wanted, type) and issubclass(wanted, BaseException)):
            raise TypeError(f"exception_handler() takes an exception class or a status, got {wanted!r}")

        def register(handler: F) -> F:
            try:
                inspect.signature(handler).bind(None, None)
            except TypeError:
                name = getattr(handler, "__name__", repr(handler))
                raise TypeError(f"an exception handler takes the request and the exception: {name} does not") from None
            except ValueError:  # a function that does not say what it takes
                pass
            self[wanted] = handler
            return handler

        return register


def document(levels: Sequence[Handlers], table: list[HostCallable]) -> dict[str, Any]:
    """The handlers of several levels, outer to inner, of which the inner go first."""
    merged: dict[Any, Callable[..., Any]] = {}
    for level in levels:
        merged.update(level)
    if not merged:
        return {}
    ids: dict[Any, int] = {}
    for wanted, handler in merged.items():
        ids[wanted] = len(table)
        table.append(HostCallable(handler, kind_of(handler)))  # type: ignore[arg-type]
    found: dict[str, Any] = {"statuses": {str(key): place for key, place in ids.items() if isinstance(key, int)}}
    classes = {key: place for key, place in ids.items() if isinstance(key, type)}
    if classes:
        found["exceptions"] = len(table)
        table.append(HostCallable(Chooser(classes, ids), "chooser"))
    return found


class Chooser:
    """Finds the handler of an exception along the bases of its class; else that of its status."""

    def __init__(self, classes: dict[type, int], ids: dict[Any, int]) -> None:
        self.classes = classes
        self.ids = ids

    def __call__(self, exception: BaseException) -> int | None:
        for cls in type(exception).__mro__:
            if cls in self.classes:
                return self.classes[cls]
        return self.ids.get(getattr(exception, "status_code", 500))
