"""Several workers in one process, each with a thread and a loop of its own, share one app: with the interpreter's lock they
take turns, and on a free-threaded build they run at once.
"""

from __future__ import annotations

import asyncio
import contextvars
import http.client
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from spikard import Query, Spikard
from spikard.testing import TestClient

from .conftest import Ports

mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="unset")


class Order(msgspec.Struct):
    id: int
    tags: list[str]


def shared_app() -> Spikard:
    app = Spikard(threads=4)

    @app.get("/task/{name}")
    async def in_task(name: str, q: Query[int] = Query(default=1)) -> list[Any]:
        before = mark.get()
        mark.set(name)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return [before, mark.get(), q, task is not None and task in asyncio.all_tasks()]

    @app.get("/def/{name}")
    def in_thread(name: str) -> list[str]:
        before = mark.get()
        mark.set(name)
        return [before, mark.get()]

    @app.get("/inline/{name}", sync_to_thread=False)
    def inline(name: str) -> list[str]:
        return [name, threading.current_thread().name]

    @app.post("/order")
    async def order(body: Order) -> Order:
        return body

    @app.get("/fails")
    async def fails() -> None:
        raise RuntimeError("on purpose")

    @app.get("/sleeps", timeout=0.02)
    async def sleeps() -> None:
        await asyncio.sleep(1000)

    return app


def ask_all(ask: Any, worker: int, rounds: int) -> None:
    """Every kind of request, so many times; `ask(method, path, json) -> (status, body)`."""
    for number in range(rounds):
        name = f"w{worker}r{number}"
        assert ask("GET", f"/task/{name}?q={number}", None) == (200, ["unset", name, number, True])
        assert ask("GET", f"/def/{name}", None) == (200, ["unset", name])
        assert ask("GET", f"/inline/{name}", None)[1][0] == name
        body = {"id": number, "tags": [name] * 20}
        assert ask("POST", "/order", body) == (200, body)
        assert ask("POST", "/order", {"id": "x"})[0] == 422
        assert ask("GET", f"/task/{name}?q=x", None)[0] == 422
        assert ask("GET", "/fails", None)[0] == 500
        if number % 20 == 0:
            assert ask("GET", "/sleeps", None)[0] == 408


@pytest.mark.usefixtures("caplog")
def test_workers_on_threads_of_one_process_share_an_app_in_memory() -> None:
    app = shared_app()

    def work(worker: int) -> None:
        with TestClient(app) as client:

            def ask(method: str, path: str, body: Any) -> tuple[int, Any]:
                answer = client.request(method, path, json=body)
                return answer.status_code, answer.json()

            ask_all(ask, worker, 60)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))


@pytest.mark.usefixtures("caplog")
def test_servers_on_threads_of_one_process_share_an_app(ports: Ports) -> None:
    app = shared_app()
    stops: list[Any] = []

    def serve() -> None:
        async def main() -> None:
            serving = asyncio.ensure_future(app.serve(port=0))
            stops.append((asyncio.get_running_loop(), serving))
            await asyncio.wait([serving])

        asyncio.run(main())

    def work(worker: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", both[worker % 2], timeout=20)

        def ask(method: str, path: str, body: Any) -> tuple[int, Any]:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {} if text is None else {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

        ask_all(ask, worker, 60)
        connection.close()

    servers = [threading.Thread(target=serve) for _ in range(2)]
    for server in servers:
        server.start()
    try:
        both = ports(2)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    finally:
        for loop, serving in stops:
            loop.call_soon_threadsafe(serving.cancel)
        for server in servers:
            server.join(20)
    assert not any(server.is_alive() for server in servers)


def test_the_extension_needs_no_lock_of_the_interpreter() -> None:
    if not hasattr(sys, "_is_gil_enabled") or "free-threading" not in sys.version:
        pytest.skip("this is not a free-threaded build")
    import spikard._spikard

    assert spikard._spikard.__version__
    assert not sys._is_gil_enabled()
