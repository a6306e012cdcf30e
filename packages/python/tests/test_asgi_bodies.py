"""Bodies that somebody else's server feeds, and streams that it pulls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from spikard import Request, Spikard, StreamingResponse

from .asgi_server import GONE, Message, Server, asking, part, until


@pytest.mark.asyncio
async def test_a_body_comes_in_pieces() -> None:
    app = Spikard()

    @app.post("/")
    async def size(body: bytes) -> int:
        return len(body)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 10_000

    async with asking(app) as client:
        assert (await client.post("/", content=pieces())).json() == 100_000


@pytest.mark.asyncio
async def test_a_body_that_is_too_large_is_refused_before_its_end() -> None:
    app = Spikard(max_body_size=1000)

    @app.post("/")
    async def size(body: bytes) -> int:
        return len(body)

    server = Server(app, method="POST", headers=[(b"transfer-encoding", b"chunked")])
    server.begin(*[part(b"x" * 400, more=True) for _ in range(3)])
    assert (await server.next())["status"] == 413
    await server.end()


@pytest.mark.asyncio
async def test_a_declared_length_that_is_too_large_is_refused_unread() -> None:
    app = Spikard(max_body_size=1000)

    @app.post("/")
    async def size(body: bytes) -> int:
        return len(body)

    server = Server(app, method="POST", headers=[(b"content-length", b"1001")]).begin()
    assert (await server.next())["status"] == 413
    await server.end()


@pytest.mark.asyncio
async def test_the_next_piece_of_a_body_is_asked_for_when_the_last_has_been_taken() -> None:
    app, release = Spikard(), asyncio.Event()

    @app.on_request
    async def hold(request: Request) -> None:
        await release.wait()

    @app.post("/")
    async def size(body: bytes) -> int:
        return len(body)

    server = Server(app, method="POST", headers=[(b"transfer-encoding", b"chunked")])
    server.begin(*[part(b"x", more=True) for _ in range(9)], part())
    await until(lambda: server.asked >= 2)
    for _ in range(100):
        await asyncio.sleep(0)  # whoever is not held back would be through by now
    assert server.asked == 2
    release.set()
    assert (await server.next())["status"] == 200
    assert (await server.next())["body"] == b"9"
    await server.end()


@pytest.mark.asyncio
async def test_a_body_that_breaks_off_reaches_no_handler() -> None:
    app, called = Spikard(), list[bytes]()

    @app.post("/")
    async def keep(body: bytes) -> None:
        called.append(body)

    server = Server(app, method="POST", headers=[(b"content-length", b"10")]).begin(part(b"half", more=True), GONE)
    assert await server.end() == []
    async with asking(app) as client:
        await client.post("/", content=b"whole")
    assert called == [b"whole"]


def streaming(app: Spikard, events: list[str]) -> asyncio.Event:
    """Adds a stream whose second piece waits for the event."""
    go_on = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            await go_on.wait()
            yield b"second"
        finally:
            events.append("closed")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(pieces())

    return go_on


@pytest.mark.asyncio
async def test_a_stream_is_sent_as_it_is_made() -> None:
    app, events = Spikard(), list[str]()
    go_on = streaming(app, events)
    server = Server(app, "/stream").begin(part())
    assert (await server.next())["status"] == 200
    received = b""
    while received != b"first":
        message = await server.next()
        received += message["body"]
        assert message["more_body"]
    assert events == []
    go_on.set()
    rest = await server.end()
    assert b"".join(message["body"] for message in rest) == b"second"
    assert [message["more_body"] for message in rest][-1] is False
    assert events == ["closed"]


@pytest.mark.asyncio
async def test_a_stream_ends_when_its_client_leaves() -> None:
    app, events = Spikard(), list[str]()
    streaming(app, events)
    server = Server(app, "/stream").begin(part())
    while (await server.next()).get("body") != b"first":
        pass
    server.incoming.put_nowait(GONE)
    with pytest.raises(RuntimeError, match="the stream broke off"):
        await server.end()
    await until(lambda: events == ["closed"])


@pytest.mark.asyncio
async def test_a_server_that_cannot_send_is_told_nothing_more() -> None:
    app, events = Spikard(), list[str]()
    streaming(app, events)

    class Deaf(Server):
        async def send(self, message: Message) -> None:
            if message["type"] == "http.response.body":
                raise BrokenPipeError
            await super().send(message)

    messages = await Deaf(app, "/stream").begin(part()).end()
    assert [message["type"] for message in messages] == ["http.response.start"]
    await until(lambda: events in (["closed"], []))


@pytest.mark.asyncio
async def test_a_stream_that_fails_breaks_off(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"first"
        raise ValueError("on purpose")

    @app.get("/")
    async def stream() -> StreamingResponse:
        return StreamingResponse(pieces())

    server = Server(app).begin(part())
    with pytest.raises(RuntimeError, match="the stream broke off"):
        await server.end()
    assert "on purpose" in caplog.text


@pytest.mark.parametrize("length", [b"9" * 40, b"1" + b"0" * 5000, b"18446744073709551615"])
@pytest.mark.asyncio
async def test_a_length_that_no_body_has_is_refused_as_over_a_socket(length: bytes) -> None:
    app = Spikard()

    @app.post("/")
    async def index(body: dict[str, int]) -> None: ...

    server = Server(app, method="POST", headers=[(b"content-length", length)]).begin(part(b"{}"))
    assert (await server.next())["status"] == 400
    await server.next()
    await server.end()
