"""What is registered while an app is served, or behind a client's first request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from spikard import Router, Spikard, TestClient

from .asgi_server import Server, asking

Late = tuple[str, Callable[[Spikard, Router], Any]]

WAYS: list[Late] = [
    (r"provide\('db'\)", lambda app, _: app.provide("db", 1)),
    ("a hook of on_request", lambda app, _: app.on_request(lambda request: None)),
    ("a hook of on_response", lambda _, router: router.on_response(lambda response: None)),
    ("an exception handler", lambda app, _: app.exception_handler(404)(lambda request, error: None)),
    ("an exception handler", lambda _, router: router.exception_handler(KeyError)(lambda request, error: None)),
    ("a hook of on_startup", lambda app, _: app.on_startup(lambda: None)),
    ("a hook of on_shutdown", lambda app, _: app.on_shutdown(lambda: None)),
    ("GET /late", lambda _, router: router.get("/late")(lambda: None)),
]


def made() -> tuple[Spikard, Router]:
    app, router = Spikard(port=0), Router()
    app.include_router(router)
    app.provide("word", "real")

    @app.get("/")
    async def index(word: str) -> str:
        return word

    return app, router


@pytest.mark.parametrize(("what", "register"), WAYS)
def test_what_comes_while_the_app_is_served_is_refused(what: str, register: Callable[[Spikard, Router], Any]) -> None:
    app, router = made()
    with TestClient(app), pytest.raises(RuntimeError, match=f"^{what} comes too late: the server runs"):
        register(app, router)
    register(app, router)

    async def serve() -> None:
        app, router = made()
        app.on_startup(lambda: register(app, router))
        await app.serve()

    with pytest.raises(RuntimeError, match=f"{what} comes too late"):
        asyncio.run(serve())


@pytest.mark.parametrize(("what", "register"), WAYS)
def test_what_comes_while_somebody_elses_server_drives_the_app_is_refused(
    what: str, register: Callable[[Spikard, Router], Any]
) -> None:
    app, router = made()

    async def ask() -> None:
        async with asking(app) as client:
            assert (await client.get("/")).text == "real"
            with pytest.raises(RuntimeError, match=f"^{what} comes too late: the server runs"):
                register(app, router)
            assert (await client.get("/")).text == "real"

    asyncio.run(ask())
    register(app, router)
    router.get("/later")(lambda: "found")

    async def ask_again() -> str:
        async with asking(app) as client:
            return (await client.get("/later")).text

    assert asyncio.run(ask_again()) == "found"


def test_what_a_start_up_registers_is_too_late_for_somebody_elses_server() -> None:
    app, _ = made()
    app.on_startup(lambda: app.provide("db", 1))

    async def begin() -> None:
        server = Server(app)
        server.scope = {"type": "lifespan"}
        server.begin({"type": "lifespan.startup"})
        message = await server.next()
        assert message["type"] == "lifespan.startup.failed"
        assert "provide('db') comes too late" in message["message"]

    asyncio.run(begin())
    app.provide("db", 1)


def test_an_override_is_never_too_late() -> None:
    app, _ = made()
    with TestClient(app) as client, app.override("word", "fake"):
        assert client.get("/").text == "fake"


@pytest.mark.parametrize("register", [register for _, register in WAYS])
def test_a_client_that_has_sent_a_request_finds_nothing_later(register: Callable[[Spikard, Router], Any]) -> None:
    app, router = made()
    client = TestClient(app)
    assert client.get("/").text == "real"
    register(app, router)
    with pytest.raises(RuntimeError, match="^GET / comes too late: something was registered since"):
        client.get("/")
    client.close()
    assert client.get("/").text == "real"
    client.close()
    assert TestClient(app).get("/").text == "real"
