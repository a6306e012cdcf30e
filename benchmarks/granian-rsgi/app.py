"""The benchmark's routes by hand on Granian's RSGI: what its interface can do when nothing stands on top."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct

HELLO = {"message": "Hello, World!"}
JSON = [("content-type", "application/json")]
TEXT = [("content-type", "text/plain; charset=utf-8")]


class Item(Struct):
    name: str
    description: str
    price: float
    quantity: int


class Address(Struct):
    street: str
    city: str
    postcode: str
    country: str


class Customer(Struct):
    name: str
    email: str
    address: Address


class Line(Struct):
    sku: str
    title: str
    quantity: int
    price: float
    discount: float | None
    tags: list[str]


class Order(Struct):
    id: int
    reference: str
    paid: bool
    customer: Customer
    lines: list[Line]
    note: str


class Batch(Struct):
    source: str
    orders: list[Order]


class Person(Struct):
    username: str
    email: str
    age: int
    subscribed: bool


class Few(Struct):
    q: str
    page: int
    active: bool


class Medium(Few):
    limit: int
    minimum: float
    maximum: float
    sort: str
    descending: bool


class Many(Medium):
    category: str
    brand: str
    colour: str
    country: str
    year: int
    rating: float
    stock: int
    sale: bool


encode = msgspec.json.Encoder().encode
BODIES = {
    "/json/small": msgspec.json.Decoder(Item).decode,
    "/json/medium": msgspec.json.Decoder(Order).decode,
    "/json/large": msgspec.json.Decoder(Batch).decode,
    "/json/very-large": msgspec.json.Decoder(Batch).decode,
    "/form": lambda body: msgspec.convert(dict(parse_qsl(body.decode())), Person, strict=False),
}
QUERIES: dict[str, type[Struct]] = {"/query/few": Few, "/query/medium": Medium, "/query/many": Many}
VALUES: dict[str, Callable[[str], object]] = {"simple": str, "int": int, "uuid": UUID}


def sync() -> dict[str, str]:
    return HELLO


async def simple(path: str, query: str) -> object:
    if path == "/json":
        return HELLO
    if path.startswith("/path/"):
        _, _, kind, value = path.split("/")
        return {"value": VALUES[kind](value)}
    if model := QUERIES.get(path):
        return msgspec.convert(dict(parse_qsl(query)), model, strict=False)
    if path == "/sync":
        return await asyncio.get_running_loop().run_in_executor(None, sync)
    await asyncio.sleep(0 if path == "/sleep/none" else 0.01)
    return HELLO


async def app(scope, protocol) -> None:
    path = scope.path
    try:
        if decode := BODIES.get(path):
            answer = decode(await protocol())
        elif path == "/plaintext":
            protocol.response_str(200, TEXT, "Hello, World!")
            return
        else:
            answer = await simple(path, scope.query_string)
    except ValueError as refused:
        protocol.response_bytes(422, JSON, encode({"detail": f"value: {refused}"}))
        return
    protocol.response_bytes(200, JSON, encode(answer))
