"""What is measured: for each workload the requests, which differ from one to the next, and what an answer must be. The
gate asks the same exchanges, and the refused ones, before anything is timed.
"""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
import uuid
from collections.abc import Callable

import payloads

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
class Workload:
    """A kind of request. `exchange(n)` is the n-th of `variants`; `refused` are wrong ones of the same route."""

    name: str
    title: str
    exchange: Callable[[int], Exchange]
    refused: tuple[Exchange, ...] = ()
    variants: int = 256
    connections: int = CONNECTIONS

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


def text(value: object) -> str:
    """A value as it stands in a query or a form."""
    return json.dumps(value) if isinstance(value, bool) else str(value)


def query(target: str, values: dict[str, object], refused: tuple[str, ...] = ()) -> Exchange:
    """A GET with typed query parameters that are answered as JSON."""
    spelled = urllib.parse.urlencode({name: text(value) for name, value in values.items()})
    return Exchange("GET", f"{target}?{spelled}", answer=None if refused else values, refused=refused)


def posted(size: str, variants: int) -> Workload:
    """The workload that posts bodies of one size."""
    target = f"/json/{size}"
    broken = payloads.body(size, 1).replace(b'"quantity":', b'"quantity":"many","was":', 1)
    return Workload(
        f"json-{size}",
        f"POST, JSON of {payloads.SIZES[size]:,} bytes, validated and echoed",
        lambda number: post_json(target, payloads.body(size, number)),
        (post_json(target, broken, ("quantity",)), post_json(target, broken[: len(broken) // 2], ("",))),
        variants,
    )


def three_errors(number: int) -> Exchange:
    """A small body with three wrong fields."""
    wrong = {**payloads.item(number), "name": number, "price": "cheap", "quantity": "many"}
    return post_json("/json/small", payloads.encoded(wrong), ("name", "price", "quantity"))


def few(number: int) -> dict[str, object]:
    """Three query parameters."""
    return {"q": f"term{number}", "page": number, "active": number % 2 == 0}


def medium(number: int) -> dict[str, object]:
    """Eight query parameters."""
    more = {"limit": 20, "minimum": 1.5, "maximum": number + 0.5, "sort": "name", "descending": True}
    return {**few(number), **more}


def many(number: int) -> dict[str, object]:
    """Sixteen query parameters."""
    texts = {"category": "books", "brand": "acme", "colour": "blue", "country": "GB"}
    return {**medium(number), **texts, "year": 1900 + number, "rating": 4.5, "stock": number, "sale": False}


def person(number: int) -> dict[str, object]:
    """The four fields of the form."""
    return {"username": f"user{number}", "email": f"user{number}@example.com", "age": number, "subscribed": True}


def asked(name: str, title: str, values: Callable[[int], dict[str, object]], wrong: dict[str, object]) -> Workload:
    """The workload of one set of query parameters."""
    refused = query(f"/query/{name}", {**values(1), **wrong}, tuple(wrong))
    return Workload(f"query-{name}", title, lambda number: query(f"/query/{name}", values(number)), (refused,))


HELLO = {"message": "Hello, World!"}
IDENTIFIERS = [str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for number in range(1, 257)]

ALL = (
    posted("small", 256),
    posted("medium", 256),
    posted("large", 64),
    posted("very-large", 16),
    Workload("plaintext", "GET, text of 13 bytes", lambda _: get("/plaintext", "Hello, World!"), variants=1),
    Workload("json-hello", "GET, JSON of 27 bytes", lambda _: get("/json", HELLO), variants=1),
    Workload(
        "path-simple",
        "GET, one text in the path",
        lambda number: get(f"/path/simple/item{number}", {"value": f"item{number}"}),
    ),
    Workload(
        "path-int",
        "GET, one integer in the path",
        lambda number: get(f"/path/int/{number}", {"value": number}),
        (Exchange("GET", "/path/int/seven", refused=("value",)),),
    ),
    Workload(
        "path-uuid",
        "GET, one UUID in the path",
        lambda number: get(f"/path/uuid/{IDENTIFIERS[number]}", {"value": IDENTIFIERS[number]}),
        (Exchange("GET", "/path/uuid/seven", refused=("value",)),),
    ),
    asked("few", "GET, 3 typed query parameters", few, {"page": "first"}),
    asked("medium", "GET, 8 typed query parameters", medium, {"page": "first", "maximum": "much"}),
    asked("many", "GET, 16 typed query parameters", many, {"page": "first", "sale": "perhaps"}),
    Workload(
        "urlencoded-simple",
        "POST, form of 4 fields, validated and echoed as JSON",
        lambda number: post_form("/form", person(number)),
        (post_form("/form", {**person(1), "age": "old"}, ("age",)),),
    ),
    Workload("invalid-body", "POST, JSON with three errors, refused", three_errors),
    Workload("sync-handler", "GET, a plain function off the loop", lambda _: get("/sync", HELLO), variants=1),
    Workload("sleep-0", "GET, one turn of the loop", lambda _: get("/sleep/none", HELLO), variants=1),
    Workload(
        "sleep-10ms",
        "GET, 10 ms asleep",
        lambda _: get("/sleep/short", HELLO),
        variants=1,
        connections=512,
    ),
)


def named(names: list[str]) -> list[Workload]:
    """The workloads of these names, in the catalogue's order."""
    known = {workload.name: workload for workload in ALL}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"no such workload: {', '.join(unknown)}; there are {', '.join(known)}")
    return [workload for workload in ALL if workload.name in names]
