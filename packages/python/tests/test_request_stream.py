"""`request.stream()`: a body piece by piece, the client held back, and what breaks off."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from spikard import HTTPException, Request, Spikard, StreamingResponse, TestClient

from .serving import serving

HEAD = "POST /{path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"


def test_the_pieces_are_the_body() -> None:
    app = Spikard(max_body_size=None)

    @app.post("/")
    async def take(request: Request) -> list[int]:
        pieces = [piece async for piece in request.stream()]
        return [len(pieces), sum(map(len, pieces)), sum(b"".join(pieces)) % 251]

    content = bytes(range(256)) * 4096
    with serving(app) as served:
        connection = http.client.HTTPConnection(*served.address, timeout=20)
        for encoded in (False, True):
            halves = iter([content[:500_000], content[500_000:]])
            connection.request("POST", "/", body=halves if encoded else content, encode_chunked=encoded,
                               headers={"transfer-encoding": "chunked"} if encoded else {})  # fmt: skip
            count, size, total = eval(connection.getresponse().read())
            assert (size, total) == (len(content), sum(content) % 251)
            assert count > 1
        connection.close()
    with TestClient(app) as client:
        assert client.post("/", content=b"abc").json() == [1, 3, sum(b"abc") % 251]
        assert client.post("/").json() == [0, 0, 0]


def test_a_slow_reader_holds_the_client_back() -> None:
    app = Spikard(max_body_size=None)
    go_on = asyncio.Event()

    @app.post("/slow")
    async def slow(request: Request) -> int:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            await go_on.wait()
        return size

    length = 100_000_000
    with serving(app) as served, socket.create_connection(served.address) as client:
        client.sendall(HEAD.format(path="slow", length=length).encode())
        client.settimeout(0.5)
        sent = 0
        with suppress(TimeoutError):
            while sent < length:
                sent += client.send(b"x" * 65536)
        assert sent < length // 2
        served.loop.call_soon_threadsafe(go_on.set)
        client.settimeout(20)
        while sent < length:
            sent += client.send(b"x" * min(65536, length - sent))
        assert client.recv(4096).endswith(str(length).encode())


@pytest.mark.parametrize("late", [True, False])
def test_a_response_may_stream_the_body_that_it_reads(late: bool) -> None:
    app = Spikard(max_body_size=None)

    @app.post("/echo")
    async def echo(request: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            async for piece in request.stream():
                yield piece.upper()

        return StreamingResponse(pieces())

    @app.post("/part")
    async def part(request: Request) -> StreamingResponse:
        return StreamingResponse([await anext(request.stream())])

    content = b"abcdefgh" * 40_000
    with serving(app) as served, socket.create_connection(served.address) as client:
        for _ in range(2):  # the connection goes on
            client.sendall(HEAD.format(path="echo", length=len(content)).encode() + content[: 0 if late else 1000])
            answer = http.client.HTTPResponse(client)
            if late:
                answer.begin()
                client.sendall(content[:1000])
            client.sendall(content[1000:])
            if not late:
                answer.begin()
            assert answer.read() == content.upper()
        client.sendall(HEAD.format(path="part", length=6).encode() + b"abcdef")
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.read() == b"abcdef"
    with TestClient(app) as tester:
        assert tester.post("/echo", content=b"abc").content == b"ABC"


def test_a_body_that_breaks_off_raises() -> None:
    app = Spikard()
    seen: list[Any] = []

    @app.post("/broken")
    async def broken(request: Request) -> None:
        try:
            async for piece in request.stream():
                seen.append(len(piece))  # noqa: PERF401
        except HTTPException as error:
            seen.append(error.status_code)
            raise

    with serving(app) as served, socket.create_connection(served.address) as client:
        client.sendall(HEAD.format(path="broken", length=10).encode() + b"12345")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert seen == [5, 400]


def test_the_limit_of_the_route_holds() -> None:
    app = Spikard()

    @app.post("/", max_body_size=10)
    async def take(request: Request) -> int:
        return sum([len(piece) async for piece in request.stream()])

    with TestClient(app) as client:
        assert client.post("/", content=b"x" * 10).json() == 10
        client.post("/", content=b"x" * 11).assert_status(413)


def test_a_body_is_streamed_once_and_one_that_was_read_is_given_whole() -> None:
    app = Spikard()

    @app.post("/twice")
    async def twice(request: Request) -> list[str]:
        told = [(await anext_of(request)).decode()]
        for again in (request.body, lambda: anext_of(request)):
            with pytest.raises(RuntimeError, match="streamed"):
                await again()
        return told

    @app.post("/read")
    async def read(request: Request) -> bool:
        whole = await request.body()
        return [piece async for piece in request.stream()] == [whole] == [piece async for piece in request.stream()]

    async def anext_of(request: Request) -> bytes:
        return b"".join([piece async for piece in request.stream()])

    with TestClient(app, raise_server_exceptions=True) as client:
        assert client.post("/twice", content=b"abc").json() == ["abc"]
        assert client.post("/read", content=b"abc").json() is True


@pytest.mark.parametrize("whole", [True, False])
def test_a_body_that_a_hook_has_streamed_and_the_route_needs_is_a_fault_of_the_program(
    whole: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = Spikard()

    @app.on_request
    async def look(request: Request) -> None:
        if request.path == "/read":
            assert await request.body() == b'{"a":1}'
        async for _ in request.stream():
            if not whole:
                break

    for path in ("/read", "/streamed"):

        @app.post(path)
        async def take(body: dict[str, int]) -> dict[str, int]:
            return body

    with TestClient(app) as client:
        assert client.post("/read", json={"a": 1}).json() == {"a": 1}
        assert not caplog.records
        client.post("/streamed", json={"a": 1}).assert_status(500)
    assert "a hook has streamed the body that the route reads" in caplog.text
