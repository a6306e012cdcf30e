"""Standalone decorators: they register on the app that was made last and still lives, or wait for the first one."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Never, Unpack

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


def get_default_router() -> Router:
    """The router that `@get` and its like fill while there is no app; the next app takes it over."""
    global _waiting
    if _waiting is None:
        from .routing import Router

        _waiting = Router()
    return _waiting


def reset_default_router() -> None:
    """Empties the default router."""
    global _waiting
    _waiting = None


def _current() -> Router:
    living = (app for known in reversed(_apps) if (app := known()) is not None)
    return next(living, None) or get_default_router()


def get(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of GET on the current app."""
    return _current().get(path, *more, **options)


def post(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of POST on the current app."""
    return _current().post(path, *more, **options)


def put(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of PUT on the current app."""
    return _current().put(path, *more, **options)


def patch(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of PATCH on the current app."""
    return _current().patch(path, *more, **options)


def delete(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of DELETE on the current app."""
    return _current().delete(path, *more, **options)


def head(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of HEAD on the current app."""
    return _current().head(path, *more, **options)


def options(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of OPTIONS on the current app."""
    return _current().options(path, *more, **options)


def trace(path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
    """Registers a handler of TRACE on the current app."""
    return _current().trace(path, *more, **options)


def route(
    path: str,
    methods: Sequence[str] | str | None = None,
    *,
    method: str | None = None,
    **options: Unpack[RouteOptions],
) -> Callable[[H], H]:
    """Registers a handler of several methods on the current app."""
    return _current().route(path, methods, method=method, **options)
