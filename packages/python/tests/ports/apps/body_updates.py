"""Updates: PUT replaces, PATCH changes what was sent, over models with defaults and an in-memory table."""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()


class Item(BaseModel):
    name: str | None = None
    description: str | None = None
    price: float | None = None
    tax: float = 10.5
    tags: list[str] = []


items = {
    "foo": {"name": "Foo", "price": 50.2},
    "bar": {"name": "Bar", "description": "The bartenders", "price": 62, "tax": 20.2},
    "baz": {"name": "Baz", "description": None, "price": 50.2, "tax": 10.5, "tags": []},
}


@app.get("/items/{item_id}")
async def read_item(item_id: str) -> Item:
    if item_id not in items:
        raise HTTPException(status_code=404, detail=f"no {item_id}")
    return items[item_id]


@app.put("/items/{item_id}")
async def update_item(item_id: str, item: Item) -> Item:
    items[item_id] = item.model_dump(mode="json")
    return items[item_id]


@app.patch("/items/{item_id}")
async def change_item(item_id: str, item: Item) -> Item:
    stored = Item(**items[item_id])
    items[item_id] = stored.model_copy(update=item.model_dump(exclude_unset=True)).model_dump(mode="json")
    return items[item_id]


@app.delete("/items/{item_id}", status_code=204)
def delete_item(item_id: str) -> None:
    if items.pop(item_id, None) is None:
        raise HTTPException(status_code=404, detail=f"no {item_id}")


REQUESTS = [
    ("GET", "/items/foo"),
    ("GET", "/items/bar"),
    ("GET", "/items/none"),
    ("PUT", "/items/bar", {"json": {"name": "Barz", "price": 3, "description": None}}),
    ("GET", "/items/bar"),
    ("PATCH", "/items/baz", {"json": {"price": 1.5, "tags": ["a"]}}),
    ("PATCH", "/items/baz", {"json": {"price": "dear"}}),
    ("PATCH", "/items/baz", {"json": {}}),
    ("GET", "/items/baz"),
    ("DELETE", "/items/baz"),
    ("DELETE", "/items/baz"),
    ("PUT", "/items/new", {"json": {}}),
]
