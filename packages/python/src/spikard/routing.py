"""Registration: what app and routers have in common, and the routes that come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ._decorators import get_default_router, reset_default_router
from ._hooks import Hooks, Registers
from ._options import RouteOptions, are_dependencies, are_texts, checked
from ._recover import Handlers
from ._resolve import Hints, caller
from ._template import join

if TYPE_CHECKING:
    from typing_extensions import Never, Unpack

__all__ = ["Route", "Router", "get_default_router", "reset_default_router"]

H = TypeVar("H", bound=Callable[..., Any])

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")


class Route(NamedTuple):
    """One route of an app: a method, a path template and its handler."""

    method: str
    path: str
    handler: Callable[..., Any]
    options: RouteOptions
    hints: Hints
    router_tags: tuple[str, ...] = ()
    router_hooks: tuple[Hooks, ...] = ()
    router_handlers: tuple[Handlers, ...] = ()
    router_dependencies: tuple[Any, ...] = ()

    @property
    def dependencies(self) -> tuple[Any, ...]:
        """What is made though no parameter takes it: the app's and the routers' first, then the route's."""
        return (*self.router_dependencies, *self.options.get("dependencies", ()))

    @property
    def name(self) -> str:
        """As `name=` says, else the handler's own."""
        return self.options.get("name") or str(getattr(self.handler, "__name__", type(self.handler).__name__))

    @property
    def tags(self) -> tuple[str, ...]:
        """The routers' tags, then the route's."""
        return tuple(dict.fromkeys((*self.router_tags, *self.options.get("tags", ()))))

    @property
    def summary(self) -> str:
        """As `summary=` says, else the handler's name in words."""
        return self.options.get("summary") or self.name.replace("_", " ").capitalize()

    @property
    def description(self) -> str | None:
        """As `description=` says, else the handler's docstring."""
        given = self.options.get("description")
        if given is not None or not self.handler.__doc__:
            return given
        from inspect import cleandoc

        return cleandoc(self.handler.__doc__)

    @property
    def operation_id(self) -> str | None:
        """As `operation_id=` says."""
        return self.options.get("operation_id")

    @property
    def deprecated(self) -> bool:
        """As `deprecated=` says."""
        return self.options.get("deprecated", False)

    @property
    def include_in_schema(self) -> bool:
        """Whether documents list it."""
        return self.options.get("include_in_schema", True)

    @property
    def status_code(self) -> int:
        """Of a plain result."""
        return self.options.get("status_code", 200)


