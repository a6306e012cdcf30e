"""An app as the document that the core reads, and the table of its user code."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from typing import Any

from . import _hooks, _recover
from ._bind import Binder, InArgument, callable_of, takers_of
from ._callable import Compiled, HostCallable
from ._decode import Decoder
from ._hooks import Hooks
from ._models import forget
from ._recover import Handlers
from ._render import AsArray, body_of, converter, exact_model, is_text
from ._template import shape
from .exceptions import SpecError, checked_status
from .http import with_charset
from .routing import Route

_IN_DOCUMENT = ("max_body_size", "timeout", "cancel_on_disconnect", "assert_formats")


def compile_app(routes: list[Route], given: dict[str, Any], hooks: Hooks, handlers: Handlers) -> Compiled:
    """Compiles every route; the first fault is a `SpecError` that names its place."""
    table: list[HostCallable] = []
    seen: dict[tuple[str, str], Route] = {}
    documents = []
    try:
        for route in routes:
            twin = seen.setdefault((route.method, shape(route.path)), route)
            documents.append(_placed(route, twin, table, handlers))
    finally:
        forget()
    for route in routes:
        route.hints.release()
    env = {name: value for name, value in os.environ.items() if name.startswith("SPIKARD_")}
    document: dict[str, Any] = {"routes": documents, "config": {"call": {}, "given": given, "env": env}}
    if found := _hooks.document([hooks], table):
        document["hooks"] = found
    document["recover"] = {**_recover.document([handlers], table), "debug": len(table)}
    table.append(HostCallable(_shown, "inline"))
    return Compiled(document, table)


def _placed(route: Route, twin: Route, table: list[HostCallable], handlers: Handlers) -> dict[str, Any]:
    try:
        if twin is not route:
            raise SpecError(f"{_place(twin.handler)} has this method and path already")
        return _route(route, table, handlers)
    except (SpecError, InArgument) as error:
        place = f"{_place(route.handler)}: {route.method} {route.path}"
        raise SpecError(f"{place}: {route.name}: {error}") from error.__cause__


def _route(route: Route, table: list[HostCallable], app_handlers: Handlers) -> dict[str, Any]:
    if not route.path.startswith("/"):
        raise SpecError("a path begins with a slash")
    try:
        checked_status(route.status_code)
    except (TypeError, ValueError) as error:
        raise SpecError(str(error)) from None
    if is_generator(route.handler):
        raise SpecError("it is a generator: return a StreamingResponse of it")
    hints = route.hints.resolve()
    takers, takes_rest = takers_of(route.handler, hints, route.path)
    binder = Binder(route.method, route.path, route.options, functools.partial(_register, table))
    binder.bind(takers, takes_rest=takes_rest)
    made, arguments = callable_of(route.handler, binder, route.options, is_async=is_async(route.handler))
    result, is_array = body_of(hints.get("return"))
    convert = AsArray(converter(result)) if is_array else converter(result)
    document: dict[str, Any] = {
        "method": route.method,
        "path": route.path,
        "handler": len(table),
        "parameters": binder.parameters,
        "arguments": arguments,
    }
    exact = None if is_array else exact_model(result)
    media_type = with_charset(route.options["media_type"]) if "media_type" in route.options else None
    table.append(made._replace(text=is_text(result), convert=convert, exact=exact, media_type=media_type))
    if "response_schema" in route.options:
        document["response_schema"] = route.options["response_schema"]
    if binder.body is not None:
        document["body"] = dict(binder.body.spec)
        for name, decoder in binder.body.decoders.items():
            document["body"][name] = _register(table, decoder)
    if found := _hooks.document([*route.router_hooks, _hooks.of_options(route.options)], table):
        document["hooks"] = found
    inner = [*route.router_handlers, Handlers.of(route.options.get("exception_handlers", {}))]
    if any(inner):
        document["recover"] = _recover.document([app_handlers, *inner], table)
    options = {name: route.options[name] for name in _IN_DOCUMENT if name in route.options}  # type: ignore[literal-required]
    return {**document, "options": options} if options else document


def _shown(request: Any, exception: BaseException) -> Any:
    from ._debug import page

    return page(request, exception)


def _register(table: list[HostCallable], decoder: Decoder) -> int:
    table.append(HostCallable(decoder, "decoder"))
    return len(table) - 1


def is_async(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine."""
    return any(map(inspect.iscoroutinefunction, _called(function)))


def is_generator(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a generator, of either kind."""
    return any(inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one) for one in _called(function))


def _called(function: Callable[..., Any]) -> tuple[Any, ...]:
    while isinstance(function, functools.partial):
        function = function.func
    return function, getattr(function, "__call__", None)  # noqa: B004


def _place(function: Callable[..., Any]) -> str:
    """`file:line` of a handler."""
    target: Any = inspect.unwrap(function)
    while isinstance(target, functools.partial):
        target = target.func
    target = getattr(target, "__func__", target)
    code = getattr(target, "__code__", None) or getattr(type(target).__call__, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else repr(function)
