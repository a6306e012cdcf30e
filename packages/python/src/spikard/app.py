"""The application."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING, Any

from . import _decorators
from . import _processes as _processes  # reads what a worker is to do before user code runs
from .config import ServerConfig, ServerFields, checked, given
from .routing import Router

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._asgi import Doors, Receive, Scope, Send
    from ._callable import Compiled

__all__ = ["App", "Spikard"]

_numbers = count(1)


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
        **overrides: Unpack[ServerFields],
    ) -> None:
        super().__init__()
        self._number = next(_numbers)
        """By it a worker finds the app again whose `run()` it belongs to."""
        _check_config(config)
        fields = given(config) if config is not None else {}
        self.config = ServerConfig(**{**fields, **checked(dict(overrides), "Spikard()")})
        for router in _listed(routers):
            self.include_router(router)
        self._doors: Doors | None = None
        _decorators.enter(self)

    def run(self, *, config: ServerConfig | None = None, **overrides: Unpack[ServerFields]) -> None:
        """Serves until SIGINT or SIGTERM, then finishes the requests in flight."""
        from ._worker import run

        run(self, _call(config, overrides, "run()"))

    async def serve(self, *, config: ServerConfig | None = None, **overrides: Unpack[ServerFields]) -> None:
        """Serves inside the running loop, on which the handlers run too, until cancelled."""
        from ._worker import serve

        await serve(self, _call(config, overrides, "serve()"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one scope of an ASGI 3 server: `http`, or `lifespan`. `uvicorn module:app` does it."""
        from ._asgi import Doors, respond

        if self._doors is None:
            self._doors = Doors(self)
        await respond(self._doors, scope, receive, send)

    def _compile(self) -> Compiled:
        """The document for the core and the user code in it."""
        from ._compile import compile_app

        return compile_app(self.routes, given(self.config), self._hooks, self._handlers)


App = Spikard


def _call(config: ServerConfig | None, overrides: ServerFields, owner: str) -> dict[str, Any]:
    _check_config(config)
    fields = given(config) if config is not None else {}
    return {**fields, **checked(dict(overrides), owner)}


def _listed(routers: object) -> list[Any]:
    if isinstance(routers, Router):
        return [routers]
    if not isinstance(routers, Iterable) or isinstance(routers, str):
        raise TypeError(f"routers must be a list of Router, got {routers!r}")
    return list(routers)


def _check_config(config: object) -> None:
    if config is not None and not isinstance(config, ServerConfig):
        raise TypeError(f"config must be a ServerConfig, got {config!r}")
