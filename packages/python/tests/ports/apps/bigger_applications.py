"""Bigger applications: routers with prefixes, within one another."""

from fastapi import APIRouter, FastAPI, HTTPException

users = APIRouter(tags=["users"])
items = APIRouter(prefix="/items", tags=["items"])
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

app = FastAPI()
app.include_router(users)
app.include_router(items)
app.include_router(admin, prefix="/v1")


@app.get("/")
async def root():
    return {"message": "Hello Bigger Applications!"}


REQUESTS = [
    ("GET", "/"),
    ("GET", "/users/"),
    ("GET", "/users/foo"),
    ("GET", "/items/"),
    ("GET", "/items/plumbus"),
    ("GET", "/items/bar"),
    ("PUT", "/items/plumbus"),
    ("PUT", "/items/bar"),
    ("POST", "/v1/admin/"),
    ("GET", "/v1/admin/nested/users/foo"),
    ("GET", "/admin/nested/users/foo"),
    ("DELETE", "/items/plumbus"),
]
