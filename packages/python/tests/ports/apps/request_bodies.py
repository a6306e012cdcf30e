"""Bodies: one model, a model beside path and query, several models, a single value, one that is embedded, nested ones."""

from typing import Annotated

from fastapi import Body, FastAPI, Path, Query
from pydantic import BaseModel, Field, HttpUrl

app = FastAPI()


class Item(BaseModel):
    name: str
    description: str | None = Field(default=None, max_length=30)
    price: float = Field(gt=0)
    tax: float | None = None


class User(BaseModel):
    username: str
    full_name: str | None = None


class Image(BaseModel):
    url: HttpUrl
    name: str


class Offer(BaseModel):
    name: str
    tags: set[str] = set()
    images: list[Image] | None = None
    items: list[Item]


@app.post("/items/")
async def create_item(item: Item):
    item_dict = item.model_dump()
    if item.tax is not None:
        item_dict.update({"price_with_tax": item.price + item.tax})
    return item_dict


@app.put("/items/{item_id}")
async def update_item(
    item_id: Annotated[int, Path(ge=0, le=1000)], item: Item | None = None, q: Annotated[str | None, Query()] = None
):
    results = {"item_id": item_id}
    if q:
        results.update({"q": q})
    if item:
        results.update({"item": item})
    return results


@app.put("/several/{item_id}")
async def several(item_id: int, item: Item, user: User, importance: Annotated[int, Body(gt=0)]):
    return {"item_id": item_id, "item": item, "user": user, "importance": importance}


@app.put("/embedded/{item_id}")
async def embedded(item_id: int, item: Annotated[Item, Body(embed=True)]):
    return {"item_id": item_id, "item": item}


@app.post("/offers/")
async def create_offer(offer: Offer):
    return {"name": offer.name, "tags": sorted(offer.tags), "images": offer.images, "items": offer.items}


@app.post("/images/multiple/")
async def create_multiple_images(images: list[Image]):
    return images


@app.post("/index-weights/")
async def create_index_weights(weights: dict[int, float]):
    return weights


FOO = {"name": "Foo", "price": 50.5}
DAVE = {"username": "dave"}
IMAGE = {"url": "http://example.com/baz.jpg", "name": "The Foo live"}
REQUESTS = [
    ("POST", "/items/", {"json": FOO}),
    ("POST", "/items/", {"json": {**FOO, "tax": 0.3, "description": "Some Foo"}}),
    ("POST", "/items/", {"json": {"name": "Foo"}}),
    ("POST", "/items/", {"json": {"name": "Foo", "price": "fifty"}}),
    ("POST", "/items/", {"json": {"name": 7, "price": -1, "description": "x" * 31}}),
    ("POST", "/items/", {"json": {}}),
    ("POST", "/items/", {"json": []}),
    ("PUT", "/items/5", {"json": FOO}),
    ("PUT", "/items/5?q=bar", {"json": FOO}),
    ("PUT", "/items/5?q=bar"),
    ("PUT", "/items/1001", {"json": {"name": "Foo"}}),
    ("PUT", "/several/5", {"json": {"importance": 2, "item": FOO, "user": DAVE}}),
    ("PUT", "/several/5", {"json": {"importance": 0, "item": {"name": "Foo"}}}),
    ("PUT", "/embedded/5", {"json": {"item": FOO}}),
    ("PUT", "/embedded/5", {"json": FOO}),
    ("POST", "/offers/", {"json": {"name": "o", "tags": ["b", "a", "b"], "images": [IMAGE], "items": [FOO]}}),
    (
        "POST",
        "/offers/",
        {"json": {"name": "o", "images": [{"url": "no", "name": "n"}], "items": [FOO, {"name": "B"}]}},
    ),
    ("POST", "/images/multiple/", {"json": [IMAGE, IMAGE]}),
    ("POST", "/images/multiple/", {"json": [IMAGE, {"name": "x"}]}),
    ("POST", "/index-weights/", {"json": {"2": 2.2, "3": 3.3}}),
    ("POST", "/index-weights/", {"json": {"foo": 2.2}}),
]
OTHERWISE = {"POST /index-weights/ {'json': {'foo': 2.2}}": "keys are refused with the whole object"}
