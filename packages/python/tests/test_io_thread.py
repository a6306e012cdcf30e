"""Where a worker's connections live: on its event loop, or on a thread of their own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator

import pytest
from spikard import Spikard, StreamingResponse

from .serving import Served, serving

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="loops there watch no foreign sockets")


def exchange(served: Served, text: str) -> bytes:
    with socket.create_connection(served.address, timeout=10) as client:
        client.sendall(text.encode())
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    return answer


def ask(served: Served, path: str, *fields: str) -> bytes:
    return exchange(served, "\r\n".join([f"GET {path} HTTP/1.1", "host: a", "connection: close", *fields, "", ""]))


@pytest.mark.parametrize("io_thread", [False, True])
def test_a_blocked_loop_holds_connections_only_where_they_live_on_it(
    io_thread: bool,
) -> None:  # covers config: io_thread
    app, blocked, go_on = Spikard(io_thread=io_thread), threading.Event(), threading.Event()

    @app.get("/")
    async def block() -> str:
        blocked.set()
        go_on.wait(10)
        return "done"

    refused: list[bytes] = []
    with serving(app) as served:
        blocker = threading.Thread(target=ask, args=(served, "/"))
        blocker.start()
        assert blocked.wait(10)
        other = threading.Thread(target=lambda: refused.append(ask(served, "/nowhere")))
        other.start()
        other.join(10 if io_thread else 0.3)
        while_blocked = list(refused)
        go_on.set()
        other.join(10)
        blocker.join(10)
    assert bool(while_blocked) is io_thread
    assert refused[0].startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("io_thread", [False, True])
def test_requests_streams_and_pipelines_are_served(io_thread: bool) -> None:
    app = Spikard(io_thread=io_thread)

    @app.get("/{number:int}")
    async def echo(number: int) -> int:
        await asyncio.sleep(0)
        return number

    @app.get("/blocking/{number:int}")
    def blocking(number: int) -> int:
        time.sleep(0.001)
        return number

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536
            await asyncio.sleep(0)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(pieces())

    with serving(app) as served:
        assert ask(served, "/7").endswith(b"7")
        assert ask(served, "/blocking/8").endswith(b"8")
        assert ask(served, "/stream").partition(b"\r\n\r\n")[2].count(b"x") == 64 * 65536
        many = "".join(f"GET /{number} HTTP/1.1\r\nhost: a\r\n\r\n" for number in range(99))
        answer = exchange(served, many + "GET /99 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert [piece.partition(b"HTTP")[0] for piece in answer.split(b"\r\n\r\n")[1:]] == [
            b"%d" % n for n in range(100)
        ]


def test_turns_of_the_loop_leave_room_for_other_tasks() -> None:
    app = Spikard()

    @app.get("/")
    async def hello() -> str:
        return "hello"

    def load(served: Served, until: float) -> None:
        with socket.create_connection(served.address, timeout=10) as client:
            asked = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 32
            while time.monotonic() < until:
                client.sendall(asked)
                received = 0
                while received < 32:
                    received += client.recv(1 << 20).count(b"HTTP/1.1")

    async def wait_often() -> int:
        waits, until = 0, asyncio.get_running_loop().time() + 0.5
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0)
            waits += 1
        return waits

    with serving(app) as served:
        until = time.monotonic() + 1.0
        loads = [threading.Thread(target=load, args=(served, until)) for _ in range(8)]
        for thread in loads:
            thread.start()
        waits = asyncio.run_coroutine_threadsafe(wait_often(), served.loop).result(10)
        for thread in loads:
            thread.join(10)
    assert waits > 50
