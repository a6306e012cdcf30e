"""The benchmark's routes in Robyn: `python app.py PORT`."""

import asyncio
import os
import sys
import time
from typing import TypeVar
from urllib.parse import parse_qsl

import asyncpg
from pydantic import BaseModel, ValidationError
from robyn import Headers, Request, Response, Robyn
from robyn.responses import FileResponse

Model = TypeVar("Model", bound=BaseModel)
HELLO = {"message": "Hello, World!"}


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


async def row_of(number: int) -> dict[str, object]:
    global pool
    if pool is None:
        pool = await asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=4, max_size=4)
    return dict(await pool.fetchrow("select id, name from rows where id = $1", number))


def spend(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


app = Robyn(__file__)


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


@app.get("/path/simple/:value")
async def path_simple(value: str) -> dict[str, str]:
    return {"value": value}


@app.get("/path/int/:value")
async def path_int(value: int) -> dict[str, int]:
    return {"value": value}


@app.get("/path/uuid/:value")
async def path_uuid(value: str) -> dict[str, str]:
    return {"value": value}


@app.get("/shops/:shop/users/:user/orders/:order")
async def path_multiple(shop: str, user: int, order: int) -> dict[str, object]:
    return {"shop": shop, "user": user, "order": order}


@app.get("/path/deep/one/two/three/four/five/six/seven/eight/:value")
async def path_deep(value: int) -> dict[str, int]:
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
async def form(request: Request) -> Person | Response:
    return read(request, Person)


@app.post("/form/complex")
async def form_complex(request: Request) -> Profile | Response:
    return read(request, Profile)


def read(request: Request, model: type[Model]) -> Model | Response:
    try:
        return model.model_validate(dict(parse_qsl(as_text(request.body))))
    except ValidationError as refused:
        return Response(422, Headers({"content-type": "application/json"}), refused.json(include_url=False))


def as_text(body: str | bytes) -> str:
    return body.decode() if isinstance(body, bytes) else body


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(os.environ["BENCH_FILE"])


@app.get("/busy")
async def busy() -> dict[str, str]:
    spend(0.001)
    return HELLO


@app.get("/db/:number")
async def row(number: int) -> dict[str, object]:
    return await row_of(number)


async def numbered(value: int) -> dict[str, int]:
    return {"value": value}


for place in range(int(os.environ.get("BENCH_ROUTES", "0"))):
    app.get(f"/routes/{place}/:value")(numbered)


@app.get("/sync")
def sync() -> dict[str, str]:
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
    app.start(host="127.0.0.1", port=int(sys.argv[1]))
