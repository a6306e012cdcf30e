"""The benchmark's routes in Litestar."""

import asyncio
from typing import Annotated
from uuid import UUID

from litestar import Litestar, MediaType, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
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


@post("/form", status_code=200)
async def form(data: Annotated[Person, Body(media_type=RequestEncodingType.URL_ENCODED)]) -> Person:
    return data


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
        sync,
        sleep_none,
        sleep_short,
    ],
    openapi_config=None,
)
