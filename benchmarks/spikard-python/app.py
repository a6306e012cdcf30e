"""The benchmark's routes in Spikard: `python app.py PORT`."""

import asyncio
import sys
from uuid import UUID

from msgspec import Struct
from spikard import Form, Spikard

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


app = Spikard()


@app.post("/json/small")
async def small(item: Item) -> Item:
    return item


@app.post("/json/medium")
async def medium(order: Order) -> Order:
    return order


@app.post("/json/large")
async def large(batch: Batch) -> Batch:
    return batch


@app.post("/json/very-large")
async def very_large(batch: Batch) -> Batch:
    return batch


@app.get("/plaintext")
async def plaintext() -> str:
    return "Hello, World!"


@app.get("/json")
async def hello() -> dict[str, str]:
    return HELLO


@app.get("/path/simple/{value}")
async def path_simple(value: str) -> dict[str, str]:
    return {"value": value}


@app.get("/path/int/{value}")
async def path_int(value: int) -> dict[str, int]:
    return {"value": value}


@app.get("/path/uuid/{value}")
async def path_uuid(value: UUID) -> dict[str, UUID]:
    return {"value": value}


@app.get("/query/few")
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


@app.get("/query/medium")
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


@app.get("/query/many")
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


@app.post("/form")
async def form(person: Form[Person]) -> Person:
    return person


@app.get("/sync")
def sync() -> dict[str, str]:
    return HELLO


@app.get("/sync/inline", sync_to_thread=False)
def sync_inline() -> dict[str, str]:
    return HELLO


@app.get("/sleep/none")
async def sleep_none() -> dict[str, str]:
    await asyncio.sleep(0)
    return HELLO


@app.get("/sleep/short")
async def sleep_short() -> dict[str, str]:
    await asyncio.sleep(0.01)
    return HELLO


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]))
