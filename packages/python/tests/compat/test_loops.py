"""The loop belongs to the caller of `serve()`: what user code and the caller do to it has an end that can be told."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from spikard import Spikard
from spikard.testing import TestClient

from .conftest import HAS_UVLOOP


def loops() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    if not HAS_UVLOOP:
        return [asyncio.new_event_loop]
    import uvloop

    return [asyncio.new_event_loop, uvloop.new_event_loop]


@pytest.fixture(params=loops(), ids=lambda kind: kind.__module__.split(".")[0])
def new_loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answer_of(port: int, path: str) -> str:
    deadline = time.monotonic() + 10
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
        except OSError as error:
            if "refused" not in str(error):
                raise
            assert time.monotonic() < deadline
        time.sleep(0.01)


def test_serve_runs_beside_the_callers_own_tasks_and_on_their_loop(new_loop: Any) -> None:
    app, port, ticks = Spikard(), free_port(), [0]
    here: list[asyncio.AbstractEventLoop] = []

    @app.get("/")
    async def index() -> str:
        here.append(asyncio.get_running_loop())
        return "served"

    async def tick() -> None:
        while True:
            ticks[0] += 1
            await asyncio.sleep(0.001)

    async def main() -> str:
        ticking, serving = asyncio.ensure_future(tick()), asyncio.ensure_future(app.serve(port=port))
        answer = await asyncio.to_thread(answer_of, port, "/")
        serving.cancel()
        ticking.cancel()
        await asyncio.wait([serving, ticking])
        assert serving.cancelled()
        return answer

    loop = new_loop()
    try:
        assert loop.run_until_complete(main()) == "served"
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
    assert here == [loop]
    assert ticks[0] > 1


def test_a_loop_that_a_handler_stopped_can_be_run_again_by_its_owner(new_loop: Any) -> None:
    app, port = Spikard(), free_port()

    @app.get("/")
    async def stop() -> str:
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.01)
        return "went on"

    loop, answers = new_loop(), list[str]()
    asking = threading.Thread(target=lambda: answers.append(answer_of(port, "/")))
    asking.start()
    serving = loop.create_task(app.serve(port=port))
    try:
        with pytest.raises(RuntimeError, match="stopped before Future completed"):
            loop.run_until_complete(serving)
        while not answers:
            loop.run_until_complete(asyncio.sleep(0.01))
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(serving)
    finally:
        loop.close()
        asking.join()
    assert answers == ["went on"]


def test_ctrl_c_in_a_handler_comes_out_of_the_callers_loop(new_loop: Any) -> None:
    app = Spikard()

    @app.get("/")
    async def interrupt() -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    async def main() -> None:
        async with TestClient(app) as client:
            await client.get("/")

    loop = new_loop()
    try:
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(main())
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.wait([task]))
    finally:
        loop.close()


def test_two_servers_share_one_loop(new_loop: Any) -> None:
    async def main() -> list[str]:
        ports = free_port(), free_port()
        servers: list[asyncio.Task[None]] = []
        for port in ports:
            app = Spikard()
            app.get("/")(lambda port=port: f"{port}")
            servers.append(asyncio.ensure_future(app.serve(port=port)))
        answers = await asyncio.gather(*[asyncio.to_thread(answer_of, port, "/") for port in ports])
        for serving in servers:
            serving.cancel()
        await asyncio.wait(servers)
        return [answer == f"{port}" for answer, port in zip(answers, ports, strict=True)]

    loop = new_loop()
    try:
        assert loop.run_until_complete(main()) == [True, True]
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
