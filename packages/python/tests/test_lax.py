"""What a lax decoder accepts is never told as refused, and all that it refuses is told, with what was sent: beside FastAPI,
where it has the same models.
"""

from __future__ import annotations

import datetime
import importlib.util
import warnings
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import msgspec
import pytest
import spikard
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, field_validator, model_validator
from spikard import Spikard, TestClient, register_decoder

MSGPACK = {"content-type": "application/msgpack"}


class Address(BaseModel):
    city: str
    zip: int = Field(ge=1)

    @field_validator("city")
    @classmethod
    def _known(cls, city: str) -> str:
        if city == "nowhere":
            raise ValueError("no such city")
        return city


class Person(BaseModel):
    name: str = Field(min_length=2)
    age: int
    born: Optional[datetime.date] = None
    at: Optional[datetime.datetime] = None
    wait: Optional[datetime.timedelta] = None
    price: Decimal = Decimal(1)
    ok: bool = False
    address: Optional[Address] = None
    friends: list[Address] = []

    @model_validator(mode="after")
    def _whole(self) -> Person:
        if self.name == "xx":
            raise ValueError("not xx")
        return self


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool


class Owner(BaseModel):
    pet: Union[Cat, Dog] = Field(discriminator="kind")
    either: Union[int, Address, None] = None


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int
    url: Optional[AnyUrl] = None
    id: Optional[UUID] = None
    level: Literal[1, 2] = 1


class Filled(BaseModel):
    name: str = Field(min_length=2)
    age: int = Field(ge=18)
    ok: bool = False
    tags: list[int] = []
    day: Optional[datetime.date] = None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name == "nobody":
            raise ValueError("nobody at all")
        return name


HERE = {"city": "x", "zip": "7"}
NOWHERE = {"city": "nowhere", "zip": "0"}
ANNE = {"name": "anne", "age": "1", "ok": "on", "born": 0, "wait": 90, "price": 1.5, "at": 5}
WHOLE: list[tuple[Any, Any]] = [
    (Person, {**ANNE, "address": HERE}),
    (Person, {"name": "a", "age": "1", "born": "2020-01-01T00:00:00", "ok": 1}),
    (Person, {**ANNE, "age": "x", "address": NOWHERE, "friends": [{**HERE, "city": "nowhere"}, {"zip": "3"}, 5]}),
    (Person, {"name": "xx", "age": True}),
    (Person, {}),
    (Person, {"name": 5, "age": 1.5, "born": "x", "price": "x", "ok": 7, "wait": "x", "at": "x"}),
    (list[Person], [ANNE, {"name": "a", "age": True}, {"name": "xx", "age": 1}, {"name": "ab"}]),
    (dict[str, Address], {"a": HERE, "b": NOWHERE}),
    (Union[Cat, Address], {"kind": "cat", "lives": "9"}),
    (Union[Cat, Address], NOWHERE),
    (Owner, {"pet": {"kind": "cat", "lives": "9"}, "either": "x"}),
    (Owner, {"pet": {"kind": "dog", "barks": "perhaps"}, "either": NOWHERE}),
    (Owner, {"pet": {"kind": "mouse"}, "either": "7"}),
    (Owner, {"pet": {}}),
    (Closed, {"a": "1", "b": 2, "url": "http://x", "id": "0" * 32}),
    (Closed, {"a": "z", "url": "no url", "id": 5, "level": 3}),
]
SHARED: list[tuple[dict[str, Any], Any]] = [
    ({"a": Address, "n": int, "p": Person}, {"a": HERE, "n": 1, "p": ANNE}),
    ({"a": Address, "n": int, "p": Person}, {"a": NOWHERE, "n": "x", "p": {**ANNE, "name": "a"}}),
    ({"a": Address, "n": int, "p": Person}, {"a": {**HERE, "city": "nowhere"}, "p": {"name": "xx", "age": "1"}}),
    ({"l": list[Address], "o": Optional[Owner]}, {"l": [HERE, NOWHERE], "o": {"pet": {"kind": "cat", "lives": "x"}}}),
    ({"l": list[Address], "d": dict[str, Address]}, {"d": {"a": HERE, "b": NOWHERE}}),
]
FORMS: list[tuple[Any, dict[str, Any]]] = [
    (Filled, {"name": "ab", "age": "20", "ok": "on", "tags": ["1", "2"], "day": "2020-01-01"}),
    (Filled, {"name": "nobody", "age": "5"}),
    (Filled, {"name": "nobody", "age": "x", "tags": ["1", "y"], "day": "0"}),
    (Filled, {"name": "nobody"}),
    (Filled, {}),
]
BESIDE: list[tuple[Any, Any]] = [(hint, sent) for hint, sent in WHOLE if hint is Person]


