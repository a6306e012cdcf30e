"""Which requests of a test client run side by side, and which one after another."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from spikard import Spikard
from spikard.testing import TestClient

from .client_app import app


def test_requests_are_sent_at_once_and_answered_side_by_side() -> None:
    with TestClient(app) as client:
        began = time.perf_counter()
        handles = [client.get("/slow") for _ in range(20)]
        assert [handle.text for handle in handles] == ["slow"] * 20
        assert time.perf_counter() - began < 1.0


def keeping(log: list[str], pause: float = 0.02) -> Spikard:
    """An app that notes when its handlers begin and end."""
    app = Spikard()

    @app.route("/{name}", methods=["GET", "PUT", "POST", "DELETE"])
    async def note(name: str) -> str:
        log.append(f"{name} begins")
        await asyncio.sleep(pause)
        log.append(f"{name} ends")
        return name

    return app


def test_what_changes_something_keeps_its_place_among_requests_that_nobody_reads() -> None:
    log: list[str] = []
    with TestClient(keeping(log)) as client:
        client.get("/a")
        client.put("/b")
        assert client.delete("/c").text == "c"
        client.get("/d")
    assert log == [f"{name} {what}" for name in "abcd" for what in ("begins", "ends")]


def test_what_changes_something_keeps_its_place_on_the_callers_loop_too() -> None:
    log: list[str] = []

    async def main() -> None:
        async with TestClient(keeping(log)) as client:
            client.put("/a")
            assert (await client.delete("/b")).text == "b"

    asyncio.run(main())
    assert log == ["a begins", "a ends", "b begins", "b ends"]


def test_requests_that_are_gathered_run_side_by_side_whatever_their_methods() -> None:
    log: list[str] = []

    async def main(client: TestClient) -> None:
        answers = await asyncio.gather(client.post("/a"), client.put("/b"), client.get("/c"))
        assert [answer.text for answer in answers] == ["a", "b", "c"]

    async def on_own_loop() -> None:
        async with TestClient(keeping(log)) as client:
            await main(client)

    asyncio.run(on_own_loop())
    asyncio.run(main(TestClient(keeping(log))))
    begins = ["a begins", "b begins", "c begins"]
    assert (log[:3], log[6:9]) == (begins, begins)


def test_requests_that_several_threads_read_run_side_by_side_whatever_their_methods() -> None:
    gate = threading.Barrier(4)
    meeting = Spikard()

    @meeting.post("/")
    def meet() -> int:
        return gate.wait(10)

    with TestClient(meeting) as client, ThreadPoolExecutor(4) as pool:
        met = pool.map(lambda _: client.post("/").json(), range(4))
        assert sorted(met) == [0, 1, 2, 3]


def test_a_request_that_waits_for_another_says_so_when_its_time_is_over() -> None:
    with TestClient(keeping([], pause=0.2)) as client:
        client.put("/a")
        with pytest.raises(TimeoutError, match=r"no answer to DELETE /b .* it waits for PUT /a, which was sent before"):
            _ = client.delete("/b", timeout=0.01).status_code


def test_a_fault_of_a_request_lets_the_next_ones_begin() -> None:
    with TestClient(app) as client:
        refused = client.request("PO ST", "/text")
        assert client.post("/text", content="next").text == "next"
        with pytest.raises(ValueError, match="PO ST"):
            _ = refused.status_code
