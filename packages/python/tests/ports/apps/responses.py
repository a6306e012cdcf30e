"""Responses: status codes, models that filter, further types of data, direct responses, redirects, streams."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel

app = FastAPI()


class BaseUser(BaseModel):
    username: str
    full_name: str | None = None


class UserIn(BaseUser):
    password: str


class Item(BaseModel):
    name: str
    price: Decimal
    at: datetime
    day: date | None = None


@app.post("/user/")
async def create_user(user: UserIn) -> BaseUser:
    return user


@app.post("/items/", status_code=201)
async def create_item(item: Item) -> Item:
    return item


@app.get("/items/")
async def read_items() -> list[BaseUser]:
    return [BaseUser(username="rick"), BaseUser(username="morty", full_name="Morty Smith")]


@app.delete("/items/{item_id}", status_code=204)
async def delete_item(item_id: int) -> None:
    return None


@app.put("/extra/{item_id}")
async def extra(
    item_id: UUID,
    start_datetime: Annotated[datetime, Body()],
    process_after: Annotated[timedelta, Body()],
    repeat_at: Annotated[time | None, Body()] = None,
) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "start_datetime": start_datetime,
        "start_process": start_datetime + process_after,
        "repeat_at": repeat_at,
    }


@app.get("/html")
async def html() -> HTMLResponse:
    return HTMLResponse("<h1>Look ma! HTML!</h1>")


@app.get("/text")
def text() -> PlainTextResponse:
    return PlainTextResponse("Hello World", status_code=202)


@app.get("/json")
def plain() -> JSONResponse:
    return JSONResponse({"a": [1, 2.5, None, "é"]}, headers={"X-Kind": "json"})


@app.get("/away")
def away() -> RedirectResponse:
    return RedirectResponse("/html")


@app.get("/stream")
def stream() -> StreamingResponse:
    async def pieces():
        for number in range(3):
            yield f"piece {number};"

    return StreamingResponse(pieces(), media_type="text/plain")


@app.get("/nothing")
def nothing() -> None:
    return None


ITEM = {"name": "lamp", "price": "9.50", "at": "2026-01-31T10:00:00Z"}
UNIT = "cd529208-0e4c-4b24-a9c4-1a3a8c0a3a3a"
REQUESTS = [
    ("POST", "/user/", {"json": {"username": "rick", "password": "secret", "full_name": "Rick Sanchez"}}),
    ("POST", "/user/", {"json": {"username": "rick"}}),
    ("POST", "/items/", {"json": ITEM}),
    ("POST", "/items/", {"json": {**ITEM, "day": "2026-02-01"}}),
    ("POST", "/items/", {"json": {**ITEM, "day": "2026-02-30", "price": "dear"}}),
    ("GET", "/items/"),
    ("DELETE", "/items/7"),
    ("DELETE", "/items/x"),
    ("PUT", f"/extra/{UNIT}", {"json": {"start_datetime": "2026-01-31T10:00:00Z", "process_after": "PT90S"}}),
    ("PUT", f"/extra/{UNIT}", {"json": {"start_datetime": "2026-01-31T10:00:00+02:00", "process_after": "PT5M",
                                        "repeat_at": "14:23:55"}}),
    ("PUT", "/extra/7", {"json": {"start_datetime": "soon", "process_after": "later"}}),
    ("GET", "/html"),
    ("GET", "/text"),
    ("GET", "/json"),
    ("GET", "/away"),
    ("GET", "/stream"),
    ("GET", "/nothing"),
]  # fmt: skip
COMPARED = ("content-type", "x-kind", "location")
