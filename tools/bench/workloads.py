"""What is measured: for each workload the requests, and what an answer must be. The gate asks the same exchanges, and
the refused ones, before anything is timed.
"""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from collections.abc import Callable

import payloads
from exchanges import Exchange, Length, Workload, get, post_files, post_form, post_json, post_msgpack, query
from surroundings import FILE


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


def profile(number: int) -> dict[str, object]:
    """The eighteen fields of the larger form."""
    return {**many(number), "email": f"user{number}@example.com", "subscribed": True}


def asked(name: str, title: str, values: Callable[[int], dict[str, object]], wrong: dict[str, object]) -> Workload:
    """The workload of one set of query parameters."""
    refused = query(f"/query/{name}", {**values(1), **wrong}, tuple(wrong))
    return Workload(f"query-{name}", title, lambda number: query(f"/query/{name}", values(number)), (refused,))


def uploaded(size: str, title: str, sizes: tuple[int, ...], variants: int) -> Workload:
    """The workload that posts files of these sizes."""
    return Workload(
        f"multipart-{size}",
        f"POST, multipart, {title}, answered with its sizes",
        lambda number: post_files("/upload", number, sizes),
        (post_files("/upload", 1, sizes, refused=True),),
        variants,
    )


def routed(count: int) -> Callable[[int], Exchange]:
    """Requests to every route of an app that has so many."""
    return lambda number: get(f"/routes/{number * 97 % count}/{number}", {"value": number})


HELLO = {"message": "Hello, World!"}
IDENTIFIERS = [str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128)) for number in range(1, 257)]
DATES = [str(datetime.date(2026, 1, 1) + datetime.timedelta(number)) for number in range(256)]
APART = (("BENCH_APART", "1"),)
"""A server of its own for what leaves a server with something to recover from."""
PHASES = ["on_request", "pre_validation", "pre_handler"]


def hello(name: str, title: str, target: str = "/json", **more: object) -> Workload:
    """A GET that is answered with the greeting."""
    return Workload(name, title, lambda _: get(target, HELLO), variants=1, **more)  # type: ignore[arg-type]


