"""Standalone decorators: they register on the app that was made last and still lives, or wait for the first one."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import RouteOptions
    from .routing import Router

H = TypeVar("H", bound=Callable[..., Any])

_apps: list[weakref.ref[Router]] = []
_waiting: Router | None = None


def enter(app: Router) -> None:
    """Makes an app the current one and gives it what has waited."""
    global _waiting
    _apps[:] = [known for known in _apps if known() is not None]
    _apps.append(weakref.ref(app))
    if _waiting is not None:
        app.include_router(_waiting)
        _waiting = None


def waiting() -> Router:
    """The router that holds what was registered while there was no app."""
    global _waiting
    if _waiting is None:
        from .routing import Router

        _waiting = Router()
    return _waiting


def reset() -> None:
    """Forgets what has waited."""
    global _waiting
    _waiting = None


def _current() -> Router:
    for known in reversed(_apps):
        app = known()
        if app is not None:
            return app
    return waiting()


def get(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of GET on the current app."""
    return _current().get(path, **options)


def post(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of POST on the current app."""
    return _current().post(path, **options)


def put(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of PUT on the current app."""
    return _current().put(path, **options)


def patch(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of PATCH on the current app."""
    return _current().patch(path, **options)


def delete(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of DELETE on the current app."""
    return _current().delete(path, **options)


def head(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of HEAD on the current app."""
    return _current().head(path, **options)


def options(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of OPTIONS on the current app."""
    return _current().options(path, **options)


def trace(path: str, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of TRACE on the current app."""
    return _current().trace(path, **options)


def route(
    path: str,
    methods: Sequence[str] | str | None = None,
    *,
    method: str | None = None,
    **options: Unpack[RouteOptions],
) -> Callable[[H], H]:
    """Registers a handler of several methods on the current app."""
    return _current().route(path, methods, method=method, **options)
