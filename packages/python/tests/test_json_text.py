"""Which bodies are JSON: every decoder accepts the same ones, whoever judges their grammar."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypedDict

import msgspec
import pydantic
import pytest
from spikard import Body, Request, Spikard
from spikard.testing import TestClient

SEEDS = (
    b'{"name": "a", "price": 1.5, "tags": ["x", "\\u00e9\\n"], "more": {"deep": [[{"k": [1, 2]}]], "n": -0.25e-3}}',
    b'{"kind":"B","name":"\xc3\xa9\xf0\x9f\x98\x80","price":12345678901234567890,"tags":[],"raw":[true,false,null]}',
    b' {"tags" : [ "\\"]}" , "\\\\" ] ,\n"name":"\\ud83d\\ude00","price":0, "other": "\\ud83d\\ude00 [[[", "x": 1e5}\t',
    b'{"price":1E+10,"name":"","unknown\\u0041":{"a":{"b":{"c":{"d":{}}}}},"tags":["long text of some words, and more of them"]}',
)
PIECES = (
    *(b"01", b"1.", b"-", b"1e", b"+1", b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1E400", b"0x1", b".5", b"1_0"),
    *(b"1e0000001", b"9" * 310, b"0." + b"0" * 400 + b"1e401", b"1" + b"0" * 308, b"1" + b"0" * 309, b"-0", b"1e-999"),
    *(b"\\x", b"\\u12", b"\\ud800", b"\\udc00", b"\\ud800\\u0041", b"\\uD83D\\uDE00", b"\\", b"\\\\", b'\\"', b"\\/"),
    *(b"\x00", b"\x01", b"\x1f", b"\x7f", b"\n", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"),
    *(
        b"\xef\xbb\xbf",
        b"\xc2\xa0",
        b"\x0b",
        b"\x0c",
        b"//",
        b"/**/",
        b"'",
        b",",
        b",,",
        b":",
        b'"',
        b"[",
        b"]",
        b"{",
        b"}",
    ),
    *(
        b"nul",
        b"True",
        b"null",
        b"[" * 70,
        b"[" * 30 + b"]" * 30,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 400 + b"]" * 400,
    ),
    *(b'["]]]]]", [', b'"\\', b" ", b"\r\n", b"x" * 70, b"[[],[]]"),
)


class Known(msgspec.Struct):
    name: str
    price: float
    tags: list[str]


class Loose(msgspec.Struct):
    """Nearly everything is skipped."""

    name: Any = None


class Holder(msgspec.Struct):
    raw: msgspec.Raw = msgspec.Raw(b"")
    more: msgspec.Raw = msgspec.Raw(b"")
    price: msgspec.Raw = msgspec.Raw(b"")


class Exact(msgspec.Struct):
    price: Decimal | None = None
    more: dict[str, Decimal | list[Any]] | None = None


class A(msgspec.Struct, tag_field="kind", tag="A"):
    name: str


class B(msgspec.Struct, tag_field="kind", tag="B"):
    name: str | None = None


class Typed(TypedDict, total=False):
    name: str
    price: int


@dataclass
class Plain:
    name: str = ""
    price: int | float | None = None


@dataclass
class Counted:
    """Runs code of the user's while it is being made."""

    name: Any = None
    made: ClassVar[int] = 0

    def __post_init__(self) -> None:
        Counted.made += 1


class Model(pydantic.BaseModel):
    name: Any = None


def app() -> Spikard:
    """Routes that read a body in every way; `/` says what the core's own grammar does."""
    app = Spikard()

    @app.post("/")
    async def judged(request: Request) -> str:
        await request.json()
        return ""

    def add(path: str, hint: Any) -> None:
        async def read(body: Any) -> str:
            return ""

        read.__annotations__["body"] = Annotated[hint, Body()]
        app.post(path)(read)

    hints = (
        Known,
        Loose,
        Holder,
        Exact,
        A | B,
        Typed,
        Plain,
        Counted,
        Model,
        dict[str, Any],
        Any,
        dict[str, msgspec.Raw],
    )
    for place, hint in enumerate(hints):
        add(f"/{place}", hint)

    @app.post("/shared")
    async def shared(name: Annotated[Any, Body()] = None, more: Annotated[Any, Body()] = None) -> str:
        return ""

    return app


def bodies(turns: int) -> Iterator[bytes]:
    """JSON that something has happened to."""
    chance = random.Random(20_260_101)
    yield from SEEDS
    for piece in PIECES:
        yield piece
        for frame in (
            b"[%b]",
            b'{"name":%b}',
            b'{"name":"%b"}',
            b'{"skipped":%b}',
            b'{"skipped":"%b"}',
            b'{"%b":1}',
            b"%b{}",
        ):
            yield frame % piece
        yield SEEDS[0] + piece
    for _ in range(turns):
        text = bytearray(chance.choice(SEEDS))
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            start = chance.randrange(len(text))
            match chance.randrange(4):
                case 0:
                    del text[start : start + chance.choice((1, 1, 2, 9))]
                case 1:
                    text[start : start + 1] = chance.choice(PIECES)
                case 2:
                    text[start:start] = chance.choice(PIECES)
                case _:
                    text[start:start] = text[start : start + 12]
            text = text or bytearray(b"0")
        yield bytes(text)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(app()) as client:
        yield client


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", [*(f"/{place}" for place in range(12)), "/shared"])
def test_every_decoder_refuses_what_is_no_json_with_the_same_words(client: TestClient, path: str) -> None:
    """Read by msgspec, which judges the grammar itself, as by what does not."""
    accepted = refused = 0
    for body in bodies(250):
        judged = client.post("/", content=body, headers=JSON)
        answer = client.post(path, content=body, headers=JSON)
        if judged.status_code == 400:
            assert (answer.status_code, answer.text) == (400, judged.text), body
            refused += 1
        else:
            assert answer.status_code in (200, 422), body
            accepted += answer.status_code == 200
    assert refused > 200
    assert accepted > 10


def test_a_body_that_is_no_json_runs_no_code_of_the_users(client: TestClient) -> None:
    made = Counted.made
    assert client.post("/7", content=b'{"name": 1} x', headers=JSON).status_code == 400
    assert Counted.made == made


@pytest.mark.parametrize("path", [*(f"/{place}" for place in range(12)), "/shared"])
def test_a_large_body_is_read_in_place(client: TestClient, path: str) -> None:
    large = b'{"kind":"B","name":"%b","price":1,"tags":[],"more":{"a":[1]}}' % (b"x" * 200_000)
    assert client.post(path, content=large, headers=JSON).status_code == 200
    assert client.post(path, content=large[:-1], headers=JSON).status_code == 400
