"""What is sent of a result and of a response, over a socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
from typing import Any

import msgspec
import pytest
from spikard import HTTPException, JSONResponse, Response, Spikard, TestClient

from ..serving import serving


def test_a_204_of_the_route_has_no_body_and_none_is_null_elsewhere() -> None:
    app = Spikard()
    app.delete("/gone", status_code=204)(lambda: None)
    app.delete("/null")(lambda: None)
    client = TestClient(app)
    assert [client.delete(path).content for path in ("/gone", "/null")] == [b"", b"null"]
    assert "content-type" not in client.delete("/gone").headers


def test_every_cookie_and_every_field_of_a_response_is_sent() -> None:
    app = Spikard()

    @app.get("/")
    def handler() -> Response:
        response = Response("x", 201, {"x-a": "1"}, "text/csv", {"first": "1"})
        response.set_cookie("second", "2", httponly=True, secure=True, samesite="strict", partitioned=True)
        response.delete_cookie("third")
        response.headers.add("x-a", "2")
        return response

    with serving(app) as server:
        connection = http.client.HTTPConnection(*server.address, timeout=20)
        connection.request("GET", "/")
        answer = connection.getresponse()
        cookies = [value for name, value in answer.getheaders() if name == "set-cookie"]
        fields = [value for name, value in answer.getheaders() if name == "x-a"]
        assert (answer.status, answer.read(), fields) == (201, b"x", ["1", "2"])
        assert answer.getheader("content-type") == "text/csv; charset=utf-8"
        connection.close()
    assert cookies == [
        "first=1; Path=/; SameSite=Lax",
        "second=2; Path=/; SameSite=Strict; Secure; HttpOnly; Partitioned",
        "third=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; SameSite=Lax",
    ]


def test_a_response_annotation_converts_nothing() -> None:
    class Item(msgspec.Struct):
        name: str

    app = Spikard()

    def handler() -> Any:
        return {"name": "a", "more": 1}

    for path, annotation in {"/response": Response, "/json": JSONResponse, "/model": Item}.items():
        twin = lambda: handler()  # noqa: E731
        twin.__annotations__["return"] = annotation
        app.get(path)(twin)
    client = TestClient(app)
    found = {path: client.get(path).json() for path in ("/response", "/json", "/model")}
    whole = {"name": "a", "more": 1}
    assert found == {"/response": whole, "/json": whole, "/model": {"name": "a"}}


def test_a_failure_tells_the_client_nothing_and_the_log_everything(caplog: pytest.LogCaptureFixture) -> None:
    app = Spikard()

    @app.get("/")
    def handler() -> None:
        raise LookupError("the secret")

    with caplog.at_level(logging.ERROR, "spikard.error"):
        answer = TestClient(app).get("/", headers={"x-request-id": "r-1"})
    assert answer.json() == {
        "type": "https://spikard.dev/errors/internal-server-error",
        "title": "Internal Server Error",
        "status": 500,
    }
    assert "secret" not in str(answer.headers)
    assert "LookupError: the secret" in caplog.text
    assert "GET /" in caplog.text
    assert "r-1" in caplog.text


def test_an_http_exception_is_the_whole_problem_document() -> None:
    app = Spikard()

    @app.get("/")
    def handler() -> None:
        raise HTTPException(
            409, "taken", {"retry-after": "5"}, type="https://e.example/taken", title="Taken", extra={"by": "ada"}
        )

    answer = TestClient(app).get("/")
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("application/problem+json", "5")
    assert answer.json() == {
        "type": "https://e.example/taken",
        "title": "Taken",
        "status": 409,
        "detail": "taken",
        "by": "ada",
    }


def test_a_model_is_serialised_once() -> None:
    app, times = Spikard(), list[int]()

    class Counted(dict[str, int]):
        def items(self) -> Any:
            times.append(1)
            return super().items()

    class Told(Response):
        def _parts(self) -> Any:
            times.append(1)
            return super()._parts()

    app.get("/")(lambda: Told({"a": 1}))
    assert json.loads(TestClient(app).get("/").content) == {"a": 1}
    assert times == [1]


def test_a_generator_is_closed_when_its_client_leaves_and_when_it_ends() -> None:
    from spikard import StreamingResponse

    app, closed = Spikard(), list[str]()

    async def pieces(name: str) -> Any:
        try:
            yield b"a"
            if name == "long":
                while True:
                    await asyncio.sleep(0.005)
                    yield b"b" * 1000
        finally:
            closed.append(name)

    app.get("/{name}")(lambda name: StreamingResponse(pieces(name)))
    with serving(app) as server:
        connection = http.client.HTTPConnection(*server.address, timeout=20)
        connection.request("GET", "/short")
        assert connection.getresponse().read() == b"a"
        connection.request("GET", "/long")
        connection.getresponse().read(10)
        connection.close()
        server.until(lambda: closed == ["short", "long"])
