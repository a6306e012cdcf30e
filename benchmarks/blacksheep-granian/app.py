"""The benchmark's routes in BlackSheep."""

import asyncio
from uuid import UUID

from blacksheep import Application, FromForm, FromJSON, Response, get, post, text
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
