"""The app as an ASGI 3 callable: where it runs, the paths that it sees, and clients that leave."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from spikard import RedirectResponse, Request, Response, Spikard, TestClient

from .asgi_server import GONE, Message, Server, asking, part, sample, until


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


def addressed() -> Spikard:
    app = Spikard()

    @app.get("/slashed/")
    @app.get("/items/{name}")
    async def index(request: Request) -> list[str]:
        return [request.path, str(request.url), str(request.base_url)]

    return app


@pytest.mark.asyncio
async def test_the_address_of_a_request_has_scheme_and_mount() -> None:
    transport = httpx.ASGITransport(addressed(), root_path="/a pi")
    async with httpx.AsyncClient(transport=transport, base_url="https://test") as client:
        found = ["/items/a%20b", "https://test/a%20pi/items/a%20b?q=1", "https://test/a%20pi/"]
        assert (await client.get("/a pi/items/a b?q=1")).json() == found
        moved = await client.get("/a pi/slashed?q=1")
        assert moved.headers["location"] == "/a%20pi/slashed/?q=1"
        assert (await client.get("/a pi/slashed?q=1", follow_redirects=True)).json()[0] == "/slashed/"


@pytest.mark.asyncio
async def test_a_starlette_app_may_mount_it_below_itself() -> None:
    pytest.importorskip("starlette", reason="FastAPI, which it comes with, is not there for this Python")
    from starlette.applications import Starlette
    from starlette.routing import Mount, Router

    app = Starlette(routes=[Mount("/one", app=Router([Mount("/two", addressed())]))])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", follow_redirects=True) as client:
        assert (await client.get("/one/two/items/a")).json()[1:] == [
            "http://test/one/two/items/a",
            "http://test/one/two/",
        ]
        assert (await client.get("/one/two/slashed")).json()[1] == "http://test/one/two/slashed/"


@pytest.mark.asyncio
@pytest.mark.parametrize("scope", [{"path": "*"}, {"path": "*", "raw_path": b"*"}])
async def test_options_of_an_asterisk_asks_for_the_server(scope: dict[str, Any]) -> None:
    server = Server(Spikard(), method="OPTIONS", **scope).begin(part())
    assert (await server.next())["status"] == 204
    assert not (await server.next())["body"]
    await server.end()


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
