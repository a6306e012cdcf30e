"""The benchmark's routes in BlackSheep."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import asyncpg
from blacksheep import (
    Application,
    FromFiles,
    FromForm,
    FromJSON,
    Request,
    Response,
    StreamedContent,
    get,
    json,
    post,
    text,
)
from blacksheep import file as served
from pydantic import BaseModel

HELLO = {"message": "Hello, World!"}

app = Application()


class Item(BaseModel):
    name: str
    description: str
    price: float
    quantity: int


class Address(BaseModel):
    street: str
    city: str
    postcode: str
    country: str


class Customer(BaseModel):
    name: str
    email: str
    address: Address


class Line(BaseModel):
    sku: str
    title: str
    quantity: int
    price: float
    discount: float | None
    tags: list[str]


class Order(BaseModel):
    id: int
    reference: str
    paid: bool
    customer: Customer
    lines: list[Line]
    note: str


class Batch(BaseModel):
    source: str
    orders: list[Order]


class Person(BaseModel):
    username: str
    email: str
    age: int
    subscribed: bool


class Profile(BaseModel):
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


@post("/json/small")
async def small(data: FromJSON[Item]) -> Item:
    return data.value


@post("/json/medium")
async def medium(data: FromJSON[Order]) -> Order:
    return data.value


@post("/json/large")
async def large(data: FromJSON[Batch]) -> Batch:
    return data.value


@post("/json/very-large")
async def very_large(data: FromJSON[Batch]) -> Batch:
    return data.value


@get("/plaintext")
async def plaintext() -> Response:
    return text("Hello, World!")


@get("/json")
async def hello() -> dict[str, str]:
    return HELLO


@get("/path/simple/{value}")
async def path_simple(value: str) -> dict[str, str]:
    return {"value": value}


@get("/path/int/{value}")
async def path_int(value: int) -> dict[str, int]:
    return {"value": value}


@get("/path/uuid/{value}")
async def path_uuid(value: UUID) -> dict[str, UUID]:
    return {"value": value}


@get("/shops/{shop}/users/{user}/orders/{order}")
async def path_multiple(shop: str, user: int, order: int) -> dict[str, object]:
    return {"shop": shop, "user": user, "order": order}


@get("/path/deep/one/two/three/four/five/six/seven/eight/{value}")
async def path_deep(value: int) -> dict[str, int]:
    return {"value": value}


@get("/path/date/{value}")
async def path_date(value: date) -> dict[str, date]:
    return {"value": value}


@get("/query/few")
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


@get("/query/medium")
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


@get("/query/many")
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


@post("/form")
async def form(data: FromForm[Person]) -> Person:
    return data.value


@post("/form/complex")
async def form_complex(data: FromForm[Profile]) -> Profile:
    return data.value


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(16):
        yield PIECE


@get("/stream")
async def stream() -> Response:
    return Response(200, content=StreamedContent(b"application/octet-stream", pieces))


@post("/upload")
async def upload(request: Request, files: FromFiles) -> Response:
    if not files.value:
        return json({"detail": "files are missing"}, 400)
    form = await request.form()
    return json({"title": form["title"], "sizes": [len(file.data) for file in files.value]})


@get("/file")
async def file() -> Response:
    return served(os.environ["BENCH_FILE"], "application/octet-stream")


@get("/busy")
async def busy() -> dict[str, str]:
    spend(0.001)
    return HELLO


@get("/db/{number}")
async def row(number: int) -> dict[str, object]:
    return await row_of(number)


async def numbered(value: int) -> dict[str, int]:
    return {"value": value}


for place in range(int(os.environ.get("BENCH_ROUTES", "0"))):
    app.router.add_get(f"/routes/{place}/{{value}}", numbered)


@get("/sync")
def sync() -> dict[str, str]:
    return HELLO


@get("/sleep/none")
async def sleep_none() -> dict[str, str]:
    await asyncio.sleep(0)
    return HELLO


@get("/sleep/short")
async def sleep_short() -> dict[str, str]:
    await asyncio.sleep(0.01)
    return HELLO
