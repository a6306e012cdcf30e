"""Dependencies that clean up: when, in which order, and what is thrown into them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from spikard import Depends, HTTPException, Provide, Spikard, TestClient
from spikard.http import Response


def traced(trace: list[str], name: str, *, later: bool = True, translates: bool = False) -> Any:
    """A generator that notes what it sees."""

    def note_error(error: BaseException) -> None:
        trace.append(f"{name} saw {type(error).__name__} {error}".strip())
        if translates:
            raise HTTPException(409, "translated") from error

    async def asynchronous() -> AsyncIterator[str]:
        trace.append(f"open {name}")
        try:
            yield name
        except BaseException as error:
            note_error(error)
            raise
        finally:
            await asyncio.sleep(0)
            trace.append(f"close {name}")

    def synchronous() -> Iterator[str]:
        trace.append(f"open {name}")
        try:
            yield name
        except BaseException as error:
            note_error(error)
            raise
        finally:
            trace.append(f"close {name}")

    return asynchronous if later else synchronous


@pytest.mark.parametrize("later", [False, True])
def test_clean_up_comes_after_the_response_in_reverse(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("db", traced(trace, "db", later=later))
    session = traced(trace, "session", later=not later)
    app.provide("session", Provide(session, depends_on=["db"]))

    class Told(Response):
        def _parts(self) -> Any:
            trace.append("serialise")
            return super()._parts()

    @app.get("/")
    def index(session: str, db: str) -> Response:
        trace.append("handler")
        return Told("hello")

    with TestClient(app) as client:
        assert client.get("/").text == "hello"
    assert trace == ["open db", "open session", "handler", "serialise", "close session", "close db"]


@pytest.mark.parametrize("later", [False, True])
def test_an_exception_is_thrown_into_the_generators_in_reverse(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("db", traced(trace, "db", later=later))
    app.provide("middle", Provide(traced(trace, "middle", later=later, translates=True), depends_on=["db"]))
    app.provide("session", Provide(traced(trace, "session", later=later), depends_on=["middle"]))

    @app.get("/")
    async def index(session: str) -> None:
        raise RuntimeError("boom")

    with TestClient(app) as client:
        response = client.get("/")
        assert (response.status_code, response.json()["detail"]) == (409, "translated")
    assert [note for note in trace if "saw" in note] == [
        "session saw RuntimeError boom", "middle saw RuntimeError boom", "db saw HTTPException 409: translated"
    ]  # fmt: skip
    assert trace[-1] == "close db"


@pytest.mark.parametrize("later", [False, True])
def test_a_generator_cannot_swallow_an_exception(later: bool) -> None:
    app = Spikard()

    def swallows() -> Iterator[int]:
        with contextlib.suppress(RuntimeError):
            yield 1

    async def swallows_later() -> AsyncIterator[int]:
        with contextlib.suppress(RuntimeError):
            yield 1

    app.provide("one", swallows_later if later else swallows)

    @app.get("/")
    async def index(one: int) -> None:
        raise RuntimeError("boom")

    with TestClient(app) as client:
        assert client.get("/").status_code == 500


def test_a_generator_yields_once(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    def never() -> Iterator[int]:
        yield from ()

    async def twice() -> AsyncIterator[int]:
        yield 1
        yield 2

    app.get("/never")(lambda value=Depends(never): value)
    app.get("/twice")(lambda value=Depends(twice): value)
    silent = rf"^the dependency \S+\.never at {re.escape(__file__)}:\d+ did not yield$"
    with TestClient(app, raise_server_exceptions=True) as client, pytest.raises(RuntimeError, match=silent):
        client.get("/never").json()
    with TestClient(app) as client:
        assert client.get("/twice").json() == 1
    assert re.search(r"the dependency \S+\.twice at .+:\d+ has to yield once, and did again", caplog.text)


def test_a_clean_up_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    async def fails() -> AsyncIterator[int]:
        yield 1
        raise RuntimeError("commit failed")

    app.get("/")(lambda value=Depends(fails): value)
    with TestClient(app) as client:
        assert client.get("/").json() == 1
    assert "commit failed" in caplog.text


@pytest.mark.parametrize("later", [False, True])
def test_a_timeout_ends_the_generators(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("db", traced(trace, "db", later=later))

    @app.get("/", timeout=0.05)
    async def index(db: str) -> None:
        await asyncio.sleep(10)

    with TestClient(app) as client:
        assert client.get("/").status_code == 408
        deadline = 100
        while "close db" not in trace and deadline:
            threading.Event().wait(0.02)
            deadline -= 1
    assert trace == ["open db", "db saw CancelledError", "close db"]


def test_clean_up_after_a_cancellation_may_use_timeouts() -> None:
    app, trace = Spikard(), []

    async def slow() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            await asyncio.wait_for(asyncio.sleep(0.01), 1)
            trace.append("cleaned")

    @app.get("/", timeout=0.05)
    async def index(value: Annotated[int, Depends(slow)]) -> None:
        await asyncio.sleep(10)

    with TestClient(app) as client:
        assert client.get("/").status_code == 408
    assert trace == ["cleaned"]
