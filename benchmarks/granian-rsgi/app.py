"""The benchmark's routes by hand on Granian's RSGI: what its interface can do when nothing stands on top."""

import asyncio
import os
import time
from collections.abc import Callable
from datetime import date
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg
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


class Profile(Many):
    email: str
    subscribed: bool


pool: asyncpg.Pool | None = None
PIECE = b"x" * 65_536
BYTES = [("content-type", "application/octet-stream")]
DEEP = "/path/deep/one/two/three/four/five/six/seven/eight/"


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
ROUTES = {f"/routes/{place}" for place in range(int(os.environ.get("BENCH_ROUTES", "0")))}


def sync() -> dict[str, str]:
    return HELLO


def number(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f"{name} is no integer") from None


async def stream(protocol) -> None:
    answer = protocol.response_stream(200, BYTES)
    for _ in range(16):
        await answer.send_bytes(PIECE)


async def simple(path: str, query: str) -> object:
    if path == "/json":
        return HELLO
    if path.startswith(DEEP):
        return {"value": int(path[len(DEEP) :])}
    if path.startswith("/path/"):
        _, _, kind, value = path.split("/")
        return {"value": VALUES[kind](value)}
    if model := QUERIES.get(path):
        return msgspec.convert(dict(parse_qsl(query)), model, strict=False)
    if path.startswith("/shops/"):
        _, _, shop, _, user, _, order = path.split("/")
        return {"shop": shop, "user": number("user", user), "order": number("order", order)}
    if path == "/busy":
        spend(0.001)
        return HELLO
    if path.startswith("/db/"):
        return await row_of(int(path[4:]))
    route, _, value = path.rpartition("/")
    if route in ROUTES:
        return {"value": int(value)}
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
        elif path == "/file":
            protocol.response_file(200, BYTES, os.environ["BENCH_FILE"])
            return
        elif path == "/stream":
            await stream(protocol)
            return
        else:
            answer = await simple(path, scope.query_string)
    except ValueError as refused:
        protocol.response_bytes(422, JSON, encode({"detail": f"value: {refused}"}))
        return
    protocol.response_bytes(200, JSON, encode(answer))
