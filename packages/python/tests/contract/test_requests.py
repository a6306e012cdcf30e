"""What hooks and handlers are shown of a request, and which answers meet no hook."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest
from spikard import HTTPException, Request, Response, Spikard, TestClient

from ..serving import serving

NAMES = (
    *("method", "path", "query_string", "query_params", "headers", "cookies", "path_params", "client"),
    *("state", "user", "url", "route", "request_id"),
)


def test_every_attribute_is_a_key_too() -> None:
    app, same = Spikard(), dict[str, bool]()

    @app.pre_handler
    def log_in(request: Request) -> None:
        request.user = {"sub": "ada"}

    @app.get("/items/{item}")
    def handler(request: Request) -> None:
        for name in NAMES:
            assert name in request
            same[name] = request[name] == getattr(request, name)
        with pytest.raises(KeyError):
            request["nothing"]

    TestClient(app, raise_server_exceptions=True).get("/items/a?b=c").assert_status_ok()
    assert same == dict.fromkeys(NAMES, True)


def test_every_hook_and_the_handler_see_one_object() -> None:
    app, seen = Spikard(), list[int]()

    def look(request: Request) -> None:
        seen.append(id(request))
        request.state.kept = request

    for phase in ("on_request", "pre_validation", "pre_handler"):
        getattr(app, phase)(look)

    @app.get("/")
    def handler(request: Request) -> bool:
        return request.state.kept is request and seen == [id(request)] * 3

    assert TestClient(app).get("/").json() is True


def test_a_hook_may_return_another_response() -> None:
    app = Spikard()
    app.on_response(lambda response: Response(f"was {response.status_code}", 202, {"x-other": "1"}))
    app.get("/")(lambda: 1)
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.text, answer.headers["x-other"]) == (202, "was 200", "1")


def test_a_changed_path_does_not_route_again() -> None:
    app = Spikard()

    @app.on_request
    def rewrite(request: Request) -> None:
        with pytest.raises(AttributeError):
            request.path = "/other"  # type: ignore[misc]

    app.get("/")(lambda: "root")
    app.get("/other")(lambda: "other")
    assert TestClient(app, raise_server_exceptions=True).get("/").text == "root"


def test_a_handler_learns_that_its_client_has_left() -> None:
    app, told = Spikard(), list[bool]()

    @app.get("/")
    async def handler(request: Request) -> None:
        told.append(await request.is_disconnected())
        for _ in range(2000):
            if await request.is_disconnected():
                told.append(True)
                return
            await asyncio.sleep(0.005)

    with serving(app) as server:
        with socket.create_connection(server.address, timeout=20) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            server.until(lambda: told == [False])
        server.until(lambda: told == [False, True])


def test_refusals_from_outside_of_the_match_meet_no_hook() -> None:
    app, met = Spikard(max_in_flight=1), list[str]()
    begun, go_on = threading.Event(), threading.Event()
    app.on_response(lambda response: met.append(f"response {response.status_code}"))
    app.on_error(lambda response: met.append(f"error {response.status_code}"))

    @app.get("/late", timeout=0.05)
    async def late() -> None:
        await asyncio.sleep(30)

    @app.get("/held")
    def held() -> str:
        begun.set()
        assert go_on.wait(20)
        return "held"

    with TestClient(app) as client:
        assert client.get("/late").status_code == 408
        first = client.get("/held")
        assert begun.wait(20)
        assert client.get("/held").status_code == 503
        go_on.set()
        assert first.status_code == 200
        assert client.get("/nowhere").status_code == 404
    assert met == ["response 200", "response 404"]


def test_a_refusal_of_a_hook_names_its_own_status() -> None:
    app = Spikard()

    @app.on_request
    def refuse(request: Request) -> Any:
        raise HTTPException(403, "no", headers={"x-why": "closed"})

    app.get("/")(lambda: 1)
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.headers["x-why"]) == (403, "closed")


def test_an_app_without_hooks_says_nothing_of_them() -> None:
    app = Spikard()
    app.get("/")(lambda: 1)
    document = app._compile().document
    assert "hooks" not in document
    assert "hooks" not in document["routes"][0]
