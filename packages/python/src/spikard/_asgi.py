"""The app as an ASGI 3 callable: somebody else's server drives it, through the same service as ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._portal import Home, Turn
from ._worker import log_failure

if TYPE_CHECKING:
    from ._spikard import Exchange, Worker
    from .app import Spikard

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Headers = list[tuple[bytes, bytes]]


class Doors:
    """The homes of one app: one for each loop on which a server calls it."""

    def __init__(self, app: Spikard) -> None:
        self._app = app
        self._homes: dict[asyncio.AbstractEventLoop, Home] = {}
        self._ends: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}
        self._fixed = ExitStack()
        """Open while there is any home."""

    async def home(self) -> Home:
        """That of the running loop. It ends with the lifespan, or else with the loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._homes:
            for closed in [known for known in self._homes if known.is_closed()]:
                self._homes.pop(closed).close()
                del self._ends[closed]
            home = Home(self._app, log_failure, loop)
            if not self._homes:
                self._fixed.enter_context(self._app._fixed())
            self._homes[loop] = home
            self._ends[loop] = self._end()
            await anext(self._ends[loop])
        return self._homes[loop]

    async def start(self) -> None:
        """Runs the start-up of the app."""
        home = await self.home()
        try:
            await home.start()
        except BaseException:
            self._forget()
            raise

    async def _end(self) -> AsyncGenerator[None, None]:
        """Whoever ends a loop well closes its generators, this one too."""
        try:
            yield
        finally:
            self._ends.pop(asyncio.get_running_loop(), None)
            await self.leave()

    async def leave(self) -> None:
        """Ends the home of the running loop, if it has one: what is in flight is finished first."""
        if home := self._forget():
            try:
                await home.drain()
                await home.leave()
            finally:
                home.close()
        if end := self._ends.pop(asyncio.get_running_loop(), None):
            await end.aclose()

    def _forget(self) -> Home | None:
        home = self._homes.pop(asyncio.get_running_loop(), None)
        if not self._homes:
            self._fixed.close()
        return home


async def respond(doors: Doors, scope: Scope, receive: Receive, send: Send) -> None:
    """Deals with one scope."""
    if scope["type"] == "http":
        await Call(scope, receive, send).answer(await doors.home())
    elif scope["type"] == "lifespan":
        await live(doors, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000, "reason": "this app has no websockets"})
    else:
        raise NotImplementedError(f"an app takes no scope of type {scope['type']!r}")


async def live(doors: Doors, receive: Receive, send: Send) -> None:
    """Start-up and shut-down, when the server says so."""
    while True:
        message = (await receive())["type"]
        if message not in ("lifespan.startup", "lifespan.shutdown"):
            raise ValueError(
                f"a lifespan begins with lifespan.startup and ends with lifespan.shutdown, got {message!r}"
            )
        phase = message.removeprefix("lifespan.")
        try:
            await (doors.start() if phase == "startup" else doors.leave())
        except Exception as error:
            log_failure(error, None, f"the {phase} of the app", None)
            await send({"type": f"lifespan.{phase}.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": f"lifespan.{phase}.complete"})
        if phase == "shutdown":
            return


class Call:
    """One request of a server."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._loop = asyncio.get_running_loop()
        self._exchange: Exchange | None = None
        self._awaited: asyncio.Future[Any] = self._loop.create_future()
        """What the answer waits for: its head, then each piece of its body."""

    async def answer(self, home: Home) -> None:
        """Sends what the service answers, as it comes."""
        length, first = await self._opening()
        over: Future[Any] = Future()
        over.set_running_or_notify_cancel()
        over.add_done_callback(self._fail)
        turn = Turn(f"{self._scope['method']} {self._scope['path']}", True, partial(self._begin, length), over)
        home.submit(turn)
        reading = self._loop.create_task(self._read(first))
        try:
            status, headers, piece, more = await self._awaited
            if status:
                await self._send({"type": "http.response.start", "status": status, "headers": self._sendable(headers)})
                await self._send_body(piece, more)
        except OSError:  # of `send`: the client has left
            pass
        finally:
            if self._exchange is not None:
                self._exchange.leave()
            if not over.done():
                over.set_result(None)
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    def _begin(self, length: int | None, worker: Worker) -> None:
        """Called by the home, with the worker that the request is for."""
        head = self._scope["method"], _target(self._scope), _fields(self._scope)
        host, port = self._scope.get("client") or ("", None)
        mount = self._scope.get("scheme", "http"), _root(self._scope)
        self._exchange = worker.exchange(head, length, (host, port or 0), mount, partial(_settle, self._awaited))

    def _fail(self, over: Future[Any]) -> None:
        """The home has ended, or could not begin."""
        if not self._awaited.done() and (fault := over.exception()) is not None:
            self._awaited.set_exception(fault)

    def _sendable(self, headers: Headers) -> Headers:
        """What is said of a connection is said of one of HTTP/1."""
        if self._scope.get("http_version", "1.1").startswith("1"):
            return headers
        return [field for field in headers if field[0] != b"connection"]

    async def _opening(self) -> tuple[int | None, Message | None]:
        """The length of the body, as far as it is known; the first message, where only that tells whether there is one."""
        for name, value in self._scope["headers"]:
            if name.lower() == b"content-length" and value.isdigit():
                return (int(value) if len(value) < 20 else _LONGEST), None
            if name.lower() == b"transfer-encoding":
                return None, None
        first = await self._receive()
        has_body = first["type"] == "http.request" and (first.get("body") or first.get("more_body"))
        return (None if has_body else 0), first

    async def _read(self, message: Message | None) -> None:
        """Feeds the body, then waits for the client's end."""
        exchange, wanted = self._exchange, True
        if exchange is None:
            return
        try:
            while True:
                message = message or await self._receive()
                if message["type"] == "http.disconnect":
                    break
                if wanted:
                    taken = self._loop.create_future()
                    body, more = bytes(message.get("body", b"")), message.get("more_body", False)
                    exchange.feed(body, more, partial(_settle, taken))
                    wanted = await taken and more
                message = None
        finally:
            exchange.leave()

    async def _send_body(self, piece: bytes, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})
        while more:
            assert self._exchange is not None
            self._awaited = self._loop.create_future()
            self._exchange.pull(partial(_settle, self._awaited))
            further, more = await self._awaited
            if further is None:
                raise RuntimeError("the stream broke off")
            await self._send({"type": "http.response.body", "body": further, "more_body": more})


def _settle(future: asyncio.Future[Any], first: object, *others: object) -> None:
    if not future.done():
        future.set_result((first, *others) if others else first)


_LONGEST = 2**64 - 1
"""No body is longer, whatever its length is said to be."""

SENT = "/%:@!$&'()*+,;=~?[]|{}^"


def _target(scope: Scope) -> str:
    """Path and query as they were sent, without the prefix under which the app is mounted."""
    root = _root(scope)
    raw = scope.get("raw_path")
    path = quote(raw.partition(b"?")[0], SENT) if raw else quote(scope["path"], "/*")
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :] or "/"
    query = quote(scope.get("query_string") or b"", SENT)
    return f"{path}?{query}" if query else path


def _root(scope: Scope) -> str:
    """The prefix under which the app is mounted."""
    root = scope.get("root_path", "").strip("/")
    return quote(f"/{root}") if root else ""


def _fields(scope: Scope) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
