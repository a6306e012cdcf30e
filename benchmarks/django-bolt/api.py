"""The benchmark's routes in Django-Bolt."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated
from uuid import UUID

import asyncpg
from django_bolt import BoltAPI
from django_bolt.param_functions import File, Form
from django_bolt.responses import FileResponse, PlainText, StreamingResponse
from msgspec import Struct

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


class Profile(Struct):
    q: str
    page: int
    active: bool
    limit: int
    minimum: float
    maximum: float
    sort: str
    descending: bool
    category: str
    brand: str
    colour: str
    country: str
    year: int
    rating: float
    stock: int
    sale: bool
    email: str
    subscribed: bool


pool: asyncpg.Pool | None = None
PIECE = b"x" * 65_536


async def row_of(number: int) -> dict[str, object]:
    global pool
    if pool is None:
        pool = await asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=4, max_size=4)
    return dict(await pool.fetchrow("select id, name from rows where id = $1", number))


def spend(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


api = BoltAPI()


@api.post("/json/small")
async def small(item: Item) -> Item:
    return item


@api.post("/json/medium")
async def medium(order: Order) -> Order:
    return order


@api.post("/json/large")
async def large(batch: Batch) -> Batch:
    return batch


@api.post("/json/very-large")
async def very_large(batch: Batch) -> Batch:
    return batch


@api.get("/plaintext")
async def plaintext() -> PlainText:
    return PlainText("Hello, World!")


@api.get("/json")
async def hello() -> dict[str, str]:
    return HELLO


@api.get("/path/simple/{value}")
async def path_simple(value: str) -> dict[str, str]:
    return {"value": value}


@api.get("/path/int/{value}")
async def path_int(value: int) -> dict[str, int]:
    return {"value": value}


@api.get("/path/uuid/{value}")
async def path_uuid(value: UUID) -> dict[str, str]:
    return {"value": str(value)}


@api.get("/shops/{shop}/users/{user}/orders/{order}")
async def path_multiple(shop: str, user: int, order: int) -> dict[str, object]:
    return {"shop": shop, "user": user, "order": order}


@api.get("/path/deep/one/two/three/four/five/six/seven/eight/{value}")
async def path_deep(value: int) -> dict[str, int]:
    return {"value": value}


@api.get("/path/date/{value}")
async def path_date(value: date) -> dict[str, str]:
    return {"value": str(value)}


@api.get("/query/few")
async def query_few(
    q: str,
    page: int,
    active: bool,
) -> dict[str, object]:
    return {
        "q": q,
        "page": page,
        "active": active,
    }


@api.get("/query/medium")
async def query_medium(
    q: str,
    page: int,
    active: bool,
    limit: int,
    minimum: float,
    maximum: float,
    sort: str,
    descending: bool,
) -> dict[str, object]:
    return {
        "q": q,
        "page": page,
        "active": active,
        "limit": limit,
        "minimum": minimum,
        "maximum": maximum,
        "sort": sort,
        "descending": descending,
    }


@api.get("/query/many")
async def query_many(
    q: str,
    page: int,
    active: bool,
    limit: int,
    minimum: float,
    maximum: float,
    sort: str,
    descending: bool,
    category: str,
    brand: str,
    colour: str,
    country: str,
    year: int,
    rating: float,
    stock: int,
    sale: bool,
) -> dict[str, object]:
    return {
        "q": q,
        "page": page,
        "active": active,
        "limit": limit,
        "minimum": minimum,
        "maximum": maximum,
        "sort": sort,
        "descending": descending,
        "category": category,
        "brand": brand,
        "colour": colour,
        "country": country,
        "year": year,
        "rating": rating,
        "stock": stock,
        "sale": sale,
    }


@api.post("/form")
async def form(
    username: Annotated[str, Form()],
    email: Annotated[str, Form()],
    age: Annotated[int, Form()],
    subscribed: Annotated[bool, Form()],
) -> Person:
    return Person(username, email, age, subscribed)


@api.post("/form/complex")
async def form_complex(
    q: Annotated[str, Form()],
    page: Annotated[int, Form()],
    active: Annotated[bool, Form()],
    limit: Annotated[int, Form()],
    minimum: Annotated[float, Form()],
    maximum: Annotated[float, Form()],
    sort: Annotated[str, Form()],
    descending: Annotated[bool, Form()],
    category: Annotated[str, Form()],
    brand: Annotated[str, Form()],
    colour: Annotated[str, Form()],
    country: Annotated[str, Form()],
    year: Annotated[int, Form()],
    rating: Annotated[float, Form()],
    stock: Annotated[int, Form()],
    sale: Annotated[bool, Form()],
    email: Annotated[str, Form()],
    subscribed: Annotated[bool, Form()],
) -> Profile:
    return Profile(
        q,
        page,
        active,
        limit,
        minimum,
        maximum,
        sort,
        descending,
        category,
        brand,
        colour,
        country,
        year,
        rating,
        stock,
        sale,
        email,
        subscribed,
    )


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(16):
        yield PIECE


@api.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(pieces(), media_type="application/octet-stream")


@api.get("/file")
async def file() -> FileResponse:
    return FileResponse(os.environ["BENCH_FILE"], media_type="application/octet-stream")


@api.post("/upload")
async def upload(title: Annotated[str, Form()], files: Annotated[list[dict], File()]) -> dict[str, object]:
    several = files if isinstance(files, list) else [files]
    return {"title": title, "sizes": [file["size"] for file in several]}


@api.get("/busy")
async def busy() -> dict[str, str]:
    spend(0.001)
    return HELLO


@api.get("/db/{number}")
async def row(number: int) -> dict[str, object]:
    return await row_of(number)


async def numbered(value: int) -> dict[str, int]:
    return {"value": value}


for place in range(int(os.environ.get("BENCH_ROUTES", "0"))):
    api.get(f"/routes/{place}/{{value}}")(numbered)


@api.get("/sync")
def sync() -> dict[str, str]:
    return HELLO


@api.get("/sleep/none")
async def sleep_none() -> dict[str, str]:
    await asyncio.sleep(0)
    return HELLO


@api.get("/sleep/short")
async def sleep_short() -> dict[str, str]:
    await asyncio.sleep(0.01)
    return HELLO
