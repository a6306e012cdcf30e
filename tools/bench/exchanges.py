"""What a workload is made of: requests, which differ from one to the next, and what an answer must be."""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
from collections.abc import Callable

CONNECTIONS = 64


@dataclasses.dataclass(frozen=True)
class Exchange:
    """A request, and the value that its answer must hold; `refused` asks for a 4xx that names these fields instead
    (an empty name: that names none).
    """

    method: str
    target: str
    body: bytes = b""
    content_type: str = ""
    answer: object = None
    refused: tuple[str, ...] = ()

    def head(self, host: str) -> str:
        """The request's head on the wire."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}"]
        if self.body:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*lines, "", ""])

    def wire(self, host: str) -> bytes:
        """The whole request on the wire."""
        return self.head(host).encode() + self.body


@dataclasses.dataclass(frozen=True)
class Length:
    """An answer of that many bytes, whatever they are."""

    bytes: int


@dataclasses.dataclass(frozen=True)
class Workload:
    """A kind of request. `exchange(n)` is the n-th of `variants`; `refused` are wrong ones of the same route."""

    name: str
    title: str
    exchange: Callable[[int], Exchange]
    refused: tuple[Exchange, ...] = ()
    variants: int = 256
    connections: int = CONNECTIONS
    load: str = "closed"
    """`closed`: wrk, whose connections wait for their answers; `bulk`: the same for long answers, read in turns; `open`: a
    schedule that waits for nobody, at four times what the closed loop reached; `idle`: connections that ask nothing, counted
    in bytes."""
    environment: tuple[tuple[str, str], ...] = ()
    """Of its server: another one than that of the other workloads."""
    database: bool = False
    """Whether a row of PostgreSQL is asked for."""
    after: Exchange | None = None
    """What must be answered so once the others have been: that what they began was done."""
    cases: tuple[str, ...] = ()
    """Cases of the corpus that a contender must answer before it is timed."""
    workers: int = 1
    axis: str = ""
    """The curve that it is a point of, and where."""
    at: int = 0

    def exchanges(self) -> list[Exchange]:
        """Every request of the workload, in the order in which they are sent."""
        return [self.exchange(number) for number in range(self.variants)]


def get(target: str, answer: object) -> Exchange:
    """A GET."""
    return Exchange("GET", target, answer=answer)


def post_json(target: str, body: bytes, refused: tuple[str, ...] = ()) -> Exchange:
    """A POST of JSON that is answered with the same value."""
    return Exchange("POST", target, body, "application/json", None if refused else json.loads(body), refused)


def post_form(target: str, fields: dict[str, object], refused: tuple[str, ...] = ()) -> Exchange:
    """A POST of a form that is answered with the fields as JSON."""
    body = urllib.parse.urlencode({name: text(value) for name, value in fields.items()}).encode()
    return Exchange("POST", target, body, "application/x-www-form-urlencoded", None if refused else fields, refused)


def post_msgpack(target: str, body: bytes, value: object, refused: tuple[str, ...] = ()) -> Exchange:
    """A POST of MessagePack that is answered with the same value as JSON."""
    return Exchange("POST", target, body, "application/msgpack", None if refused else value, refused)


def text(value: object) -> str:
    """A value as it stands in a query or a form."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def query(target: str, values: dict[str, object], refused: tuple[str, ...] = ()) -> Exchange:
    """A GET with typed query parameters that are answered as JSON."""
    spelled = urllib.parse.urlencode({name: text(value) for name, value in values.items()})
    return Exchange("GET", f"{target}?{spelled}", answer=None if refused else values, refused=refused)


def post_files(target: str, number: int, sizes: tuple[int, ...], refused: bool = False) -> Exchange:
    """A POST of a multipart form: a title and files of these sizes; answered with the title and their sizes. The
    refused one lacks its files.
    """
    edge = f"edge-{number:08}"
    field = f'--{edge}\r\nContent-Disposition: form-data; name="title"\r\n\r\ntitle {number}\r\n'.encode()
    files = b"".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{place}.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + bytes([(number + place) % 26 + 97]) * size
        + b"\r\n"
        for place, size in enumerate(() if refused else sizes)
    )
    body = field + files + f"--{edge}--\r\n".encode()
    answer = None if refused else {"title": f"title {number}", "sizes": list(sizes)}
    return Exchange(
        "POST", target, body, f"multipart/form-data; boundary={edge}", answer, ("files",) if refused else ()
    )
