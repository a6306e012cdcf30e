"""The two ways into an app: the in-process client, and a real server's socket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from spikard import Spikard, TestClient


class Answer(NamedTuple):
    """A response as it came; `closed` is None where nobody looked."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    closed: bool | None = None
    then: tuple[Any, ...] = ()


class Unsuited(Exception):
    """The door cannot send such a request."""


def encoded(request: dict[str, Any]) -> tuple[list[tuple[str, str]], bytes]:
    """Fields and body of a request."""
    headers = [(name, value) for name, value in request.get("headers", ())]
    kind, body = None, b""
    if "body" in request:
        kind, body = "application/json", json.dumps(request["body"]).encode()
    elif "form" in request:
        kind, body = "application/x-www-form-urlencoded", urlencode([tuple(pair) for pair in request["form"]]).encode()
    elif "body_text" in request:
        body = request["body_text"].encode()
    elif "body_base64" in request:
        body = base64.b64decode(request["body_base64"])
    if kind and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", kind))
    return headers, body


@contextmanager
def in_process(app: Spikard) -> Iterator[Any]:
    """The client that users test with."""
    with TestClient(app, follow_redirects=False) as client:

        def send(request: dict[str, Any]) -> Answer:
            if "method" not in request:
                raise Unsuited("the test client sends requests, not the bytes of a connection")
            if request["method"] != request["method"].upper():
                raise Unsuited("the test client writes methods in capitals")
            headers, body = encoded(request)
            client.cookies.clear()
            response = client.request(request["method"], request["target"], headers=headers, content=body)
            fields = response.headers.multi_items()
            return Answer(response.status_code, fields, response.content)

        yield send


@contextmanager
def over_a_socket(app: Spikard) -> Iterator[Any]:
    """A server on a thread and loop of its own, which says in its banner where it listens."""
    banner, loop = Banner(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server")
    thread.start()
    try:
        with contextlib.redirect_stderr(banner):
            serving = asyncio.run_coroutine_threadsafe(app.serve(port=0), loop)
            serving.add_done_callback(lambda _: banner.told.set())
            banner.told.wait(10)
        if serving.done():
            serving.result()
        try:
            yield lambda request: exchange(banner.address(), request)
        finally:
            serving.cancel()
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(_others_ended(), loop).result(40)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _others_ended() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


class Banner(io.StringIO):
    """What the server prints when it listens."""

    def __init__(self) -> None:
        super().__init__()
        self.told = threading.Event()

    def flush(self) -> None:
        """The banner is flushed as a whole line."""
        self.told.set()

    def address(self) -> tuple[str, int]:
        """Where the server listens."""
        found = re.search(r"http://([0-9.]+):(\d+)", self.getvalue())
        assert found, f"no address in {self.getvalue()!r}"
        return found[1], int(found[2])


class Connection:
    """One connection whose answers are read one after another."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=5)
        self.reader = self.socket.makefile("rb")

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Lends `http.client` the one reader; its `close` must not close that."""
        return _Lent(self.reader)  # type: ignore[return-value]

    def answer(self, method: str) -> Answer:
        """The next answer."""
        response = http.client.HTTPResponse(self, method=method)  # type: ignore[arg-type]
        response.begin()
        headers = [(name.lower(), value) for name, value in response.getheaders()]
        return Answer(response.status, headers, response.read())

    def is_closed(self, *, another: bool) -> bool:
        """Whether the server closes; `another`: whether it does not answer a further request."""
        try:
            if another:
                self.socket.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return not self.reader.read(1)
        except TimeoutError:
            return False
        except OSError:
            return True

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.socket.close()


class _Lent:
    def __init__(self, reader: Any) -> None:
        self.read, self.readline, self.readinto = reader.read, reader.readline, reader.readinto
        self.read1, self.peek = reader.read1, reader.peek

    def close(self) -> None:
        """The connection goes on."""

    def flush(self) -> None:
        """Nothing is written here."""


def exchange(address: tuple[str, int], request: dict[str, Any]) -> Answer:
    """Sends one request over a connection of its own."""
    with Connection(address) as connection:
        method = request.get("method", "GET")
        connection.socket.sendall(request_bytes(request))
        if request.get("end"):
            connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.answer(method)
        if "method" in request:
            return answer
        then = tuple(connection.answer("GET") for _ in range(request.get("answers", 1) - 1))
        closed = connection.is_closed(another=request["closed"] is False) if "closed" in request else None
        return answer._replace(closed=closed, then=then)


def request_bytes(request: dict[str, Any]) -> bytes:
    """What goes over the wire."""
    if "raw_base64" in request:
        return base64.b64decode(request["raw_base64"])
    if "raw" in request:
        return str(request["raw"]).encode("latin-1")
    headers, body = encoded(request)
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        headers.insert(0, ("host", "localhost"))
    if names.isdisjoint({"content-length", "transfer-encoding"}) and (
        body or request["method"] in ("POST", "PUT", "PATCH")
    ):
        headers.append(("content-length", str(len(body))))
    lines = [f"{request['method']} {request['target']} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + body
