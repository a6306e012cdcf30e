"""The benchmark's routes in Spikard: `python app.py PORT WORKERS`."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Struct
from spikard import (
    BackgroundTasks,
    Depends,
    FileResponse,
    Form,
    Request,
    Response,
    Spikard,
    StreamingResponse,
    UploadFile,
)

HELLO = {"message": "Hello, World!"}
PIECE = b"x" * 65_536
SEEN: ContextVar[list[str]] = ContextVar("seen")


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


pool = None


async def row_of(number: int) -> dict[str, object]:
    global pool
    import asyncpg  # the other routes do without it

    if pool is None:
        pool = await asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=4, max_size=4)
    return dict(await pool.fetchrow("select id, name from rows where id = $1", number))


def spend(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


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


@app.post("/msgpack")
async def packed(item: Item) -> Item:
    return item


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


@app.get("/shops/{shop}/users/{user}/orders/{order}")
async def path_multiple(shop: str, user: int, order: int) -> dict[str, object]:
    return {"shop": shop, "user": user, "order": order}


@app.get("/path/deep/one/two/three/four/five/six/seven/eight/{value}")
async def path_deep(value: int) -> dict[str, int]:
    return {"value": value}


@app.get("/path/date/{value}")
async def path_date(value: date) -> dict[str, date]:
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


@app.post("/form/complex")
async def form_complex(profile: Form[Profile]) -> Profile:
    return profile


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(16):
        yield PIECE


@app.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(pieces(), media_type="application/octet-stream")


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(os.environ["BENCH_FILE"])


ran = False


async def remember() -> None:
    global ran
    ran = True


@app.get("/background")
async def background(tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(remember)
    return HELLO


@app.get("/background/ran")
async def background_ran() -> dict[str, bool]:
    return {"ran": ran}


@dataclass
class Upload:
    title: str
    files: list[UploadFile]


@app.post("/upload")
async def upload(form: Form[Upload]) -> dict[str, object]:
    return {"title": form.title, "sizes": [file.size for file in form.files]}


def first() -> int:
    return 1


async def second(before: Annotated[int, Depends(first)]) -> int:
    return before + 1


def third(before: Annotated[int, Depends(second)]) -> int:
    return before + 1


@app.get("/depends")
async def depends(value: Annotated[int, Depends(third)]) -> dict[str, int]:
    return {"value": value}


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


@app.get("/busy")
async def busy() -> dict[str, str]:
    spend(0.001)
    return HELLO


@app.get("/db/{number}")
async def row(number: int) -> dict[str, object]:
    return await row_of(number)


async def numbered(value: int) -> dict[str, int]:
    return {"value": value}


for place in range(int(os.environ.get("BENCH_ROUTES", "0"))):
    app.get(f"/routes/{place}/{{value}}")(numbered)


if "BENCH_HOOKS" in os.environ:

    @app.on_request
    async def first_hook(_: Request) -> None:
        SEEN.set(["on_request"])

    @app.pre_validation
    async def second_hook(_: Request) -> None:
        SEEN.get().append("pre_validation")

    @app.pre_handler
    async def third_hook(_: Request) -> None:
        SEEN.get().append("pre_handler")

    @app.on_error
    async def error_hook(response: Response) -> Response:
        return response

    @app.on_response
    async def fourth_hook(response: Response) -> Response:
        return response

    @app.on_response
    async def fifth_hook(response: Response) -> Response:
        return response

    @app.get("/hooked")
    async def hooked() -> dict[str, list[str]]:
        return {"seen": SEEN.get()}


if __name__ == "__main__":
    app.run(port=int(sys.argv[1]), workers=int(sys.argv[2]))
