"""Errors: HTTPException with fields, exceptions of the app, and handlers that take over what the framework raises."""

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

app = FastAPI()

items = {"foo": "The Foo Wrestlers"}


class UnicornException(Exception):
    def __init__(self, name: str):
        self.name = name


class RareUnicornException(UnicornException):
    pass


@app.exception_handler(UnicornException)
async def unicorn_exception_handler(request: Request, exc: UnicornException):
    return JSONResponse(
        status_code=418,
        content={"message": f"Oops! {exc.name} did something. There goes a rainbow...", "at": request.method},
    )


@app.exception_handler(402)
def pay(request: Request, exc: HTTPException):
    return JSONResponse(status_code=402, content={"pay": exc.detail}, headers={"X-Price": "7"})


@app.get("/items/{item_id}")
async def read_item(item_id: str):
    if item_id not in items:
        raise HTTPException(status_code=404, detail="Item not found", headers={"X-Error": "There goes my error"})
    return {"item": items[item_id]}


@app.get("/unicorns/{name}")
async def read_unicorn(name: str):
    if name == "yolo":
        raise UnicornException(name=name)
    if name == "rare":
        raise RareUnicornException(name=name)
    return {"unicorn_name": name}


@app.get("/paid")
def paid():
    raise HTTPException(status_code=402, detail="seven")


@app.get("/detailed")
def detailed():
    raise HTTPException(status_code=409, detail={"twice": ["a", 1]})


@app.get("/broken")
def broken():
    raise RuntimeError("nobody reads this")


REQUESTS = [
    ("GET", "/items/foo"),
    ("GET", "/items/bar"),
    ("GET", "/unicorns/shinny"),
    ("GET", "/unicorns/yolo"),
    ("GET", "/unicorns/rare"),
    ("GET", "/paid"),
    ("GET", "/detailed"),
    ("GET", "/broken"),
    ("DELETE", "/items/foo"),
]
COMPARED = ("x-error", "x-price")
