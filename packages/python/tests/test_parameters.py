"""Where an argument comes from, and what its type is on the wire."""

from __future__ import annotations

import datetime
import decimal
import enum
import ipaddress
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, Union

import msgspec
import pydantic
import pytest
from spikard import Body, Cookie, File, Form, Header, Path, Query, SpecError, UploadFile
from spikard._callable import MISSING

from .compiled import One


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class User(msgspec.Struct):
    name: str
    age: int = 0


UserId = NewType("UserId", int)
RANDOM = uuid.UUID("0e6c8e4a-9d5b-4c0e-8f3a-1b2c3d4e5f60")


def annotation(q: Query[str]): ...
def call(q: str = Query(...)): ...
def annotated(q: Annotated[str, Query()]): ...
def bare_in_annotated(q: Annotated[str, Query]): ...
def both(q: Query[str] = Query()): ...


@pytest.mark.parametrize("handler", [annotation, call, annotated, bare_in_annotated, both])
def test_every_spelling_of_a_marker_is_the_same_parameter(handler) -> None:
    one = One(handler, "POST")
    assert one.parameters == [{"name": "q", "in": "query", "schema": {"type": "string"}, "required": True}]
    assert one.handler.arguments[0].default is MISSING


def test_a_default_stands_in_the_marker_or_beside_it() -> None:
    def handler(
        a: int = Query(10),
        b: int = Query(default=10),
        c: Query[int] = Query(default=10),
        d: Annotated[int, Query(ge=1)] = 10,
        e: Query[int] = 10,
    ): ...

    one = One(handler)
    assert [parameter["default"] for parameter in one.parameters] == [10] * 5
    assert not any(parameter["required"] for parameter in one.parameters)
    assert [argument.default for argument in one.handler.arguments] == [10] * 5


def test_a_factory_is_called_for_each_request() -> None:
    def handler(tags: Query[list[str]] = Query(default_factory=list)): ...

    [argument] = One(handler).handler.arguments
    assert argument.factory
    assert argument.default is list


def test_a_marker_of_an_optional_is_found_inside_the_union() -> None:
    def handler(a: Query[int] | None = None, b: Query[int] | None = None, c: Query[int | None] = None): ...

    one = One(handler)
    assert one.sources == [("query", "a"), ("query", "b"), ("query", "c")]
    assert [parameter["schema"] for parameter in one.parameters] == [{"type": "integer"}] * 3


