"""How the worker calls user code: on its loop and on threads, with bodies, beside other workers."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import msgspec
from spikard import Spikard
from spikard.testing import TestClient

from .every_loop import ask
from .every_loop import run as run


def test_waiting_handlers_wait_together(run: Any) -> None:
    app = Spikard()

    @app.get("/")
    async def sleep() -> str:
        await asyncio.sleep(0.2)
        return "slept"

    began = time.perf_counter()
    answers = run(ask(app, *["/"] * 200))
    assert time.perf_counter() - began < 4  # one after another they take 40 s
    assert [answer.text for answer in answers] == ["slept"] * 200


def test_blocking_handlers_block_threads_and_not_the_loop(run: Any) -> None:
    app, together = Spikard(), threading.Barrier(40)

    @app.get("/")
    def block() -> int:
        together.wait(20)
        return threading.get_ident()

    answers = run(ask(app, *["/"] * 40))
    used = {answer.json() for answer in answers}
    assert len(used) == 40
    assert threading.get_ident() not in used


def test_no_call_is_lost_between_busy_and_idle_threads() -> None:
    app = Spikard(threads=1)

    @app.get("/")
    def short() -> None: ...

    async def one_after_another() -> int:
        async with TestClient(app) as client:
            answers = [await client.get("/") for _ in range(2000)]
        return sum(answer.status_code < 300 for answer in answers)

    assert asyncio.run(one_after_another()) == 2000


def test_a_non_blocking_def_is_called_on_the_loop(run: Any) -> None:
    app = Spikard()

    @app.get("/", sync_to_thread=False)
    def here() -> int:
        return threading.get_ident()

    assert run(ask(app, "/"))[0].json() == threading.get_ident()


def test_an_awaitable_that_is_no_coroutine_is_awaited() -> None:
    app = Spikard()

    class Later:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return "later"

    class Handler:
        __name__ = "handler"

        async def __call__(self) -> Any:
            return await Later()

    app.get("/")(Handler())
    assert asyncio.run(ask(app, "/"))[0].text == "later"


class Order(msgspec.Struct):
    id: int
    tags: list[str]


def test_a_body_reaches_the_handler_as_its_type_and_goes_back_uncopied() -> None:
    app = Spikard()

    @app.post("/")
    async def echo(order: Order) -> Order:
        assert type(order) is Order
        return order

    order = {"id": 7, "tags": ["x" * 1000] * 50}
    with TestClient(app) as client:
        assert client.post("/", json=order).json() == order
        refused = client.post("/", json={"id": "x", "tags": []})
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [["body", "id"]]


def test_several_workers_share_a_loop(run: Any) -> None:
    def numbered(number: int) -> Spikard:
        app = Spikard()

        @app.get("/")
        async def which() -> int:
            await asyncio.sleep(0)
            return number

        return app

    async def main() -> list[int]:
        async with TestClient(numbered(1)) as first, TestClient(numbered(2)) as second:
            handles = [first.get("/"), second.get("/"), first.get("/")]
            return [(await handle).json() for handle in handles]

    assert run(main()) == [1, 2, 1]
