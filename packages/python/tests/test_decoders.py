"""Decoders of the user's own, and Structs and attrs classes inside pydantic's models."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Optional, Union

import attrs
import msgspec
import pydantic
import pytest
from spikard import Form, SpecError, Spikard, TestClient, register_decoder
from spikard import _decoders as decoders


class Money:
    def __init__(self, amount: Decimal, currency: str) -> None:
        self.amount, self.currency = amount, currency


class Pair(msgspec.Struct):
    first: int
    second: int


class Point:
    def __init__(self, x: int, y: int) -> None:
        self.x, self.y = x, y


class Order(msgspec.Struct):
    price: Money
    prices: list[Money] = []


@dataclasses.dataclass
class Place:
    at: Point


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    @register_decoder
    def money(sent: str) -> Money:
        amount, _, currency = sent.partition(" ")
        if len(currency) != 3:
            raise ValueError("a currency has three letters")
        return Money(Decimal(amount), currency)

    @register_decoder
    def point(sent: Pair) -> Point:
        return Point(sent.first, sent.second)

    yield
    decoders._own.clear()


def shown(money: Money) -> str:
    return f"{money.amount}/{money.currency}"


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = Spikard()

    @app.post("/orders")
    async def order(body: Order) -> list[str]:
        return [shown(one) for one in (body.price, *body.prices)]

    @app.post("/places")
    async def place(body: Place) -> int:
        return body.at.x - body.at.y

    @app.post("/points")
    async def point(point: Point) -> int:
        return point.x - point.y

    @app.get("/prices")
    async def price(least: Money, others: Optional[list[Money]] = None) -> list[str]:
        return [shown(one) for one in (least, *(others or []))]

    @app.post("/forms")
    async def form(price: Form[Money]) -> str:
        return shown(price)

    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("kind", ["json", "msgpack"])
def test_a_registered_class_is_read_in_models(client: TestClient, kind: str) -> None:
    encode = msgspec.json.encode if kind == "json" else msgspec.msgpack.encode

    def post(path: str, body: Any) -> Any:
        return client.post(path, content=encode(body), headers={"content-type": f"application/{kind}"})

    assert post("/orders", {"price": "1.50 EUR", "prices": ["2 USD"]}).json() == ["1.50/EUR", "2/USD"]
    assert post("/places", {"at": {"first": 5, "second": 2}}).json() == 3
    assert post("/points", {"first": 5, "second": 2}).json() == 3


def test_a_registered_class_is_read_as_a_parameter_and_in_forms(client: TestClient) -> None:
    assert client.get("/prices", params={"least": "1 EUR"}).json() == ["1/EUR"]
    assert client.get("/prices", params=[("least", "1 EUR"), ("others", "2 USD")]).json() == ["1/EUR", "2/USD"]
    assert client.post("/forms", data={"price": "3 SEK"}).text == "3/SEK"


@pytest.mark.parametrize(
    ("path", "body", "kind", "loc"),
    [
        ("/orders", {"price": 5}, "string_type", ["body", "price"]),
        ("/orders", {"price": "5"}, "value_error", ["body", "price"]),
        ("/orders", {"price": "5 EUR", "prices": ["5"]}, "value_error", ["body", "prices", 0]),
        ("/orders", {}, "missing", ["body", "price"]),
        ("/places", {"at": {"first": 5}}, "missing", ["body", "at", "second"]),
        ("/points", {"first": "x", "second": 1}, "int_type", ["body", "first"]),
    ],
)
def test_what_a_decoder_refuses_is_a_422(client: TestClient, path: str, body: Any, kind: str, loc: Any) -> None:
    [error] = client.post(path, json=body).assert_status(422).json()["errors"]
    assert (error["type"], error["loc"]) == (kind, loc)


def test_the_schema_is_that_of_what_is_sent() -> None:
    app = Spikard()

    @app.post("/")
    def handler(body: Order) -> None: ...

    [route] = app._compile().document["routes"]
    assert route["body"]["schema"]["properties"]["price"] == {"type": "string"}


def untyped(sent):  # type: ignore[no-untyped-def]
    return Point(1, 2)


def several(one: int, two: int) -> Point:
    return Point(one, two)


def nothing_made(sent: int):  # type: ignore[no-untyped-def]
    return Point(1, 2)


def known(sent: int) -> Pair:
    return Pair(sent, sent)


def of_pydantic(sent: int) -> Pydantic:
    return Pydantic(s=Inner(x=sent))


@pytest.mark.parametrize(
    ("decoder", "fault"),
    [
        (untyped, "takes one parameter"),
        (several, "takes one parameter"),
        (nothing_made, "which class it returns"),
        (known, "Pair is read already"),
        (of_pydantic, "Pydantic is read already"),
    ],
)
def test_a_decoder_that_nobody_would_ask_is_refused(decoder: Any, fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        register_decoder(decoder)


def test_a_class_without_a_decoder_is_a_start_up_error() -> None:
    class Unknown: ...

    app = Spikard()

    @app.post("/")
    def handler(body: dict[str, Unknown]) -> None: ...

    with pytest.raises(SpecError, match="Unknown"):
        app._compile()


class Inner(msgspec.Struct):
    x: int


class WideInner(Inner):
    password: str = "LEAK"


@attrs.define
class AttrsInner:
    y: int


class Middle(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    inner: Inner


class Pydantic(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    s: Inner
    several: list[Inner] = []
    a: Optional[AttrsInner] = None
    middle: Optional[Middle] = None


class Outer(msgspec.Struct):
    model: Pydantic
    models: dict[str, Pydantic] = {}


FULL = {"s": {"x": 1}, "several": [{"x": 2}], "a": {"y": 3}, "middle": {"inner": {"x": 4}}}


@pytest.mark.parametrize("kind", ["json", "msgpack"])
@pytest.mark.parametrize(
    ("hint", "sent"), [(Pydantic, FULL), (list[Pydantic], [FULL]), (Outer, {"model": FULL, "models": {"a": FULL}})]
)
def test_models_of_two_libraries_inside_each_other_are_read_and_written(hint: Any, sent: Any, kind: str) -> None:
    app = Spikard()

    def handler(body: Any) -> Any:
        first = body[0] if isinstance(body, list) else body
        model = first.model if isinstance(first, Outer) else first
        assert isinstance(model.several[0], Inner)
        assert isinstance(model.a, AttrsInner)
        assert isinstance(model.middle.inner, Inner)
        return body

    handler.__annotations__.update(body=hint, **{"return": hint})
    app.post("/")(handler)
    text = msgspec.json.encode(sent) if kind == "json" else msgspec.msgpack.encode(sent)
    with TestClient(app) as client:
        answer = client.post("/", content=text, headers={"content-type": f"application/{kind}"})
        assert (answer.status_code, answer.json()) == (200, sent)


@pytest.mark.parametrize(
    ("hint", "sent", "loc", "kind"),
    [
        (Pydantic, {"s": {"x": "a"}}, ["body", "s", "x"], "int_type"),
        (Pydantic, {"s": {}}, ["body", "s", "x"], "missing"),
        (Pydantic, {"s": {"x": 1}, "several": [{"x": 1}, {}]}, ["body", "several", 1, "x"], "missing"),
        (Pydantic, {"s": {"x": 1}, "middle": {"inner": 5}}, ["body", "middle", "inner"], "model_type"),
        (Pydantic, {}, ["body", "s"], "missing"),
        (Outer, {"model": {"s": {"x": "a"}}}, ["body", "model", "s", "x"], "int_type"),
    ],
)
def test_what_is_refused_inside_of_them_has_its_words(hint: Any, sent: Any, loc: Any, kind: str) -> None:
    app = Spikard()

    def handler(body: Any) -> None: ...

    handler.__annotations__["body"] = hint
    app.post("/")(handler)
    with TestClient(app) as client:
        [error] = client.post("/", json=sent).assert_status(422).json()["errors"]
    assert (error["loc"], error["type"]) == (loc, kind)


class Model(pydantic.BaseModel):
    b: int


@dataclasses.dataclass
class Mixed:
    s: Inner
    m: Model


class Unread: ...


@pytest.mark.parametrize(
    ("hint", "sent"),
    [
        (Union[Inner, Model], {"x": 1}),
        (Union[Inner, Model], {"b": 1}),
        (list[Union[AttrsInner, Model]], [{"y": 1}, {"b": 2}]),
        (dict[str, Union[Inner, Model]], {"a": {"x": 1}, "b": {"b": 2}}),
        (list[Mixed], [{"s": {"x": 1}, "m": {"b": 2}}]),
    ],
)
def test_a_union_of_two_libraries_is_read_and_sent_as_either(hint: Any, sent: Any) -> None:
    app = Spikard()

    def handler(body: Any) -> Any:
        return body

    handler.__annotations__.update(body=hint, **{"return": hint})
    app.post("/")(handler)
    with TestClient(app) as client:
        assert client.post("/", json=sent).assert_status(200).json() == sent


def test_a_union_of_two_libraries_names_both_in_its_refusal() -> None:
    app = Spikard()

    @app.post("/")
    def handler(body: Union[Inner, Model]) -> None: ...

    with TestClient(app) as client:
        errors = client.post("/", json={"x": "a"}).assert_status(422).json()["errors"]
    assert [(error["loc"], error["type"]) for error in errors] == [
        (["body", "Inner", "x"], "int_type"),
        (["body", "Model", "b"], "missing"),
    ]


@pytest.mark.parametrize(
    ("hint", "fault"),
    [
        (Mixed, "Mixed cannot be read: .*: make it a Struct, or write all of them in one library$"),
        (
            Union[Model, Unread],
            r"Model(, | \| ).*Unread\]? cannot be read by pydantic.* schema for <class '.*Unread'>",
        ),
    ],
)
def test_what_pydantic_cannot_read_is_a_start_up_error_with_its_place(hint: Any, fault: str) -> None:
    app = Spikard()

    def handler(body: Any) -> None: ...

    handler.__annotations__["body"] = hint
    app.post("/mixed")(handler)
    with pytest.raises(SpecError, match=rf"test_decoders.py:\d+: POST /mixed: handler: parameter 'body': .*{fault}"):
        app._compile()


def test_what_a_subclass_adds_is_not_sent_from_inside_of_them() -> None:
    app = Spikard()
    model = Pydantic(s=WideInner(1), several=[WideInner(2)], middle=Middle(inner=WideInner(3)))

    @app.get("/model")
    async def one() -> Pydantic:
        return model

    @app.get("/outer")
    async def outer() -> Outer:
        return Outer(model)

    with TestClient(app) as client:
        assert "LEAK" not in client.get("/model").assert_status(200).text
        assert "LEAK" not in client.get("/outer").assert_status(200).text
        assert client.get("/model").json()["several"] == [{"x": 2}]


def test_a_model_of_pydantic_may_name_a_class_with_a_decoder() -> None:
    class Bill(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        price: Money
        fee: Optional[Money] = None
        places: list[Point] = []

    app = Spikard()

    @app.post("/")
    async def read(body: Bill) -> list[Any]:
        return [shown(body.price), [place.x + place.y for place in body.places]]

    with TestClient(app) as client:
        sent = {"price": "2 EUR", "places": [{"first": 1, "second": 2}]}
        assert client.post("/", json=sent).json() == [shown(Money(Decimal(2), "EUR")), [3]]
        errors = client.post("/", json={"price": "2", "fee": "3"}).json()["errors"]
        assert [(error["loc"], error["msg"]) for error in errors] == [
            (["body", "price"], "Value error, a currency has three letters"),
            (["body", "fee"], "Value error, a currency has three letters"),
        ]
        [error] = client.post("/", json={"price": 2}).json()["errors"]
        assert (error["loc"], error["type"]) == (["body", "price"], "string_type")


def test_a_class_that_nothing_reads_in_a_model_of_pydantic_is_a_fault_at_the_start() -> None:
    class Unread: ...

    class Bill(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        price: Unread

    app = Spikard()

    @app.post("/bills")
    async def read(body: Bill) -> None: ...

    with (
        pytest.raises(SpecError, match=r"test_decoders\.py:\d+: POST /bills: .*'body'.*Unread cannot be read"),
        TestClient(app),
    ):
        pass
