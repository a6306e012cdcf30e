"""Handlers whose time, number or threads are limited."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from spikard import Spikard
from spikard.testing import TestClient, TestResponse

from .every_loop import ask
from .every_loop import run as run


def test_threads_are_as_many_as_configured() -> None:  # covers config: threads
    app = Spikard(threads=3)
    running: list[int] = []
    most: list[int] = []

    @app.get("/")
    def block() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    asyncio.run(ask(app, *["/"] * 12))
    assert max(most) == 3


def test_a_request_timeout_cancels_the_handler(run: Any) -> None:
    log: list[str] = []
    app = Spikard(request_timeout=0.3)

    @app.get("/async")
    async def forever() -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            log.append("cancelled")
            raise

    async def main() -> TestResponse:
        async with TestClient(app) as client:
            answer = await client.get("/async")
            await asyncio.sleep(0.05)
            return answer

    assert run(main()).status_code == 408
    assert log == ["cancelled"]


def test_a_def_that_still_waits_for_a_thread_never_runs_once_its_request_is_over() -> None:
    ran: list[str] = []
    app = Spikard(threads=1, request_timeout=0.05)

    @app.get("/{name}")
    def block(name: str) -> None:
        ran.append(name)
        time.sleep(0.2)

    async def main() -> list[int]:
        async with TestClient(app) as client:
            running, queued = client.get("/running"), client.get("/queued")
            statuses = [(await running).status_code, (await queued).status_code]
            await asyncio.sleep(0.3)
            return statuses

    assert asyncio.run(main()) == [408, 408]
    assert ran == ["running"]


def test_more_requests_than_may_be_in_flight_are_refused() -> None:  # covers config: max_in_flight
    app = Spikard(max_in_flight=2)

    @app.get("/")
    async def wait() -> None:
        await asyncio.sleep(0.05)

    answers = asyncio.run(ask(app, "/", "/", "/"))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503]


def test_a_handler_that_ignores_its_cancellation_is_given_up_after_the_grace() -> None:  # covers config: cancel_grace
    app = Spikard(request_timeout=0.02, cancel_grace=0.1, max_in_flight=1)
    ended: list[float] = []

    @app.get("/stubborn")
    async def stubborn() -> None:
        for _ in range(6):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.1)
        ended.append(time.perf_counter())

    @app.get("/next")
    async def following() -> str:
        return "next"

    async def main() -> None:
        async with TestClient(app) as client:
            began = time.perf_counter()
            assert (await client.get("/stubborn")).status_code == 408
            while (await client.get("/next")).status_code == 503:
                await asyncio.sleep(0.01)
            assert 0.1 < time.perf_counter() - began < 0.4
            assert not ended
            while not ended:
                await asyncio.sleep(0.01)

    asyncio.run(main())
