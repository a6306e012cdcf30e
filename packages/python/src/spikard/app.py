"""The application."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from . import _decorators
from . import _processes as _processes  # reads what a worker is to do before user code runs
from ._state import AppState, State
from .config import ServerConfig, ServerFields, checked, given
from .di import Entry, Key, Overrides, entry_of
from .exceptions import SpecError
from .routing import Router

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from typing_extensions import Never, Unpack

    from ._asgi import Doors, Receive, Scope, Send
    from ._callable import Compiled

__all__ = ["App", "Spikard"]

_numbers = count(1)
Hook = TypeVar("Hook", bound="Callable[..., Any]")


class Spikard(Router):
    """An app: routes and their configuration.

    >>> app = Spikard(port=0)
    >>> @app.get("/hello/{name}")
    ... async def hello(name: str) -> dict[str, str]:
    ...     return {"message": f"hello, {name}"}
    """

    def __init__(
        self,
        config: ServerConfig | None = None,
        *,
        routers: Iterable[Router] | Router = (),
        dependencies: Sequence[Any] = (),
        lifespan: Callable[[Any], AbstractAsyncContextManager[Any]] | None = None,
        **overrides: Unpack[ServerFields],
    ) -> None:
        super().__init__(dependencies=dependencies)
        self._number = next(_numbers)
        """By it a worker finds the app again whose `run()` it belongs to."""
        if lifespan is not None:
            from ._lifespan import check_lifespan

            check_lifespan(lifespan)
        self.config = ServerConfig(**_call(config, overrides, "Spikard()"))
        self._state: State = AppState()
        self._own_state: ContextVar[State | None] = ContextVar("state", default=None)
        """Of a worker that shares its process with others."""
        self.lifespan = lifespan
        self._startup: list[Callable[..., Any]] = []
        self._shutdown: list[Callable[..., Any]] = []
        self._provided: dict[Key, Entry] = {}
        self._overrides = Overrides({})
        for router in _listed(routers):
            self.include_router(router)
        self._doors: Doors | None = None
        _decorators.enter(self)

    @property
    def state(self) -> State:
        """Free-form attributes of the app, in each worker its own."""
        own = self._own_state.get()
        return self._state if own is None else own

    def provide(self, key: Key, value: Any) -> None:
        """Gives handlers and dependencies what they name by `key`, a name or a type: a value as it is, or what a
        function, a generator or a class makes (`Provide` says more).

        >>> app = Spikard()
        >>> app.provide("greeting", "hello")
        >>> @app.get("/")
        ... async def greet(greeting: str) -> str:
        ...     return greeting
        """
        if not isinstance(key, (str, type)):
            raise TypeError(f"a dependency's key is a name or a type, got {key!r}")
        self._in_time(f"provide({key!r})")
        self._provided[key] = entry_of(value)

    @contextmanager
    def override(self, key: Any, value: Any) -> Iterator[None]:
        """For tests: within the block, requests of test clients get `value` for a key, or for a function that is
        marked with `Depends`. Every singleton is made anew there.
        """
        before = self._overrides
        self._overrides = Overrides({**before.entries, key: entry_of(value)}, before)
        try:
            if key not in self._provided and key not in self._compile().marked:
                from ._dependencies import unknown

                raise SpecError(unknown("override()", "the app", key, self._provided))
            yield
        finally:
            self._overrides = before

    def on_startup(self, function: Hook) -> Hook:
        """Calls a function, async or not, when a worker starts, on its loop and before it listens."""
        return self._add_hook("on_startup", self._startup, function)

    def on_shutdown(self, function: Hook) -> Hook:
        """Calls a function, async or not, when a worker has answered its last request; the last first."""
        return self._add_hook("on_shutdown", self._shutdown, function)

    def _add_hook(self, phase: str, hooks: list[Callable[..., Any]], function: Hook) -> Hook:
        from ._lifespan import check_hook

        self._in_time(f"a hook of {phase}")
        hooks.append(check_hook(phase, function))
        return function

    def run(self, *more: Never, config: ServerConfig | None = None, **overrides: Unpack[ServerFields]) -> None:
        """Serves until SIGINT or SIGTERM, then finishes the requests in flight."""
        from ._worker import run

        with self._fixed():
            run(self, _call(config, overrides, "run()", more))

    async def serve(self, *more: Never, config: ServerConfig | None = None, **overrides: Unpack[ServerFields]) -> None:
        """Serves inside the running loop, on which the handlers run too, until cancelled."""
        from ._worker import serve

        with self._fixed():
            await serve(self, _call(config, overrides, "serve()", more))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one scope of an ASGI 3 server: `http`, or `lifespan`. `uvicorn module:app` does it."""
        from ._asgi import Doors, respond

        if self._doors is None:
            self._doors = Doors(self)
        await respond(self._doors, scope, receive, send)

    def _compile(self, overrides: Overrides | None = None) -> Compiled:
        """The document for the core and the user code in it."""
        from ._compile import compile_app

        replaced = (overrides or self._overrides).entries
        made = compile_app(self.routes, given(self.config), self._provided, replaced, self._hooks, self._handlers)
        return made._replace(app=weakref.ref(self))


App = Spikard


def _call(config: object, overrides: ServerFields, owner: str, more: tuple[object, ...] = ()) -> dict[str, Any]:
    if more:
        raise TypeError(f'{owner} takes keyword arguments only: write {owner[:-1]}host="…", port=8000), or config=…')
    if config is not None and not isinstance(config, ServerConfig):
        raise TypeError(f"config must be a ServerConfig, got {config!r}")
    return {**({} if config is None else given(config)), **checked(dict(overrides), owner)}


def _listed(routers: object) -> list[Any]:
    if isinstance(routers, Router):
        return [routers]
    if not isinstance(routers, Iterable) or isinstance(routers, str):
        raise TypeError(f"routers must be a list of Router, got {routers!r}")
    return list(routers)
