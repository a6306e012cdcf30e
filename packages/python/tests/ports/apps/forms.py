"""Urlencoded forms: fields, defaults, a model of them."""

from typing import Annotated

from fastapi import FastAPI, Form
from pydantic import BaseModel

app = FastAPI()


class FormFields(BaseModel):
    username: str
    password: str
    age: int = 18


@app.post("/login/")
async def login(username: Annotated[str, Form()], password: Annotated[str, Form(min_length=3)]):
    return {"username": username, "length": len(password)}


@app.post("/profile/")
def profile(data: Annotated[FormFields, Form()]):
    return data


@app.post("/tags/")
def tags(tag: Annotated[list[str], Form()], remember: Annotated[bool, Form()] = False):
    return {"tag": tag, "remember": remember}


REQUESTS = [
    ("POST", "/login/", {"data": {"username": "Foo", "password": "secret"}}),
    ("POST", "/login/", {"data": {"username": "Foo"}}),
    ("POST", "/login/", {"data": {"password": "no"}}),
    ("POST", "/login/"),
    ("POST", "/profile/"),
    ("POST", "/profile/", {"data": {"username": "Foo", "password": "secret"}}),
    ("POST", "/profile/", {"data": {"username": "Foo", "password": "secret", "age": "42"}}),
    ("POST", "/profile/", {"data": {"username": "Foo", "password": "secret", "age": "old"}}),
    ("POST", "/tags/", {"data": {"tag": ["a", "b"], "remember": "on"}}),
    ("POST", "/tags/", {"data": {"tag": "a"}}),
]
