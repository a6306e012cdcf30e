"""The benchmark's routes in socketify.py: `python app.py PORT`."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from datetime import date
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg
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


class Profile(Many):
    email: str
    subscribed: bool


pool: asyncpg.Pool | None = None
DEEP = "/path/deep/one/two/three/four/five/six/seven/eight/:value"


async def row_of(number: int) -> dict[str, object]:
    global pool
    if pool is None:
        pool = await asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=4, max_size=4)
    return dict(await pool.fetchrow("select id, name from rows where id = $1", number))


def spend(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


encode = msgspec.json.Encoder().encode
BODIES = {
    "/json/small": msgspec.json.Decoder(Item).decode,
    "/json/medium": msgspec.json.Decoder(Order).decode,
    "/json/large": msgspec.json.Decoder(Batch).decode,
    "/json/very-large": msgspec.json.Decoder(Batch).decode,
    "/msgpack": msgspec.msgpack.Decoder(Item).decode,
    "/form": lambda body: msgspec.convert(dict(parse_qsl(body.decode())), Person, strict=False),
    "/form/complex": lambda body: msgspec.convert(dict(parse_qsl(body.decode())), Profile, strict=False),
}
QUERIES: dict[str, type[Struct]] = {"/query/few": Few, "/query/medium": Medium, "/query/many": Many}
VALUES: dict[str, Callable[[str], object]] = {"simple": str, "int": int, "uuid": UUID, "date": date.fromisoformat}


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


def integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name} is no integer") from None


def ordered(res, req) -> None:
    shop, user, order = (req.get_parameter(place) for place in range(3))
    judged(res, lambda: {"shop": shop, "user": integer("user", user), "order": integer("order", order)})


async def busy(res, _req) -> None:
    spend(0.001)
    answer(res, HELLO)


async def row(res, req) -> None:
    answer(res, await row_of(int(req.get_parameter(0))))


app = App()
for target, decode in BODIES.items():
    app.post(target, posted(decode))
for target, model in QUERIES.items():
    app.get(target, asked(model))
for kind, convert in VALUES.items():
    app.get(f"/path/{kind}/:value", valued(convert))
app.get(DEEP, valued(int))
app.get("/shops/:shop/users/:user/orders/:order", ordered)
for place in range(int(os.environ.get("BENCH_ROUTES", "0"))):
    app.get(f"/routes/{place}/:value", valued(int))
app.get("/busy", busy)
app.get("/db/:number", row)
app.get("/plaintext", plaintext)
app.get("/json", hello)
app.get("/sync", hello)
app.get("/sleep/none", slept(0))
app.get("/sleep/short", slept(0.01))

if __name__ == "__main__":
    app.listen({"host": "127.0.0.1", "port": int(sys.argv[1])}, lambda _: None)
    app.run()