def taking(package: Any, app: Any, hints: dict[str, Any]) -> Any:
    names: dict[str, Any] = {}
    exec(f"def take({', '.join(hints)}): return 'ok'", names)
    names["take"].__annotations__.update(hints)
    app.post("/")(names["take"])
    return app


def told(package: Any, hints: dict[str, Any], **request: Any) -> list[tuple[Any, ...]]:
    """What is refused of a request: places, kinds and what was sent."""
    if package is spikard:
        with TestClient(taking(package, Spikard(), hints)) as client:
            answer = client.post("/", **request)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from fastapi.testclient import TestClient as TheirClient
        answer = TheirClient(taking(package, package.FastAPI(), hints)).post("/", **request)
    if answer.status_code == 200:
        return []
    assert answer.status_code == 422
    said = answer.json()
    errors = said["errors"] if package is spikard else said["detail"]
    return [
        (error["loc"], kind(error["type"]), None if error["type"] == "missing" else error["input"]) for error in errors
    ]


KINDS = {
    **dict.fromkeys(("date_from_datetime_parsing", "date_parsing"), "date_type"),
    **dict.fromkeys(("datetime_from_date_parsing", "datetime_parsing"), "datetime_type"),
    **dict.fromkeys(("int_parsing", "int_from_float"), "int_type"),
    "model_attributes_type": "model_type",
}


def kind(name: str) -> str:
    """The type that a value is not of: JSON has numbers, FastAPI reads them out of texts."""
    return KINDS.get(name, name.replace("_parsing", "_type"))


def assert_alike(hints: Any, **request: Any) -> None:
    if importlib.util.find_spec("fastapi") is None:
        pytest.skip("there is no FastAPI for this interpreter")
    import fastapi

    assert told(spikard, hints(spikard), **request) == told(fastapi, hints(fastapi), **request)


@pytest.mark.parametrize(("hint", "sent"), WHOLE)
def test_a_whole_body_is_refused_as_by_fastapi(hint: Any, sent: Any) -> None:
    assert_alike(lambda _: {"body": Annotated[hint, _.Body()]}, json=sent)


@pytest.mark.parametrize(("hint", "sent"), BESIDE)
def test_beside_a_refused_parameter_nothing_is_told_that_is_accepted(hint: Any, sent: Any) -> None:
    with_query = lambda package: {"q": Annotated[int, package.Query()], "body": hint}  # noqa: E731
    if importlib.util.find_spec("fastapi") is None:
        pytest.skip("there is no FastAPI for this interpreter")
    import fastapi

    ours = told(spikard, with_query(spikard), json=sent, params={"q": "x"})
    theirs = told(fastapi, with_query(fastapi), json=sent, params={"q": "x"})
    validators = [error for error in theirs if error[1] != "value_error"]
    assert ours == validators


@pytest.mark.parametrize(("hints", "sent"), SHARED)
def test_a_shared_body_is_refused_as_by_fastapi(hints: dict[str, Any], sent: Any) -> None:
    assert_alike(lambda _: {name: Annotated[hint, _.Body(embed=True)] for name, hint in hints.items()}, json=sent)


@pytest.mark.parametrize(("hint", "sent"), FORMS)
def test_a_form_is_refused_as_by_fastapi(hint: Any, sent: dict[str, Any]) -> None:
    assert_alike(lambda _: {"body": Annotated[hint, _.Form()]}, data=sent)


class Point(msgspec.Struct):
    x: int
    y: int


class Even:
    def __init__(self, number: int) -> None:
        self.number = number


@register_decoder
def even(sent: int) -> Even:
    if sent % 2:
        raise ValueError("not even")
    return Even(sent)


class Holder(msgspec.Struct):
    name: str
    address: Address
    count: int
    more: list[Address] = []
    by_name: dict[str, Address] = {}
    even: Union[Even, None] = None
    other: Union[Address, None] = None


class Low(msgspec.Struct, tag="low", tag_field="kind"):
    to: Address
    count: int


