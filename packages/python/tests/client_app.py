"""The app that the tests of the test client ask."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from spikard import HTTPException, RedirectResponse, Response, Spikard
from spikard._markers import Header, Query

app = Spikard()


@app.get("/thread")
async def thread() -> int:
    return threading.get_ident()


@app.get("/slow")
async def slow() -> str:
    await asyncio.sleep(0.1)
    return "slow"


@app.post("/text")
async def text(body: str) -> str:
    return body


@app.post("/json")
async def json_body(body: dict[str, Any]) -> dict[str, Any]:
    return body


@app.get("/query")
async def query(a: str = "", tags: Query[list[str]] = Query(default_factory=list), on: bool = False) -> list[Any]:
    return [a, tags, on]


@app.get("/headers")
async def headers(x_a: Header[str] = "", cookie: Header[str] = "", host: Header[str] = "") -> list[str]:
    return [x_a, cookie, host]


@app.get("/set")
def set_cookies() -> Response:
    response = Response("set")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2", path="/elsewhere")
    response.headers.add("x-many", "1")
    response.headers.add("x-many", "2")
    return response


@app.get("/old")
def old() -> Response:
    return RedirectResponse("/query?a=moved")


@app.post("/see")
def see() -> Response:
    return RedirectResponse("/query?a=seen", 303)


@app.post("/again")
def again() -> Response:
    return RedirectResponse("/json", 307)


@app.get("/loop")
def loop() -> Response:
    return RedirectResponse("/loop")


@app.get("/raises")
async def raises() -> None:
    raise ValueError("why")


@app.get("/refuses")
async def refuses() -> None:
    raise HTTPException(404, "no such thing")
