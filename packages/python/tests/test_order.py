"""The order of everything that one request meets, as a trace of events."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import pytest
from spikard import (
    FileResponse,
    HTTPException,
    Provide,
    Request,
    Response,
    Spikard,
    StreamingResponse,
    TestClient,
    background,
)

from .serving import serving


class Boom(Exception):
    """What user code raises here."""


IN = ["on_request", "pre_validation", "pre_handler"]
OPENED = ["open outer", "open inner"]
CLOSED = ["close inner", "close outer"]
SAW = ["inner saw Boom", *CLOSED[:1], "outer saw Boom", *CLOSED[1:]]
FAILED = ["exception handler", "on_error", "on_response"]
GONE = [event.replace("Boom", "CancelledError") for event in SAW]
CANCELLED = ["handler", "handler cancelled", *GONE]


class Case(NamedTuple):
    """What happens where, how the client behaves, and what must have come of it."""

    does: dict[str, str]
    status: int | None
    events: list[str]
    target: str = "/?n=1"


CASES = {
    "an answer": Case({}, 200, [*IN, *OPENED, "handler", "on_response", *CLOSED, "background"]),
    "an answer without a body": Case(
        {"handler": "nothing"}, 204, [*IN, *OPENED, "handler", "on_response", *CLOSED, "background"]
    ),
    "a response brings its own task": Case(
        {"handler": "own task"}, 200, [*IN, *OPENED, "handler", "on_response", *CLOSED, "own task"]
    ),
    "a file": Case({"handler": "file"}, 200, [*IN, *OPENED, "handler", "on_response", *CLOSED, "background"]),
    "a task fails": Case({"background": "raise"}, 200, [*IN, *OPENED, "handler", "on_response", *CLOSED, "background"]),
    "a result that cannot be sent": Case(
        {"handler": "rubbish"},
        500,
        [*IN, *OPENED, "handler", *(event.replace("Boom", "TypeError") for event in SAW), "on_error", "on_response"],
    ),
    "a refusal": Case({}, 422, [*IN[:2], "on_response"], "/?n=x"),
    "no route": Case({}, 404, ["on_request", "on_response"], "/nowhere"),
    "the handler fails": Case({"handler": "raise"}, 500, [*IN, *OPENED, "handler", *SAW, *FAILED]),
    "the handler refuses": Case(
        {"handler": "refuse"},
        403,
        [*IN, *OPENED, "handler", *(event.replace("Boom", "HTTPException") for event in SAW), "on_response"],
    ),
    "on_request fails": Case({"on_request": "raise"}, 500, [*IN[:1], *FAILED]),
    "pre_validation fails": Case({"pre_validation": "raise"}, 500, [*IN[:2], *FAILED]),
    "pre_handler fails": Case({"pre_handler": "raise"}, 500, [*IN, *FAILED]),
    "a dependency fails": Case({"open inner": "raise"}, 500, [*IN, *OPENED, "outer saw Boom", "close outer", *FAILED]),
    "on_response fails": Case({"on_response": "raise"}, 500, [*IN, *OPENED, "handler", "on_response", *SAW]),
    "on_error fails": Case({"handler": "raise", "on_error": "raise"}, 500, [*IN, *OPENED, "handler", *SAW, *FAILED]),
    "the exception handler fails": Case(
        {"handler": "raise", "exception handler": "raise"}, 500, [*IN, *OPENED, "handler", *SAW, *FAILED]
    ),
    "clean-up fails behind a failure": Case(
        {"handler": "raise", "close inner": "raise"}, 500, [*IN, *OPENED, "handler", *SAW, *FAILED]
    ),
    "clean-up fails behind an answer": Case(
        {"close inner": "raise"}, 200, [*IN, *OPENED, "handler", "on_response", *CLOSED]
    ),
    "on_request answers": Case({"on_request": "answer"}, 418, ["on_request", "on_response"]),
    "pre_validation answers": Case({"pre_validation": "answer"}, 418, [*IN[:2], "on_response"]),
    "pre_handler answers": Case({"pre_handler": "answer"}, 418, [*IN, "on_response"]),
    "on_response answers": Case(
        {"on_response": "answer"}, 418, [*IN, *OPENED, "handler", "on_response", *CLOSED, "background"]
    ),
    "the client leaves": Case({"handler": "wait", "client": "leave"}, None, [*IN, *OPENED, *CANCELLED]),
    "the time is over": Case({"handler": "wait", "client": "stay"}, 408, [*IN, *OPENED, *CANCELLED]),
    "a stream ends": Case(
        {"handler": "stream"},
        200,
        [*IN, *OPENED, "handler", "on_response", "chunk", "second chunk", "stream closed", *CLOSED, "background"],
    ),
    "a stream fails": Case(
        {"handler": "stream", "second chunk": "raise"},
        200,
        [*IN, *OPENED, "handler", "on_response", "chunk", "second chunk", "stream closed", *SAW],
    ),
    "the client of a stream leaves": Case(
        {"handler": "stream", "client": "leave"},
        200,
        [*IN, *OPENED, "handler", "on_response", "chunk", "stream closed", *GONE, "background"],
    ),
}


class Story:
    """The app of one case, whose user code notes what it meets."""

    def __init__(self, does: dict[str, str], kind: str) -> None:
        self.does, self.kind, self.events = does, kind, list[str]()
        self.app, self.read = Spikard(cancel_on_disconnect=True), asyncio.Event()
        inline = {"sync_to_thread": kind == "thread"}
        for phase in ("on_response", "on_error", *IN):
            getattr(self.app, phase)(self.made(phase), **inline)
        self.app.exception_handler(Boom)(self.recover)
        for name, factory in zip(("outer", "inner"), self.dependencies(), strict=True):
            self.app.provide(name, Provide(factory, **inline))
        timeout = 0.2 if does.get("client") == "stay" else None
        waits = does.get("handler") in ("wait", "stream")
        handler = self.handler if kind == "async" or waits else self.handler_of_kind
        self.app.get("/", timeout=timeout, sync_to_thread=kind == "thread")(handler)

    def at(self, place: str) -> Response | None:
        """Notes the event, and does there what the case says."""
        self.events.append(place)
        what = self.does.get(place)
        if what == "raise":
            raise Boom(place)
        if what == "refuse":
            raise HTTPException(403)
        return Response("early", 418) if what == "answer" else None

    def made(self, place: str) -> Callable[[Any], Any]:
        """A hook of the case's kind."""

        async def asynchronous(_: Any) -> Any:
            await asyncio.sleep(0)
            return self.at(place)

        return asynchronous if self.kind == "async" else lambda _: self.at(place)

    async def recover(self, _request: Request, _error: Boom) -> Response:
        """The exception handler of `Boom`."""
        self.at("exception handler")
        return Response("boom", 500)

    @contextlib.contextmanager
    def life(self, name: str) -> Iterator[None]:
        """What a dependency notes."""
        self.at(f"open {name}")
        try:
            yield
        except (Exception, asyncio.CancelledError) as error:
            self.events.append(f"{name} saw {type(error).__name__}")
            raise
        finally:
            self.at(f"close {name}")

    def dependencies(self) -> tuple[Any, Any]:
        """Two generators of the case's kind, of which the second takes the first."""

        def outer() -> Iterator[str]:
            with self.life("outer"):
                yield "outer"

        def inner(outer: str) -> Iterator[str]:
            with self.life("inner"):
                yield outer

        async def outer_async() -> AsyncIterator[str]:
            with self.life("outer"):
                await asyncio.sleep(0)
                yield "outer"

        async def inner_async(outer: str) -> AsyncIterator[str]:
            with self.life("inner"):
                await asyncio.sleep(0)
                yield outer

        return (outer_async, inner_async) if self.kind == "async" else (outer, inner)

    async def handler(self, n: int, inner: str) -> Any:
        """The handler."""
        self.at("handler")
        if self.does.get("handler") != "own task":
            background.run(self.at, "background")
        if self.does.get("handler") == "stream":
            return StreamingResponse(self.chunks())
        if self.does.get("handler") == "wait":
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                self.events.append("handler cancelled")
                raise
        return self.result(n, inner)

    def handler_of_kind(self, n: int, inner: str) -> Any:
        """The same as a `def`."""
        self.at("handler")
        if self.does.get("handler") != "own task":
            background.run(self.at, "background")
        return self.result(n, inner)

    def result(self, n: int, inner: str) -> Any:
        """What the handler returns."""
        others: dict[str, Any] = {
            "nothing": Response(None, 204),
            "own task": Response("x", background=lambda: self.at("own task")),
            "file": FileResponse(__file__),
            "rubbish": object(),
        }
        return others.get(self.does.get("handler", ""), [n, inner])

    async def chunks(self) -> AsyncIterator[str]:
        """What the handler streams."""
        try:
            self.at("chunk")
            yield "chunk"
            await asyncio.wait_for(self.read.wait(), 30)
            self.at("second chunk")
            yield "second chunk"
        finally:
            self.events.append("stream closed")


