"""The benchmark's routes in socketify.py: `python app.py PORT`."""

import asyncio
import sys
from collections.abc import Callable
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import Struct
from socketify import App

HELLO = {"message": "Hello, World!"}


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


def answer(res, value: object) -> None:
    res.write_header("content-type", "application/json").end(encode(value))


def judged(res, read: Callable[..., object], *given: object) -> None:
    try:
        value = read(*given)
    except ValueError as refused:
        res.write_status(422)
        value = {"detail": f"value: {refused}"}
    answer(res, value)


def posted(decode: Callable[[bytes], object]):
    async def handler(res, _req) -> None:
        body = await res.get_data()
        judged(res, decode, body.getvalue())

    return handler


def asked(model: type[Struct]):
    def handler(res, req) -> None:
        query = dict(parse_qsl(req.get_full_url().partition("?")[2]))
        judged(res, lambda: msgspec.convert(query, model, strict=False))

    return handler


def valued(convert: Callable[[str], object]):
    def handler(res, req) -> None:
        judged(res, lambda: {"value": convert(req.get_parameter(0))})

    return handler


def plaintext(res, _req) -> None:
    res.write_header("content-type", "text/plain").end("Hello, World!")


def hello(res, _req) -> None:
    answer(res, HELLO)


def slept(seconds: float):
    async def handler(res, _req) -> None:
        await asyncio.sleep(seconds)
        answer(res, HELLO)

    return handler


app = App()
for target, decode in BODIES.items():
    app.post(target, posted(decode))
for target, model in QUERIES.items():
    app.get(target, asked(model))
for kind, convert in VALUES.items():
    app.get(f"/path/{kind}/:value", valued(convert))
app.get("/plaintext", plaintext)
app.get("/json", hello)
app.get("/sync", hello)
app.get("/sleep/none", slept(0))
app.get("/sleep/short", slept(0.01))

if __name__ == "__main__":
    app.listen({"host": "127.0.0.1", "port": int(sys.argv[1])}, lambda _: None)
    app.run()
