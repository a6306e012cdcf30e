"""An app and what is registered with it."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import spikard
from spikard import App, Depends, Request, Response, Router, Spikard, TestClient

VERBS = ("get", "post", "put", "patch", "delete", "options", "trace")


def test_app_is_another_name_of_the_class() -> None:
    assert App is Spikard


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("config", ["ServerConfig", "BackgroundConfig"]),
        ("di", ["Depends", "Provide"]),
        ("datastructures", ["UploadFile"]),
        ("testing", ["TestClient", "LiveTestClient"]),
        ("routing", ["Router"]),
        ("http", ["Response", "JSONResponse", "StreamingResponse", "FileResponse"]),
        ("exceptions", ["HTTPException", "SpecError"]),
        ("background", ["BackgroundTasks"]),
    ],
)
def test_a_name_is_the_same_object_in_the_package_and_in_its_module(module: str, names: list[str]) -> None:
    found = importlib.import_module(f"spikard.{module}")
    assert [getattr(spikard, name) is getattr(found, name) for name in names] == [True] * len(names)


def test_routers_and_dependencies_may_be_given_to_the_class() -> None:
    made: list[str] = []
    router = Router(prefix="/r")
    router.get("/")(lambda: "routed")
    app = Spikard(routers=[router], dependencies=[Depends(lambda: made.append("made"))])
    assert (TestClient(app).get("/r/").text, made) == ("routed", ["made"])


@pytest.mark.parametrize("verb", VERBS)
def test_the_status_of_a_plain_result_is_200_whatever_the_method(verb: str) -> None:
    app = Spikard()
    getattr(app, verb)("/")(lambda: {"a": 1})
    getattr(app, verb)("/created", status_code=201)(lambda: {"a": 1})
    client = TestClient(app)
    assert [client.request(verb.upper(), path).status_code for path in ("/", "/created")] == [200, 201]


def test_one_route_may_serve_several_methods_each_with_its_own_rules() -> None:
    app = Spikard()

    @app.route("/", methods=["GET", "POST"])
    def both(request: Request, n: int) -> Any:
        return [request.method, n]

    client = TestClient(app)
    assert client.get("/?n=1").json() == ["GET", 1]
    assert client.post("/", json={"n": 2}).json() == ["POST", 2]
    assert client.put("/").headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_state_is_the_apps_and_the_requests_own() -> None:
    app = Spikard()
    app.state.pool = "pool"

    @app.on_request
    def look(request: Request) -> None:
        assert not hasattr(request.state, "seen")
        request.state.seen = True

    @app.get("/")
    def handler(request: Request) -> Any:
        return [app.state.pool, request.state.seen]

    client = TestClient(app)
    assert [client.get("/").json() for _ in range(2)] == [["pool", True]] * 2


def test_a_decorated_function_can_still_be_called() -> None:
    app = Spikard()

    @app.get("/{n}")
    def double(n: int) -> int:
        return 2 * n

    assert double(4) == 8
    assert isinstance(Response(double(1)), Response)
