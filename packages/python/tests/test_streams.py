"""Streaming responses: every kind of iterator, in one task and one context, always closed."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import socket
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from spikard import PlainTextResponse, Response, Spikard, StreamingResponse, TestClient

from .serving import Served, serving

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


async def agenerated() -> AsyncIterator[str | bytes]:
    yield "ä"
    await asyncio.sleep(0)
    yield b"b"
    yield ""
    yield "c"


def generated() -> Iterator[str | bytes]:
    yield "ä"
    yield bytearray(b"b")
    yield "c"


class Counting:
    """An iterator that nobody can close."""

    def __init__(self) -> None:
        self.left = ["ä", b"b", "c"]

    def __aiter__(self) -> Counting:
        return self

    async def __anext__(self) -> str | bytes:
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)


@pytest.mark.parametrize(
    "make", [agenerated, generated, Counting, lambda: ["ä", b"b", "c"], lambda: iter(("ä", b"b", "c"))]
)
@pytest.mark.parametrize("is_async", [True, False])
def test_every_kind_of_iterator_is_a_stream(make: Callable[[], Any], is_async: bool) -> None:
    app = Spikard()

    async def asynchronous() -> StreamingResponse:
        return StreamingResponse(make(), 202, {"x-a": "1"}, media_type="text/plain")

    def synchronous() -> StreamingResponse:
        return StreamingResponse(make(), 202, {"x-a": "1"}, media_type="text/plain")

    app.get("/")(asynchronous if is_async else synchronous)
    with TestClient(app) as client:
        response = client.get("/")
        assert (response.status_code, response.text, response.headers["x-a"]) == (202, "äbc", "1")
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert "content-length" not in response.headers


def test_a_generator_as_content_is_a_stream_of_bytes() -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> Response:
        return Response(agenerated())

    with TestClient(app) as client:
        response = client.get("/")
        assert (response.text, response.headers["content-type"]) == ("äbc", "application/octet-stream")


@pytest.mark.parametrize("content", ["text", b"bytes", 5, None])
def test_what_cannot_be_streamed_is_refused(content: Any) -> None:
    with pytest.raises(TypeError, match="a stream is an iterator of str or bytes"):
        StreamingResponse(content)


def test_a_stream_runs_in_the_task_and_the_context_of_its_handler() -> None:
    app = Spikard()
    tasks: list[Any] = []
    threads: list[int] = []
    home: list[int] = []

    async def pieces() -> AsyncIterator[str]:
        for _ in range(2):
            tasks.append(asyncio.current_task())
            yield user.get()
            await asyncio.sleep(0)
            user.set("changed")

    @app.get("/")
    async def handler() -> StreamingResponse:
        user.set("ada")
        home.append(threading.get_ident())
        tasks.append(asyncio.current_task())
        return StreamingResponse(pieces())

    @app.get("/def")
    def synchronous() -> StreamingResponse:
        def pieces() -> Iterator[str]:
            threads.append(threading.get_ident())
            yield user.get()
            user.set("eve")
            yield user.get()
            yield user.get()

        user.set("bob")
        return StreamingResponse(pieces())

    with TestClient(app) as client:
        assert client.get("/").text == "adachanged"
        assert len(set(tasks)) == 1
        assert client.get("/def").text == "bobeveeve"
    assert home[0] not in threads


def test_a_head_request_pulls_nothing_and_closes_the_stream() -> None:
    app, steps = Spikard(), []

    @app.get("/")
    async def handler() -> StreamingResponse:
        class Pieces(Counting):
            async def __anext__(self) -> str | bytes:
                steps.append("pulled")
                return "x"

            async def aclose(self) -> None:
                steps.append("closed")

        return StreamingResponse(Pieces())

    with TestClient(app) as client:
        assert client.head("/").content == b""
    assert steps == ["closed"]


@pytest.mark.parametrize("is_async", [True, False])
def test_what_a_stream_raises_breaks_the_body_off_and_is_logged(
    is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app, closed = Spikard(), []

    async def asynchronous() -> AsyncIterator[str]:
        try:
            yield "first"
            raise LookupError("secret")
        finally:
            closed.append(True)

    def synchronous() -> Iterator[str]:
        try:
            yield "first"
            raise LookupError("secret")
        finally:
            closed.append(True)

    @app.get("/broken")
    async def handler() -> StreamingResponse:
        return StreamingResponse(asynchronous() if is_async else synchronous())

    with caplog.at_level(logging.ERROR, "spikard.error"), TestClient(app) as client:
        response = client.get("/broken")
        with pytest.raises(ConnectionError, match="broke off"):
            response.raise_for_status()
    assert closed == [True]
    [record] = caplog.records
    assert record.exc_info is not None
    assert "GET /broken raised LookupError (request " in record.getMessage()


def test_a_piece_of_another_type_breaks_the_body_off() -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(iter([b"a", 5]))  # type: ignore[list-item]

    with TestClient(app) as client:
        response = client.get("/")
        with pytest.raises(ConnectionError, match="broke off"):
            response.raise_for_status()


@pytest.mark.parametrize("is_async", [True, False])
def test_a_client_that_leaves_closes_the_generator(is_async: bool) -> None:
    app, closed = Spikard(write_timeout=None), threading.Event()

    async def asynchronous() -> AsyncIterator[bytes]:
        try:
            yield b"begin"
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0)  # clean-up may suspend
            closed.set()

    def synchronous() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            closed.set()

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(asynchronous() if is_async else synchronous())

    with serving(app) as served:
        client = ask(served)
        while not client.recv(65536).endswith((b"begin\r\n", b"x")):  # its body has begun, not only the head
            pass
        client.close()
        assert closed.wait(10)


def test_a_slow_client_holds_the_generator_back() -> None:
    app, made = Spikard(), []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(4000):
            made.append(number)
            yield b"x" * 16384

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(pieces())

    with serving(app) as served:
        client = ask(served)
        client.recv(1)
        served.until(lambda: len(made) > 2)
        before = -1
        while before != len(made):
            before = len(made)
            served.pause(0.1)
        assert before < 2000, "what does not fit into the buffers of two sockets waits in the generator"
        while client.recv(1 << 20):
            pass
        assert len(made) == 4000
        client.close()


def ask(served: Served) -> socket.socket:
    client = socket.create_connection(served.address)
    client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    return client


@pytest.mark.parametrize("is_async", [True, False])
def test_a_client_that_closed_its_sending_side_gets_the_whole_stream(is_async: bool) -> None:
    app = Spikard()

    async def asynchronous() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"line\n"
            await asyncio.sleep(0.6)  # longer in all than a client that leaves later is waited for

    @app.get("/")
    async def handler() -> StreamingResponse:
        await asyncio.sleep(0.01)
        return StreamingResponse(asynchronous() if is_async else iter([b"line\n"] * 3))

    with serving(app) as served, socket.create_connection(served.address) as client:
        served.loop.call_soon_threadsafe(time.sleep, 0.1)  # the request and its end are found together
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer
    assert answer.endswith(b"0\r\n\r\n"), answer
    assert answer.count(b"line\n") == 3


def test_a_client_that_leaves_at_once_is_noticed_where_the_route_asks_for_it() -> None:
    app, running = Spikard(), set[int]()

    @app.get("/{number}", cancel_on_disconnect=True)
    async def handler(number: int) -> None:
        running.add(number)
        try:
            await asyncio.sleep(600)
        finally:
            running.remove(number)

    with serving(app) as served:
        for number in range(100):
            with socket.create_connection(served.address) as client:
                client.sendall(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % number)
        with socket.create_connection(served.address) as client:
            client.sendall(b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert read_all(client).startswith(b"HTTP/1.1 422 ")  # the others have begun
        deadline = time.monotonic() + 5
        while running:
            assert time.monotonic() < deadline, running
            time.sleep(0.01)


@pytest.mark.parametrize("io_thread", [False, True], ids=["loop", "io_thread"])
@pytest.mark.parametrize("pieces", [0, 1])
def test_a_client_that_went_before_its_stream_began_is_noticed(pieces: int, io_thread: bool) -> None:
    app, begun, closed = Spikard(io_thread=io_thread), threading.Event(), threading.Event()

    async def idle() -> AsyncIterator[bytes]:
        try:
            for _ in range(pieces):
                yield b"begin"
            await asyncio.sleep(600)
        finally:
            closed.set()

    @app.get("/")
    async def handler() -> StreamingResponse:
        begun.set()
        await asyncio.sleep(0.1)
        stream = idle()
        weakref.finalize(stream, closed.set)  # one that was noticed before its first step has nothing to finish
        return StreamingResponse(stream)

    with serving(app) as served:
        client = ask(served)
        assert begun.wait(10)
        client.close()
        assert closed.wait(10)


def test_a_stream_that_fails_in_its_first_step_has_sent_its_head(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    async def failing(pieces: int) -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield b"piece"
        raise LookupError

    @app.get("/{pieces}")
    async def handler(pieces: int) -> StreamingResponse:
        return StreamingResponse(failing(pieces))

    for pieces in (0, 2):
        caplog.set_level(logging.CRITICAL, "spikard.error")
        with serving(app) as served, socket.create_connection(served.address) as client:
            client.sendall(f"GET /{pieces} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            head, _, body = read_all(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert body == b"5\r\npiece\r\n" * pieces, "and no end"


@pytest.mark.parametrize("piece", [b"", b"x"])
def test_a_stream_of_small_pieces_lets_others_have_their_turn(piece: bytes) -> None:
    app, closed = Spikard(), threading.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield piece
        finally:
            closed.set()

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(endless())

    @app.get("/other")
    async def other() -> str:
        return "other"

    with serving(app) as served:
        client = ask(served)
        client.recv(1)
        with socket.create_connection(served.address, timeout=5) as another:
            another.sendall(b"GET /other HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert read_all(another).endswith(b"other")
        client.close()
        assert closed.wait(10)


def read_all(client: socket.socket) -> bytes:
    client.settimeout(20)
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_thousands_of_clients_that_vanish_leave_nothing_behind() -> None:
    import os

    app, opened, closed = Spikard(max_in_flight=200), [0], [0]

    async def asynchronous() -> AsyncIterator[bytes]:
        opened[0] += 1
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0.0005)
        finally:
            closed[0] += 1

    @app.get("/")
    async def handler() -> StreamingResponse:
        return StreamingResponse(asynchronous())

    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    with serving(app) as served:
        for client in [ask(served) for _ in range(20)]:
            client.recv(100)
            client.close()
        served.until(lambda: opened == closed and served.worker.in_flight == 0)
        threads, before = threading.active_count(), descriptors()
        for _ in range(50):
            clients = [ask(served) for _ in range(40)]
            for number, client in enumerate(clients):
                if number % 2:
                    client.recv(100)
                client.close()
        served.until(lambda: opened == closed and served.worker.in_flight == 0)
        assert opened[0] > 1000
        assert threading.active_count() == threads
        assert descriptors() <= before + 2
        assert served.tasks() == 0


def test_a_plain_result_may_still_be_returned_beside_streams() -> None:
    app = Spikard()

    @app.get("/{kind}")
    async def handler(kind: str) -> Response:
        return StreamingResponse(["a"]) if kind == "stream" else PlainTextResponse("b")

    with TestClient(app) as client:
        assert [client.get("/stream").text, client.get("/plain").text] == ["a", "b"]