BODIES = (
    posted("small", 256),
    posted("medium", 256),
    posted("large", 64),
    posted("very-large", 16),
    Workload(
        "urlencoded-simple",
        "POST, form of 4 fields, validated and echoed as JSON",
        lambda number: post_form("/form", person(number)),
        (post_form("/form", {**person(1), "age": "old"}, ("age",)),),
    ),
    Workload(
        "urlencoded-complex",
        "POST, form of 18 typed fields, validated and echoed as JSON",
        lambda number: post_form("/form/complex", profile(number)),
        (post_form("/form/complex", {**profile(1), "year": "last", "sale": "perhaps"}, ("year", "sale")),),
    ),
    uploaded("small", "a file of 1 KB", (1_024,), 64),
    uploaded("medium", "2 files of 10 KB", (10_240,) * 2, 16),
    uploaded("large", "5 files of 100 KB", (102_400,) * 5, 4),
    Workload(
        "msgpack",
        "POST, MessagePack of the small body, validated and echoed as JSON",
        lambda number: post_msgpack("/msgpack", payloads.packed(payloads.item(number)), payloads.item(number)),
        (post_msgpack("/msgpack", payloads.packed({**payloads.item(1), "quantity": "many"}), None, ("quantity",)),),
    ),
    Workload("invalid-body", "POST, JSON with three errors, refused", three_errors),
)
READS = (
    Workload("plaintext", "GET, text of 13 bytes", lambda _: get("/plaintext", "Hello, World!"), variants=1),
    hello("json-hello", "GET, JSON of 27 bytes"),
    Workload(
        "path-simple",
        "GET, one text in the path",
        lambda number: get(f"/path/simple/item{number}", {"value": f"item{number}"}),
    ),
    Workload(
        "path-multiple",
        "GET, a text and two integers in the path",
        lambda number: get(
            f"/shops/shop{number}/users/{number}/orders/{number * 7}",
            {"shop": f"shop{number}", "user": number, "order": number * 7},
        ),
        (Exchange("GET", "/shops/one/users/two/orders/three", refused=("user", "order")),),
    ),
    Workload(
        "path-deep",
        "GET, ten segments and an integer behind them",
        lambda number: get(f"/path/deep/one/two/three/four/five/six/seven/eight/{number}", {"value": number}),
        (Exchange("GET", "/path/deep/one/two/three/four/five/six/seven/eight/nine", refused=("value",)),),
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
    Workload(
        "path-date",
        "GET, one date in the path",
        lambda number: get(f"/path/date/{DATES[number]}", {"value": DATES[number]}),
        (Exchange("GET", "/path/date/2026-02-30", refused=("value",)),),
    ),
    asked("few", "GET, 3 typed query parameters", few, {"page": "first"}),
    asked("medium", "GET, 8 typed query parameters", medium, {"page": "first", "maximum": "much"}),
    asked("many", "GET, 16 typed query parameters", many, {"page": "first", "sale": "perhaps"}),
    Workload(
        "routes-500",
        "GET, one of 500 routes",
        routed(500),
        (Exchange("GET", "/routes/499/seven", refused=("value",)),),
        environment=(("BENCH_ROUTES", "500"),),
    ),
)
LIVES = (
    hello("sync-handler", "GET, a plain function off the loop", "/sync"),
    hello("sleep-0", "GET, one turn of the loop", "/sleep/none"),
    hello("sleep-10ms", "GET, 10 ms asleep", "/sleep/short", connections=512),
    Workload(
        "with-hooks",
        "GET, five asynchronous hooks: a hook in every phase of a request that succeeds, two on the response",
        lambda _: get("/hooked", {"seen": PHASES}),
        variants=1,
        environment=(("BENCH_HOOKS", "1"),),
    ),
    Workload(
        "with-dependencies",
        "GET, three dependencies, one from the other, the middle one asynchronous",
        lambda _: get("/depends", {"value": 3}),
        variants=1,
    ),
    Workload("stream", "GET, 1 MB in 16 pieces", lambda _: get("/stream", Length(2**20)), variants=1, load="bulk"),
    Workload("file", "GET, a file of 100 KB", lambda _: get("/file", Length(FILE)), variants=1),
    hello("background", "GET, a task behind the response", "/background", after=get("/background/ran", {"ran": True})),
    Workload(
        "db",
        "GET, one row of PostgreSQL by asyncpg",
        lambda number: get(f"/db/{number + 1}", {"id": number + 1, "name": f"row {number + 1}"}),
        database=True,
    ),
    hello(
        "connections-5000",
        "GET, 64 connections beside 5,000 that ask nothing",
        connections=5_000,
        load="idle",
        environment=APART,
    ),
    hello("overload", "GET, 1 ms of processor time", "/busy", connections=2_048, load="open", environment=APART),
)
LATER = {
    "sse": "100 events: event streams are not there yet",
    "websocket": "echo: websockets are not there yet",
    "static": "a file of 100 KB: static files are not there yet",
    "with-everything": "request id, CORS, JWT, rate limit, compression: these layers are not there yet",
}
"""Workloads that are planned, each with what it waits for."""


def points() -> dict[str, list[Workload]]:
    """The curves: each of them the points at which it is measured."""
    greeting = next(one for one in ALL if one.name == "json-hello")
    small = next(one for one in ALL if one.name == "json-small")
    return {
        "connections": [curve(greeting, "connections", many, connections=many) for many in (16, 64, 100, 256, 1024)],
        "workers": [curve(small, "workers", many, workers=many, connections=128) for many in (1, 2, 4, 8)],
        "body": [curve(small, "body", len(small.exchange(0).body)), *(sized(count) for count in (1, 3, 10, 30, 100))],
        "routes": [
            curve(greeting, "routes", many, exchange=routed(many), environment=(("BENCH_ROUTES", str(many)),))
            for many in (1, 10, 100, 250, 500)
        ],
    }


def curve(workload: Workload, axis: str, at: int, **other: object) -> Workload:
    """A point of a curve: a workload with something else about it."""
    title = f"{workload.title.partition(';')[0]}; {axis}: {at:,}"
    if axis == "routes":
        other["variants"] = 256
        title = f"GET, one of {at} routes"
    return dataclasses.replace(workload, name=f"{axis}-{at}", title=title, axis=axis, at=at, **other)  # type: ignore[arg-type]


def sized(count: int) -> Workload:
    """A body of so many orders."""
    made = [payloads.encoded(payloads.batch(number, count)) for number in range(16)]
    return Workload(
        f"body-{len(made[0])}",
        f"POST, JSON of {len(made[0]):,} bytes, validated and echoed",
        lambda number: post_json("/json/large", made[number]),
        variants=16,
        axis="body",
        at=len(made[0]),
    )


CASES = {
    "json-small": ("json-small",),
    "json-medium": ("json-medium",),
    "json-large": ("json-large",),
    "json-very-large": ("json-very-large",),
    "invalid-body": ("json-small",),
    "urlencoded-simple": ("urlencoded-simple",),
    "urlencoded-complex": ("urlencoded-complex",),
    "plaintext": ("greetings",),
    "json-hello": ("greetings",),
    "path-multiple": ("path-multiple",),
    "path-int": ("path-int",),
    "path-uuid": ("path-uuid",),
    "path-date": ("path-date",),
    "query-few": ("query-few",),
    "query-medium": ("query-medium",),
    "query-many": ("query-many",),
}
"""Cases of the corpus that a contender must answer before a workload is timed."""
ALL = tuple(dataclasses.replace(one, cases=CASES.get(one.name, ())) for one in (*BODIES, *READS, *LIVES))


def named(names: list[str]) -> list[Workload]:
    """The workloads of these names, in the catalogue's order; a point of a curve is `connections-256` and so on."""
    catalogue = (*ALL, *(point for curve in points().values() for point in curve))
    known = {workload.name: workload for workload in catalogue}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"no such workload: {', '.join(unknown)}; there are {', '.join(one.name for one in ALL)}")
    return [workload for workload in catalogue if workload.name in names]
