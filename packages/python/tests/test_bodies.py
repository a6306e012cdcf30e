"""Who takes the body, in every library."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NamedTuple, Optional, TypedDict, Union

import attrs
import msgspec
import pydantic
import pytest
from annotated_types import Ge, Len, Predicate
from spikard import Body, Form, SpecError, Spikard, TestClient, _bodies
from spikard._callable import MISSING
from spikard._decode import refusal

from .compiled import One


class Struct(msgspec.Struct):
    name: str
    age: int = 3


@dataclasses.dataclass
class Plain:
    name: str
    age: int = 3


@attrs.define
class Attrs:
    name: str
    age: int = 3


class Typed(TypedDict):
    name: str


class Model(pydantic.BaseModel):
    name: str
    age: int = 3


class Pair(NamedTuple):
    a: int
    b: str = "x"


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (Struct, b'{"name": "a"}', Struct("a")),
        (Plain, b'{"name": "a"}', Plain("a")),
        (Attrs, b'{"name": "a"}', Attrs("a")),
        (Typed, b'{"name": "a"}', {"name": "a"}),
        (Model, b'{"name": "a"}', Model(name="a")),
        (Pair, b"[1]", Pair(1)),
        (dict, b'{"a": 1.0}', {"a": 1.0}),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (list, b"[1]", [1]),
        (list[Struct], b'[{"name": "a"}]', [Struct("a")]),
        (list[Model], b'[{"name": "a"}]', [Model(name="a")]),
        (Any, b"[null]", [None]),
        (Optional[Struct], b"null", None),
        (Union[Struct, int], b"3", 3),
        (Union[Model, int], b"3", 3),
    ],
)
def test_a_structured_parameter_is_the_whole_body(hint: Any, text: bytes, value: Any) -> None:
    def handler(body): ...

    handler.__annotations__["body"] = hint
    one = One(handler, "POST")
    assert one.route["arguments"] == ["body"]
    assert (one.route["body"]["kind"], one.route["body"]["required"]) == ("json-or-form", True)
    assert one.decode(text) == value


@pytest.mark.parametrize(("marked", "kind"), [(Body[Struct], "json"), (Form[Struct], "form"), (Struct, "json-or-form")])
def test_a_marker_says_which_media_types_are_read(marked: Any, kind: str) -> None:
    def handler(user): ...

    handler.__annotations__["user"] = marked
    assert One(handler, "POST").route["body"]["kind"] == kind


def test_a_marked_body_is_read_on_every_method() -> None:
    def handler(user: Body[Struct]): ...

    assert One(handler, "GET").route["body"]["kind"] == "json"


@pytest.mark.parametrize(("hint", "kind"), [(bytes, "bytes"), (str, "text"), (Body[bytes], "bytes")])
def test_a_raw_body_crosses_as_it_was_sent(hint: Any, kind: str) -> None:
    def handler(body): ...

    handler.__annotations__["body"] = hint
    assert One(handler, "POST").route["body"] == {"kind": kind, "required": True}


def test_a_body_with_a_default_is_not_required() -> None:
    def handler(user: Struct | None = None): ...

    one = One(handler, "POST")
    assert one.route["body"]["required"] is False
    assert one.handler.arguments[0].default is None


def test_several_bodies_nest_by_name() -> None:
    async def handler(q: str, user: Struct, item: Model, importance: int = Body(1, ge=1, alias="rank")):
        return q, user, item, importance

    one = One(handler, "POST")
    body = one.route["body"]
    assert list(body["schema"]["properties"]) == ["user", "item", "rank"]
    assert body["schema"]["properties"]["rank"] == {"type": "integer", "minimum": 1, "default": 1}
    assert body["schema"]["required"] == ["user", "item"]
    assert set(body["schema"]["$defs"]) == {"Struct", "Model"}
    assert one.route["arguments"] == ["body", {"parameter": {"index": 0}}]
    members = one.decode(b'{"user": {"name": "a"}, "item": {"name": "b"}}')
    coroutine = one.handler.function(members, q="x")
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    assert stopped.value.value == ("x", Struct("a"), Model(name="b"), 1)


def test_one_embedded_body_stands_under_its_name() -> None:
    def handler(user: Struct = Body(embed=True)):
        return user

    one = One(handler, "POST")
    assert one.handler.function(one.decode(b'{"user": {"name": "a"}}')) == Struct("a")


def test_a_refused_member_names_its_place() -> None:
    def handler(user: Body[Struct], item: Body[Model]): ...

    one = One(handler, "POST")
    with pytest.raises(Exception) as caught:  # noqa: PT011
        one.decode(b'{"user": {"name": "a"}, "item": {"name": 3}}')
    assert [(each["type"], each["loc"]) for each in refusal(caught.value)] == [("string_type", ["item", "name"])]


def test_form_fields_share_a_form() -> None:
    def handler(name: str = Form(min_length=2), age: int = Form(3)):
        return name, age

    one = One(handler, "POST")
    assert one.route["body"]["kind"] == "form"
    assert one.handler.function(one.decode(b'{"name": "ab"}')) == ("ab", 3)


def test_members_that_msgspec_alone_reads_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(a: Struct, b: set[int], c: list[int] = Body([], alias="see"), d: int | None = Body(4)):
        return a, b, c, d

    def readers() -> list[One]:
        at_once = One(handler, "POST")
        with monkeypatch.context() as patch:
            patch.setattr(_bodies, "_at_once", lambda _: None)
            return [at_once, One(handler, "POST")]

    for body in (b'{"a":{"name":"x"},"b":[1,1]}', b'{"see":[2],"d":null,"b":[],"a":{"name":"y","age":5},"more":0}'):
        read, apart = (one.decode(body) for one in readers())
        assert read == apart
        assert {name: type(value) for name, value in read.items()} == {n: type(value) for n, value in apart.items()}
    for wrong in (b'{"a":{"name":1},"b":["x"]}', b'{"b":[]}', b'{"a":{"name":"x"},"b":[],"see":null}'):
        refusals = []
        for one in readers():
            with pytest.raises(Exception) as caught:  # noqa: PT011
                one.decode(wrong)
            refusals.append(refusal(caught.value))
        assert refusals[0] == refusals[1]
    one = One(handler, "POST")
    first, second = (one.decode(b'{"a":{"name":"x"},"b":[]}') for _ in range(2))
    assert first["c"] is not second["c"]  # a default is everybody's own


def test_a_form_repeats_its_names_and_has_no_separator() -> None:
    with pytest.raises(TypeError, match=r"Form\(\) has no option 'separator'"):
        Form(separator=",")


def test_an_explicit_schema_wins_over_the_annotation() -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}

    def handler(user: Struct): ...

    one = One(handler, "POST", request_schema=schema)
    assert one.route["body"]["schema"] == schema
    assert one.route["body"]["reading"] == "json-schema"
    assert one.decode(b'{"name": "a", "x": 1}') == {"name": "a", "x": 1}
    assert One(handler, "POST", body_schema=schema).route["body"] | {"decoder": 0} == one.route["body"] | {"decoder": 0}


def test_an_explicit_schema_spreads_to_the_parameters_that_it_names() -> None:
    def handler(name: str, age: int = 3):
        return name, age

    one = One(handler, "POST", request_schema={"properties": {"name": {"type": "string"}, "age": {}}})
    assert one.handler.function(one.decode(b'{"name": "a"}')) == ("a", 3)


@dataclasses.dataclass
class Bounded:
    age: Annotated[int, Ge(3)]
    inner: Bounded | None = None
    names: list[Annotated[str, Len(2, 3)]] = dataclasses.field(default_factory=list)
    even: Annotated[int, Predicate(lambda value: value % 2 == 0)] = 2


@pytest.mark.parametrize(
    ("text", "loc"),
    [
        (b'{"age": 2}', ["age"]),
        (b'{"age": 3, "inner": {"age": 1}}', ["inner", "age"]),
        (b'{"age": 3, "names": ["abc", "d"]}', ["names", 1]),
        (b'{"age": 3, "even": 3}', ["even"]),
    ],
)
def test_foreign_constraints_hold_in_plain_models(text: bytes, loc: list[Any]) -> None:
    def handler(body: Bounded): ...

    one = One(handler, "POST")
    assert one.decode(b'{"age": 3, "inner": {"age": 3}, "names": ["abc"]}').inner.age == 3
    with pytest.raises(ValueError, match=".") as caught:
        one.decode(text)
    assert refusal(caught.value)[0]["loc"] == loc


class Nested(msgspec.Struct):
    models: list[Model]

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("at least one model")


class Checked(pydantic.BaseModel):
    name: str
    age: int
    email: pydantic.EmailStr

    @pydantic.field_validator("name")
    @classmethod
    def no_x(cls, value: str) -> str:
        if value == "x":
            raise ValueError("no x")
        return value


@pytest.mark.parametrize(
    ("text", "refusals"),
    [
        (b'{"models": []}', [("value_error", [], "Value error, at least one model")]),
        (b'{"models": [{"name": 3}]}', [("string_type", ["models", 0, "name"], "Input should be a valid string")]),
        (b'{"models": [1]}', [("model_type", ["models", 0], "Input should be an object")]),
        (b"{}", [("value_error", [], "Value error, Object missing required field `models`")]),
    ],
)
def test_a_refusal_has_word_place_and_message(text: bytes, refusals: Any) -> None:
    def handler(body: Nested): ...

    with pytest.raises(ValueError, match=".") as caught:
        One(handler, "POST").decode(text)
    assert [(each["type"], each["loc"], each["msg"]) for each in refusal(caught.value)] == refusals


def test_pydantic_tells_every_error_itself() -> None:
    def handler(body: Checked): ...

    app = Spikard()
    app.post("/")(handler)
    with TestClient(app) as client:
        problem = client.post("/", json={"name": "x", "age": "old", "email": "x", "more": 1}).json()
    assert [(error["type"], error["loc"]) for error in problem["errors"]] == [
        ("value_error", ["body", "name"]),
        ("int_type", ["body", "age"]),
        ("value_error", ["body", "email"]),
    ]
    assert problem["errors"][0]["msg"] == "Value error, no x"
    assert problem["errors"][2]["msg"].startswith("value is not a valid email address")
    assert "Checked" not in str(problem)


class Modelled(pydantic.BaseModel):
    a: int


@pytest.mark.parametrize(
    ("hint", "options", "sent", "kind"),
    [
        (int, {"ge": 1}, 0, "greater_than_equal"),
        (Optional[float], {"lt": 1}, 1.5, "less_than"),
        (int, {"multiple_of": 3}, 4, "multiple_of"),
        (str, {"max_length": 1}, "ab", "string_too_long"),
        (list[int], {"min_length": 2}, [1], "too_short"),
        (list[Struct], {"min_length": 1}, [], "too_short"),
        (list[Modelled], {"min_length": 1}, [], "too_short"),
        (Optional[list[Modelled]], {"max_length": 1}, [{"a": 1}, {"a": 2}], "too_long"),
        (Annotated[list[Modelled], msgspec.Meta(min_length=1)], {}, [], "too_short"),
        (dict[str, int], {"min_length": 1}, {}, "min_properties"),
        (str, {"pattern": "^a"}, "b", "string_pattern_mismatch"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_marker_bounds_a_body_and_a_member_of_one(
    hint: Any, options: Any, sent: Any, kind: str, packed: bool
) -> None:
    app = Spikard()

    def whole(body: Any = Body(**options)) -> None: ...

    def member(body: Any = Body(**options), other: int = Body()) -> None: ...

    for path, handler in (("/whole", whole), ("/member", member)):
        handler.__annotations__["body"] = hint
        app.post(path)(handler)
    headers = {"content-type": f"application/{'msgpack' if packed else 'json'}"}
    encode: Any = msgspec.msgpack.encode if packed else msgspec.json.encode
    with TestClient(app) as client:
        for path, content, loc in (
            ("/whole", sent, ["body"]),
            ("/member", {"body": sent, "other": 1}, ["body", "body"]),
        ):
            answer = client.post(path, content=encode(content), headers=headers).assert_status(422)
            assert [(error["loc"], error["type"]) for error in answer.json()["errors"]] == [(loc, kind)]


def test_a_marker_lets_pass_what_keeps_its_bounds() -> None:
    app = Spikard()

    @app.post("/")
    async def handler(
        some: list[Struct] = Body(min_length=1, max_length=2),
        either: Union[int, str] = Body(min_length=2),
        none: Optional[int] = Body(ge=5),
    ) -> list[Any]:
        return [len(some), either, none]

    with TestClient(app) as client:
        for either in (7, "seven"):
            sent = {"some": [{"name": "a"}], "either": either, "none": None}
            assert client.post("/", json=sent).assert_status(200).json() == [1, either, None]
        errors = client.post("/", json={**sent, "either": "s"}).assert_status(422).json()["errors"]
        assert [error["type"] for error in errors] == ["int_type", "string_too_short"]


def test_bounds_that_make_no_sense_together_are_a_start_up_error() -> None:
    def handler(body: Union[int, str] = Body(min_length=2, ge=5)): ...

    with pytest.raises(SpecError, match="parameter 'body': cannot mix numeric constraints"):
        One(handler, "POST")


class Odd:
    pass


def test_an_unknown_type_is_a_fault() -> None:
    def handler(body: Body[Odd]): ...

    with pytest.raises(SpecError, match="parameter 'body': a Odd cannot be read from a request"):
        One(handler, "POST")


def test_a_missing_member_without_default_is_required() -> None:
    def handler(a: Body[Struct], b: Body[Struct]): ...

    one = One(handler, "POST")
    assert one.handler.arguments[0].default is MISSING
