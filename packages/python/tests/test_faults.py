"""What is refused before the first request, and by which words."""

from __future__ import annotations

import functools
import math
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Generic, Optional, TypeVar

import msgspec
import pydantic
import pytest
import spikard
from spikard import (
    Body,
    Cookie,
    Form,
    Header,
    HTTPException,
    Query,
    RedirectResponse,
    Response,
    Router,
    SpecError,
    Spikard,
)
from spikard.testing import TestClient


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    a: int = 0


T = TypeVar("T")


class StrictOf(msgspec.Struct, Generic[T], forbid_unknown_fields=True):
    a: Optional[T] = None


class StrictModel(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    a: int = 0


@pydantic.dataclasses.dataclass(config=pydantic.ConfigDict(extra="forbid"))
class StrictDataclass:
    a: int = 0


class Loose(pydantic.BaseModel):
    a: int = 0


def refused(handler: Callable[..., Any], method: str = "GET", path: str = "/", **options: Any) -> str:
    """What the SpecError says after the handler's place, which it must name."""
    app = Spikard()
    app.route(path, method=method, **options)(handler)
    with pytest.raises(SpecError) as caught:
        app._compile()
    place = f"{__file__}:{handler.__code__.co_firstlineno}: {method} {path}: {handler.__name__}: "  # type: ignore[attr-defined]
    assert str(caught.value).startswith(place)
    return str(caught.value).removeprefix(place)


def in_query(x: Annotated[int, Query()]) -> None: ...
def in_header(x: Header[int]) -> None: ...
def in_cookie(x: int = Cookie(alias="y")) -> None: ...
def in_body(x: Body[int]) -> None: ...


@pytest.mark.parametrize(
    ("handler", "marked"), [(in_query, "Query"), (in_header, "Header"), (in_cookie, "Cookie"), (in_body, "Body")]
)
def test_a_name_of_the_path_cannot_be_marked_as_something_else(handler: Any, marked: str) -> None:
    said = refused(handler, "POST", "/a/{x}")
    assert said == f"parameter 'x': the path has {{x}}, but it is marked as {marked}"


def of_struct(filters: Query[Strict]) -> None: ...
def of_model(filters: Query[Optional[StrictModel]] = None) -> None: ...
def of_generic(filters: Cookie[StrictOf[int]]) -> None: ...
def of_dataclass(filters: Header[StrictDataclass]) -> None: ...


@pytest.mark.parametrize("handler", [of_struct, of_model])
def test_a_model_that_forbids_unknown_names_closes_the_query(handler: Any) -> None:
    app = Spikard()
    app.get("/")(handler)
    with TestClient(app) as client:
        assert client.get("/?a=1", cookies={"b": "1"}).status_code == 200
        assert client.get("/").status_code == 200
        [error] = client.get("/?a=1&b=2").assert_status(422).json()["errors"]
        assert error == {
            "type": "extra_forbidden",
            "loc": ["query", "b"],
            "msg": "Extra inputs are not permitted",
            "input": "2",
        }


def test_a_generic_model_that_forbids_unknown_names_closes_the_cookies() -> None:
    app = Spikard()
    app.get("/")(of_generic)
    with TestClient(app) as client:
        assert client.get("/?b=1", cookies={"a": "1"}).status_code == 200
        [error] = client.get("/", cookies={"b": "1"}).assert_status(422).json()["errors"]
        assert (error["type"], error["loc"]) == ("extra_forbidden", ["cookie", "b"])


def beside_a_field(form: Form[Loose], token: Annotated[str, Form()]) -> None: ...
def beside_a_model(form: Form[Strict], other: Form[Optional[Loose]] = None) -> None: ...


@pytest.mark.parametrize("handler", [beside_a_field, beside_a_model])
def test_a_model_of_a_form_beside_other_fields_is_refused(handler: Any) -> None:
    fault = "no field of a form holds a model: put what stands beside it into the model, too"
    assert refused(handler, "POST") == f"parameter 'form': {fault}"


def test_a_model_of_header_fields_cannot_forbid_unknown_names() -> None:
    app = Spikard()
    app.get("/")(of_dataclass)
    why = "unknown header fields cannot be forbidden: every client sends some that no route names"
    with pytest.raises(SpecError, match=f"test_faults.py:.*{why}"), TestClient(app):
        pass


def test_models_that_forbid_nothing_and_bodies_that_do_are_accepted() -> None:
    app = Spikard()

    @app.post("/")
    def accepted(body: Strict, filters: Query[Loose]) -> Strict:
        return body

    with TestClient(app) as client:
        assert client.post("/?b=1", json={"a": 1}).json() == {"a": 1}
        assert client.post("/", json={"b": 1}).status_code == 422


def nothing() -> None: ...


@pytest.mark.parametrize("status", [0, 99, 100, 199, 600, 999, -1])
def test_a_status_outside_of_200_to_599_is_refused(status: int) -> None:
    wanted = f"status_code must be between 200 and 599, got {status}"
    assert refused(nothing, status_code=status) == wanted
    for kind in (Response, spikard.JSONResponse):
        with pytest.raises(ValueError, match=wanted):
            kind(None, status)
    with pytest.raises(ValueError, match="between 300 and 399"):
        RedirectResponse("/", status)
    with pytest.raises(ValueError, match="between 300 and 599"):
        HTTPException(status)


@pytest.mark.parametrize("status", ["404", True, None, 404.0])
def test_a_status_is_a_whole_number(status: Any) -> None:
    wanted = f"status_code must be an int, got {status!r}"
    assert refused(nothing, status_code=status) == wanted
    for kind in (functools.partial(Response, None), functools.partial(RedirectResponse, "/"), HTTPException):
        with pytest.raises(TypeError, match=wanted):
            kind(status)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        *(("timeout", value, TypeError) for value in ("5", True, [5])),
        *(("timeout", value, ValueError) for value in (-1, 0, math.nan, math.inf, 1e300, 31_536_001)),
        *(("max_body_size", value, TypeError) for value in ("1", 1.5, False)),
        *(("max_body_size", value, ValueError) for value in (-1, 2**63)),
        *(("tags", value, TypeError) for value in ("abc", 5, [1], None)),
        *(("parameter_schema", value, TypeError) for value in (5, True, [], {"properties": 5})),
        *((name, 5, TypeError) for name in ("request_schema", "body_schema")),
        *((name, 5, TypeError) for name in ("name", "summary", "description", "operation_id")),
        *((name, "no", TypeError) for name in ("sync_to_thread", "cancel_on_disconnect", "assert_formats")),
        *((name, 0, TypeError) for name in ("deprecated", "include_in_schema")),
    ],
)
def test_an_option_of_a_wrong_type_is_refused_at_the_decorator(name: str, value: Any, error: Any) -> None:
    with pytest.raises(error, match=f"^{name} must be "):
        Spikard().get("/", **{name: value})