class High(msgspec.Struct, tag="high", tag_field="kind"):
    to: Address
    even: Even


class Hooked(msgspec.Struct):
    a: int
    b: int

    def __post_init__(self) -> None:
        if self.a > self.b:
            raise ValueError("a is above b")


class Around(msgspec.Struct):
    pair: Hooked
    pairs: list[Hooked]
    address: Address


class Inside(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    number: int
    point: Point
    points: list[Point] = []


@pytest.mark.parametrize(
    ("hint", "sent", "errors"),
    [
        (Holder, {"name": 1, "address": HERE, "count": 1}, [(["name"], "string_type", 1)]),
        (
            Holder,
            {"name": 1, "address": NOWHERE, "count": "x"},
            [
                (["name"], "string_type", 1),
                (["address", "city"], "value_error", "nowhere"),
                (["address", "zip"], "greater_than_equal", "0"),
                (["count"], "int_type", "x"),
            ],
        ),
        (
            Holder,
            {"address": HERE, "count": 1, "more": [HERE, NOWHERE], "by_name": {"a": {"city": "nowhere", "zip": "1"}},
             "even": 3, "other": 5},
            [
                (["name"], "missing", None),
                (["more", 1, "city"], "value_error", "nowhere"),
                (["more", 1, "zip"], "greater_than_equal", "0"),
                (["by_name", "a", "city"], "value_error", "nowhere"),
                (["even"], "value_error", 3),
                (["other"], "model_type", 5),
            ],
        ),
        (
            Union[Low, High],
            {"kind": "high", "to": NOWHERE, "even": 1},
            [
                (["high", "to", "city"], "value_error", "nowhere"),
                (["high", "to", "zip"], "greater_than_equal", "0"),
                (["high", "even"], "value_error", 1),
            ],
        ),
        (
            list[Union[Low, High]],
            [{"kind": "low", "to": HERE, "count": "x"}, {"kind": "high", "to": HERE, "even": 1}],
            [([0, "low", "count"], "int_type", "x"), ([1, "high", "even"], "value_error", 1)],
        ),
        (
            Around,
            {"pair": {"a": 2, "b": 1}, "pairs": [{"a": 1, "b": 2}, {"a": 3, "b": 2}, {"a": "x", "b": 1}], "address": HERE},
            [
                (["pair"], "value_error", {"a": 2, "b": 1}),
                (["pairs", 1], "value_error", {"a": 3, "b": 2}),
                (["pairs", 2, "a"], "int_type", "x"),
            ],
        ),
        (
            Inside,
            {"number": "1", "point": {"x": "1", "y": "2"}, "points": [{"x": 1}]},
            [
                (["point", "x"], "int_type", "1"),
                (["point", "y"], "int_type", "2"),
                (["points", 0, "y"], "missing", None),
            ],
        ),
        (Inside, {"number": "x", "point": {"x": 1, "y": 1}}, [(["number"], "int_type", "x")]),
    ],
)  # fmt: skip
def test_every_part_of_a_struct_is_told_by_who_reads_it(hint: Any, sent: Any, errors: list[Any]) -> None:
    expected = [(["body", *loc], *rest) for loc, *rest in errors]
    assert told(spikard, {"body": hint}, json=sent) == expected
    assert told(spikard, {"body": hint}, content=msgspec.msgpack.encode(sent), headers=MSGPACK) == expected


def test_what_stands_beside_a_pattern_is_read_laxly() -> None:
    class Coded(msgspec.Struct):
        code: Annotated[str, msgspec.Meta(pattern="^[a-z]+$")]
        address: Address

    assert told(spikard, {"body": Coded}, json={"code": "a", "address": HERE}) == []
    assert told(spikard, {"body": Coded}, json={"code": "A", "address": HERE}) == [
        (["body", "code"], "string_pattern_mismatch", "A")
    ]


class Broken(BaseModel):
    a: int

    @field_validator("a")
    @classmethod
    def _broken(cls, a: int) -> int:
        raise KeyError(a)


class Both(msgspec.Struct):
    address: Address
    broken: Broken


def test_a_fault_behind_a_refusal_does_not_hide_it() -> None:
    refused = told(spikard, {"body": Both}, json={"address": NOWHERE, "broken": {"a": 1}})
    assert [error[0] for error in refused] == [["body", "address", "city"], ["body", "address", "zip"]]
