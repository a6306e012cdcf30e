"""Registration: decorators, routers, options."""

from __future__ import annotations

import asyncio
import functools
import gc
from typing import Any

import pytest
import spikard
from spikard import Router, SpecError, Spikard, _decorators, get
from spikard.routing import get_default_router, reset_default_router

VERBS = ["get", "post", "put", "patch", "delete", "head", "options", "trace"]


def listed(app: Router) -> list[tuple[str, str]]:
    return [(route.method, route.path) for route in app.routes]


@pytest.mark.parametrize("verb", VERBS)
def test_a_decorator_registers_and_returns_the_function(verb: str) -> None:
    app = Spikard()

    def handler() -> None: ...

    assert getattr(app, verb)("/a")(handler) is handler
    assert getattr(spikard, verb)("/b")(handler) is handler
    assert listed(app) == [(verb.upper(), "/a"), (verb.upper(), "/b")]


def test_a_route_may_have_several_methods() -> None:
    app = Spikard()
    app.route("/a", methods=["GET", "post", "GET"])(print)
    app.route("/b", method="PUT")(print)
    app.route("/c")(print)
    assert listed(app) == [("GET", "/a"), ("POST", "/a"), ("PUT", "/b"), ("GET", "/c")]
    with pytest.raises(ValueError, match="a method is one of .*, got 'FETCH'"):
        app.route("/d", methods=["fetch"])
    with pytest.raises(TypeError, match="methods or method"):
        app.route("/d", methods=["GET"], method="GET")


def test_standalone_decorators_wait_for_the_first_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_decorators, "_apps", [])
    reset_default_router()
    assert not get_default_router().routes

    @spikard.get("/waiting")
    async def waiting() -> None: ...

    assert listed(get_default_router()) == [("GET", "/waiting")]
    first = Spikard()
    second = Spikard()
    assert (listed(first), listed(second)) == ([("GET", "/waiting")], [])
    spikard.get("/second")(waiting)
    del second
    gc.collect()
    spikard.get("/first")(waiting)
    assert listed(first) == [("GET", "/waiting"), ("GET", "/first")]


def test_routers_nest_and_including_twice_changes_nothing() -> None:
    app = Spikard()
    users, posts = Router("/users", tags=["users"]), Router("/{user_id}/posts", tags=["posts"])

    @posts.get("/", tags=["x", "users"])
    def list_posts(user_id: int) -> None: ...

    users.include_router(posts)
    users.include_router(posts)
    app.include_router(users, prefix="/v1")
    app.include_router(users, prefix="/v1")
    users.get("")(list_posts)
    assert listed(app) == [("GET", "/v1/users/{user_id}/posts/"), ("GET", "/v1/users")]
    assert app.routes[0].tags == ("users", "posts", "x")
    with pytest.raises(ValueError, match="cannot include itself"):
        posts.include_router(users)
    with pytest.raises(ValueError, match="begins with a slash"):
        Router("users")
    app.include_router(users, prefix="/v2")
    assert len(listed(app)) == 4


def test_routes_tell_what_documents_say_of_them() -> None:
    app = Spikard(routers=[Router("/x")])

    @app.post("/a", status_code=201, deprecated=True, operation_id="o", include_in_schema=False)
    def make_one() -> None:
        """Makes one.

        And more.
        """

    app.get("/b", name="n", summary="s", description="d", tags=["t"])(make_one)
    made, said = app.routes
    assert (made.name, made.summary, made.description) == ("make_one", "Make one", "Makes one.\n\nAnd more.")
    assert (made.status_code, made.deprecated, made.operation_id, made.include_in_schema) == (201, True, "o", False)
    assert (said.name, said.summary, said.description, said.tags) == ("n", "s", "d", ("t",))


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="a route has no option 'statuscode', did you mean 'status_code'"):
        Spikard().get("/", statuscode=201)  # type: ignore[call-arg]


def test_the_options_that_the_core_reads_are_in_the_document() -> None:
    app = Spikard()
    app.get("/", max_body_size=None, timeout=1.5, cancel_on_disconnect=True, assert_formats=False)(lambda: None)
    [route] = app._compile().document["routes"]
    assert route["options"] == {"max_body_size": None, "timeout": 1.5, "cancel_on_disconnect": True, "assert_formats": False}  # fmt: skip


class Service:
    async def method(self, a: int) -> None: ...
    async def __call__(self, a: int) -> None: ...


def prefixed(function: Any) -> Any:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    return wrapper


async def asynchronous(a: int, b: int = 2) -> None: ...
def blocking(a: int) -> None: ...


@pytest.mark.parametrize(
    ("handler", "options", "kind"),
    [
        (asynchronous, {}, "async"),
        (blocking, {}, "thread"),
        (blocking, {"sync_to_thread": False}, "inline"),
        (Service().method, {}, "async"),
        (Service(), {}, "async"),
        (functools.partial(asynchronous, b=3), {}, "async"),
        (prefixed(blocking), {}, "async"),
    ],
)
def test_every_kind_of_callable_is_a_handler(handler: Any, options: Any, kind: str) -> None:
    app = Spikard()
    app.get("/", status_code=202, **options)(handler)
    compiled = app._compile()
    [route] = compiled.document["routes"]
    assert [parameter["name"] for parameter in route["parameters"]][:1] == ["a"]
    made = compiled.callables[route["handler"]]
    assert (made.kind, made.status) == (kind, 202)


def test_a_class_is_no_handler() -> None:
    with pytest.raises(TypeError, match="a handler is a function"):
        Spikard().get("/")(Service)


def test_two_routes_of_one_shape_are_a_fault_that_names_both() -> None:
    app = Spikard()
    app.get("/{a}/x")(blocking)
    app.get("/{b:int}/x")(lambda b: None)
    with pytest.raises(SpecError) as caught:
        app._compile()
    assert f"{__file__}:{blocking.__code__.co_firstlineno} has this method and path already" in str(caught.value)


def test_a_route_that_comes_while_a_server_runs_is_refused() -> None:
    app, router = Spikard(port=0), Router()
    app.include_router(router)

    async def late() -> None: ...

    async def serve() -> None:
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        app.on_startup(lambda: told.set_result(None))
        server = asyncio.create_task(app.serve())
        await told
        for register in (app.get("/late"), router.get("/late"), get("/late")):
            with pytest.raises(RuntimeError, match="GET /late comes too late: the server runs, and would not know it"):
                register(late)
        with pytest.raises(RuntimeError, match=r"include_router\(\) comes too late"):
            app.include_router(Router())
        server.cancel()
        await asyncio.wait([server])

    asyncio.run(serve())
    app.get("/late")(late)
    router.get("/later")(late)
    assert [route.path for route in app.routes] == ["/later", "/late"]


def test_a_path_begins_with_a_slash() -> None:
    app = Spikard()
    app.get("users")(lambda: None)
    with pytest.raises(SpecError, match="GET users: <lambda>: a path begins with a slash"):
        app._compile()


def test_an_app_is_no_router() -> None:
    with pytest.raises(TypeError, match="takes a Router, got an app: what it provides"):
        Spikard().include_router(Spikard())
