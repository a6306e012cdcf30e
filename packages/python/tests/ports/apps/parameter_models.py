"""Models of parameters, in the query, in cookies and in forms, which forbid names that they do not have."""

from typing import Annotated, Literal

from fastapi import Cookie, FastAPI, Form, Query
from pydantic import BaseModel, Field

app = FastAPI()


class FilterParams(BaseModel):
    model_config = {"extra": "forbid"}
    limit: int = Field(100, gt=0, le=100)
    offset: int = Field(0, ge=0)
    order_by: Literal["created_at", "updated_at"] = "created_at"
    tags: list[str] = []


class Cookies(BaseModel):
    model_config = {"extra": "forbid"}
    session_id: str
    fatebook_tracker: str | None = None


class Login(BaseModel):
    model_config = {"extra": "forbid"}
    username: str
    password: str


@app.get("/items/")
async def items(filter_query: Annotated[FilterParams, Query()]):
    return filter_query


@app.get("/session/")
async def session(cookies: Annotated[Cookies, Cookie()]):
    return cookies


@app.post("/login/")
async def login(data: Annotated[Login, Form()]):
    return data


REQUESTS = [
    ("GET", "/items/"),
    ("GET", "/items/?limit=10&offset=5&order_by=updated_at&tags=a&tags=b"),
    ("GET", "/items/?tool=plumbus"),
    ("GET", "/items/?tool=plumbus&tool=again&limit=0&other="),
    ("GET", "/items/?Limit=10"),
    ("GET", "/session/", {"headers": {"cookie": "session_id=123; fatebook_tracker=456"}}),
    ("GET", "/session/", {"headers": {"cookie": "session_id=123; extra=track-me-here-too"}}),
    ("GET", "/session/", {"headers": {"cookie": "extra=track-me-here-too"}}),
    ("POST", "/login/", {"data": {"username": "Foo", "password": "secret"}}),
    ("POST", "/login/", {"data": {"username": "Foo", "password": "secret", "extra": "extra"}}),
    ("POST", "/login/", {"data": {"username": "Foo", "extra": "extra"}}),
]
