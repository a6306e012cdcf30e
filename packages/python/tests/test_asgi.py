"""The app as an ASGI 3 callable: what a server of somebody else's sends and is sent."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from spikard import RedirectResponse, Request, Response, Spikard, StreamingResponse, TestClient

Message = dict[str, Any]
PATIENCE = 60.0
needs_uvloop = pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="uvloop is not installed")


class Server:
    """A server with one client: it says what `receive` answers, and notes what is sent."""

    def __init__(self, app: Spikard, path: str = "/", method: str = "GET", **scope: Any) -> None:
        self.app = app
        headers = [(b"host", b"test"), *scope.pop("headers", [])]
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": headers,
            "http_version": "1.1",
            **scope,
        }
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.asked = 0
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        self.asked += 1
        return await self.incoming.get()

    async def send(self, message: Message) -> None:
        self.sent.put_nowait(message)

    def begin(self, *incoming: Message) -> Server:
        for message in incoming:
            self.incoming.put_nowait(message)
        self.task = asyncio.ensure_future(self.app(self.scope, self.receive, self.send))
        return self

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), PATIENCE)

    async def end(self) -> list[Message]:
        """Waits until the app has returned: what it has sent that nobody has looked at."""
        assert self.task is not None
        await asyncio.wait_for(self.task, PATIENCE)
        return [self.sent.get_nowait() for _ in range(self.sent.qsize())]


def part(body: bytes = b"", more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


def asking(app: Spikard) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def sample() -> Spikard:
    app = Spikard(enable_request_id=False)

    @app.get("/items/{item_id}")
    async def item(item_id: int, q: str = "none") -> dict[str, Any]:
        return {"id": item_id, "q": q}

    @app.post("/items", status_code=201)
    def create(body: dict[str, int]) -> dict[str, int]:
        return body

    @app.get("/cookies")
    async def cookies() -> Response:
        response = Response("set")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(iter(["one ", "two"]), media_type="text/plain")

    @app.get("/fails")
    async def fails() -> None:
        raise ValueError("on purpose")

    return app


@pytest.mark.asyncio
async def test_it_answers_what_the_test_client_is_answered() -> None:
    app = sample()
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/items/7?q=a%20b%26c", {}),
        ("GET", "/items/seven", {}),
        ("HEAD", "/items/7", {}),
        ("OPTIONS", "/items/7", {}),
        ("DELETE", "/items/7", {}),
        ("POST", "/items", {"json": {"a": 1}}),
        ("POST", "/items", {"json": {"a": "x"}}),
        ("POST", "/items", {"content": b"{", "headers": {"content-type": "application/json"}}),
        ("GET", "/nowhere%2Fat%20all", {}),
        ("GET", "/cookies", {}),
        ("GET", "/stream", {}),
        ("GET", "/fails", {}),
    ]
    with TestClient(app) as client:
        async with asking(app) as other:
            for method, url, options in requests:
                ours = client.request(method, url, **options)
                theirs = await other.request(method, url, **options)
                assert (theirs.status_code, theirs.content) == (ours.status_code, ours.content), (method, url)
                assert sorted(theirs.headers.multi_items()) == sorted(ours.headers.multi_items()), (method, url)


@pytest.mark.asyncio
async def test_handlers_run_on_the_servers_loop_and_see_its_client() -> None:
    app, seen = Spikard(), list[Any]()

    @app.get("/")
    async def index(request: Request) -> None:
        seen.extend([asyncio.get_running_loop(), request.client])

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("10.1.2.3", 99))) as client:
        await client.get("http://test/")
    assert seen == [asyncio.get_running_loop(), ("10.1.2.3", 99)]


@pytest.mark.asyncio
async def test_many_requests_are_answered_at_once() -> None:
    app, both = Spikard(), asyncio.Barrier(5) if hasattr(asyncio, "Barrier") else None

    @app.post("/")
    async def meet(body: bytes) -> bytes:
        if both is not None:
            await both.wait()
        return body

    async with asking(app) as client:
        answers = await asyncio.gather(*[client.post("/", content=bytes([number])) for number in range(5)])
    assert [answer.content for answer in answers] == [bytes([number]) for number in range(5)]


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


async def until(holds: Callable[[], bool]) -> None:
    async def poll() -> None:
        while not holds():
            await asyncio.sleep(0.001)

    await asyncio.wait_for(poll(), PATIENCE)


@pytest.mark.parametrize("cancels", [True, False])
@pytest.mark.asyncio
async def test_a_client_that_leaves_cancels_the_handler_where_the_route_says_so(cancels: bool) -> None:
    app, events, release = Spikard(), list[str](), asyncio.Event()

    @app.get("/", cancel_on_disconnect=cancels)
    async def wait() -> None:
        events.append("began")
        try:
            await release.wait()
            events.append("ended")
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    server = Server(app).begin(part())
    await until(lambda: events == ["began"])
    server.incoming.put_nowait(GONE)
    assert await server.end() == []
    if not cancels:
        release.set()
    await until(lambda: events == ["began", "cancelled" if cancels else "ended"])


@pytest.mark.asyncio
async def test_a_call_that_is_cancelled_is_a_client_that_leaves() -> None:
    app, events = Spikard(), list[str]()

    @app.get("/", cancel_on_disconnect=True)
    async def wait() -> None:
        events.append("began")
        try:
            await asyncio.sleep(1000)
        finally:
            events.append("over")

    server = Server(app).begin(part())
    await until(lambda: events == ["began"])
    assert server.task is not None
    server.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server.end()
    await until(lambda: events == ["began", "over"])


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        ({"path": "/a b/c", "raw_path": b"/a%20b/c"}, "/a%20b/c"),
        ({"path": "/a b/c"}, "/a%20b/c"),
        ({"path": "/mount/x", "root_path": "/mount"}, "/x"),
        ({"path": "/mount", "root_path": "/mount/"}, "/"),
        ({"path": "/mounted/x", "root_path": "/mount"}, "/mounted/x"),
        ({"path": "/é", "raw_path": b"/\xc3\xa9"}, "/%C3%A9"),
        ({"path": "/x", "query_string": b"a=%22&b=\xff"}, "/x"),
        ({"path": "/x", "query_string": None}, "/x"),
    ],
)
@pytest.mark.asyncio
async def test_the_path_is_what_was_sent_behind_the_mount(scope: dict[str, Any], seen: str) -> None:
    app = Spikard()

    @app.get("/{rest:path}")
    async def index(request: Request) -> str:
        return request.path

    server = Server(app, **scope).begin(part())
    assert (await server.next())["status"] == 200
    assert (await server.next())["body"].decode() == seen
    await server.end()


@pytest.mark.parametrize(
    ("path", "query", "to"),
    [
        ("/mount/users/", b"a=1", "/mount/users?a=1"),
        ("/mount/slashed", b"", "/mount/slashed/"),
        ("/mount/old", b"", "/new"),
        ("/users/", b"", "/mount/users"),
    ],
)
@pytest.mark.asyncio
async def test_a_redirect_to_the_declared_slash_stays_behind_the_mount(path: str, query: bytes, to: str) -> None:
    app = Spikard()

    @app.get("/users")
    @app.get("/slashed/")
    async def index() -> str:
        return "found"

    @app.get("/old")
    async def old() -> Response:
        return RedirectResponse("/new", 308)

    server = Server(app, path=path, query_string=query, root_path="/mount").begin(part())
    head = await server.next()
    assert (head["status"], dict(head["headers"])[b"location"].decode()) == (308, to)
    await server.end()


@pytest.mark.asyncio
@pytest.mark.parametrize("scope", [{"path": "*"}, {"path": "*", "raw_path": b"*"}])
async def test_options_of_an_asterisk_asks_for_the_server(scope: dict[str, Any]) -> None:
    server = Server(Spikard(), method="OPTIONS", **scope).begin(part())
    assert (await server.next())["status"] == 204
    assert not (await server.next())["body"]
    await server.end()


class Lifespan(Server):
    def __init__(self, app: Spikard) -> None:
        super().__init__(app)
        self.scope = {"type": "lifespan"}

    async def say(self, phase: str) -> Message:
        self.incoming.put_nowait({"type": f"lifespan.{phase}"})
        return await self.next()


@pytest.mark.asyncio
async def test_a_lifespan_starts_up_and_ends_when_what_is_in_flight_has_ended() -> None:
    app, release, events = Spikard(), asyncio.Event(), list[str]()

    @app.get("/")
    async def wait() -> str:
        events.append("began")
        await release.wait()
        return "answered"

    life = Lifespan(app)
    life.begin()
    assert await life.say("startup") == {"type": "lifespan.startup.complete"}
    server = Server(app).begin(part())
    await until(lambda: events == ["began"])
    life.incoming.put_nowait({"type": "lifespan.shutdown"})
    await asyncio.sleep(0)
    assert life.sent.empty()
    release.set()
    assert [message.get("body") for message in await server.end()] == [None, b"answered"]
    assert await life.next() == {"type": "lifespan.shutdown.complete"}
    assert await life.end() == []


@pytest.mark.asyncio
async def test_a_start_up_that_fails_is_told_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_MAX_IN_FLIGHT", "0")
    life = Lifespan(Spikard())
    life.begin()
    message = await life.say("startup")
    assert message["type"] == "lifespan.startup.failed"
    assert "SPIKARD_MAX_IN_FLIGHT" in message["message"]
    assert await life.end() == []


@pytest.mark.parametrize("kind", ["lifespan.zzz", "http.request", ""])
@pytest.mark.asyncio
async def test_a_message_that_no_lifespan_has_is_refused(kind: str) -> None:
    life = Lifespan(Spikard())
    life.incoming.put_nowait({"type": kind})
    life.begin()
    with pytest.raises(ValueError, match=f"lifespan.startup and ends with lifespan.shutdown, got '{kind}'"):
        await life.end()
    assert life.sent.empty()


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


def io_threads() -> int:
    gc.collect()
    names = [name.read_text().strip() for name in Path("/proc/self/task").glob("*/comm")]
    return names.count("spikard-io")


@pytest.fixture
def flat() -> Iterator[None]:
    before = threading.active_count(), io_threads()
    yield
    assert (threading.active_count(), io_threads()) == before


@pytest.mark.usefixtures("flat")
def test_without_a_lifespan_the_app_ends_with_the_loop() -> None:
    app = sample()

    async def main() -> None:
        async with asking(app) as client:
            assert (await client.get("/items/1")).status_code == 200

    for _ in range(3):
        asyncio.run(main())


PROGRAM = """
import asyncio
from spikard import Spikard

