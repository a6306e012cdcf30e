"""The public surface as a strict user writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikard import HTTPException, RedirectResponse, Response, Router, ServerConfig, Spikard, get, route
from spikard.routing import Route
from typing_extensions import assert_type

app = Spikard(ServerConfig(port=8000, request_timeout=None), host="0.0.0.0")
app.run(host="0.0.0.0", port=1)
ServerConfig(port="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
ServerConfig(prot=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
Spikard(prot=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
config = ServerConfig()
port: int = config.port
config.port = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


@app.get("/a", status_code=201, tags=["x"])
async def a(n: int) -> str:
    return "x"


assert_type(a.__name__, str)


@app.get("/a", statuscode=201)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
def b(n: int) -> str:
    return "x"


@get("/c")
def c() -> int:
    return 1


assert_type(c(), int)


@route("/d", methods=["GET", "POST"], timeout=None)
def d() -> Response:
    if c():
        raise HTTPException(404, headers={"x-a": "b"}, extra={"id": 1})
    return RedirectResponse("/a", 303)


router = Router("/x", tags=("x",))
app.include_router(router, prefix="/y")
assert_type(app.routes, list[Route])
handlers: list[Callable[..., Any]] = [found.handler for found in app.routes]
