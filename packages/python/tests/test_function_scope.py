"""Generators of `scope="function"`: they end with the handler, before anything is sent."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import pytest
from spikard import (
    Depends,
    HTTPException,
    Provide,
    Request,
    Response,
    SpecError,
    Spikard,
    StreamingResponse,
    TestClient,
)
from spikard.background import run


def unit(trace: list[str], name: str = "unit", *, later: bool = True, fails: BaseException | None = None) -> Any:
    """A unit of work that notes its begin, its commit and what rolls it back."""

    def synchronous() -> Iterator[str]:
        trace.append(f"begin {name}")
        try:
            yield name
        except BaseException as error:
            trace.append(f"{name} rolls back: {type(error).__name__}")
            raise
        if fails is not None:
            trace.append(f"{name} fails")
            raise fails
        trace.append(f"commit {name}")

    async def asynchronous() -> AsyncIterator[str]:
        trace.append(f"begin {name}")
        try:
            yield name
        except BaseException as error:
            trace.append(f"{name} rolls back: {type(error).__name__}")
            raise
        await asyncio.sleep(0)
        if fails is not None:
            trace.append(f"{name} fails")
            raise fails
        trace.append(f"commit {name}")

    return asynchronous if later else synchronous


@pytest.mark.parametrize("later", [False, True])
def test_the_order_of_a_request(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("session", unit(trace, "session", later=not later))

    class Told(Response):
        def _parts(self) -> Any:
            trace.append("serialise")
            return super()._parts()

    @app.on_response
    async def seen(response: Response) -> None:
        trace.append(f"on_response {response.status_code}")

    async def inner(session: str) -> str:
        return session

    one = unit(trace, "one", later=later)

    def two(
        inner: Annotated[str, Depends(inner)], one: Annotated[str, Depends(one, scope="function")]
    ) -> Iterator[str]:
        trace.append("begin two")
        yield inner + one
        trace.append("commit two")

    app.provide("two", Provide(two, scope="function"))

    @app.get("/")
    async def index(one: Annotated[str, Depends(one, scope="function")], two: str) -> Response:
        run(trace.append, "task")
        trace.append("handler")
        return Told(two)

    with TestClient(app) as client:
        assert client.get("/").text == "sessionone"
    assert trace == [
        "begin one", "begin session", "begin two", "handler", "serialise", "commit two", "commit one",
        "on_response 200", "commit session", "task",
    ]  # fmt: skip


def test_the_next_request_sees_what_was_committed(tmp_path: Path) -> None:
    app = Spikard()
    path = tmp_path / "books.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table books (id integer primary key, title text)")
        connection.execute("insert into books values (1, 'Dune')")

    def books() -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(path, check_same_thread=False)) as connection, connection:
            yield connection

    app.provide(sqlite3.Connection, Provide(books, scope="function"))

    @app.get("/{id}")
    def read(id: int, books: sqlite3.Connection) -> str:
        found = books.execute("select title from books where id = ?", [id]).fetchone()
        if not found:
            raise HTTPException(404)
        return str(found[0])

    @app.delete("/{id}", status_code=204)
    def remove(id: int, books: sqlite3.Connection) -> None:
        books.execute("delete from books where id = ?", [id])

    with TestClient(app) as client:
        assert client.get("/1").text == "Dune"
        assert client.delete("/1").status_code == 204
        assert client.get("/1").status_code == 404


class Conflict(Exception):
    pass


@pytest.mark.parametrize("later", [False, True])
def test_a_commit_that_fails_is_an_exception_of_the_handler(later: bool, caplog: pytest.LogCaptureFixture) -> None:
    app, trace = Spikard(), []
    app.provide("session", unit(trace, "session", later=later))
    app.provide("unit", Provide(unit(trace, later=later, fails=Conflict("twice")), scope="function"))

    @app.on_error
    async def told(response: Response) -> None:
        trace.append("on_error")

    @app.on_response
    async def seen(response: Response) -> None:
        trace.append(f"on_response {response.status_code}")

    @app.post("/")
    async def pay(session: str, unit: str) -> tuple[str, int]:
        run(trace.append, "you have paid")
        return "paid", 201

    with TestClient(app) as client:
        assert client.post("/").status_code == 500
    seen_by = ["unit fails", "session rolls back: Conflict", "on_error", "on_response 500"]
    assert trace == ["begin session", "begin unit", *seen_by]
    assert "twice" in caplog.text

    @app.exception_handler(Conflict)
    async def conflict(request: Request, error: Conflict) -> Response:
        return Response({"error": str(error)}, status_code=409)

    trace.clear()
    with TestClient(app) as client:
        answer = client.post("/")
        assert (answer.status_code, answer.json()) == (409, {"error": "twice"})
    assert trace == ["begin session", "begin unit", "unit fails", "session rolls back: Conflict", "on_response 409"]


def test_a_task_that_a_failing_end_asks_for_is_taken_back() -> None:
    app, trace = Spikard(), []

    async def work() -> AsyncIterator[None]:
        yield
        run(trace.append, "mail")
        raise HTTPException(409)

    @app.get("/")
    async def index(work: Annotated[None, Depends(work, scope="function")]) -> str:
        return "sent"

    with TestClient(app) as client:
        assert client.get("/").status_code == 409
    assert trace == []


@pytest.mark.parametrize("result", [object(), {"a": object()}], ids=["no value", "no JSON"])
def test_a_result_that_cannot_be_sent_rolls_back(result: object) -> None:
    app, trace = Spikard(), []
    app.provide("unit", Provide(unit(trace), scope="function"))

    @app.get("/")
    async def index(unit: str) -> Any:
        return result

    @app.get("/refused")
    async def refused(unit: str) -> None:
        raise HTTPException(404)

    with TestClient(app) as client:
        assert client.get("/").status_code == 500
        assert client.get("/refused").status_code == 404
    assert trace == ["begin unit", "unit rolls back: TypeError", "begin unit", "unit rolls back: HTTPException"]


def test_it_ends_before_a_stream_begins() -> None:
    app, trace = Spikard(), []
    app.provide("unit", Provide(unit(trace), scope="function"))

    @app.get("/")
    async def index(unit: str) -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            trace.append("streams")
            yield unit

        return StreamingResponse(pieces())

    with TestClient(app) as client:
        assert client.get("/").text == "unit"
    assert trace == ["begin unit", "commit unit", "streams"]


@pytest.mark.parametrize("later", [False, True])
def test_a_timeout_rolls_back(later: bool) -> None:
    app, trace = Spikard(), []
    app.provide("unit", Provide(unit(trace, later=later), scope="function"))

    @app.get("/", timeout=0.05)
    async def index(unit: str) -> None:
        await asyncio.sleep(10)

    with TestClient(app) as client:
        assert client.get("/").status_code == 408
    assert trace == ["begin unit", "unit rolls back: CancelledError"]


def test_clean_up_of_a_request_that_raises_takes_the_tasks_back() -> None:
    app, trace = Spikard(), []
    app.provide("session", unit(trace, "session", fails=Conflict()))

    @app.get("/")
    async def index(session: str) -> str:
        run(trace.append, "task")
        return session

    with TestClient(app) as client:
        assert client.get("/").text == "session"
    assert trace == ["begin session", "session fails"]


def test_both_scopes_of_one_function_are_two_dependencies() -> None:
    app, trace = Spikard(), []
    work = unit(trace)

    @app.get("/", dependencies=[Depends(work)])
    async def index(
        one: Annotated[str, Depends(work, scope="function")], two: str = Depends(work, scope="function")
    ) -> str:
        return one + two

    with TestClient(app) as client:
        assert client.get("/").text == "unitunit"
    assert trace == ["begin unit", "begin unit", "commit unit", "commit unit"]


def test_one_of_a_request_cannot_need_one_of_a_function() -> None:
    app = Spikard()
    app.provide("unit", Provide(unit([]), scope="function"))
    app.provide("books", lambda unit: [unit])

    async def audit(books: list[str]) -> AsyncIterator[str]:
        yield books[0]

    @app.get("/")
    async def index(audit: Annotated[str, Depends(audit)]) -> str:
        return audit

    said = r"the dependency '?\"?.*audit\"?'? ends after the response, and \"unit\", which it needs, with the handler"
    with pytest.raises(SpecError, match=said), TestClient(app) as client:
        client.get("/")


def test_a_scope_is_one_of_two_and_none_of_a_singleton() -> None:
    with pytest.raises(ValueError, match="scope must be 'function' or 'request', got 'app'"):
        Depends(unit([]), scope="app")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a singleton is kept: it cannot have scope='function'"):
        Provide(unit([]), scope="function", singleton=True)
    assert repr(Provide(Conflict, scope="function")) == "Provide(Conflict, scope='function')"