@pytest.mark.parametrize(
    ("option", "error", "fault"),
    [
        ({"ge": "3"}, TypeError, "ge must be a number, got '3'"),
        ({"multiple_of": True}, TypeError, "multiple_of must be a number, got True"),
        ({"multiple_of": 0}, ValueError, "multiple_of must be more than 0"),
        ({"min_length": 1.5}, TypeError, "min_length must be an int, got 1.5"),
        ({"alias": 3}, TypeError, "alias must be a str, got 3"),
        ({"include_in_schema": 0}, TypeError, "include_in_schema must be a bool, got 0"),
        ({"examples": "ab"}, TypeError, "examples must be a list, got 'ab'"),
        ({"schema": "int"}, TypeError, "schema must be a JSON Schema: a dict, got 'int'"),
        ({"pattern": 5}, TypeError, "pattern must be a regular expression, got 5"),
        ({"default_factory": []}, TypeError, r"default_factory must be a function, got \[\]"),
        ({"separator": ""}, ValueError, "separator must be more than ''"),
    ],
)
def test_an_option_of_a_marker_is_refused_where_it_is_written(option: Any, error: Any, fault: str) -> None:
    with pytest.raises(error, match=rf"^Query\(\): {fault}$"):
        Query(**option)


@pytest.mark.parametrize(
    "options", [{"timeout": None, "max_body_size": None}, {"timeout": 86400, "max_body_size": 0}, {"tags": ("a",)}]
)
def test_the_bounds_of_options_belong_to_them(options: Any) -> None:
    app = Spikard()
    app.get("/", **options)(nothing)
    with TestClient(app) as client:
        assert client.get("/").status_code == 200


