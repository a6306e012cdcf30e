"""Slips of somebody who is new here: each is told what to write."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable
from typing import Annotated, Any

import pydantic
import pytest
from spikard import (
    Depends,
    Provide,
    Query,
    Request,
    Router,
    ServerConfig,
    SpecError,
    Spikard,
    TestClient,
    get,
)

UNFILLED = "nothing fills it: name each parameter that it is to take, or take the Request"


def needed() -> int:
    return 1


def several(*numbers: int) -> None: ...
def by_name(q: str, **others: int) -> None: ...
def bare_depends(x: str = Depends) -> None: ...  # type: ignore[assignment]
def bare_query(x: str = Query) -> None: ...  # type: ignore[assignment]
def function(x: str = needed) -> None: ...  # type: ignore[assignment]
def as_type(x: Depends(needed)) -> None: ...  # type: ignore[valid-type]
def as_bare_type(x: Depends) -> None: ...  # type: ignore[valid-type]
def nothing_annotated(x=Depends()) -> None: ...  # type: ignore[no-untyped-def]
def method(self) -> None: ...  # type: ignore[no-untyped-def]
def listed(x: int = Depends(several)) -> None: ...
def gathered(x: int = Depends(by_name)) -> None: ...


FIRST = (
    "parameter 'x': a type comes first: write Annotated[Type, Depends(function)], or Depends(function) as the default"
)


IN_OTHER_WORDS = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="typing refuses what cannot be called before Spikard sees it"
)


@pytest.mark.parametrize(
    ("handler", "path", "words"),
    [
        (several, "/", f"parameter '*numbers': {UNFILLED}"),
        (by_name, "/", f"parameter '**others': {UNFILLED}"),
        (by_name, "/{q}", f"parameter '**others': {UNFILLED}"),
        (listed, "/", f"parameter '*numbers': {UNFILLED}"),
        (gathered, "/{name}", f"parameter '**others': {UNFILLED}"),
        (bare_depends, "/", "parameter 'x': a bare Depends is no marker: write Depends(…)"),
        (bare_query, "/", "parameter 'x': a bare Query is no marker: write Query(…)"),
        (function, "/", "parameter 'x': a bare needed as a default is never called: write Depends(needed)"),
        pytest.param(as_type, "/", FIRST, marks=IN_OTHER_WORDS),
        (as_bare_type, "/", FIRST),
        (nothing_annotated, "/", "str does not say what it takes: write a function that calls it"),
        (method, "/", "it is a method without its object: register object.method"),
        (needed, "users", "a path begins with a slash: write '/users'"),
        (needed, "/{user-id}", "nobody takes the path parameter 'user-id': write {user_id}"),
    ],
)  # fmt: skip
def test_a_slip_is_told_at_the_start_with_its_place(handler: Callable[..., Any], path: str, words: str) -> None:
    app = Spikard()
    app.get(path)(handler)
    with pytest.raises(SpecError) as caught, TestClient(app):
        pass
    code = handler.__code__  # type: ignore[attr-defined]
    place = f"{__file__}:{code.co_firstlineno}: GET {path}: {handler.__name__}: "
    assert str(caught.value).startswith(place)
    assert str(caught.value).endswith(words)


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    q: str = ""


def test_what_takes_any_keyword_and_is_given_some_works() -> None:
    app = Spikard()

    @app.get("/{a}/{b:int}")
    async def handler(a: str, **rest: Any) -> list[Any]:
        return [a, rest]

    @app.get("/model")
    async def model(found: Annotated[Open, Depends()]) -> str:
        return found.q

    with TestClient(app) as client:
        assert client.get("/x/2").json() == ["x", {"b": 2}]
        assert client.get("/model?q=1").text == "1"


def test_a_wrapped_handler_takes_what_it_wraps() -> None:
    import functools

    @functools.wraps(needed)
    def wrapper(*args: Any, **kwargs: Any) -> int:
        return needed(*args, **kwargs)

    app = Spikard()
    app.get("/")(wrapper)
    app.get("/provided")(lambda x: x)
    app.provide("x", Provide(wrapper))
    with TestClient(app) as client:
        assert client.get("/").json() == client.get("/provided").json() == 1


module: Any = types.ModuleType("shop")
module.app, module.users = Spikard(), Router()


async def served(*given: Any) -> None:
    await Spikard().serve(*given)


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (lambda: Spikard().run(8000), 'run() takes keyword arguments only: write run(host="…", port=8000), or config=…'),  # type: ignore[arg-type]
        (lambda: Spikard().run(ServerConfig(port=0)), "run() takes keyword arguments only: "),  # type: ignore[arg-type]
        (lambda: asyncio.run(served("0.0.0.0:80")), "serve() takes keyword arguments only: write serve("),
        (lambda: Spikard().get("/", needed), "get() takes keyword arguments behind the path, got <function needed"),  # type: ignore[arg-type]
        (lambda: Router().post("/a", needed), "write @post('/a') above the handler, or post('/a')(handler)"),  # type: ignore[arg-type]
        (lambda: Spikard().route("/", ["GET"], needed), "write @route('/') above the handler"),  # type: ignore[arg-type]
        (lambda: get("/", needed), "write @get('/') above the handler"),  # type: ignore[arg-type]
        (lambda: Spikard().get("/", methods=["GET"]), "a route has no option 'methods': write `app.route(path, methods=[…])`"),  # type: ignore[call-arg]
        (lambda: Spikard(prefix="/x"), "write `Router(prefix=…)`, and `app.include_router(router)`"),  # type: ignore[call-arg]
        (lambda: Depends("db"), "Depends() takes a function: a parameter named db is what provide('db', …) has"),  # type: ignore[arg-type]
        (lambda: Spikard().include_router(module), "include_router() takes a Router, got <module 'shop'>"),
    ],
)  # fmt: skip
def test_a_slip_in_a_call_is_told(slip: Callable[[], Any], words: str) -> None:
    with pytest.raises(TypeError) as caught:
        slip()
    assert words in str(caught.value)


def test_a_request_is_taken_in_place_of_any_parameter() -> None:
    app = Spikard()

    @app.get("/{name}")
    async def handler(request: Request) -> Any:
        return request.path_params

    with TestClient(app) as client:
        assert client.get("/a").json() == {"name": "a"}
