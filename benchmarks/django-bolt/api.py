"""The benchmark's routes in Django-Bolt."""

import asyncio
from typing import Annotated
from uuid import UUID

from django_bolt import BoltAPI
from django_bolt.param_functions import Form
from django_bolt.responses import PlainText
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
