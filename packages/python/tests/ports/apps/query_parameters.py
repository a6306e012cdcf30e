"""Query parameters: defaults, optional ones, booleans, lists, lengths, patterns, aliases, a model of them."""

from typing import Annotated, Literal

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field

app = FastAPI()

fake_items_db = [{"item_name": "Foo"}, {"item_name": "Bar"}, {"item_name": "Baz"}]


class FilterParams(BaseModel):
    limit: int = Field(100, gt=0, le=100)
    offset: int = Field(0, ge=0)
    order_by: Literal["created_at", "updated_at"] = "created_at"
    tags: list[str] = []


@app.get("/items/")
async def read_items(skip: int = 0, limit: int = 10):
    return fake_items_db[skip : skip + limit]


@app.get("/items/{item_id}")
async def read_item(item_id: str, needy: str, q: str | None = None, short: bool = False):
    item = {"item_id": item_id, "needy": needy}
    if q:
        item.update({"q": q})
    if not short:
        item.update({"description": "This is an amazing item that has a long description"})
    return item


@app.get("/search")
async def search(q: Annotated[str | None, Query(min_length=3, max_length=50, pattern="^fixed")] = None):
    results = {"items": [{"item_id": "Foo"}, {"item_id": "Bar"}]}
    if q:
        results.update({"q": q})
    return results


@app.get("/many")
async def many(q: Annotated[list[str], Query()] = ["foo", "bar"], n: list[int] = Query(default=[])):  # noqa: B006
    return {"q": q, "n": n}


@app.get("/filtered")
async def filtered(filter_query: Annotated[FilterParams, Query()]):
    return filter_query


REQUESTS = [
    ("GET", "/items/"),
    ("GET", "/items/?skip=1"),
    ("GET", "/items/?skip=1&limit=1"),
    ("GET", "/items/?skip=x&limit=y"),
    ("GET", "/items/?skip="),
    ("GET", "/items/foo"),
    ("GET", "/items/foo?needy=very"),
    ("GET", "/items/foo?needy=very&q=some&short=1"),
    ("GET", "/items/foo?needy=very&short=True"),
    ("GET", "/items/foo?needy=very&short=on"),
    ("GET", "/items/foo?needy=very&short=yes"),
    ("GET", "/items/foo?needy=very&short=maybe"),
    ("GET", "/search"),
    ("GET", "/search?q=fixedquery"),
    ("GET", "/search?q=fi"),
    ("GET", "/search?q=other"),
    ("GET", "/search?q=fixed" + "x" * 50),
    ("GET", "/many"),
    ("GET", "/many?q=a&q=b&n=1&n=2"),
    ("GET", "/many?n=1&n=x"),
    ("GET", "/filtered"),
    ("GET", "/filtered?limit=10&offset=5&order_by=updated_at&tags=a&tags=b"),
    ("GET", "/filtered?limit=1000&offset=-1&order_by=never"),
]