@pytest.mark.parametrize("verb", ["get", "post", "delete", "route"])
@pytest.mark.parametrize("owner", [Spikard(), Router(), spikard])
def test_a_decorator_without_parentheses_says_so(verb: str, owner: Any) -> None:
    with pytest.raises(TypeError, match=rf'^{verb}\(\) takes the path first: write @{verb}\("/path"\), not @{verb}$'):
        getattr(owner, verb)(nothing)


def test_a_path_is_text() -> None:
    with pytest.raises(TypeError, match="a path must be a str, got 5"):
        Spikard().get(5)  # type: ignore[arg-type]


def test_a_prefix_is_text_and_tags_are_a_list() -> None:
    with pytest.raises(TypeError, match="a prefix must be a str, got 5"):
        Router(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a prefix must be a str, got 5"):
        Router().include_router(Router(), 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="tags must be a list of str, got 'abc'"):
        Router(tags="abc")


def test_one_method_and_one_router_need_no_list() -> None:
    router = Router("/r")
    router.get("/")(nothing)
    app = Spikard(routers=router)
    app.route("/a", methods="POST")(nothing)
    assert [(route.method, route.path) for route in app.routes] == [("GET", "/r/"), ("POST", "/a")]


@pytest.mark.parametrize("routers", [5, "router", [5], [Spikard]])
def test_what_is_no_router_is_refused(routers: Any) -> None:
    with pytest.raises(
        TypeError, match=r"routers must be a list of Router, got|include_router\(\) takes a Router, got"
    ):
        Spikard(routers=routers)


@pytest.mark.parametrize("methods", [5, [5], [None]])
def test_what_is_no_method_is_refused(methods: Any) -> None:
    with pytest.raises(
        (TypeError, ValueError), match=r"a method is one of .*, got|methods must be a list of str, got 5"
    ):
        Spikard().route("/", methods=methods)


def generator() -> Iterator[str]:
    yield "a"


async def asynchronous_generator() -> AsyncIterator[str]:
    yield "a"


@pytest.mark.parametrize("handler", [generator, asynchronous_generator])
def test_a_generator_is_refused(handler: Any) -> None:
    assert refused(handler) == "it is a generator: return a StreamingResponse of it"


def test_a_callable_whose_call_is_a_generator_is_refused() -> None:
    class Service:
        def __call__(self) -> Iterator[str]:
            yield "a"

    app = Spikard()
    app.get("/", name="service")(functools.partial(Service()))
    with pytest.raises(SpecError, match="it is a generator"):
        app._compile()


def positional(a: Body[int], b: Body[int], /) -> None: ...


def test_positional_only_parameters_that_share_a_body_are_refused() -> None:
    wanted = "parameter 'a': it is positional-only, but the body is given by name: to 'a', 'b'"
    assert refused(positional, "POST") == wanted


def test_other_positional_only_parameters_are_given_by_place() -> None:
    app = Spikard()

    @app.post("/{a}")
    def handler(a: int, body: dict[str, int], b: int = 2, /, *, c: int = 3) -> list[Any]:
        return [a, body, b, c]

    with TestClient(app) as client:
        assert client.post("/1?c=4", json={"x": 1}).json() == [1, {"x": 1}, 2, 4]


def wrapper(*args: Any, **kwargs: Any) -> Any: ...


def test_a_wrapper_that_does_not_say_what_it_wraps_is_refused() -> None:
    wanted = "nothing says what it takes beside *args and **kwargs: functools.wraps tells, on a wrapper"
    assert refused(wrapper) == wanted
