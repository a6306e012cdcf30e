"""Exception handlers: by class along its bases, by status, on app and router."""

from __future__ import annotations

from typing import Any

import pytest
from spikard import HTTPException, JSONResponse, Request, Router, Spikard, TestClient


class Missing(LookupError):
    """An exception of the app."""


def app_that_raises(error: BaseException) -> Spikard:
    app = Spikard()

    @app.get("/")
    async def handler() -> None:
        raise error

    return app


@pytest.mark.parametrize("kind", ["async", "def"])
def test_the_nearest_class_along_the_bases_answers(kind: str) -> None:
    app = app_that_raises(Missing("gone"))

    @app.exception_handler(Exception)
    def any_other(request: Request, error: Exception) -> Any:
        raise AssertionError("it is chosen")

    def missing(request: Request, error: LookupError) -> Any:
        return JSONResponse({"path": request.path, "gone": str(error)}, 410)

    async def missing_async(request: Request, error: LookupError) -> Any:
        return missing(request, error)

    app.exception_handler(LookupError)(missing if kind == "def" else missing_async)
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.json()) == (410, {"path": "/", "gone": "gone"})


def test_plain_data_is_sent_with_the_errors_own_status() -> None:
    app = app_that_raises(HTTPException(409, "twice"))

    @app.exception_handler(HTTPException)
    async def handler(request: Request, error: HTTPException) -> Any:
        return {"detail": error.detail}

    @app.exception_handler(404)
    async def not_found(request: Request, error: HTTPException) -> Any:
        return {"nothing at": request.path, "detail": error.detail}

    client = TestClient(app)
    assert (client.get("/").status_code, client.get("/").json()) == (409, {"detail": "twice"})
    assert (client.get("/x").status_code, client.get("/x").json()) == (404, {"nothing at": "/x", "detail": None})


def test_errors_of_the_framework_are_handled_by_their_status() -> None:
    app = Spikard()

    @app.exception_handler(422)
    def invalid(request: Request, error: HTTPException) -> Any:
        return {"places": [one["loc"] for one in error.extra["errors"]]}, 400

    @app.exception_handler(405)
    def method(request: Request, error: HTTPException) -> Any:
        return f"no {request.method} here"

    @app.get("/{n}")
    def handler(n: int, q: int) -> None: ...

    client = TestClient(app)
    refused = client.get("/x")
    assert (refused.status_code, refused.json()) == (400, {"places": [["path", "n"], ["query", "q"]]})
    assert (client.post("/1").status_code, client.post("/1").text) == (405, "no POST here")


def test_a_status_goes_before_the_class_of_an_http_exception() -> None:
    app = app_that_raises(HTTPException(404))
    app.exception_handler(Exception)(lambda request, error: "class")
    app.exception_handler(404)(lambda request, error: "status")
    assert TestClient(app).get("/").text == "status"


def test_the_handler_of_500_has_what_no_class_has() -> None:
    app = app_that_raises(ValueError())
    app.exception_handler(KeyError)(lambda request, error: "class")
    app.exception_handler(500)(lambda request, error: f"status {type(error).__name__}")
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.text) == (500, "status ValueError")


def test_an_exception_handler_that_fails_is_a_500_that_hooks_see() -> None:
    app = app_that_raises(KeyError())

    @app.exception_handler(KeyError)
    async def fails(request: Request, error: KeyError) -> None:
        raise RuntimeError("twice")

    @app.on_response
    async def mark(response: Any) -> None:
        response.headers["x-mark"] = "seen"

    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.headers["x-mark"]) == (500, "seen")
    assert "twice" not in answer.text


def test_a_routers_handlers_go_before_its_apps() -> None:
    app, router = Spikard(), Router("/r")

    @router.get("/")
    @app.get("/")
    def handler() -> None:
        raise Missing

    app.exception_handler(Missing)(lambda request, error: "app")
    router.exception_handler(LookupError)(lambda request, error: "router, further up")
    app.include_router(router)
    client = TestClient(app)
    assert (client.get("/").text, client.get("/r/").text) == ("app", "app")
    router.exception_handler(Missing)(lambda request, error: "router")
    client = TestClient(app)
    assert (client.get("/").text, client.get("/r/").text) == ("app", "router")


def test_a_routes_handlers_go_before_its_routers_and_see_the_apps_behind_them() -> None:
    app, router = Spikard(), Router("/r")

    def raises(error: type[Exception]) -> Any:
        def handler() -> None:
            raise error

        return handler

    own = {Missing: lambda request, error: "route", 404: lambda request, error: "route 404"}
    router.get("/own", exception_handlers=own)(raises(Missing))
    router.get("/further", exception_handlers=own)(raises(KeyError))
    router.get("/other")(raises(Missing))
    router.exception_handler(Missing)(lambda request, error: "router")
    app.exception_handler(LookupError)(lambda request, error: "app")
    app.include_router(router)
    client = TestClient(app)
    assert [client.get(f"/r/{path}").text for path in ("own", "further", "other")] == ["route", "app", "router"]


def test_what_a_handler_says_survives_a_class_that_says_more() -> None:
    app = app_that_raises(HTTPException(429, "slow down", headers={"retry-after": "7"}))

    @app.exception_handler(HTTPException)
    async def handler(request: Request, error: HTTPException) -> Any:
        return JSONResponse({"said": error.detail}, error.status_code, error.headers)

    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "7", {"said": "slow down"})


def test_an_exception_handler_that_raises_an_http_exception_answers_with_it() -> None:
    app = app_that_raises(KeyError("k"))

    @app.exception_handler(KeyError)
    def handler(request: Request, error: KeyError) -> None:
        raise HTTPException(404, "no such key", headers={"x-key": "k"})

    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.json()["detail"], answer.headers["x-key"]) == (404, "no such key", "k")


def test_a_failure_of_an_exception_handler_is_logged_with_what_it_handled(caplog: pytest.LogCaptureFixture) -> None:
    app = app_that_raises(KeyError("the first"))

    @app.exception_handler(KeyError)
    async def handler(request: Request, error: KeyError) -> None:
        raise RuntimeError("the second")

    assert TestClient(app).get("/").status_code == 500
    logged = "".join(caplog.text)
    assert "the first" in logged
    assert "the second" in logged


def test_exception_handlers_of_a_route_are_checked_where_they_are_given() -> None:
    with pytest.raises(TypeError, match="must be a dict of handlers by exception class or status, got"):
        Spikard().get("/", exception_handlers=[KeyError])  # type: ignore[typeddict-item]
    with pytest.raises(TypeError, match="a hook of on_request takes one argument, the request: <lambda> does not"):
        Spikard().get("/", on_request=lambda: None)


def test_what_is_no_class_or_status_is_refused() -> None:
    with pytest.raises(TypeError, match="takes an exception class or a status, got 'x'"):
        Spikard().exception_handler("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes the request and the exception: one does not"):

        @Spikard().exception_handler(KeyError)
        def one(error: KeyError) -> None: ...
