"""How often a dependency is made, beside which others, and what stands in for it."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from spikard import Depends, Provide, SpecError, Spikard, TestClient

from .test_dependencies import count, count_later


def test_scopes() -> None:
    app, numbers = Spikard(), iter(range(100))
    app.provide("call", Provide(lambda: next(numbers), use_cache=False))
    app.provide("request", lambda: next(numbers))
    app.provide("singleton", Provide(lambda: next(numbers), singleton=True))

    def inner(call: int, request: int, singleton: int) -> list[int]:
        return [call, request, singleton]

    @app.get("/")
    async def index(call: int, request: int, singleton: int, inner: Annotated[list[int], Depends(inner)]) -> Any:
        return [[call, request, singleton], inner]

    with TestClient(app) as client:
        assert client.get("/").json() == [[0, 1, 2], [3, 1, 2]]
        assert client.get("/").json() == [[4, 5, 2], [6, 5, 2]]


def test_singletons_wait_for_each_other_fail_alone_and_are_finished_in_reverse() -> None:
    app, trace, tries = Spikard(), [], []

    async def pool() -> AsyncIterator[str]:
        tries.append(1)
        await asyncio.sleep(0.02)
        if len(tries) == 1:
            raise RuntimeError("no connection")
        trace.append("open pool")
        yield "pool"
        trace.append("close pool")

    def cache(pool: str) -> Iterator[str]:
        trace.append("open cache")
        yield pool + " cache"
        trace.append("close cache")

    app.provide("pool", Provide(pool, singleton=True))
    app.provide("cache", Provide(cache, singleton=True))

    @app.get("/")
    async def index(cache: str) -> str:
        return cache

    with TestClient(app) as client:
        assert client.get("/").status_code == 500
        both = [client.get("/"), client.get("/")]
        assert [response.text for response in both] == ["pool cache", "pool cache"]
        assert len(tries) == 2
    assert trace == ["open pool", "open cache", "close cache", "close pool"]


def test_neighbours_are_made_side_by_side() -> None:
    app = Spikard()
    meet = asyncio.Event()

    async def first() -> str:
        await asyncio.wait_for(meet.wait(), 2)
        return "first"

    async def second() -> str:
        meet.set()
        return "second"

    app.provide("first", Provide(first, concurrent=True))
    app.provide("second", Provide(second, concurrent=True))

    @app.get("/")
    async def index(first: str, second: str) -> list[str]:
        return [first, second]

    with TestClient(app) as client:
        assert client.get("/").json() == ["first", "second"]


def test_contextvars_flow_from_dependencies_to_the_handler() -> None:
    app, variable = Spikard(), contextvars.ContextVar("variable", default=0)
    app.provide("one", lambda: variable.set(1) and None)

    async def two() -> None:
        variable.set(variable.get() + 1)

    app.provide("two", two)

    @app.get("/")
    async def index(one: None, two: None) -> int:
        return variable.get()

    with TestClient(app) as client:
        assert client.get("/").json() == 2


def test_only_what_a_route_needs_is_made() -> None:
    app = Spikard()
    app.provide("broken", lambda: 1 / 0)
    app.get("/")(lambda: "fine")
    with TestClient(app) as client:
        assert client.get("/").text == "fine"


def test_overrides_reach_an_open_client_and_nest() -> None:
    app, closed = Spikard(), []

    def pool() -> Iterator[str]:
        yield "real"
        closed.append("real")

    def fake() -> Iterator[str]:
        yield "fake"
        closed.append("fake")

    app.provide("pool", Provide(pool, singleton=True))
    app.provide("config", "config")

    @app.get("/")
    async def index(pool: str, config: str, page: Annotated[int, Depends(count_later)]) -> list[Any]:
        return [pool, config, page]

    with TestClient(app) as client:
        assert client.get("/?number=1").json() == ["real", "config", 1]
        with app.override("pool", Provide(fake, singleton=True)):
            assert client.get("/?number=1").json() == ["fake", "config", 1]
            with app.override("config", "other"), app.override(count_later, 7):
                assert client.get("/").json() == ["fake", "other", 7]
            with TestClient(app) as inner:
                assert inner.get("/?number=1").json() == ["fake", "config", 1]
            assert client.get("/?number=1").json() == ["fake", "config", 1]
        assert client.get("/?number=1").json() == ["real", "config", 1]
    assert sorted(set(closed)) == ["fake", "real"]
    assert closed.count("real") == 1


@pytest.mark.asyncio
async def test_overrides_reach_a_client_on_the_callers_loop() -> None:
    app = Spikard()
    app.provide("value", 1)
    app.get("/")(lambda value: value)
    async with TestClient(app) as client:
        with app.override("value", 2):
            assert (await client.get("/")).json() == 2
        assert (await client.get("/")).json() == 1


def test_an_override_names_what_there_is() -> None:
    app = Spikard()
    app.provide("database", 1)
    with pytest.raises(SpecError, match="no dependency 'databse', did you mean 'database'"), app.override("databse", 2):
        pass
    with pytest.raises(SpecError, match="no dependency 'count'"), app.override(count, 2):
        pass
