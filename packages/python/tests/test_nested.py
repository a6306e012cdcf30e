"""Models of one library inside those of another, and unions told apart by a member, through every media type."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal, Union

import msgspec
import pydantic
import pytest
from spikard import Body, Form, Spikard, TestClient, UploadFile


class Address(pydantic.BaseModel):
    city: str
    zip: int = pydantic.Field(ge=1)


class Customer(msgspec.Struct):
    name: str
    address: Address


@dataclasses.dataclass
class Tag:
    label: str


class Order(pydantic.BaseModel):
    tags: list[Tag]
    to: Address


class Cat(msgspec.Struct, tag="cat", tag_field="kind"):
    lives: int


class Dog(msgspec.Struct, tag="dog", tag_field="kind"):
    name: str


class Card(pydantic.BaseModel):
    kind: Literal["card"]
    number: str


class Cash(pydantic.BaseModel):
    kind: Literal["cash"]
    amount: int


Paid = Annotated[Union[Card, Cash], pydantic.Field(discriminator="kind")]
MSGPACK = {"content-type": "application/msgpack"}


def served(hint: Any) -> TestClient:
    app = Spikard()

    async def take(body: Any) -> str:
        return repr(body)

    take.__annotations__["body"] = hint
    app.post("/")(take)
    return TestClient(app, raise_server_exceptions=True)


@pytest.mark.parametrize(
    ("hint", "sent", "made", "refused", "loc"),
    [
        (
            Customer,
            {"name": "a", "address": {"city": "b", "zip": 7}},
            Customer("a", Address(city="b", zip=7)),
            {"name": "a", "address": {"city": "b", "zip": 0}},
            ["body", "address", "zip"],
        ),
        (
            Order,
            {"tags": [{"label": "a"}], "to": {"city": "b", "zip": 7}},
            Order(tags=[Tag("a")], to=Address(city="b", zip=7)),
            {"tags": [{}], "to": {"city": "b", "zip": 7}},
            ["body", "tags", 0, "label"],
        ),
        (Union[Cat, Dog], {"kind": "dog", "name": "a"}, Dog("a"), {"kind": "cat", "name": "a"}, ["body", "cat", "lives"]),
        (Paid, {"kind": "cash", "amount": 3}, Cash(kind="cash", amount=3), {"kind": "cash"}, ["body", "cash", "amount"]),
    ],
    ids=["pydantic in msgspec", "dataclass in pydantic", "tagged structs", "discriminated models"],
)  # fmt: skip
def test_nested_models_are_made_and_refused_alike(
    hint: Any, sent: Any, made: Any, refused: Any, loc: list[Any]
) -> None:
    with served(hint) as client:
        packed = msgspec.msgpack.encode
        assert client.post("/", json=sent).text == repr(made)
        assert client.post("/", content=packed(sent), headers=MSGPACK).text == repr(made)
        for answer in (client.post("/", json=refused), client.post("/", content=packed(refused), headers=MSGPACK)):
            assert answer.assert_status(422).json()["errors"][0]["loc"] == loc
        if "kind" in sent:
            client.post("/", json={**sent, "kind": "mouse"}).assert_status(422)


def test_models_share_a_body_and_files_stand_in_a_pydantic_model() -> None:
    app = Spikard()

    class Letter(pydantic.BaseModel):
        title: str
        pages: list[UploadFile]

    @app.post("/both")
    async def both(customer: Body[Customer], paid: Body[Paid]) -> str:
        return f"{customer.address.city} {paid.kind}"

    @app.post("/letter")
    async def letter(letter: Form[Letter]) -> dict[str, Any]:
        return {"title": letter.title, "pages": [page.size for page in letter.pages]}

    with TestClient(app, raise_server_exceptions=True) as client:
        customer = {"name": "a", "address": {"city": "b", "zip": 7}}
        assert client.post("/both", json={"customer": customer, "paid": {"kind": "cash", "amount": 1}}).text == "b cash"
        answer = client.post("/letter", data={"title": "t"}, files=[("pages", b"1"), ("pages", b"22")])
        assert answer.json() == {"title": "t", "pages": [1, 2]}