def test_all_constraints_are_in_the_schema() -> None:
    def handler(
        n: int = Query(gt=1, ge=2, lt=9, le=8, multiple_of=2, description="n", deprecated=True, title="N"),
        s: str = Query(min_length=1, max_length=3, pattern="^a", examples=["a"]),
        xs: list[int] = Query(min_length=1, max_length=2, separator=","),
        o: int | None = Query(None, ge=1),
        m: Annotated[int, msgspec.Meta(ge=3)] = 3,
    ): ...

    number, text, items, optional, meta = One(handler).parameters
    bounds = {"exclusiveMinimum": 1, "minimum": 2, "exclusiveMaximum": 9, "maximum": 8, "multipleOf": 2}
    assert number["schema"] == {"type": "integer", **bounds, "title": "N"}
    assert (number["description"], number["deprecated"]) == ("n", True)
    assert text["schema"] == {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^a", "examples": ["a"]}
    assert items["schema"] == {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2}
    assert items["separator"] == ","
    assert optional["schema"] == {"type": "integer", "minimum": 1}
    assert meta["schema"] == {"type": "integer", "minimum": 3}


class Hidden(msgspec.Struct):
    a: int = 0
    b: int = 0


class Sent(msgspec.Struct):
    a: int


def test_what_a_marker_says_for_documents_stands_in_the_document() -> None:
    def handler(
        q: int = Query(1, include_in_schema=False),
        shown: int = Query(1, include_in_schema=True),
        filters: Hidden = Query(Hidden(), include_in_schema=False, deprecated=True),
    ): ...

    def whole(body: Sent = Body(include_in_schema=False, deprecated=True)): ...

    def raw(body: bytes = Body(include_in_schema=False)): ...

    def shared(a: int = Body(deprecated=True), b: int = Body(alias="B", include_in_schema=False)): ...

    def file(a: UploadFile = File(include_in_schema=False)): ...

    q, shown, *filters = One(handler).parameters
    assert (q["include_in_schema"], shown["include_in_schema"]) == (False, True)
    assert [(one["include_in_schema"], one["deprecated"]) for one in filters] == [(False, True)] * 2
    body = One(whole, "POST").route["body"]
    assert (body["include_in_schema"], body["schema"]["deprecated"]) == (False, True)
    assert One(raw, "POST").route["body"]["include_in_schema"] is False
    body = One(shared, "POST").route["body"]
    assert (body["hidden"], body["schema"]["properties"]["a"]["deprecated"]) == (["B"], True)
    assert One(file, "POST").parameters[0]["include_in_schema"] is False


def test_the_name_on_the_wire_is_the_alias_or_the_dashed_header() -> None:
    def handler(
        a_b: Header[str],
        c_d: str = Header("x", convert_underscores=False),
        e: str = Header("x", alias="X-E"),
        f: str = Cookie("x", alias="f-g"),
    ): ...

    assert One(handler).sources == [("header", "a-b"), ("header", "c_d"), ("header", "X-E"), ("cookie", "f-g")]


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (str, {"type": "string"}),
        (bytes, {"type": "string", "format": "binary"}),
        (decimal.Decimal, {"type": "string", "format": "decimal"}),
        (uuid.UUID, {"type": "string", "format": "uuid"}),
        (datetime.date, {"type": "string", "format": "date"}),
        (datetime.datetime, {"type": "string", "format": "date-time"}),
        (datetime.time, {"type": "string", "format": "time"}),
        (datetime.timedelta, {"type": "string", "format": "duration"}),
        (UserId, {"type": "integer"}),
        (Optional[int], {"type": "integer"}),
        (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (list, {"type": "array", "items": {"type": "string"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    ],
)
def test_a_scalar_needs_no_decoder(hint: Any, schema: dict[str, Any]) -> None:
    def handler(q): ...

    handler.__annotations__["q"] = hint
    one = One(handler)
    assert one.parameters[0]["schema"] == schema
    assert one.route["arguments"] == [{"parameter": {"index": 0}}]


def test_an_enumeration_crosses_as_its_members_place() -> None:
    def handler(c: Color = Color.GREEN, l: Literal[Color.RED] = Color.RED): ...  # noqa: E741

    one = One(handler)
    color = {"$ref": "#/$defs/Color", "$defs": {"Color": {"type": "string", "enum": ["red", "green"]}}}
    assert one.parameters[0] == {"name": "c", "in": "query", "schema": color, "required": False, "default": "green"}
    assert [argument["parameter"].get("choices") for argument in one.route["arguments"]] == [True, True]
    assert [argument.choices for argument in one.handler.arguments] == [(Color.RED, Color.GREEN), (Color.RED,)]


@pytest.mark.parametrize(
    ("hint", "sent", "value"),
    [
        (set[int], [1, 1, 2], {1, 2}),
        (frozenset[str], ["a"], frozenset({"a"})),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (list[Color], ["red"], [Color.RED]),
        (set[uuid.UUID], [uuid.UUID(int=1)], {uuid.UUID(int=1)}),
        (pydantic.EmailStr, "a@example.com", "a@example.com"),
        (Union[uuid.UUID, Literal["me"]], "me", "me"),
        (Union[uuid.UUID, Literal["me"]], RANDOM, RANDOM),
        (
            Union[datetime.date, datetime.timedelta, Literal["ever"], None],
            datetime.date(2026, 1, 2),
            datetime.date(2026, 1, 2),
        ),
        (Union[Color, str], "red", Color.RED),
        (Union[Color, str], "blue", "blue"),
        (list[Union[uuid.UUID, Color]], [RANDOM, "red"], [RANDOM, Color.RED]),
        (tuple[Union[uuid.UUID, Color], ...], [RANDOM, "red"], (RANDOM, Color.RED)),
        (pydantic.UUID4, str(RANDOM), RANDOM),
        (pydantic.IPvAnyAddress, "127.0.0.1", ipaddress.ip_address("127.0.0.1")),
        (list[pydantic.Base64Str], ["YQ=="], ["a"]),
        (pydantic.Json[list[int]], "[1]", [1]),
    ],
)
def test_other_types_have_a_decoder(hint: Any, sent: Any, value: Any) -> None:
    def handler(q: Query[int]): ...

    handler.__annotations__["q"] = Query[hint]
    one = One(handler)
    decoder = one.route["arguments"][0]["parameter"]["decoder"]
    assert one.callables[decoder].kind == "decoder"
    assert one.callables[decoder].function(sent) == value


def test_a_default_is_one_of_several_types_of_text() -> None:
    def handler(
        a: Union[uuid.UUID, Literal["me"]] = "me",
        b: Union[uuid.UUID, str] = "me",
        c: Union[decimal.Decimal, Literal["all"]] = "all",
        d: Union[Color, uuid.UUID] = RANDOM,
    ): ...

    assert [argument.default for argument in One(handler).handler.arguments] == ["me", "me", "all", RANDOM]

    def refused(q: Union[uuid.UUID, Literal["me"]] = "you"): ...  # type: ignore[assignment]

    with pytest.raises(SpecError, match="its type refuses the default 'you': invalid enum value"):
        One(refused)


class Page(NamedTuple):
    number: int
    size: int = 10


@dataclass
class Dated:
    since: datetime.date
    color: Color | None = None


class Filters(pydantic.BaseModel):
    limit: int = pydantic.Field(10, ge=1)
    order_by: Literal["a", "b"] = "a"


@pytest.mark.parametrize(
    ("hint", "names", "sent", "value"),
    [
        (User, ["name", "age"], {"name": "a", "age": 3}, User("a", 3)),
        (Dated, ["since", "color"], {"since": datetime.date(2026, 1, 2), "color": "red"}, Dated(datetime.date(2026, 1, 2), Color.RED)),
        (Filters, ["limit", "order_by"], {"limit": 3}, Filters(limit=3)),
        (Page, ["number", "size"], {"number": 2}, Page(2)),
    ],
)  # fmt: skip
def test_a_model_under_a_marker_gathers_its_fields(hint: Any, names: list[str], sent: Any, value: Any) -> None:
    def handler(q: Query[int]): ...

    handler.__annotations__["q"] = Query[hint]
    one = One(handler)
    assert one.sources == [("query", name) for name in names]
    [argument] = one.route["arguments"]
    assert argument["model"]["parameters"] == list(range(len(names)))
    assert one.callables[argument["model"]["decoder"]].function(sent) == value


class Tokens(msgspec.Struct):
    x_token: str
    x_color: Color = Color.RED


def test_the_fields_of_a_header_model_are_dashed() -> None:
    def handler(tokens: Annotated[Tokens, Header()]): ...

    one = One(handler)
    assert one.sources == [("header", "x-token"), ("header", "x-color")]
    assert [parameter["required"] for parameter in one.parameters] == [True, False]
    decoder = one.route["arguments"][0]["model"]["decoder"]
    assert one.callables[decoder].function({"x-token": "a"}) == Tokens("a")


def test_the_rules_decide_in_their_order() -> None:
    def handler(item_id, token: Header[str], user: User, q: str, tags: list[str] = (), limit: int = 3): ...  # type: ignore[assignment]

    one = One(handler, "POST", "/{item_id:int}")
    assert one.sources == [
        ("path", "item_id"),
        ("header", "token"),
        ("query", "q"),
        ("query", "tags"),
        ("query", "limit"),
    ]
    assert one.route["arguments"][2] == "body"
    assert one.parameters[0]["schema"] == {"type": "integer"}


@pytest.mark.parametrize(
    ("method", "source"), [("POST", "body"), ("PUT", "body"), ("PATCH", "body"), ("DELETE", "query"), ("GET", "query")]
)
def test_scalars_alone_are_fields_of_the_body_where_there_is_one(method: str, source: str) -> None:
    def handler(name: str, ids: list[int], age: int | None = None): ...

    one = One(handler, method)
    assert one.sources == [(source, "name"), (source, "ids"), (source, "age")]
    assert "body" not in one.route


@pytest.mark.parametrize("marked", [Body[User], Form[User], User])
def test_scalars_beside_a_body_are_in_the_query(marked: Any) -> None:
    def handler(user, name: str): ...

    handler.__annotations__["user"] = marked
    assert One(handler, "POST").sources == [("query", "name")]


def test_keyword_only_parameters_are_passed_by_keyword() -> None:
    def handler(a: int, /, b: int, *, c: int, d: int = 1): ...

    one = One(handler)
    assert one.handler.keywords == ("c", "d")
    assert one.sources == [("query", name) for name in "abcd"]


def test_keywords_take_what_is_left_of_the_path() -> None:
    def handler(a: int, **rest): ...

    one = One(handler, path="/{a}/{b:int}/{c}")
    assert one.handler.keywords == ("b", "c")
    assert [parameter["schema"]["type"] for parameter in one.parameters] == ["integer", "integer", "string"]


def test_a_parameter_schema_replaces_the_derived_one() -> None:
    def handler(limit: int, q: str = ""): ...

    schema = {"properties": {"limit": {"type": "integer", "maximum": 5}}}
    assert One(handler, parameter_schema=schema).parameters[0]["schema"] == {"type": "integer", "maximum": 5}


def test_two_arguments_may_share_a_parameter() -> None:
    def handler(a: str = Header("x", alias="x-a"), b: str = Header("x", alias="x-a")): ...

    one = One(handler)
    assert len(one.parameters) == 1
    assert [argument["parameter"]["index"] for argument in one.route["arguments"]] == [0, 0]


def no_type(q: Query): ...
def two_sources(q: Query[str] = Header()): ...
def wrong_default(q: int = "x"): ...  # type: ignore[assignment]
def wrong_marked_default(q: int = Query("x")): ...
def wrong_constraint(q: int = Query(pattern="a")): ...
def unknown_type(q: Any = Query()): ...
def model_on_get(q: User): ...
def nested(q: Query[list[User]]): ...
def no_such_path(q: Path[int]): ...
def same_twice(a: str = Header("x", alias="x-a"), b: int = Header(1, alias="x-a")): ...
def unresolved(q: Nowhere): ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (no_type, "a bare Query says no type: write Query[str]"),
        (two_sources, "it is marked as Query and as Header"),
        (wrong_default, "its type refuses the default 'x': expected `int`, got `str`"),
        (wrong_marked_default, "its type refuses the default 'x'"),
        (wrong_constraint, "pattern says nothing about integer"),
        (unknown_type, "Any is no single value"),
        (model_on_get, "must be marked as Query, Header, Cookie or Body"),
        (nested, "is no single value"),
        (no_such_path, "the path has no {q}"),
        (same_twice, "the header parameter 'x-a' is read in two ways"),
        (unresolved, "an annotation names 'Nowhere', which is not defined"),
    ],
)
def test_a_fault_names_file_line_route_and_parameter(handler: Any, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        One(handler, path="/items")
    message = str(caught.value)
    line = handler.__code__.co_firstlineno
    assert message.startswith(f"{__file__}:{line}: GET /items: {handler.__name__}: ")
    assert words in message
    if handler is not unresolved:
        assert "parameter 'q'" in message or "parameter 'b'" in message


@pytest.mark.parametrize(
    ("converter", "hint", "words"),
    [
        ("int", str, "the path reads it as int, its annotation as string"),
        ("int", float, "the path reads it as int, its annotation as number"),
        ("uuid", str, "the path reads it as uuid, its annotation as string"),
        ("date", datetime.datetime, "the path reads it as date, its annotation as date-time"),
        *((converter, hint, None) for converter in ("str", "path") for hint in (str, int, uuid.UUID)),
        *(("int", hint, None) for hint in (int, Any, Optional[int], Literal[1, 2], Annotated[int, Path(gt=1)])),
        ("float", int, None),
    ],
)
def test_a_converter_and_an_annotation_must_agree(converter: str, hint: Any, words: str | None) -> None:
    def handler(value): ...

    handler.__annotations__["value"] = hint
    if words is None:
        One(handler, path=f"/{{value:{converter}}}")
        return
    with pytest.raises(SpecError, match=f"parameter 'value': {words}"):
        One(handler, path=f"/{{value:{converter}}}")


def test_a_path_parameter_that_nobody_takes_is_a_fault() -> None:
    with pytest.raises(SpecError, match="nobody takes the path parameter 'user_id'"):
        One(lambda: None, path="/{user_id}")


def test_an_unknown_option_of_a_marker_names_the_nearest() -> None:
    with pytest.raises(TypeError, match="has no option 'min_lenght', did you mean 'min_length'"):
        Query(min_lenght=3)
    with pytest.raises(TypeError, match="default or default_factory"):
        Query(1, default_factory=int)
