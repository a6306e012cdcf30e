"""The benchmark's routes in Litestar."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

import asyncpg
from litestar import Litestar, MediaType, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import UploadFile
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import File, Stream
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


@post("/json/small", status_code=200)
async def small(data: Item) -> Item:
    return data


@post("/json/medium", status_code=200)
async def medium(data: Order) -> Order:
    return data


@post("/json/large", status_code=200)
async def large(data: Batch) -> Batch:
    return data


@post("/json/very-large", status_code=200)
async def very_large(data: Batch) -> Batch:
    return data


@get("/plaintext", media_type=MediaType.TEXT)
async def plaintext() -> str:
    return "Hello, World!"


@get("/json")
async def hello() -> dict[str, str]:
    return HELLO


@get("/path/simple/{value:str}")
async def path_simple(value: str) -> dict[str, str]:
    return {"value": value}


@get("/path/int/{value:int}")
async def path_int(value: int) -> dict[str, int]:
    return {"value": value}


@get("/path/uuid/{value:uuid}")
async def path_uuid(value: UUID) -> dict[str, UUID]:
    return {"value": value}


@get("/shops/{shop:str}/users/{user:int}/orders/{order:int}")
async def path_multiple(shop: str, user: int, order: int) -> dict[str, object]:
    return {"shop": shop, "user": user, "order": order}


@get("/path/deep/one/two/three/four/five/six/seven/eight/{value:int}")
async def path_deep(value: int) -> dict[str, int]:
    return {"value": value}


@get("/path/date/{value:date}")
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


@post("/msgpack", status_code=200)
async def packed(data: Annotated[Item, Body(media_type=RequestEncodingType.MESSAGEPACK)]) -> Item:
    return data


@post("/form", status_code=200)
async def form(data: Annotated[Person, Body(media_type=RequestEncodingType.URL_ENCODED)]) -> Person:
    return data


@post("/form/complex", status_code=200)
async def form_complex(data: Annotated[Profile, Body(media_type=RequestEncodingType.URL_ENCODED)]) -> Profile:
    return data


@dataclass
class Upload:
    title: str
    files: list[UploadFile]


@post("/upload", status_code=200)
async def upload(data: Annotated[Upload, Body(media_type=RequestEncodingType.MULTI_PART)]) -> dict[str, object]:
    return {"title": data.title, "sizes": [len(await file.read()) for file in data.files]}


def first() -> int:
    return 1


async def second(one: int) -> int:
    return one + 1


def third(two: int) -> int:
    return two + 1


@get(
    "/depends",
    dependencies={
        "one": Provide(first, sync_to_thread=True),
        "two": Provide(second),
        "three": Provide(third, sync_to_thread=True),
    },
)
async def depends(three: int) -> dict[str, int]:
    return {"value": three}


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(16):
        yield PIECE


@get("/stream")
async def stream() -> Stream:
    return Stream(pieces(), media_type="application/octet-stream")


@get("/file")
async def file() -> File:
    return File(os.environ["BENCH_FILE"], media_type="application/octet-stream")


ran = False


async def remember() -> None:
    global ran
    ran = True


@get("/background")
async def background() -> Response[dict[str, str]]:
    return Response(HELLO, background=BackgroundTask(remember))


@get("/background/ran")
async def background_ran() -> dict[str, bool]:
    return {"ran": ran}


@get("/busy")
async def busy() -> dict[str, str]:
    spend(0.001)
    return HELLO


@get("/db/{number:int}")
async def row(number: int) -> dict[str, object]:
    return await row_of(number)


@get([f"/routes/{place}/{{value:int}}" for place in range(int(os.environ.get("BENCH_ROUTES", "0")))] or "/routes/{value:int}")
async def numbered(value: int) -> dict[str, int]:
    return {"value": value}


@get("/sync", sync_to_thread=True)
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


app = Litestar(
    [
        small,
        medium,
        large,
        very_large,
        plaintext,
        hello,
        path_simple,
        path_int,
        path_uuid,
        query_few,
        query_medium,
        query_many,
        form,
        path_multiple,
        path_deep,
        path_date,
        form_complex,
        upload,
        depends,
        packed,
        stream,
        file,
        background,
        background_ran,
        busy,
        row,
        numbered,
        sync,
        sleep_none,
        sleep_short,
    ],
    openapi_config=None,
)
