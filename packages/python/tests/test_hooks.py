"""Hooks: what they see, what they change, and when they run."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest
from spikard import Header, HTTPException, Query, Request, Response, Router, Spikard, TestClient


@pytest.mark.parametrize("kind", ["async", "thread", "inline"])
def test_every_phase_runs_in_its_order(kind: str) -> None:
    app = Spikard()
    trace: list[str] = []

    def note(phase: str) -> Any:
        def hook(given: Any) -> Any:
            trace.append(f"{phase} {type(given).__name__}")

        async def hook_async(given: Any) -> Any:
            hook(given)

        return hook_async if kind == "async" else hook

    for phase in ("on_response", "pre_handler", "on_error", "pre_validation", "on_request"):
        getattr(app, phase)(note(phase), sync_to_thread=kind == "thread")

    @app.get("/")
    async def handler() -> None:
        trace.append("handler")

    assert TestClient(app).get("/").status_code == 200
    assert trace == [
        "on_request Request",
        "pre_validation Request",
        "pre_handler Request",
        "handler",
        "on_response MadeResponse",
    ]


def test_a_response_of_a_hook_stops_there_and_meets_on_response() -> None:
    app = Spikard()

    @app.pre_validation
    async def check_auth(request: Request) -> Request | Response:
        return Response({"error": "Unauthorized"}, status_code=401)

    @app.on_response
    async def add_headers(response: Response) -> Response:
        response.headers["X-Frame-Options"] = "DENY"
        return response

    @app.post("/")
    async def handler(n: int) -> None:
        raise AssertionError("it runs")

    answer = TestClient(app).post("/")
    assert (answer.status_code, answer.json(), answer.headers["x-frame-options"]) == (
        401,
        {"error": "Unauthorized"},
        "DENY",
    )


def test_hooks_run_app_first_then_routers_then_the_route() -> None:
    app, outer, inner, trace = Spikard(), Router("/o"), Router("/i"), list[str]()

    def note(name: str) -> Any:
        async def hook(given: Any) -> None:
            trace.append(name)

        return hook

    outer.on_request(note("outer"))
    inner.on_request(note("inner"))
    app.on_request(note("first"))
    app.on_request(note("second"))
    inner.get("/", on_request=[note("route")], pre_handler=note("last"))(lambda: 1)
    outer.include_router(inner)
    app.include_router(outer)
    assert TestClient(app).get("/o/i/").json() == 1
    assert trace == ["first", "second", "outer", "inner", "route", "last"]


def test_what_a_hook_changes_reaches_binding_and_handler() -> None:
    app = Spikard()

    @app.on_request
    async def change(request: Request) -> None:
        request.headers["x-tag"] = "hook"
        request.query_params["n"] = "7"
        request.query_params.add("m", "a b&c")
        request.state.seen = "state"
        request.user = {"sub": "ada"}
        request.set_body(b'{"from": "hook"}')

    @app.post("/{kind}")
    async def handler(
        kind: str, n: int, request: Request, x_tag: Header[str], m: Query[str], body: dict[str, str]
    ) -> Any:
        raw = await request.body()
        return [kind, n, m, x_tag, body, raw.decode(), request.state.seen, request["user"], request.query_string]

    answer = TestClient(app).post("/k?n=1", json={"from": "client"})
    body = {"from": "hook"}
    assert answer.json() == [
        "k",
        7,
        "a b&c",
        "hook",
        body,
        '{"from": "hook"}',
        "state",
        {"sub": "ada"},
        "n=7&m=a%20b%26c",
    ]


def test_early_hooks_and_handlers_read_the_body_once_and_under_the_limit() -> None:
    app = Spikard(max_body_size=20)
    seen: list[Any] = []

    @app.on_request
    async def read(request: Request) -> None:
        seen.append(await request.json())

    @app.post("/model")
    async def model(body: dict[str, int], request: Request) -> Any:
        return [body, await request.json()]

    @app.post("/raw")
    async def raw(request: Request) -> Any:
        return (await request.form()).multi_items() if request.state.__dict__ else (await request.body()).decode()

    client = TestClient(app)
    assert client.post("/model", json={"a": 1}).json() == [{"a": 1}, {"a": 1}]
    assert client.post("/raw", json=[1]).text == "[1]"
    assert client.post("/raw", json=["x" * 30]).status_code == 413
    assert client.post("/raw", content=b"{").status_code == 400
    assert seen == [{"a": 1}, [1]]


def test_hooks_of_the_app_see_requests_that_no_route_matches() -> None:
    app = Spikard()
    app.get("/items")(lambda: 1)
    seen: list[Any] = []

    @app.on_request
    async def look(request: Request) -> Response | None:
        seen.append((request.method, request.path, request.route))
        return Response("closed", 503) if request.path == "/closed" else None

    @app.on_response
    async def mark(response: Response) -> None:
        response.headers["x-mark"] = str(response.status_code)

    client = TestClient(app, follow_redirects=False)
    answers = [
        client.get("/nowhere"),
        client.post("/items"),
        client.options("/items"),
        client.get("/items/"),
        client.get("/closed"),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 204, 308, 503]
    assert [answer.headers["x-mark"] for answer in answers] == ["404", "405", "204", "308", "503"]
    assert answers[1].headers["allow"] == "GET, HEAD, OPTIONS"
    assert seen[:2] == [("GET", "/nowhere", None), ("POST", "/items", None)]


def test_a_request_says_what_it_is() -> None:
    app = Spikard()

    @app.get("/items/{item_id:int}")
    def handler(request: Request) -> Any:
        assert "method" in request
        assert "body" not in request
        with pytest.raises(KeyError):
            request["body"]
        with pytest.raises(KeyError):
            request.headers["x-none"]
        return {
            "keys": [request[key] for key in ("method", "path", "query_string", "route")],
            "tags": request.headers.getlist("X-Tag"),
            "cookies": request.cookies,
            "path": request.path_params,
            "query": request.query_params.getlist("q"),
            "client": request.client and request.client.host,
            "url": request.url,
            "id": request.request_id,
        }

    headers = [("x-tag", "a"), ("X-TAG", "b"), ("cookie", "s=1; t=2"), ("x-request-id", "abc"), ("host", "h:1")]
    assert TestClient(app).get("/items/7?q=1&q=%C3%A9", headers=headers).json() == {
        "keys": ["GET", "/items/7", "q=1&q=%C3%A9", "/items/{item_id:int}"],
        "tags": ["a", "b"],
        "cookies": {"s": "1", "t": "2"},
        "path": {"item_id": 7},
        "query": ["1", "é"],
        "client": "testclient",
        "url": "http://h:1/items/7?q=1&q=%C3%A9",
        "id": "abc",
    }


@pytest.mark.parametrize("is_async", [False, True])
def test_a_hook_on_the_way_out_may_take_the_request_too(is_async: bool) -> None:
    app = Spikard()

    def mark(request: Request, response: Response) -> None:
        seen = getattr(request.state, "seen", "nobody")
        response.headers["x-mark"] = f"{request.method} {request.url.path} {response.status_code} {seen}"

    async def mark_later(request: Request, response: Response) -> None:
        mark(request, response)

    app.on_response(mark_later if is_async else mark)

    @app.get("/items/{item_id:int}")
    def handler(item_id: int, request: Request) -> None:
        request.state.seen = "handler"

    @app.get("/fails", on_error=lambda request, response: response.headers.add("x-error", request.path))
    async def fails() -> None:
        raise LookupError

    with TestClient(app) as client:
        marks = {path: client.get(path).headers["x-mark"] for path in ("/items/1", "/items/x", "/none", "/fails")}
        assert client.get("/fails").headers["x-error"] == "/fails"
    assert marks == {
        "/items/1": "GET /items/1 200 handler",
        "/items/x": "GET /items/x 422 nobody",
        "/none": "GET /none 404 nobody",
        "/fails": "GET /fails 500 nobody",
    }


def test_a_hook_of_three_arguments_is_refused() -> None:
    takes = r"takes the response, or the request and the response: <lambda> does not"
    with pytest.raises(TypeError, match=rf"a hook of on_response {takes}"):
        Spikard().on_response(lambda a, b, c: None)


def test_the_address_of_a_request_says_what_it_consists_of() -> None:
    app, seen = Spikard(), list[Any]()

    @app.get("/items/{item_id}")
    def handler(request: Request) -> None:
        url = request.url
        seen.extend([url, url.scheme, url.netloc, url.hostname, url.port, url.path, url.query, request.base_url])

    TestClient(app).get("/items/a%20b?q=1", headers={"host": "h:1"}).assert_status(200)
    assert seen == ["http://h:1/items/a%20b?q=1", "http", "h:1", "h", 1, "/items/a%20b", "q=1", "http://h:1/"]


@pytest.mark.parametrize("phase", ["on_request", "pre_validation", "pre_handler", "on_response"])
def test_a_hook_that_raises_ends_the_request(phase: str) -> None:
    app = Spikard()

    async def refuse(_: Any) -> None:
        raise HTTPException(403, "not you")

    getattr(app, phase)(refuse)
    app.get("/")(lambda: 1)
    answer = TestClient(app).get("/")
    assert (answer.status_code, answer.json()["detail"]) == (403, "not you")


def test_a_hook_that_returns_something_else_is_a_500() -> None:
    app = Spikard()
    app.on_request(lambda request: True)
    app.get("/")(lambda: 1)
    assert TestClient(app).get("/").status_code == 500


def test_context_variables_flow_from_hooks_to_the_handler() -> None:
    app, variable = Spikard(), contextvars.ContextVar("variable", default="unset")

    @app.on_request
    def from_a_thread(request: Request) -> None:
        variable.set("thread")

    @app.pre_handler
    async def from_the_task(request: Request) -> None:
        variable.set(variable.get() + " task")

    @app.get("/")
    def handler() -> str:
        return variable.get()

    assert TestClient(app).get("/").text == "thread task"


def test_on_error_sees_what_an_exception_made_and_on_response_follows() -> None:
    app, trace = Spikard(), list[str]()

    @app.on_error
    async def on_error(response: Response) -> Response:
        trace.append(f"error {response.status_code}")
        return Response("replaced", 599)

    @app.on_response
    async def on_response(response: Response) -> None:
        trace.append(f"response {response.status_code}")

    @app.get("/{how}")
    async def handler(how: str) -> Any:
        if how == "raise":
            raise ValueError(how)
        return Response(how, 500) if how == "answer" else 1

    client = TestClient(app)
    assert [client.get(f"/{how}").status_code for how in ("raise", "answer", "fine")] == [599, 500, 200]
    assert trace == ["error 500", "response 599", "response 500", "response 200"]


def test_a_hook_must_take_one_argument() -> None:
    with pytest.raises(TypeError, match="a hook of on_request takes one argument, the request: nothing does not"):

        @Spikard().on_request
        def nothing() -> None: ...


def test_a_query_that_is_no_utf_8_is_refused_to_whoever_reads_it() -> None:
    app = Spikard()

    @app.get("/")
    async def index(request: Request) -> dict[str, str]:
        return dict(request.query_params)

    with TestClient(app) as client:
        refused = client.get("/?name=%ff")
    assert (refused.status_code, refused.json()["detail"]) == (400, "the query is not valid UTF-8")


def test_a_query_is_a_text_again_and_what_other_frameworks_call_otherwise_is_told() -> None:
    app = Spikard()

    @app.get("/")
    def handler(request: Request) -> str:
        assert repr(request.query_params) == "QueryParams([('q', 'a b'), ('q', 'é')])"
        assert request.url.replace("http", "https", 1).startswith("https://")
        with pytest.raises(TypeError, match=r"write urlsplit\(url\)\._replace\(path=…\)\.geturl\(\)"):
            getattr(request.url, "replace")(path="/")  # noqa: B009
        with pytest.raises(AttributeError, match=r"'include_query_params': write `urlsplit\(url\)"):
            getattr(request.url, "include_query_params")(page=2)  # noqa: B009
        with pytest.raises(AttributeError, match="'append': it is `add`"):
            getattr(request.headers, "append")("vary", "accept")  # noqa: B009
        return str(request.query_params)

    with TestClient(app) as client:
        assert client.get("/?q=a%20b&q=%C3%A9").text == "q=a+b&q=%C3%A9"


@pytest.mark.parametrize("is_def", [True, False])
def test_the_client_of_a_test_client_has_an_address(is_def: bool) -> None:
    app = Spikard()
    app.provide("any", 1)

    def handler(request: Request) -> object:
        return request.client

    async def waits(request: Request) -> object:
        return request.client

    app.get("/")(handler if is_def else waits)

    async def main() -> Any:
        async with TestClient(app) as client:
            return (await client.get("/")).json()

    with TestClient(app) as client, app.override("any", 2):
        assert client.get("/").json() == ["testclient", 50000]
    assert asyncio.run(main()) == ["testclient", 50000]