class Router(Registers):
    """Routes under a prefix, to be included in an app or in another router.

    >>> users = Router(prefix="/users", tags=["users"])
    >>> @users.get("/{user_id}")
    ... async def get_user(user_id: int) -> dict[str, int]:
    ...     return {"id": user_id}

    A handler answers with data, which is written as JSON (text and bytes as they are), with a `Response`, or with a
    tuple `(body, status)` or `(body, status, headers)`. A return annotation wins: a handler of `tuple[int, int]`
    or `tuple[Item, ...]` answers with a JSON array. `tuple[X, int, Mapping]` still says body, status and headers,
    and `tuple[X, int]` says body and status unless X is a plain scalar.
    """

    def __init__(
        self, prefix: str = "", *, tags: Sequence[str] = (), dependencies: Sequence[Any] = (), **unknown: Never
    ) -> None:
        _refuse("Router()", unknown)
        _check_prefix(prefix)
        are_dependencies("dependencies", dependencies)
        are_texts("tags", tags)
        self.prefix = prefix
        self.tags = tuple(tags)
        self.dependencies = tuple(dependencies)
        self._hooks = Hooks()
        self._handlers = Handlers()
        self._entries: list[Route | _Included] = []

    def get(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of GET."""
        return self._register(path, ("GET",), options, more)

    def post(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of POST."""
        return self._register(path, ("POST",), options, more)

    def put(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of PUT."""
        return self._register(path, ("PUT",), options, more)

    def patch(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of PATCH."""
        return self._register(path, ("PATCH",), options, more)

    def delete(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of DELETE."""
        return self._register(path, ("DELETE",), options, more)

    def head(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of HEAD, in place of GET's answer without its body."""
        return self._register(path, ("HEAD",), options, more)

    def options(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of OPTIONS, in place of the list of methods."""
        return self._register(path, ("OPTIONS",), options, more)

    def trace(self, path: str, *more: Never, **options: Unpack[RouteOptions]) -> Callable[[H], H]:
        """Registers a handler of TRACE."""
        return self._register(path, ("TRACE",), options, more)

    def route(
        self,
        path: str,
        methods: Sequence[str] | str | None = None,
        *more: Never,
        method: str | None = None,
        **options: Unpack[RouteOptions],
    ) -> Callable[[H], H]:
        """Registers a handler of several methods, GET unless said."""
        if methods is not None and method is not None:
            raise TypeError("route() takes methods or method, not both")
        if isinstance(methods, str):
            methods = (methods,)
        if methods is not None and not isinstance(methods, Iterable):
            raise TypeError(f"methods must be a list of str, got {methods!r}")
        return self._register(path, (method,) if method else tuple(methods or ("GET",)), options, more, "route")

    def exception_handler(self, wanted: type[BaseException] | int) -> Callable[[H], H]:
        """Registers what answers for an exception of this class, or for errors of this status. It is called with the
        request and the exception, and answers as a handler does; plain data is sent with the error's own status.
        """
        self._in_time("an exception handler")
        return self._handlers.register(wanted)

    def include_router(
        self,
        router: Router,
        prefix: str = "",
        *,
        tags: Sequence[str] = (),
        dependencies: Sequence[Any] = (),
        **unknown: Never,
    ) -> None:
        """Takes over the routes of a router, those that it gets later too. Doing it again changes nothing."""
        _refuse("include_router()", unknown)
        are_dependencies("dependencies", dependencies)
        are_texts("tags", tags)
        self._in_time("include_router()")
        if not isinstance(router, Router):
            raise TypeError(f"include_router() takes a Router, got {router!r}")
        if hasattr(router, "provide"):
            raise TypeError(
                "include_router() takes a Router, got an app: what it provides and how it is configured would be lost"
            )
        _check_prefix(prefix)
        if router is self or self in router._routers():
            raise ValueError("a router cannot include itself")
        known = (entry for entry in self._entries if isinstance(entry, _Included))
        if not any(one.prefix == prefix and one.router is router for one in known):
            self._entries.append(_Included(prefix, router, tuple(tags), tuple(dependencies)))

    if not TYPE_CHECKING:  # hidden: a visible __getattr__ would make every typo an Any

        def __getattr__(self, name):
            from ._elsewhere import missed

            raise missed(self, name, "attributes")

    def _register(
        self, path: str, methods: Sequence[str], options: RouteOptions, more: tuple[object, ...], verb: str = ""
    ) -> Callable[[H], H]:
        verb = verb or methods[0].lower()
        path = _checked_path(path, verb)
        if more:
            told = f"write @{verb}({path!r}) above the handler, or {verb}({path!r})(handler)"
            raise TypeError(f"{verb}() takes keyword arguments behind the path, got {more[0]!r}: {told}")
        options = checked(options)
        methods = tuple(dict.fromkeys(method.upper() if isinstance(method, str) else method for method in methods))
        for method in methods:
            if method not in METHODS:
                raise ValueError(f"a method is one of {', '.join(METHODS)}, got {method!r}")
        frame = caller()

        def register(handler: H) -> H:
            if not callable(handler) or isinstance(handler, type):
                raise TypeError(f"a handler is a function, got {handler!r}")
            self._in_time(f"{methods[0]} {path}")
            hints = Hints(handler, frame)
            self._entries += [Route(method, path, handler, options, hints) for method in methods]
            return handler

        return register

    @contextmanager
    def _fixed(self) -> Iterator[None]:
        """Within it, what comes is refused: no server would know it."""
        routers = (self, *self._routers())
        for router in routers:
            router._servers += 1
        try:
            yield
        finally:
            for router in routers:
                router._servers -= 1

    def _version(self) -> int:
        """Grows with everything that is registered."""
        return self._changes + sum(router._changes for router in self._routers())

    def _routers(self) -> Iterator[Router]:
        for entry in self._entries:
            if isinstance(entry, _Included):
                yield entry.router
                yield from entry.router._routers()

    def _flattened(
        self,
        prefix: str = "",
        tags: tuple[str, ...] = (),
        needed: tuple[Any, ...] = (),
        hooks: tuple[Hooks, ...] = (),
        handlers: tuple[Handlers, ...] = (),
    ) -> Iterator[Route]:
        prefix, tags, needed = join(prefix, self.prefix), (*tags, *self.tags), (*needed, *self.dependencies)
        said = {"router_tags": tags, "router_dependencies": needed}
        said |= {"router_hooks": hooks, "router_handlers": handlers}
        for entry in self._entries:
            if isinstance(entry, Route):
                yield entry._replace(path=join(prefix, entry.path), **said)  # type: ignore[arg-type]
            else:
                router = entry.router
                above = (*hooks, router._hooks), (*handlers, router._handlers)
                own = (*tags, *entry.tags), (*needed, *entry.dependencies)
                yield from router._flattened(join(prefix, entry.prefix), *own, *above)

    @property
    def routes(self) -> list[Route]:
        """Every route, one for each method, in the order of their registration."""
        return list(self._flattened())


class _Included(NamedTuple):
    """A router in another one, and what was said of it there."""

    prefix: str
    router: Router
    tags: tuple[str, ...]
    dependencies: tuple[Any, ...]


def _refuse(owner: str, unknown: Iterable[str]) -> None:
    for name in unknown:
        from ._elsewhere import unknown_name

        raise TypeError(unknown_name(owner, "argument", name, ("prefix", "tags", "dependencies"), "routers"))


def _check_prefix(prefix: object) -> None:
    if not isinstance(prefix, str):
        raise TypeError(f"a prefix must be a str, got {prefix!r}")
    if prefix and not prefix.startswith("/"):
        raise ValueError(f"a prefix begins with a slash, got {prefix!r}")


def _checked_path(path: object, verb: str) -> str:
    if callable(path):
        raise TypeError(f'{verb}() takes the path first: write @{verb}("/path"), not @{verb}')
    if isinstance(path, (list, tuple)):
        raise TypeError(f"a path must be a str, got {path!r}: write one @{verb}(…) for each")
    if not isinstance(path, str):
        raise TypeError(f"a path must be a str, got {path!r}")
    return str.__str__(path)