app = Spikard()

@app.get("/hello/{name}")
async def hello(name: str) -> dict[str, str]:
    return {"message": f"hello, {name}"}

@app.post("/size")
def size(body: bytes) -> int:
    return len(body)

@app.get("/waits", cancel_on_disconnect=True)
async def waits() -> None:
    print("began", flush=True)
    try:
        await asyncio.sleep(1000)
    finally:
        print("cancelled", flush=True)
"""


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=needs_uvloop)])
def test_uvicorn_serves_it(tmp_path: Path, loop: str) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        fd = listener.fileno()
        command = [sys.executable, "-m", "uvicorn", "program:app", "--fd", str(fd), "--loop", loop, "--lifespan", "on"]
        process = subprocess.Popen(
            command, cwd=tmp_path, pass_fds=[fd], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    assert process.stdout is not None
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False) as client:
            assert client.get("/hello/ada").json() == {"message": "hello, ada"}
            assert client.post("/size", content=b"x" * 300_000).json() == 300_000
            assert client.post("/size", content=iter([b"x" * 1000] * 9)).json() == 9000
            assert client.get("/nowhere").status_code == 404
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as leaving:
            leaving.sendall(b"GET /waits HTTP/1.1\r\nhost: test\r\n\r\n")
            told = list(iter(lambda: process.stdout.readline().strip(), "began"))
        told += list(iter(lambda: process.stdout.readline().strip(), "cancelled"))
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, -signal.SIGTERM), (told, rest)
    assert "Application shutdown complete." in rest, (told, rest)
    assert not any(word in line for word in ("Traceback", "ERROR") for line in (*told, rest))


@pytest.mark.asyncio
async def test_a_scope_that_is_no_request() -> None:
    async def never() -> Message:
        return {"type": "websocket.connect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await Spikard()({"type": "websocket", "path": "/"}, never, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
    with pytest.raises(NotImplementedError, match="'mail'"):
        await Spikard()({"type": "mail"}, never, send)