@pytest.mark.parametrize("kind", ["async", "thread", "inline"])
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_everything_happens_in_its_order(case: Case, kind: str) -> None:
    story = Story(case.does, kind)
    with serving(story.app) as server, socket.create_connection(server.address, timeout=20) as client:
        client.sendall(f"GET {case.target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n".encode())
        status = None
        if case.status is None:
            server.until(lambda: "handler" in story.events)
        else:
            status = int(client.recv(65536).split()[1])
        if case.does.get("client") != "leave":
            server.loop.call_soon_threadsafe(story.read.set)
            while client.recv(65536):
                pass
        client.close()
        server.until(lambda: len(story.events) >= len(case.events))
    assert (status, story.events) == (case.status, case.events)


def test_a_failure_of_the_framework_is_told_though_generators_have_seen_it(caplog: pytest.LogCaptureFixture) -> None:
    app, seen = Spikard(validate_responses=True), list[str]()

    def unit() -> Iterator[int]:
        try:
            yield 1
        except Exception as error:
            seen.append(str(error))
            raise

    app.provide("unit", unit)

    @app.get("/", response_schema={"type": "object"})
    async def broken(unit: int) -> int:
        return unit

    with TestClient(app) as client:
        assert client.get("/").status_code == 500
    assert seen == ["the request failed"]
    assert "response_schema" in caplog.text
