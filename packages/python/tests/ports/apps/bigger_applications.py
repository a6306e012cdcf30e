"""Bigger applications: routers with prefixes and dependencies of their own, beside those of the app."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException


async def get_token_header(x_token: Annotated[str, Header()]):
    if x_token != "fake-super-secret-token":
        raise HTTPException(status_code=400, detail="X-Token header invalid")


async def get_query_token(token: str):
    if token != "jessica":
        raise HTTPException(status_code=400, detail="No Jessica token provided")


users = APIRouter(tags=["users"])
items = APIRouter(prefix="/items", tags=["items"], dependencies=[Depends(get_token_header)])
admin = APIRouter(prefix="/admin")

fake_items_db = {"plumbus": {"name": "Plumbus"}, "gun": {"name": "Portal Gun"}}


@users.get("/users/")
async def read_users():
    return [{"username": "Rick"}, {"username": "Morty"}]


@users.get("/users/{username}")
async def read_user(username: str):
    return {"username": username}


@items.get("/")
async def read_items():
    return fake_items_db


@items.get("/{item_id}")
async def read_item(item_id: str):
    if item_id not in fake_items_db:
        raise HTTPException(status_code=404, detail="Item not found")
    return {"name": fake_items_db[item_id]["name"], "item_id": item_id}


@items.put("/{item_id}")
async def update_item(item_id: str):
    if item_id != "plumbus":
        raise HTTPException(status_code=403, detail="You can only update the item: plumbus")
    return {"item_id": item_id, "name": "The great Plumbus"}


@admin.post("/")
async def update_admin():
    return {"message": "Admin getting schwifty"}


admin.include_router(users, prefix="/nested")

app = FastAPI(dependencies=[Depends(get_query_token)])
app.include_router(users)
app.include_router(items)
app.include_router(admin, prefix="/v1")


@app.get("/")
async def root():
    return {"message": "Hello Bigger Applications!"}


TOKEN = {"headers": {"x-token": "fake-super-secret-token"}}
REQUESTS = [
    ("GET", "/?token=jessica"),
    ("GET", "/?token=monica"),
    ("GET", "/"),
    ("GET", "/users/?token=jessica"),
    ("GET", "/users/foo?token=jessica"),
    ("GET", "/items/?token=jessica", TOKEN),
    ("GET", "/items/?token=jessica"),
    ("GET", "/items/?token=monica", TOKEN),
    ("GET", "/items/?token=jessica", {"headers": {"x-token": "wrong"}}),
    ("GET", "/items/plumbus?token=jessica", TOKEN),
    ("GET", "/items/bar?token=jessica", TOKEN),
    ("PUT", "/items/plumbus?token=jessica", TOKEN),
    ("PUT", "/items/bar?token=jessica", TOKEN),
    ("POST", "/v1/admin/?token=jessica"),
    ("POST", "/v1/admin/"),
    ("GET", "/v1/admin/nested/users/foo?token=jessica"),
    ("GET", "/admin/nested/users/foo?token=jessica"),
]
OTHERWISE = {"POST /v1/admin/": "a scalar of POST is missing in the body, though a query without body would do"}
