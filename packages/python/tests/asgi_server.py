"""A server of somebody else's that drives the app as an ASGI 3 callable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from spikard import Response, Spikard, StreamingResponse

Message = dict[str, Any]

PATIENCE = 60.0


class Server:
    """A server with one client: it says what `receive` answers, and notes what is sent."""

    def __init__(self, app: Spikard, path: str = "/", method: str = "GET", **scope: Any) -> None:
        self.app = app
        headers = [(b"host", b"test"), *scope.pop("headers", [])]
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": headers,
            "http_version": "1.1",
            **scope,
        }
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.asked = 0
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        self.asked += 1
        return await self.incoming.get()

    async def send(self, message: Message) -> None:
        self.sent.put_nowait(message)

    def begin(self, *incoming: Message) -> Server:
        for message in incoming:
            self.incoming.put_nowait(message)
        self.task = asyncio.ensure_future(self.app(self.scope, self.receive, self.send))
        return self

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), PATIENCE)

    async def end(self) -> list[Message]:
        """Waits until the app has returned: what it has sent that nobody has looked at."""
        assert self.task is not None
        await asyncio.wait_for(self.task, PATIENCE)
        return [self.sent.get_nowait() for _ in range(self.sent.qsize())]


def part(body: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


def asking(app: Spikard) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def sample() -> Spikard:
    app = Spikard(enable_request_id=False)

    @app.get("/items/{item_id}")
    async def item(item_id: int, q: str = "none") -> dict[str, Any]:
        return {"id": item_id, "q": q}

    @app.post("/items", status_code=201)
    def create(body: dict[str, int]) -> dict[str, int]:
        return body

    @app.get("/cookies")
    async def cookies() -> Response:
        response = Response("set")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter(["one ", "two"]), media_type="text/plain")

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("on purpose")

    return app


async def until(holds: Callable[[], bool]) -> None:
    async def poll() -> None:
        while not holds():
            await asyncio.sleep(0.001)

    await asyncio.wait_for(poll(), PATIENCE)
