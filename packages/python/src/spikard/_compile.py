"""An app as the document that the core reads, and the table of its user code."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from . import _hooks, _recover
from ._bind import Binder, InArgument, callable_of
from ._callable import Compiled, HostCallable
from ._decode import Decoder
from ._dependencies import Documents, Needs, check_entries
from ._functions import is_async, is_generator, place
from ._hooks import Hooks
from ._models import forget
from ._recover import Handlers
from ._render import AsArray, body_of, conversion, implied_schema, is_msgpack, is_text, packing
from ._schema import schema_of
from ._template import shape
from .di import Entries
from .exceptions import SpecError, checked_status
from .http import with_charset
from .routing import Route

_IN_DOCUMENT = ("max_body_size", "timeout", "cancel_on_disconnect", "assert_formats")


def compile_app(
    routes: list[Route], given: dict[str, Any], provided: Entries, replaced: Entries, hooks: Hooks, handlers: Handlers
) -> Compiled:
    """Compiles every route; the first fault is a `SpecError` that names its place. `replaced` goes before what is
    provided, and before functions that are marked with `Depends`.
    """
    table: list[HostCallable] = []
    seen: dict[tuple[str, str], Route] = {}
    app = _App(table, Documents(table), handlers, {**provided, **replaced}, replaced, set())
    documents = []
    try:
        check_entries(app.entries)
        for route in routes:
            twin = seen.setdefault((route.method, shape(route.path)), route)
            documents.append(_placed(route, twin, app))
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
    if app.dependencies.listed:
        document["dependencies"] = app.dependencies.listed
    places = {f"{route.method} {route.path}": _place(route) for route in routes}
    return Compiled(document, table, places, frozenset(app.marked))


class _App(NamedTuple):
    """What the routes of one app share."""

    table: list[HostCallable]
    dependencies: Documents
    handlers: Handlers
    entries: Entries
    replaced: Entries
    marked: set[Any]


def _place(route: Route) -> str:
    return f"{place(route.handler)}: {route.method} {route.path}: {route.name}"


def _placed(route: Route, twin: Route, app: _App) -> dict[str, Any]:
    try:
        if twin is not route:
            raise SpecError(f"{place(twin.handler)} has this method and path already")
        return _route(route, app)
    except (SpecError, InArgument) as error:
        raise SpecError(f"{_place(route)}: {error}") from error.__cause__


def _check(route: Route) -> None:
    if not route.path.startswith("/"):
        raise SpecError(f"a path begins with a slash: write {'/' + route.path!r}")
    try:
        checked_status(route.status_code)
    except (TypeError, ValueError) as error:
        raise SpecError(str(error)) from None
    if is_generator(route.handler):
        raise SpecError("it is a generator: return a StreamingResponse of it")


def _route(route: Route, app: _App) -> dict[str, Any]:
    _check(route)
    hints = route.hints.resolve()
    needs = Needs(route.path, app.entries, app.replaced)
    handler = needs.visit_handler(route.handler, hints, route.dependencies)
    app.marked.update(needs.marked)
    wheres = [node.where for node in needs.nodes]
    register = functools.partial(_register, app.table)
    binder = Binder(route.method, route.path, route.options, register, wheres, app.entries)
    binder.bind(needs.free(), needs.rest)
    needed = app.dependencies.names_of(handler.after, binder)
    given = app.dependencies.arguments_of(handler, binder)
    made, arguments = callable_of(route.handler, _kind(route), 0, given, binder)
    result, is_array = body_of(hints.get("return"))
    document: dict[str, Any] = {
        "method": route.method,
        "path": route.path,
        "handler": len(app.table),
        "parameters": binder.parameters,
        "arguments": arguments,
    }
    if needed:
        document["dependencies"] = needed
    app.table.append(_answering(made, route, result, is_array))
    promised = route.options.get("response_schema", implied_schema(result))
    if promised is not None:
        document["response_schema"] = promised
    if "responses" in route.options:
        document["responses"] = {str(status): _promised(one) for status, one in route.options["responses"].items()}
    if binder.body is not None:
        document["body"] = dict(binder.body.spec)
        for name, decoder in binder.body.decoders.items():
            document["body"][name] = _register(app.table, decoder, binder.body.kind(name))
    if found := _hooks.document([*route.router_hooks, _hooks.of_options(route.options)], app.table):
        document["hooks"] = found
    inner = [*route.router_handlers, Handlers.of(route.options.get("exception_handlers", {}))]
    if any(inner):
        document["recover"] = _recover.document([app.handlers, *inner], app.table)
    options = {name: route.options[name] for name in _IN_DOCUMENT if name in route.options}  # type: ignore[literal-required]
    return {**document, "options": options} if options else document


def _promised(given: Any) -> dict[str, Any]:
    """One answer of a route, as the document says it."""
    said = dict(given) if isinstance(given, Mapping) else {"model": given}
    model = said.pop("model", None)
    if model is not None and "schema" in said:
        raise SpecError("responses: model and schema are two ways to say one thing")
    return said if model is None else {**said, "schema": schema_of(model)}


def _answering(made: HostCallable, route: Route, result: Any, is_array: bool) -> HostCallable:
    """A handler, with what becomes of its result."""
    convert, exact = conversion(result)
    media_type = route.options.get("media_type")
    packed = is_msgpack(media_type)
    if packed:
        convert = packing(convert)
    return made._replace(
        status=route.status_code,
        text=is_text(result) and not packed,
        convert=AsArray(convert) if is_array else convert,
        exact=None if is_array or packed else exact,
        media_type=None if media_type is None else with_charset(media_type),
    )


def _shown(request: Any, exception: BaseException) -> Any:
    from ._debug import page

    return page(request, exception)


def _kind(route: Route) -> str:
    if is_async(route.handler):
        return "async"
    return "inline" if route.options.get("sync_to_thread") is False else "thread"


def _register(table: list[HostCallable], decoder: Decoder, kind: Literal["decoder", "reader"] = "decoder") -> int:
    table.append(HostCallable(decoder, kind))
    return len(table) - 1
